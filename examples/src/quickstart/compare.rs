//! Compares what a scan found with what is true of the pretend plant.

use std::collections::BTreeMap;
use std::fmt;

use otcore::fingerprint::{Knowledge, interpret};
use otcore::model::{Asset, Exchange, Node, OutcomeRecord};
use otcore::sim::{Running, RunningPlant, Truth};
use otcore::{Outcome, Report};

/// How a scan did.
pub(crate) struct Verdict {
    devices: usize,
    units: usize,
    /// What was found otherwise than it is.
    wrong: Vec<String>,
    /// What the plant suffered.
    harm: Vec<String>,
    packets: u64,
    packets_planned: u64,
}

/// Every device and every unit behind it, field by field.
pub(crate) fn compare(plant: &RunningPlant, report: &Report) -> Verdict {
    let knowledge = Knowledge::built_in();
    let devices = plant.devices();
    let mut harm = plant.violations();
    harm.extend(plant.harm());
    harm.sort();
    harm.dedup();
    Verdict {
        devices: devices.len(),
        units: devices.iter().map(|device| device.expected.units.len()).sum(),
        wrong: devices.iter().flat_map(|device| differences(device, report, &knowledge)).collect(),
        harm,
        packets: report.counters.packets,
        packets_planned: report.counters.packets_planned,
    }
}

impl Verdict {
    pub(crate) fn is_good(&self) -> bool {
        self.wrong.is_empty() && self.harm.is_empty() && self.packets <= self.packets_planned
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { devices, units, packets, packets_planned, .. } = self;
        let kept = if packets <= packets_planned { '✓' } else { '✗' };
        match self.wrong.as_slice() {
            [] => writeln!(f, "✓ all {devices} devices and {units} units are what they are")?,
            wrong => writeln!(f, "✗ found otherwise than it is:\n  {}", wrong.join("\n  "))?,
        }
        match self.harm.as_slice() {
            [] => writeln!(f, "✓ the plant saw read-only questions only, one at a time")?,
            harm => writeln!(f, "✗ the plant was hurt:\n  {}", harm.join("\n  "))?,
        }
        writeln!(f, "{kept} {packets} packets were sent, the plan allowed {packets_planned}")
    }
}

fn differences(device: &Running, report: &Report, knowledge: &Knowledge) -> Vec<String> {
    let expected = &device.expected;
    let truth = expected.with_consent.as_ref().unwrap_or(&expected.found);
    let here = |record: &&OutcomeRecord| {
        (record.address, record.port) == (device.addr.ip(), device.addr.port())
    };
    let outcome = report.outcomes.iter().find(here).map(|record| record.outcome);
    let asset = asset_of(device, report, knowledge);
    let node = asset.as_ref().map(|asset| &asset.node);
    let mut wrong = differing(&expected.name, truth, outcome, node);
    let found = node.map(|node| &node.children);
    let children: BTreeMap<&str, &Node> =
        found.into_iter().flatten().map(|(_, node)| (node.place(), node)).collect();
    for (unit, truth) in &expected.units {
        let child = children.get(unit.to_string().as_str()).copied();
        let outcome = child.map(|child| match child.identity.is_empty() {
            true => Outcome::PresentNoIdentity,
            false => Outcome::Identified,
        });
        wrong.extend(differing(&format!("{} unit {unit}", expected.name), truth, outcome, child));
    }
    let surplus = children
        .keys()
        .filter(|place| !place.parse().is_ok_and(|unit: u32| expected.units.contains_key(&unit)));
    wrong.extend(surplus.map(|place| format!("{}: there is no unit {place}", expected.name)));
    wrong
}

/// What this very device said, made again from the questions and answers: on some systems all
/// devices share one address.
fn asset_of(device: &Running, report: &Report, knowledge: &Knowledge) -> Option<Asset> {
    let is_here = |exchange: &&Exchange| {
        (exchange.address, exchange.port) == (device.addr.ip(), device.addr.port())
    };
    let exchanges: Vec<Exchange> = report.exchanges.iter().filter(is_here).cloned().collect();
    interpret(knowledge, &exchanges)
}

fn differing(
    name: &str,
    truth: &Truth,
    outcome: Option<Outcome>,
    node: Option<&Node>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = outcome.map_or_else(|| "nothing".into(), Outcome::name);
    if found != truth.outcome {
        wrong.push(format!("{name}: {} expected, {found} found", truth.outcome));
    }
    for (field, value) in &truth.identity {
        let found = node.and_then(|node| {
            let field = node.identity.fields().find(|known| json_name(*known) == *field)?;
            node.identity.value(field)
        });
        if found != Some(value) {
            wrong.push(format!("{name}: {field} is {value:?}, found {found:?}"));
        }
    }
    wrong
}

fn json_name(field: otcore::model::Field) -> &'static str {
    otcore::model::Named::name(field)
}
