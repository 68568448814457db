//! The list of everything this build can send.

use std::fmt;

use serde::Serialize;

use crate::model::Transport;
use crate::protocols;
use crate::safety::Facts;

/// Everything this build can send, protocol by protocol.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// One entry per protocol, in the order they are tried.
    pub protocols: Vec<Entry>,
}

/// Everything that one protocol can send.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Lower-case name.
    pub protocol: &'static str,
    /// Its usual port.
    pub port: u16,
    /// What carries it, in the order they are tried.
    pub transports: &'static [Transport],
    /// Every function it can ask.
    pub functions: Vec<&'static Facts>,
}

/// Everything this build can send.
///
/// ```
/// let manifest = otcore::manifest();
/// assert!(manifest.protocols.iter().any(|entry| entry.protocol == "modbus"));
/// println!("{manifest}");
/// ```
#[must_use]
pub fn manifest() -> Manifest {
    let entry = |probe: &&'static dyn protocols::Probe| Entry {
        protocol: probe.name(),
        port: probe.port(),
        transports: probe.carriers(),
        functions: probe.functions(),
    };
    Manifest { protocols: protocols::ALL.iter().map(entry).collect() }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.protocols {
            let transports: Vec<&str> = entry.transports.iter().map(|t| t.name()).collect();
            let transports = transports.join(" and ");
            writeln!(f, "{} (port {}, {transports})", entry.protocol, entry.port)?;
            // Two protocols are seldom compared, so each has columns of its own.
            let widest = |least, width: fn(&Facts) -> usize| {
                entry.functions.iter().map(|facts| width(facts)).fold(least, usize::max)
            };
            let name = widest(26, |facts| facts.name.len());
            let selector = widest(18, |facts| facts.selector.to_string().len());
            for facts in &entry.functions {
                writeln!(
                    f,
                    "  {:<name$} {:<selector$} level {:<9} at most {} x {} bytes{}",
                    facts.name,
                    facts.selector.to_string(),
                    facts.level,
                    facts.max_count,
                    facts.max_request,
                    facts
                        .consent
                        .map(|key| format!(", only if the policy allows `{key}`"))
                        .unwrap_or_default(),
                )?;
                writeln!(f, "  {:<name$} {}", "", facts.why_safe)?;
                writeln!(f, "  {:<name$} [{}]", "", facts.source)?;
            }
        }
        Ok(())
    }
}
