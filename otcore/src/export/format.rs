//! The forms in which an inventory is handed on.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{coverage, coverage_csv, csv, cyclonedx, html, ndjson};
use crate::model::{Document, printable};

/// A form in which an inventory is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The inventory as JSON: the array of its assets.
    Json,
    /// The assets, one JSON object a line.
    Ndjson,
    /// The questions and answers, one JSON object a line.
    Observations,
    /// One row per device, module and child, for a spreadsheet.
    Csv,
    /// A bill of materials: CycloneDX 1.6, JSON.
    Cyclonedx,
    /// What of the inventory guidance is known, as JSON.
    Coverage,
    /// The same, one row per asset and attribute, for a spreadsheet.
    CoverageCsv,
    /// One page to read, on a screen or on paper.
    Html,
}

/// A name that no form has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {name:?}: there are {known}", known = list())]
pub struct UnknownFormat {
    name: String,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 8] = [
        Self::Json,
        Self::Ndjson,
        Self::Observations,
        Self::Csv,
        Self::Cyclonedx,
        Self::Coverage,
        Self::CoverageCsv,
        Self::Html,
    ];

    /// Its name, the same in every binding.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Observations => "observations",
            Self::Csv => "csv",
            Self::Cyclonedx => "cyclonedx",
            Self::Coverage => "coverage",
            Self::CoverageCsv => "coverage-csv",
            Self::Html => "html",
        }
    }

    /// A document in this form.
    ///
    /// # Errors
    /// Only if something has no form in JSON; everything of this crate has.
    pub fn write(self, document: &Document) -> serde_json::Result<String> {
        let assets = &document.assets;
        match self {
            Self::Json => pretty(assets),
            Self::Ndjson => ndjson(assets.iter()),
            Self::Observations => ndjson(&document.exchanges),
            Self::Csv => Ok(csv(document)),
            Self::Cyclonedx => cyclonedx(document),
            Self::Coverage => pretty(&coverage(assets)),
            Self::CoverageCsv => Ok(coverage_csv(assets)),
            Self::Html => Ok(html(document)),
        }
    }
}

fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn list() -> String {
    Format::ALL.map(Format::name).join(", ")
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        let shown = || printable(&text.chars().take(80).collect::<String>()).into_owned();
        known.ok_or_else(|| UnknownFormat { name: shown() })
    }
}
