//! What is measured, how often, and where the results go.

use std::str::FromStr;

const PARTS: [&str; 3] = ["codecs", "events", "exports"];
const KNOWN: &str = "codecs, events, exports; --json FILE, --rounds N, --only PROTOCOL/PART/WHO, \
                     --devices N, --scans N, --assets N";

/// The command line.
#[derive(Debug)]
pub(crate) struct Options {
    parts: Vec<String>,
    pub(crate) json: Option<String>,
    /// Of everybody who encodes or decodes.
    pub(crate) rounds: usize,
    /// Part of `protocol/part/who`.
    pub(crate) only: Option<String>,
    /// Devices of the scan whose events are read.
    pub(crate) devices: u32,
    /// How often it is scanned in each language.
    pub(crate) scans: usize,
    /// Devices of the inventory that is exported.
    pub(crate) assets: u32,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            parts: Vec::new(),
            json: None,
            rounds: 101,
            only: None,
            devices: 1_500,
            scans: 5,
            assets: 100_000,
        };
        while let Some(name) = arguments.next() {
            if PARTS.contains(&name.as_str()) {
                options.parts.push(name);
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{name}: there are {KNOWN}"))?;
            match name.as_str() {
                "--json" => options.json = Some(value),
                "--only" => options.only = Some(value),
                "--rounds" => options.rounds = number(&name, &value)?,
                "--devices" => options.devices = number(&name, &value)?,
                "--scans" => options.scans = number(&name, &value)?,
                "--assets" => options.assets = number(&name, &value)?,
                _ => return Err(format!("{name}: there are {KNOWN}")),
            }
        }
        Ok(options)
    }

    /// Whether a part is measured; the codecs are if none is named.
    pub(crate) fn has(&self, part: &str) -> bool {
        match self.parts.as_slice() {
            [] => part == "codecs",
            parts => parts.iter().any(|named| named == part),
        }
    }
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} {value}: this is no number"))
}
