//! The checksum that follows the header and every block of data (IEEE 1815-2012, clause 9.2.4.3.1).

/// x16 + x13 + x12 + x11 + x10 + x8 + x6 + x5 + x2 + 1, lowest bit first.
const POLYNOMIAL: u16 = 0xA6BC;

const TABLE: [u16; 256] = table();

/// The checksum of `bytes`; it follows them low byte first.
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    let step = |crc: u16, byte: &u8| {
        let [_, low] = (crc ^ u16::from(*byte)).to_be_bytes();
        (crc >> 8) ^ TABLE.get(usize::from(low)).copied().unwrap_or_default()
    };
    !bytes.iter().fold(0, step)
}

#[allow(clippy::indexing_slicing)] // const fn: no iterators here
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte: u16 = 0;
    while byte < 256 {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
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
}
