//! Device attributes in words: values, and what several of them say together.

use std::fmt::Write;

use jiff::Timestamp;

use super::Value;
use crate::model::decode;

/// More of an octet string is not shown.
const LONGEST_OCTETS: usize = 64;

/// Looks up an attribute by its variation.
pub(super) type Known<'a> = &'a dyn Fn(u8) -> Option<&'a Value>;
/// What several attributes say together, and which of them was looked at first.
pub(super) type Summary = for<'a> fn(Known<'a>) -> Option<(String, u8)>;

/// A value as text; empty if it has none.
pub(super) fn of(value: &Value) -> String {
    match value {
        Value::Text(text) => decode(text),
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Octets(bytes) => {
            bytes.iter().take(LONGEST_OCTETS).fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}"); // a string takes everything
                text
            })
        }
        Value::Time(milliseconds) => time(*milliseconds),
        Value::List(_) | Value::Other(_) => String::new(),
    }
}

fn time(milliseconds: u64) -> String {
    let stamp = i64::try_from(milliseconds).ok().map(Timestamp::from_millisecond);
    match stamp {
        Some(Ok(stamp)) if milliseconds > 0 => stamp.to_string(),
        _ => String::new(),
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Unsigned(number) => Some(*number),
        Value::Signed(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// Where it is on the globe.
pub(super) fn place<'a>(known: Known<'a>) -> Option<(String, u8)> {
    let (latitude, longitude) = (of(known(205)?), of(known(204)?));
    let altitude = known(203).map(|value| format!(", {} m", of(value))).unwrap_or_default();
    Some((format!("{latitude}, {longitude}{altitude}"), 205))
}

/// The signature of its configuration, with what made it.
pub(super) fn digest<'a>(known: Known<'a>) -> Option<(String, u8)> {
    let (digest, algorithm) = (of(known(200)?), known(201).map(of).unwrap_or_default());
    let text = match algorithm.as_str() {
        "" => digest,
        algorithm => format!("{algorithm} {digest}"),
    };
    Some((text, 200)).filter(|(text, _)| !text.is_empty())
}

/// Which secure authentication it knows.
pub(super) fn authentication<'a>(known: Known<'a>) -> Option<(String, u8)> {
    let text = match number(known(209)?)? {
        0 => "no secure authentication".to_owned(),
        version => format!("secure authentication version {version}"),
    };
    Some((text, 209))
}

/// Kinds of points: how many, the highest index, whether there are events of them.
const POINTS: [(u8, u8, u8, &str); 6] = [
    (239, 238, 237, "binary inputs"),
    (236, 235, 234, "double-bit binary inputs"),
    (224, 223, 222, "binary outputs"),
    (229, 228, 227, "counters"),
    (233, 232, 231, "analog inputs"),
    (221, 220, 219, "analog outputs"),
];

/// Which frozen points it keeps.
const FROZEN: [(u8, &str); 3] =
    [(226, "frozen counters"), (225, "events of frozen counters"), (230, "frozen analog inputs")];

/// Data sets and statistics.
const SETS: [(u8, &str); 5] = [
    (215, "data sets of its own"),
    (214, "data sets of a master"),
    (213, "prototypes of its own"),
    (212, "prototypes of a master"),
    (210, "security statistics per association"),
];

/// How many points it has, without one of them being read.
pub(super) fn objects<'a>(known: Known<'a>) -> Option<(String, u8)> {
    let mut list = List::default();
    for (count, highest, events, what) in POINTS {
        let Some(count_of) = known(count).and_then(number).filter(|count| *count > 0) else {
            continue;
        };
        let mut details = Vec::new();
        if let Some(highest) = known(highest).and_then(number) {
            details.push(format!("up to index {highest}"));
        }
        if known(events).and_then(number).is_some_and(|events| events > 0) {
            details.push("with events".to_owned());
        }
        let details = match details.is_empty() {
            true => String::new(),
            false => format!(" ({})", details.join(", ")),
        };
        list.add(count, format!("{count_of} {what}{details}"));
    }
    for (variation, what) in FROZEN {
        if known(variation).and_then(number).is_some_and(|has| has > 0) {
            list.add(variation, what.to_owned());
        }
    }
    for (variation, what) in SETS {
        if let Some(count) = known(variation).and_then(number).filter(|count| *count > 0) {
            list.add(variation, format!("{count} {what}"));
        }
    }
    list.told()
}

/// What it takes and gives at most.
pub(super) fn limits<'a>(known: Known<'a>) -> Option<(String, u8)> {
    const LIMITS: [(u8, &str, &str); 5] = [
        (240, "sends fragments of up to ", " bytes"),
        (241, "takes fragments of up to ", " bytes"),
        (216, "takes up to ", " binary outputs per request"),
        (217, "local timing accuracy ", ""),
        (218, "duration of timing accuracy ", ""),
    ];
    let mut list = List::default();
    for (variation, before, after) in LIMITS {
        if let Some(value) = known(variation).and_then(number) {
            list.add(variation, format!("{before}{value}{after}"));
        }
    }
    list.told()
}

/// What has no place of its own.
pub(super) fn further<'a>(known: Known<'a>) -> Option<(String, u8)> {
    const FURTHER: [(u8, &str); 4] = [
        (207, "operated by "),
        (206, "second operator "),
        (202, "mRID "),
        (211, "has attributes of its own: "),
    ];
    let mut list = List { between: "; ", ..List::default() };
    for (variation, before) in FURTHER {
        let text = known(variation).map(of).unwrap_or_default();
        if !text.is_empty() {
            list.add(variation, format!("{before}{text}"));
        }
    }
    // Where a place has a name, the name is the location.
    if known(245).is_some()
        && let Some((place, first)) = place(known)
    {
        list.add(first, format!("at {place}"));
    }
    list.told()
}

/// Parts of one text.
struct List {
    parts: Vec<String>,
    first: Option<u8>,
    between: &'static str,
}

impl Default for List {
    fn default() -> Self {
        Self { parts: Vec::new(), first: None, between: ", " }
    }
}

impl List {
    fn add(&mut self, variation: u8, part: String) {
        self.first.get_or_insert(variation);
        self.parts.push(part);
    }

    fn told(self) -> Option<(String, u8)> {
        Some((self.parts.join(self.between), self.first?))
    }
}
