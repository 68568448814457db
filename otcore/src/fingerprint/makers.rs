//! To whom hardware addresses were given.

use std::collections::HashMap;

/// The longest beginning that IEEE gives out, and the shorter ones, in hexadecimal digits.
const LENGTHS: [usize; 3] = [9, 7, 6];

/// Makers by the beginning of their hardware addresses.
///
/// A line is `<hexadecimal digits>,<parts or nothing>,<maker>`. A maker of parts is built into the
/// devices of others, so its address says nothing about who made those.
#[derive(Debug, Default)]
pub(super) struct Makers(HashMap<String, Maker>);

/// Who was given an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Maker {
    /// `<table>/<beginning>`.
    pub(super) rule: String,
    pub(super) name: String,
    pub(super) sells_parts: bool,
}

impl Makers {
    /// Read the table `name`.
    ///
    /// # Errors
    /// The number of the line, from 1, and what is wrong there.
    pub(super) fn read(name: &str, text: &str) -> Result<Self, (usize, String)> {
        let mut makers = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut cells = line.splitn(3, ',');
            let (Some(prefix), Some(parts), Some(maker)) =
                (cells.next(), cells.next(), cells.next())
            else {
                return Err((number, "a row has 3 columns".to_owned()));
            };
            let digits = prefix.to_ascii_lowercase();
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            if !is_hex || !LENGTHS.contains(&digits.len()) || maker.is_empty() {
                return Err((number, "a row begins with 6, 7 or 9 hexadecimal digits".to_owned()));
            }
            let (rule, name) = (format!("{name}/{prefix}"), maker.to_owned());
            makers.insert(digits, Maker { rule, name, sells_parts: parts == "parts" });
        }
        Ok(Self(makers))
    }

    /// Who was given `mac`; nobody was if it was made up locally.
    pub(super) fn of(&self, mac: &str) -> Option<&Maker> {
        let digits: String = mac.chars().filter(char::is_ascii_hexdigit).collect();
        let digits = Some(digits.to_ascii_lowercase()).filter(|digits| digits.len() == 12)?;
        LENGTHS.iter().find_map(|length| self.0.get(digits.get(..*length)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_decides_who_was_given_an_address() {
        let makers = Makers::read("oui", "0050C2,,IEEE\n0050C27A8,,Intec\n# remark\n").unwrap();
        assert_eq!(makers.of("00:50:c2:7a:81:02").unwrap().name, "Intec");
        assert_eq!(makers.of("00-50-C2-11-11-11").unwrap().rule, "oui/0050C2");
        for nobody in ["", "00:50", "ff:ff:ff:ff:ff:ff", "zz:zz:zz:zz:zz:zz", "é0:50:c2:7a:81:02"]
        {
            assert_eq!(makers.of(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, line) in [("0050C2,,A\n0050C,,B", 2), ("0050C2", 1), ("0050C2,,", 1)] {
            assert_eq!(Makers::read("oui", text).unwrap_err().0, line, "{text}");
        }
    }
}
