//! The forms in which an inventory is handed on.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use serde::Serialize;

use super::coverage::{write_coverage, write_coverage_csv};
use super::csv::write_csv;
use super::cyclonedx::write_cyclonedx;
use super::html::write_html;
use super::ndjson::write_ndjson;
use super::text;
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
        text(|out| self.write_to(document, out)).map_err(serde_json::Error::io)
    }

    /// The same, written piece by piece: whatever its size, no more than a part of it is in memory.
    /// There are many small pieces, so `out` should collect them, as [`io::BufWriter`] does.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(self, document: &Document, out: &mut impl Write) -> io::Result<()> {
        let assets = &document.assets;
        match self {
            Self::Json => pretty(assets, out),
            Self::Ndjson => write_ndjson(assets.iter(), out),
            Self::Observations => write_ndjson(&document.exchanges, out),
            Self::Csv => write_csv(&document.into(), out),
            Self::Cyclonedx => write_cyclonedx(&document.into(), out),
            Self::Coverage => write_coverage(assets, out),
            Self::CoverageCsv => write_coverage_csv(assets, out),
            Self::Html => write_html(&document.into(), out),
        }
    }
}

/// JSON for people, and a line end.
pub(super) fn pretty(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::rows::testing::plant;

    /// Takes so many bytes, then no more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_wherever_it_breaks_off() {
        let (assets, outcomes) = plant();
        let document = Document { assets, outcomes, ..Document::default() };
        for format in Format::ALL {
            let whole = format.write(&document).unwrap().len();
            assert!(format.write_to(&document, &mut Full(whole)).is_ok(), "{format}");
            for room in [0, whole / 2, whole.saturating_sub(1)] {
                let written = format.write_to(&document, &mut Full(room));
                let kind = written.map_err(|error| error.kind());
                let full = if whole == 0 { Ok(()) } else { Err(io::ErrorKind::StorageFull) };
                assert_eq!(kind, full, "{format} with room for {room} of {whole}");
            }
        }
    }
}
