//! One form of what different people write differently.
//!
//! Pure text: what a name stands for is knowledge and lives elsewhere. Doing any of it twice changes
//! nothing more.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A version that can be compared with others: `V3.2.6`, `v2.70`, `2.70` and `20.011` all are one.
///
/// Numbers are compared as numbers, one after the other, and one that is not there is 0; then the
/// rest, as text. `2.70` is newer than `2.8`.
///
/// ```
/// use otcore::model::Version;
/// let version = |text| Version::read(text).unwrap();
/// assert_eq!(version("V2.70"), version("2.70"));
/// assert_eq!(version("20.011").to_string(), "20.11");
/// assert!(version("V3.2.6") < version("3.10"));
/// assert!(Version::read("unknown").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    numbers: Vec<u64>,
    rest: String,
}

impl Version {
    /// The version that `text` says; `None` if it does not begin with a number, after a word such as
    /// `V`, `FW` or `Revision`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let mut left = without_word(&text);
        let mut numbers = Vec::new();
        loop {
            let end = left.find(|c: char| !c.is_ascii_digit()).unwrap_or(left.len());
            let (digits, after) = left.split_at_checked(end)?;
            numbers.push(digits.parse().ok()?);
            left = after;
            match after.strip_prefix('.').filter(|t| t.starts_with(|c: char| c.is_ascii_digit())) {
                Some(next) => left = next,
                None => break,
            }
        }
        while numbers.len() > 2 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self { numbers, rest: words(left) })
    }

    /// Its numbers, the most important first; zeros at the end beyond the second are left out.
    #[must_use]
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }
}

/// `text` without the word that says that this is a version.
fn without_word(text: &str) -> &str {
    const WORDS: [&str; 9] =
        ["version", "revision", "release", "firmware", "ver", "rev", "fw", "sw", "v"];
    let mut left = text;
    while let Some(after) = WORDS.iter().chain(&["r"]).find_map(|word| left.strip_prefix(word)) {
        left =
            after.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ':' | '_'));
    }
    left
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(u64::to_string).collect();
        // Nothing that follows may become one more number.
        let after =
            self.rest.strip_prefix('.').filter(|t| t.starts_with(|c: char| c.is_ascii_digit()));
        let joins = after.is_some() || self.rest.starts_with(|c: char| c.is_alphanumeric());
        let joint = if joins { " " } else { "" };
        write!(f, "{}{joint}{}", numbers.join("."), self.rest)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let number = |version: &Self, nth: usize| version.numbers.get(nth).copied().unwrap_or(0);
        let longest = self.numbers.len().max(other.numbers.len());
        let numbers = (0..longest).map(|nth| number(self, nth).cmp(&number(other, nth)));
        let differ = { numbers }.find(|ordering| ordering.is_ne());
        differ
            .unwrap_or_else(|| self.rest.cmp(&other.rest))
            .then_with(|| self.numbers.len().cmp(&other.numbers.len()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// An order number in one spelling: single spaces, plain dashes, and Siemens' numbers of 16
/// characters in the four groups that Siemens prints.
///
/// ```
/// use otcore::model::order_number;
/// assert_eq!(order_number("6ES7315-2EH14-0AB0 "), "6ES7 315-2EH14-0AB0");
/// assert_eq!(order_number("1756\u{2013}L61"), "1756-L61");
/// ```
#[must_use]
pub fn order_number(text: &str) -> String {
    const DASHES: [char; 5] = ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}'];
    let plain = words(&text.replace(DASHES, "-"));
    in_groups(&plain).unwrap_or(plain)
}

/// A number of Siemens' (a digit, two letters, a digit, twelve more) as `6ES7 315-2EH14-0AB0`.
fn in_groups(text: &str) -> Option<String> {
    let signs: Vec<char> = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let begins = matches!(signs.as_slice(), [a, b, c, d, ..] if a.is_ascii_digit()
        && b.is_ascii_alphabetic() && c.is_ascii_alphabetic() && d.is_ascii_digit());
    if signs.len() != 16 || !begins || !signs.iter().all(char::is_ascii_alphanumeric) {
        return None;
    }
    let mut shown = String::with_capacity(19);
    for (nth, sign) in signs.into_iter().enumerate() {
        match nth {
            4 => shown.push(' '),
            7 | 12 => shown.push('-'),
            _ => {}
        }
        shown.push(sign.to_ascii_uppercase());
    }
    Some(shown)
}

/// The name of a company without what may be left out: `Siemens AG` and `SIEMENS` are the same.
///
/// Lower case, words by single spaces, without full stops and commas, without legal forms at the end.
///
/// ```
/// use otcore::model::company;
/// assert_eq!(company("Acme Controls, Inc."), company("ACME  Controls"));
/// assert_eq!(company("AG"), "ag");
/// ```
#[must_use]
pub fn company(text: &str) -> String {
    const LEGAL_FORMS: [&str; 33] = [
        "ab",
        "ag",
        "as",
        "a/s",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "gmbh",
        "group",
        "inc",
        "incorporated",
        "intl",
        "international",
        "kg",
        "limited",
        "llc",
        "ltd",
        "nv",
        "oy",
        "oyj",
        "plc",
        "pty",
        "sa",
        "sas",
        "se",
        "spa",
        "srl",
        "sro",
        "&",
        "and",
        "sl",
    ];
    let text = text.to_lowercase().replace('.', "").replace(',', " ");
    let mut left: Vec<&str> = text.split_whitespace().collect();
    while let [_, .., last] = left.as_slice() {
        if !LEGAL_FORMS.contains(last) {
            break;
        }
        left.pop();
    }
    left.join(" ")
}

/// What is compared when claims about a field are: two values of which this is the same say the same.
pub(super) fn folded<'a>(field: &str, value: &'a str) -> Cow<'a, str> {
    match field {
        "vendor" | "maker" => Cow::Owned(company(value)),
        "firmware" | "bootloader" | "hardware_revision" => match Version::read(value) {
            Some(version) => Cow::Owned(version.to_string()),
            None => Cow::Borrowed(value.trim()),
        },
        "order_number" => Cow::Owned(order_number(value).to_lowercase()),
        "mac" => Cow::Owned(value.to_lowercase().replace('-', ":")),
        "model" | "product_name" | "product_code" | "device_class" => {
            Cow::Owned(words(value).to_lowercase())
        }
        _ => Cow::Borrowed(value),
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> String {
        Version::read(text).unwrap().to_string()
    }

    #[test]
    fn a_version_is_the_same_however_it_is_written() {
        for text in ["2.70", "v2.70", "V2.70", "V 2.70", "Ver. 2.70", "FW: v2.70", "Revision 2.070"]
        {
            assert_eq!(version(text), "2.70", "{text}");
        }
        assert_eq!(version("V3.2.6"), "3.2.6");
        assert_eq!(version("20.011"), "20.11");
        assert_eq!(version("V4.2.0"), "4.2");
        assert_eq!(version("R1.10.4"), "1.10.4");
        assert_eq!(version("1.0.3b"), "1.0.3 b");
        assert_eq!(version("10.3-rc1"), "10.3-rc1");
        assert_eq!(version("7"), "7");
        assert_eq!(version("2.x"), "2.x");
        assert_eq!(version("22 .70 SP1"), "22 .70 sp1", "is not 22.70");
    }

    #[test]
    fn versions_stand_in_the_order_in_which_they_came_out() {
        let order = ["1", "1.0.3", "1.0.3b", "2.8", "2.70", "V3.2.6", "3.2.6-1", "V3.10", "20.011"];
        let versions: Vec<Version> =
            order.iter().map(|text| Version::read(text).unwrap()).collect();
        assert!(versions.is_sorted(), "{versions:?}");
    }

    #[test]
    fn what_does_not_begin_with_a_number_is_no_version() {
        for text in ["", "V", "unknown", "-1.2", "Rev. C", "99999999999999999999"] {
            assert_eq!(Version::read(text), None, "{text}");
        }
    }

    #[test]
    fn order_numbers_have_one_spelling() {
        for text in [
            "6ES7 315-2EH14-0AB0",
            "6ES7315-2EH14-0AB0",
            "6es73152eh140ab0",
            " 6ES7  315-2EH14-0AB0 ",
        ] {
            assert_eq!(order_number(text), "6ES7 315-2EH14-0AB0");
        }
        assert_eq!(order_number("1756-L61"), "1756-L61");
        assert_eq!(order_number("BMX  P34 2020"), "BMX P34 2020");
        assert_eq!(order_number("2CDG110203R0011"), "2CDG110203R0011", "is not Siemens'");
    }

    #[test]
    fn companies_are_the_same_with_and_without_their_legal_form() {
        for text in ["Siemens", "SIEMENS AG", "Siemens A.G.", "siemens,  ag"] {
            assert_eq!(company(text), "siemens");
        }
        assert_eq!(company("Phoenix Contact GmbH & Co. KG"), "phoenix contact");
        assert_eq!(company("Delta Electronics, Inc."), "delta electronics");
        assert_ne!(company("Delta Controls"), company("Delta Electronics"));
    }

    proptest! {
        #[test]
        fn doing_it_twice_changes_nothing_more(
            text in r"(\PC|[ .,:-]|[Vv]|[0-9]{1,3}\.?| \.[0-9]|6ES7|AG|\x00){0,12}",
            field in prop::sample::select(vec![
                "vendor", "firmware", "order_number", "mac", "model", "device_name",
            ]),
        ) {
            let once = folded(field, &text).into_owned();
            let twice = folded(field, &once).into_owned();
            prop_assert_eq!(&twice, &once);
            prop_assert_eq!(order_number(&order_number(&text)), order_number(&text));
            prop_assert_eq!(company(&company(&text)), company(&text));
            if let Some(version) = Version::read(&text) {
                prop_assert_eq!(Version::read(&version.to_string()), Some(version));
            }
        }

        #[test]
        fn versions_are_totally_ordered(a in "[0-9.vV]{1,6}[a-c]?", b in "[0-9.]{1,6}", c in "[0-9.]{1,6}") {
            let read = |text: &String| Version::read(text);
            if let (Some(a), Some(b), Some(c)) = (read(&a), read(&b), read(&c)) {
                prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
                prop_assert_eq!(a == b, a.cmp(&b).is_eq());
                prop_assert!(!(a <= b && b <= c) || a <= c);
            }
        }
    }
}
