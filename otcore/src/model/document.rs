//! What files of results say, whoever wrote them: read here, and written by `export`.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::asset::Asset;
use super::exchange::Exchange;
use super::inventory::Inventory;
use super::names::{Source, Zone};
use super::outcome::OutcomeRecord;

/// The largest text that is read, in bytes: 1 GiB, some hundred thousand devices. What is larger is
/// read in parts, line by line.
pub const LARGEST_DOCUMENT: usize = 1 << 30;

/// What a file of results says, or several together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The scans that found it; none for a mere inventory.
    pub scans: Vec<ScanRecord>,
    /// Every device, with everything below it.
    pub assets: Inventory,
    /// How each conversation ended.
    pub outcomes: Vec<OutcomeRecord>,
    /// Who was really asked.
    pub asked: Asked,
    /// What was asked for and not visited.
    pub skipped: Vec<Omission>,
    /// Questions and answers.
    pub exchanges: Vec<Exchange>,
}

/// One scan, from its report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScanRecord {
    /// The network that was scanned.
    pub zone: Zone,
    /// Who looked.
    pub source: Source,
    /// The profile of the policy.
    pub profile: String,
    /// The data pack that named what it found; `None` if what is compiled in did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_pack: Option<DataPack>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Whether everything planned was dealt with.
    pub completed: bool,
    /// Why it ended early, by its name in JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What it cost and what came of it.
    pub counters: Counts,
}

/// Which data pack decided what things are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataPack {
    /// What it is called.
    pub name: String,
    /// Counts up with each pack of this name.
    pub version: u64,
}

/// What a scan cost and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Counts {
    /// Devices of the plan.
    pub planned: u64,
    /// Devices dealt with.
    pub visited: u64,
    /// Devices that answered in any way.
    pub answered: u64,
    /// Devices that said who they are.
    pub identified: u64,
    /// Devices that went dark.
    pub went_dark: u64,
    /// Packets sent, the kernel's own included.
    pub packets: u64,
    /// The most packets that the plan allowed.
    pub packets_planned: u64,
}

/// What was asked for and not visited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Omission {
    /// The addresses or the endpoint.
    pub what: String,
    /// Why, in words.
    pub reason: String,
}

/// Text that is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// There is more than [`LARGEST_DOCUMENT`].
    #[error("{0} bytes are more than the {LARGEST_DOCUMENT} that are read at once: split it")]
    TooLarge(usize),
    /// It is neither a report nor an inventory nor lines of assets or exchanges.
    #[error("neither a report, an inventory, nor lines of assets or exchanges{0}")]
    Unknown(String),
    /// It is one of them, but not a sound one.
    #[error("no sound {what}: {why}")]
    Unsound {
        /// What it should be.
        what: &'static str,
        /// What is wrong, and where.
        why: String,
    },
}

/// What is there of each kind of text, as its first object shows.
#[derive(Deserialize)]
struct Peek {
    schema: Option<IgnoredAny>,
    path: Option<IgnoredAny>,
    rtt_micros: Option<IgnoredAny>,
}

/// A report as far as it is read again. Parts that a later version adds are passed over.
#[derive(Deserialize)]
struct ReportText {
    #[serde(flatten)]
    scan: ScanRecord,
    assets: Inventory,
    outcomes: Vec<OutcomeRecord>,
    #[serde(default)]
    asked: Asked,
    #[serde(default)]
    skipped: Vec<Omission>,
    #[serde(default)]
    exchanges: Vec<Exchange>,
}

impl Document {
    /// Read a report, an inventory (the array of its assets), or lines of assets or exchanges.
    ///
    /// ```
    /// use otcore::model::Document;
    ///
    /// assert_eq!(Document::read("[]")?, Document::default());
    /// let error = Document::read("shopping list").unwrap_err();
    /// assert!(error.to_string().starts_with("neither a report"));
    /// # Ok::<(), otcore::model::DocumentError>(())
    /// ```
    ///
    /// # Errors
    /// [`DocumentError`], with the line where something is wrong.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        if text.len() > LARGEST_DOCUMENT {
            return Err(DocumentError::TooLarge(text.len()));
        }
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('[') {
            return Ok(Self { assets: whole("inventory", text)?, ..Self::default() });
        }
        let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Peek>();
        match objects.next() {
            None => Ok(Self::default()),
            Some(Err(error)) => Err(DocumentError::Unknown(format!(": {error}"))),
            Some(Ok(Peek { schema: Some(_), .. })) => {
                Ok(whole::<ReportText>("report", text)?.into())
            }
            Some(Ok(Peek { rtt_micros: Some(_), .. })) => {
                let exchanges = lines("list of exchanges", text)?;
                Ok(Self { exchanges, ..Self::default() })
            }
            Some(Ok(Peek { path: Some(_), .. })) => {
                let assets: Vec<Asset> = lines("list of assets", text)?;
                let assets = Inventory::of(assets)
                    .map_err(|why| DocumentError::Unsound { what: "list of assets", why })?;
                Ok(Self { assets, ..Self::default() })
            }
            Some(Ok(_)) => Err(DocumentError::Unknown(String::new())),
        }
    }

    /// Everything that either says. A scan that is already there is not counted again.
    pub fn merge(&mut self, other: Self) {
        let known = !other.scans.is_empty() && other.scans.iter().all(|s| self.scans.contains(s));
        if known {
            return;
        }
        if *self == Self::default() {
            *self = other;
            return;
        }
        self.scans.extend(other.scans);
        self.assets.merge(other.assets);
        self.asked.merge(other.asked);
        self.outcomes.extend(other.outcomes);
        self.skipped.extend(other.skipped);
        self.exchanges.extend(other.exchanges);
        // In the order they were asked in: some answers go on in the next one.
        self.exchanges.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.cmp(b)));
        self.exchanges.dedup();
    }
}

impl From<ReportText> for Document {
    fn from(report: ReportText) -> Self {
        let ReportText { scan, assets, outcomes, asked, skipped, exchanges } = report;
        Self { scans: vec![scan], assets, outcomes, asked, skipped, exchanges }
    }
}

fn whole<'a, T: Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T, DocumentError> {
    let unsound =
        |error: serde_json::Error| DocumentError::Unsound { what, why: error.to_string() };
    serde_json::from_str(text).map_err(unsound)
}

fn lines<'a, T: Deserialize<'a>>(
    what: &'static str,
    text: &'a str,
) -> Result<Vec<T>, DocumentError> {
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &'a str)| {
        let unsound = |error| format!("line {}: {error}", at + 1);
        serde_json::from_str(line).map_err(unsound)
    };
    let items: Result<Vec<T>, String> = numbered.map(read).collect();
    items.map_err(|why| DocumentError::Unsound { what, why })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::inventories;

    fn why(text: &str) -> String {
        Document::read(text).unwrap_err().to_string()
    }

    fn asset_lines(inventory: &Inventory) -> String {
        inventory.iter().map(|asset| serde_json::to_string(asset).unwrap() + "\n").collect()
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert!(why("shopping list").starts_with("neither a report"), "{}", why("shopping list"));
        assert!(why("{}").starts_with("neither a report"));
        assert!(
            why(r#"{"schema":"otcore-report-1"}"#).starts_with("no sound report: missing field")
        );
        let good = asset_lines(&inventory_of_one());
        assert!(
            why(&format!("{good}\n{{}}\n")).contains("line 3"),
            "{}",
            why(&format!("{good}\n{{}}"))
        );
    }

    fn inventory_of_one() -> Inventory {
        let mut inventory = Inventory::default();
        inventory.add(Asset::new("line-3".parse().unwrap(), [10, 0, 0, 7].into()));
        inventory
    }

    #[test]
    fn nothing_is_dropped_silently() {
        let good = serde_json::to_string(&inventory_of_one()).unwrap();
        assert!(Document::read(&good).is_ok());
        let elsewhere = good.replace("line-3/10.0.0.7", "line-3/10.0.0.8");
        assert!(why(&elsewhere).contains("not at its first address"), "{}", why(&elsewhere));
        let nowhere = good.replace(r#"["10.0.0.7"]"#, "[]");
        assert!(why(&nowhere).contains("not at its first address"), "{}", why(&nowhere));
        let mut rack = inventory_of_one().iter().next().unwrap().clone();
        rack.module("s7", 102, "0/2");
        let rack = serde_json::to_string(&rack).unwrap();
        let odd = rack.replace("/s7/102/0/2", "/s7/somewhere");
        assert!(why(&odd).contains("is not <zone>"), "{}", why(&odd));
    }

    #[test]
    fn a_text_that_nests_without_end_is_an_error() {
        assert!(Document::read(&"[".repeat(100_000)).is_err());
        assert!(Document::read(&r#"{"path":"#.repeat(100_000)).is_err());
    }

    #[test]
    fn the_same_scan_counts_once() {
        let mut one = Document { assets: inventory_of_one(), ..Document::default() };
        let now = Timestamp::UNIX_EPOCH;
        one.scans.push(ScanRecord {
            zone: Zone::default(),
            source: Source::default(),
            profile: "gentle".into(),
            data_pack: None,
            started: now,
            finished: now,
            completed: true,
            stopped: None,
            counters: Counts::default(),
        });
        let (zone, at) = (Zone::default(), [10, 0, 0, 7].into());
        one.outcomes.push(OutcomeRecord::new(zone, at, "s7", 102, crate::model::Outcome::Silent));
        let mut twice = one.clone();
        twice.merge(one.clone());
        assert_eq!(twice, one);
    }

    proptest! {
        #[test]
        fn an_inventory_is_read_back_as_an_array_and_as_lines(a in inventories()) {
            let array = serde_json::to_string_pretty(&a).unwrap();
            prop_assert_eq!(&Document::read(&array).unwrap().assets, &a);
            prop_assert_eq!(Document::read(&asset_lines(&a)).unwrap().assets, a);
        }

        #[test]
        fn any_text_is_a_document_or_an_error(text: String) {
            drop(Document::read(&text));
        }
    }
}
