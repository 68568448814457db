//! What came out: tables for people, JSON for the page that is made of it.

use std::fmt;

use serde::Serialize;

/// How much slower than the floor otcore may be.
const TARGET: f64 = 1.3;

/// One protocol.
#[derive(Debug, Serialize)]
pub(crate) struct Codec {
    pub(crate) protocol: &'static str,
    /// What everybody asks and reads.
    pub(crate) about: &'static str,
    /// Rounds per contender.
    pub(crate) rounds: usize,
    pub(crate) rows: Vec<Row>,
    /// Who could not be timed, and why.
    pub(crate) skipped: Vec<String>,
}

/// What somebody needed for a part of it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// `decode`, `encode`, or both as `exchange`.
    pub(crate) part: &'static str,
    pub(crate) who: String,
    /// What one turn does.
    pub(crate) what: &'static str,
    /// Median over the rounds, nanoseconds of processor time per turn.
    pub(crate) nanoseconds: f64,
    /// By the floor of the same part.
    pub(crate) ratio: f64,
}

impl Codec {
    /// What the floor needs for a part, in nanoseconds.
    pub(crate) fn floor(&self, part: &str) -> f64 {
        self.row(part, "floor").map_or(1.0, |row| row.nanoseconds)
    }

    fn row(&self, part: &str, who: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.part == part && row.who == who)
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {}, {} rounds\n", self.protocol, self.about, self.rounds)?;
        writeln!(f, "{:<9} {:<22} {:>12} {:>8}  one turn", "", "", "ns", "x floor")?;
        for Row { part, who, what, nanoseconds, ratio } in &self.rows {
            writeln!(f, "{part:<9} {who:<22} {nanoseconds:>12.1} {ratio:>8.2}  {what}")?;
        }
        for reason in &self.skipped {
            writeln!(f, "SKIPPED {reason}")?;
        }
        for part in ["decode", "exchange"] {
            let ratio = self.row(part, "otcore").map_or(f64::INFINITY, |row| row.ratio);
            let verdict = if ratio <= TARGET { "PASS" } else { "FAIL" };
            writeln!(f, "{verdict}: {part} within {TARGET} times the floor")?;
        }
        Ok(())
    }
}

/// The events of one scan in several languages.
#[derive(Debug, Serialize)]
pub(crate) struct Events {
    pub(crate) devices: u32,
    /// Events of the scan, the same for everybody.
    pub(crate) events: u64,
    pub(crate) rounds: usize,
    pub(crate) rows: Vec<Reader>,
}

/// Who reads them.
#[derive(Debug, Serialize)]
pub(crate) struct Reader {
    pub(crate) who: &'static str,
    /// Processor time of the whole process, from the start of the scan to its last event.
    pub(crate) seconds: f64,
    /// By that of Rust.
    pub(crate) ratio: f64,
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { devices, events, rounds, rows } = self;
        writeln!(f, "{events} events of a scan of {devices} devices, {rounds} rounds\n")?;
        for Reader { who, seconds, ratio } in rows {
            writeln!(f, "{who:<10} {seconds:>8.3} s {ratio:>6.2} x Rust")?;
        }
        Ok(())
    }
}

/// An inventory in one form.
#[derive(Debug, Serialize)]
pub(crate) struct Export {
    pub(crate) format: &'static str,
    /// Size of what otcore wrote.
    pub(crate) bytes: u64,
    pub(crate) rows: Vec<Written>,
    pub(crate) skipped: Vec<String>,
}

/// Who wrote it.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) who: String,
    /// Devices; rows for a sheet.
    pub(crate) count: usize,
    /// Processor time.
    pub(crate) seconds: f64,
    /// The most memory beyond what there was before, in KiB.
    pub(crate) grown_kib: u64,
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Written { who, count, seconds, grown_kib } in &self.rows {
            let (format, mib) = (self.format, self.bytes >> 20);
            writeln!(
                f,
                "{format:<12} {who:<32} {count:>7} in {seconds:>7.2} s, {:>6} MiB more memory, {mib} MiB",
                grown_kib >> 10
            )?;
        }
        self.skipped.iter().try_for_each(|why| writeln!(f, "SKIPPED {why}"))
    }
}
