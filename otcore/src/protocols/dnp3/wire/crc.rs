//! The checksum that follows the header and every block of data (IEEE 1815-2012, clause 9.2.4.3.1).

/// x16 + x13 + x12 + x11 + x10 + x8 + x6 + x5 + x2 + 1, lowest bit first.
const POLYNOMIAL: u16 = 0xA6BC;

/// Of every byte with so many zeros behind it: eight bytes are looked up side by side.
static TABLES: [[u16; 256]; 8] = tables();

/// The checksum of `bytes`; it follows them low byte first.
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    let (eights, rest) = bytes.as_chunks();
    let crc = eights.iter().fold(0, eight);
    !rest.iter().fold(crc, |crc, byte| {
        let [high, low] = (crc ^ u16::from(*byte)).to_be_bytes();
        u16::from(high) ^ of(low, 0)
    })
}

#[inline]
fn eight(crc: u16, bytes: &[u8; 8]) -> u16 {
    let [low, high] = crc.to_le_bytes();
    let [a, b, c, d, e, f, g, h] = *bytes;
    let first = of(a ^ low, 7) ^ of(b ^ high, 6);
    first ^ of(c, 5) ^ of(d, 4) ^ of(e, 3) ^ of(f, 2) ^ of(g, 1) ^ of(h, 0)
}

#[inline]
fn of(byte: u8, zeros: usize) -> u16 {
    TABLES.get(zeros).and_then(|table| table.get(usize::from(byte))).copied().unwrap_or_default()
}

#[allow(clippy::indexing_slicing)] // const fn: no iterators here
const fn tables() -> [[u16; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte: u16 = 0;
    while byte < 256 {
        let mut crc = byte;
        let mut zeros = 0;
        while zeros < 8 {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
                bit += 1;
            }
            tables[zeros][byte as usize] = crc;
            zeros += 1;
        }
        byte += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-16/DNP, and headers and data of recorded messages.
        assert_eq!(crc(b"123456789"), 0xEA82);
        assert_eq!(crc(&[0x05, 0x64, 0x05, 0xC9, 0x01, 0, 0, 0]), 0x8EDE);
        assert_eq!(crc(&[0x05, 0x64, 0x20, 0x44, 0x03, 0, 0x04, 0]), 0xE395);
        assert_eq!(crc(&[]), 0xFFFF);
    }

    #[test]
    fn eight_bytes_at_once_are_eight_bytes_one_by_one() {
        let slow = |bytes: &[u8]| {
            !bytes.iter().fold(0, |crc, byte| {
                (0..8).fold(crc ^ u16::from(*byte), |crc: u16, _| match crc & 1 {
                    1 => (crc >> 1) ^ POLYNOMIAL,
                    _ => crc >> 1,
                })
            })
        };
        let bytes: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_mul(167)).collect();
        for begin in 0..16 {
            for end in begin..bytes.len() {
                assert_eq!(crc(&bytes[begin..end]), slow(&bytes[begin..end]), "{begin}..{end}");
            }
        }
    }
}
