//! From a command line to a scanner and its targets.

use otcore::gate::policy::KNOWN;
use otcore::scan::Builder;
use otcore::{Policy, Scanner, Targets};

use crate::otscan::Complaint;
use crate::otscan::args::{Selection, Terms};
use crate::otscan::memory;

/// The policy of the file, changed by the flags.
pub(crate) fn policy(terms: &Terms) -> Result<Policy, Complaint> {
    let mut policy = match &terms.policy {
        Some(path) => Policy::from_file(path)?,
        None => Policy::gentle(),
    };
    policy.monitor.extend(&terms.monitor);
    policy.exclude.extend(&terms.exclude);
    if let Some(level) = terms.level {
        for known in KNOWN {
            policy = policy.protocol(known.name, |settings| settings.level(level));
        }
    }
    policy.check()?;
    Ok(policy)
}

/// A scanner that knows everything but its memory and its journal.
pub(crate) fn scanner(selection: &Selection) -> Result<Builder, Complaint> {
    let builder = Scanner::builder()
        .policy(policy(&selection.terms)?)
        .zone(selection.terms.zone.clone())
        .source(selection.source.clone());
    Ok(selection.protocols.iter().fold(builder, |builder, name| builder.protocol(name)))
}

/// The targets, their names resolved.
pub(crate) fn targets(selection: &Selection) -> Result<Targets, Complaint> {
    let mut targets = Targets::parse(selection.targets.iter().map(String::as_str))?;
    otcore::resolve(&mut targets)?;
    Ok(targets)
}

/// For looking only: no file is made.
pub(crate) fn for_plan(selection: &Selection) -> Result<(Scanner, Targets), Complaint> {
    let builder = scanner(selection)?;
    let remembered = memory::known(selection.terms.memory.as_deref())?;
    let scanner = match remembered {
        Some(memory) => builder.memory(memory).build()?,
        None => builder.build()?,
    };
    Ok((scanner, targets(selection)?))
}
