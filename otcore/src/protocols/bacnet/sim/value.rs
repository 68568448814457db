//! Values as a pretend device writes them: ASHRAE 135, clause 20.2.

/// A number of the type Device.
pub const DEVICE: u16 = 8;
/// A number of the type Network Port.
pub const NETWORK_PORT: u16 = 56;

/// How a device writes its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// UTF-8, as the standard wants it.
    Utf8,
    /// Two bytes for each letter.
    Ucs2,
    /// One byte for each letter of western Europe.
    Latin,
}

/// An application tag with its content.
pub(super) fn tagged(number: u8, content: &[u8]) -> Vec<u8> {
    let head = match content.len() {
        length @ 0..=4 => vec![number << 4 | low(length)],
        length @ 5..=253 => vec![number << 4 | 5, low(length)],
        length => [&[number << 4 | 5, 254][..], &short(length)].concat(),
    };
    [&head, content].concat()
}

pub(super) fn unsigned(value: u32) -> Vec<u8> {
    tagged(2, shortest(&value.to_be_bytes()))
}

pub(super) fn enumerated(value: u32) -> Vec<u8> {
    tagged(9, shortest(&value.to_be_bytes()))
}

pub(super) fn real(value: f32) -> Vec<u8> {
    tagged(4, &value.to_be_bytes())
}

pub(super) fn octets(value: &[u8]) -> Vec<u8> {
    tagged(6, value)
}

pub(super) fn object((kind, instance): (u16, u32)) -> Vec<u8> {
    tagged(12, &identifier((kind, instance)))
}

/// Ten bits of type and twenty-two of instance.
pub(super) fn identifier((kind, instance): (u16, u32)) -> [u8; 4] {
    (u32::from(kind) << 22 | instance & 0x3F_FFFF).to_be_bytes()
}

pub(super) fn text(letters: Letters, value: &str) -> Vec<u8> {
    let content = match letters {
        Letters::Utf8 => [&[0], value.as_bytes()].concat(),
        Letters::Ucs2 => {
            let units = value.encode_utf16().flat_map(u16::to_be_bytes);
            std::iter::once(4).chain(units).collect()
        }
        Letters::Latin => {
            let bytes = value.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?'));
            std::iter::once(5).chain(bytes).collect()
        }
    };
    tagged(7, &content)
}

/// Year, month, day and day of the week.
pub(super) fn date([year, month, day, weekday]: [u16; 4]) -> Vec<u8> {
    let parts = [year.saturating_sub(1900), month, day, weekday];
    tagged(10, &parts.map(|part| u8::try_from(part).unwrap_or(0xFF)))
}

/// Hour, minute, second and hundredths.
pub(super) fn time(parts: [u8; 4]) -> Vec<u8> {
    tagged(11, &parts)
}

/// `BACnetTimeStamp` with a date and a time.
pub(super) fn moment(day: [u16; 4], hour: [u8; 4]) -> Vec<u8> {
    [&[0x2E][..], &date(day), &time(hour), &[0x2F]].concat()
}

/// So many bits, of which these are set.
pub(super) fn bits(length: usize, set: &[usize]) -> Vec<u8> {
    let unused = (8 - length % 8) % 8;
    let mut bytes = vec![0_u8; length.div_ceil(8)];
    for bit in set {
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte |= 0x80 >> (bit % 8);
        }
    }
    tagged(8, &[&[low(unused)], &bytes[..]].concat())
}

/// The two bytes of a length.
pub(super) fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn low(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

fn shortest(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0, rest @ ..] if !rest.is_empty() => shortest(rest),
        bytes => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of examples in ASHRAE 135, clause 20.2.
    #[test]
    fn values_are_written_as_the_examples_of_the_standard() {
        assert_eq!(unsigned(72), [0x21, 0x48]);
        assert_eq!(enumerated(0), [0x91, 0]);
        assert_eq!(octets(&[0x12, 0x34, 0xFF]), [0x63, 0x12, 0x34, 0xFF]);
        assert_eq!(object((3, 15)), [0xC4, 0x00, 0xC0, 0x00, 0x0F]);
        assert_eq!(real(72.0), [0x44, 0x42, 0x90, 0, 0]);
        assert_eq!(bits(5, &[0, 2, 4]), [0x82, 0x03, 0xA8]);
        assert_eq!(date([1991, 1, 24, 4]), [0xA4, 0x5B, 0x01, 0x18, 0x04]);
        assert_eq!(time([17, 35, 45, 17]), [0xB4, 0x11, 0x23, 0x2D, 0x11]);
        let name = text(Letters::Utf8, "This is a BACnet string!");
        assert_eq!(name[..3], [0x75, 0x19, 0x00]);
        assert_eq!(text(Letters::Ucs2, "ä€")[2..], [4, 0x00, 0xE4, 0x20, 0xAC]);
        assert_eq!(text(Letters::Latin, "ä€"), [0x73, 5, 0xE4, b'?']);
    }

    #[test]
    fn long_contents_have_long_lengths() {
        assert_eq!(octets(&[7; 253])[..2], [0x65, 253]);
        assert_eq!(octets(&[7; 254])[..4], [0x65, 254, 0, 254]);
    }
}
