//! Text as devices write it: ASHRAE 135, clause 20.2.9.

use std::fmt::Write;

use crate::model::decode;

/// Text with the number of its character set before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// 0 UTF-8, 1 a Microsoft code page, 2 JIS X 0208, 3 UCS-4, 4 UCS-2, 5 ISO 8859-1.
    pub charset: u8,
    /// The text; of a code page, its number before it.
    pub bytes: Vec<u8>,
}

const CODE_PAGE: u8 = 1;
const JIS: u8 = 2;
const UCS_4: u8 = 3;
const UCS_2: u8 = 4;
const ISO_8859_1: u8 = 5;

impl Text {
    /// The text, cleaned. Where nobody here knows the characters, its bytes in hexadecimal digits and
    /// which set they belong to: that is honest, and a guess would not be.
    ///
    /// ```
    /// use otcore::protocols::bacnet::Text;
    /// let text = |charset, bytes: &[u8]| Text { charset, bytes: bytes.to_vec() }.shown();
    /// assert_eq!(text(0, "Lüftung".as_bytes()), "Lüftung");
    /// assert_eq!(text(4, &[0, b'A', 0, 0xE9]), "Aé");
    /// assert_eq!(text(1, &[0x03, 0xA4, 0x83, 0x7B]), "code page 932: 837b");
    /// ```
    #[must_use]
    pub fn shown(&self) -> String {
        let bytes = self.bytes.as_slice();
        match (self.charset, bytes) {
            (CODE_PAGE, [_, _, text @ ..]) if text.is_ascii() => decode(text),
            // Windows-1252 and ISO 8859-1, by their numbers at Microsoft.
            (CODE_PAGE, [0x04, 0xE4, text @ ..] | [0x6F, 0xAF, text @ ..]) => latin(text),
            (CODE_PAGE, [high, low, text @ ..]) => {
                raw(&format!("code page {}", u16::from_be_bytes([*high, *low])), text)
            }
            (JIS, text) => raw("JIS X 0208", text),
            (UCS_4, text) => decode(ucs_4(text).as_bytes()),
            (UCS_2, text) => decode(ucs_2(text).as_bytes()),
            (ISO_8859_1, text) => latin(text),
            (0, text) => decode(text),
            (charset, text) => raw(&format!("character set {charset}"), text),
        }
    }
}

fn latin(text: &[u8]) -> String {
    decode(text.iter().map(|byte| char::from(*byte)).collect::<String>().as_bytes())
}

fn ucs_4(text: &[u8]) -> String {
    let (points, _) = text.as_chunks::<4>();
    let character = |point: &[u8; 4]| char::from_u32(u32::from_be_bytes(*point));
    points.iter().map(|point| character(point).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn ucs_2(text: &[u8]) -> String {
    let (units, _) = text.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// More bytes of what nobody can read are not shown.
const SHOWN: usize = 64;

fn raw(set: &str, text: &[u8]) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut shown = format!("{set}: ");
    for byte in text.iter().take(SHOWN) {
        let _ = write!(shown, "{byte:02x}"); // a string takes everything
    }
    if text.len() > SHOWN {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(charset: u8, bytes: &[u8]) -> String {
        Text { charset, bytes: bytes.to_vec() }.shown()
    }

    #[test]
    fn every_character_set_is_read_or_honestly_left_as_it_is() {
        assert_eq!(shown(0, "Kühlung № 3".as_bytes()), "Kühlung № 3");
        assert_eq!(shown(0, b"K\xfchlung"), "Kühlung", "ANSI X3.4 once, whatever it holds");
        assert_eq!(shown(1, &[0x03, 0x52, b'A', b'H', b'U']), "AHU");
        assert_eq!(shown(1, &[0x04, 0xE4, b'K', 0xFC]), "Kü");
        assert_eq!(shown(1, &[0x03, 0x52, 0x81]), "code page 850: 81");
        assert_eq!(shown(1, &[0x03]), "character set 1: 03");
        assert_eq!(shown(2, &[0x24, 0x22]), "JIS X 0208: 2422");
        assert_eq!(shown(3, &[0, 0, 0, b'A', 0, 1, 0xF6, 0x00]), "A😀");
        assert_eq!(shown(4, &[0x00, b'V', 0x56, 0xDE, 0x98, 0xA8]), "V回風");
        assert_eq!(shown(5, b"caf\xe9"), "café");
        assert_eq!(shown(9, b"x"), "character set 9: 78");
        assert_eq!(shown(4, &[]), "");
    }

    #[test]
    fn broken_wide_text_shows_where_it_is_broken() {
        assert_eq!(shown(4, &[0xD8, 0x00, 0x00, b'A', 0x00]), "\u{FFFD}A");
        assert_eq!(shown(3, &[0, 0x11, 0, 0]), "\u{FFFD}");
    }

    proptest! {
        #[test]
        fn whatever_a_device_writes_is_safe_to_show(charset: u8, bytes: Vec<u8>) {
            let text = shown(charset, &bytes);
            prop_assert_eq!(crate::model::printable(&text), text.as_str());
        }

        #[test]
        fn wide_text_comes_back(text in "[A-Za-z0-9äöü回風]{0,40}") {
            let two: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let four: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
            prop_assert_eq!(shown(4, &two), text.clone());
            prop_assert_eq!(shown(3, &four), text);
        }
    }
}
