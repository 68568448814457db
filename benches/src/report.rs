//! What came out: a table for people, JSON for machines.

use std::fmt;

/// How much slower than the floor otcore may be.
pub(crate) const TARGET: f64 = 1.3;

/// One line of the table.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Row {
    /// Who.
    pub(crate) name: String,
    /// What one turn does.
    pub(crate) what: String,
    /// Median over the rounds, nanoseconds per turn.
    pub(crate) nanoseconds: f64,
    /// The fastest round, nanoseconds per turn.
    pub(crate) fastest: f64,
    /// The median as a multiple of the floor's.
    pub(crate) ratio: f64,
}

/// The whole result.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    /// What everybody did.
    pub(crate) exchange: String,
    /// Rounds per contender.
    pub(crate) rounds: usize,
    /// The floor first.
    pub(crate) rows: Vec<Row>,
    /// Who could not be timed, and why.
    pub(crate) skipped: Vec<String>,
    /// The largest ratio that passes.
    pub(crate) target: f64,
    /// Whether otcore's ratio is within it.
    pub(crate) pass: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, median of {} rounds\n", self.exchange, self.rounds)?;
        writeln!(f, "{:<22} {:>10} {:>10} {:>9}  one turn", "", "ns", "fastest", "x floor")?;
        for row in &self.rows {
            let Row { name, what, nanoseconds, fastest, ratio } = row;
            writeln!(f, "{name:<22} {nanoseconds:>10.1} {fastest:>10.1} {ratio:>9.2}  {what}")?;
        }
        for reason in &self.skipped {
            writeln!(f, "SKIPPED {reason}")?;
        }
        let verdict = if self.pass { "PASS" } else { "FAIL" };
        write!(f, "\n{verdict}: otcore within {} times the floor", self.target)
    }
}
