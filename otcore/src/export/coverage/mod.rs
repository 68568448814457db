//! How much of the 2025 guidance for OT asset inventories is known, from what, and what is missing.

mod attributes;

use std::io::{self, Write};

use serde::{Serialize, Serializer};

pub use attributes::{ATTRIBUTES, Attribute, Priority};
use attributes::{Answer, Source, identity};

use super::csv::line;
use super::format::pretty;
use super::shown::{basis, shown};
use super::text;
use crate::model::{Asset, Confidence, Inventory};

/// The guidance whose attributes are covered.
pub const GUIDANCE: &str = "Foundations for OT Cybersecurity: Asset Inventory Guidance for Owners \
                            and Operators (CISA, NSA and partners, 2025), appendix A";

/// What of the guidance is known of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// The guidance.
    pub guidance: &'static str,
    /// Of how many assets each attribute is known, in the order of [`ATTRIBUTES`].
    pub attributes: Vec<Total>,
    /// Every asset.
    pub assets: Vec<AssetCoverage>,
}

/// One attribute over all assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// Its name in the guidance.
    pub attribute: &'static str,
    /// How much it matters.
    pub priority: Priority,
    /// Of how many assets it is known.
    pub known: usize,
    /// Of how many assets only their owner can give it.
    pub owner: usize,
    /// Of how many assets nobody has said it yet.
    pub unknown: usize,
}

/// What of the guidance is known of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AssetCoverage {
    /// The asset.
    pub path: String,
    /// How many attributes are known.
    pub known: usize,
    /// Every attribute, in the order of [`ATTRIBUTES`].
    pub attributes: Vec<Covered>,
}

/// What is known of one attribute of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Covered {
    /// Its name in the guidance.
    pub attribute: &'static str,
    /// How much it matters.
    pub priority: Priority,
    /// Whether it is known.
    pub status: Status,
    /// What is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// From what; or, if only the owner can give it, why.
    pub basis: Vec<String>,
}

/// Whether an attribute is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is.
    Known,
    /// A device may say it; this one has not, or was not asked.
    Unknown,
    /// Only the owner can give it.
    Owner,
}

impl Status {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Owner => "owner",
        }
    }
}

/// What of the guidance is known of each asset, from which evidence, and which of it only the owner
/// can give.
///
/// ```
/// let coverage = otcore::export::coverage(&otcore::Inventory::default());
/// assert_eq!(coverage.attributes.len(), 32);
/// ```
#[must_use]
pub fn coverage(inventory: &Inventory) -> Coverage {
    let assets = inventory.iter().map(of_asset).collect();
    Coverage { guidance: GUIDANCE, attributes: totals(inventory), assets }
}

/// The same as JSON, asset by asset.
pub(super) fn write_coverage(inventory: &Inventory, out: &mut impl Write) -> io::Result<()> {
    /// Field for field as [`Coverage`].
    #[derive(Serialize)]
    struct Written<'a> {
        guidance: &'static str,
        attributes: Vec<Total>,
        #[serde(serialize_with = "each_asset")]
        assets: &'a Inventory,
    }
    let attributes = totals(inventory);
    pretty(&Written { guidance: GUIDANCE, attributes, assets: inventory }, out)
}

fn each_asset<S: Serializer>(assets: &Inventory, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(assets.iter().map(of_asset))
}

/// Of how many assets each attribute is known, in the order of [`ATTRIBUTES`].
pub(super) fn totals(inventory: &Inventory) -> Vec<Total> {
    let none = |attribute: &Attribute| Total {
        attribute: attribute.name,
        priority: attribute.priority,
        known: 0,
        owner: 0,
        unknown: 0,
    };
    let mut totals: Vec<Total> = ATTRIBUTES.iter().map(none).collect();
    for asset in inventory.iter() {
        for (total, wanted) in totals.iter_mut().zip(&ATTRIBUTES) {
            match answer(asset, wanted).status {
                Status::Known => total.known += 1,
                Status::Owner => total.owner += 1,
                Status::Unknown => total.unknown += 1,
            }
        }
    }
    totals
}

/// The same as a sheet: one row per asset and attribute, for the owner to complete.
///
/// As safe to open as [`csv`](super::csv()).
#[must_use]
pub fn coverage_csv(inventory: &Inventory) -> String {
    text(|out| write_coverage_csv(inventory, out)).unwrap_or_default() // memory takes everything
}

/// The same, asset by asset.
pub(super) fn write_coverage_csv(inventory: &Inventory, out: &mut impl Write) -> io::Result<()> {
    let columns = ["asset", "attribute", "priority", "status", "value", "basis"];
    out.write_all(line(&columns).as_bytes())?;
    for asset in inventory.iter().map(of_asset) {
        for covered in asset.attributes {
            let row = line(&[
                asset.path.as_str(),
                covered.attribute,
                covered.priority.name(),
                covered.status.name(),
                &covered.value.unwrap_or_default(),
                &covered.basis.join("; "),
            ]);
            out.write_all(row.as_bytes())?;
        }
    }
    Ok(())
}

impl Priority {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

fn of_asset(asset: &Asset) -> AssetCoverage {
    let attributes: Vec<Covered> = ATTRIBUTES.iter().map(|wanted| covered(asset, wanted)).collect();
    let known = attributes.iter().filter(|covered| covered.status == Status::Known).count();
    AssetCoverage { path: shown(asset.path()), known, attributes }
}

fn covered(asset: &Asset, wanted: &Attribute) -> Covered {
    let Found { answer, status, why } = answer(asset, wanted);
    let known = status == Status::Known;
    let said = || answer.claims.iter().map(|claim| basis(claim)).collect();
    Covered {
        attribute: wanted.name,
        priority: wanted.priority,
        status,
        value: known.then(|| shown(&answer.value)),
        basis: if known { said() } else { why.map(str::to_owned).into_iter().collect() },
    }
}

/// What there is about an attribute, before it is put into words.
struct Found<'a> {
    answer: Answer<'a>,
    status: Status,
    /// Why only the owner can give it.
    why: Option<&'static str>,
}

fn answer<'a>(asset: &'a Asset, wanted: &Attribute) -> Found<'a> {
    let (answer, otherwise, why) = match wanted.source {
        Source::Network(ask) => (ask(asset), Status::Unknown, None),
        Source::Owner(why, field) => (stated(asset, field), Status::Owner, Some(why)),
    };
    let status = if answer.value.is_empty() { otherwise } else { Status::Known };
    Found { answer, status, why }
}

/// What is stated all the same: entered by a person, or written into the device by one.
fn stated(asset: &Asset, field: Option<crate::model::Field>) -> Answer<'_> {
    let answer = field.map(|field| identity(asset, &[field])).unwrap_or_default();
    let is_stated = answer.claims.iter().any(|c| c.confidence >= Confidence::Reported);
    if is_stated { answer } else { Answer::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::rows::testing::{claim, identified};
    use crate::model::{Field, InterfaceField};

    fn inventory(change: impl FnOnce(&mut Asset)) -> Inventory {
        let mut asset = identified("10.0.4.7", 502, "Quillmere", "QG-4");
        change(&mut asset);
        let mut inventory = Inventory::default();
        inventory.add(asset);
        inventory
    }

    fn of<'a>(coverage: &'a Coverage, attribute: &str) -> &'a Covered {
        let attributes = &coverage.assets[0].attributes;
        attributes.iter().find(|covered| covered.attribute == attribute).unwrap()
    }

    #[test]
    fn there_are_fourteen_high_eight_medium_and_ten_low_ones() {
        let count = |wanted| ATTRIBUTES.iter().filter(|a| a.priority == wanted).count();
        let counts = [Priority::High, Priority::Medium, Priority::Low].map(count);
        assert_eq!(counts, [14, 8, 10]);
        let names: std::collections::BTreeSet<&str> = ATTRIBUTES.iter().map(|a| a.name).collect();
        assert_eq!(names.len(), 32);
    }

    #[test]
    fn what_is_known_says_from_what() {
        let coverage = coverage(&inventory(|asset| {
            let interface = asset.node.interfaces.entry("1".into()).or_default();
            interface.add(InterfaceField::Mac, claim(502, "00:1b:1b:1d:1a:2d"));
        }));
        let maker = of(&coverage, "Manufacturer");
        assert_eq!((maker.status, maker.value.as_deref()), (Status::Known, Some("Quillmere")));
        assert_eq!(maker.basis, ["answered in modbus/502 ReadDeviceIdBasic"]);
        assert_eq!(of(&coverage, "MAC address").value.as_deref(), Some("00:1b:1b:1d:1a:2d"));
        assert_eq!(of(&coverage, "IP address").value.as_deref(), Some("10.0.4.7"));
        assert_eq!(of(&coverage, "Ports/services").value.as_deref(), Some("tcp/502 modbus"));
        assert_eq!(coverage.assets[0].known, 6);
    }

    #[test]
    fn what_only_the_owner_can_give_is_told_apart_from_what_nobody_said() {
        let plain = coverage(&inventory(|_| {}));
        assert_eq!(of(&plain, "Serial number").status, Status::Unknown);
        assert_eq!(of(&plain, "Asset criticality").status, Status::Owner);
        assert_eq!(of(&plain, "Department/owner").status, Status::Owner);
        let entered = coverage(&inventory(|asset| {
            asset.node.identity.add(Field::Owner, claim(502, "Line maintenance"));
        }));
        let owner = of(&entered, "Department/owner");
        assert_eq!(
            (owner.status, owner.value.as_deref()),
            (Status::Known, Some("Line maintenance"))
        );
    }

    #[test]
    fn a_system_without_a_number_is_no_version() {
        let with = |name: &str| {
            let coverage = coverage(&inventory(|asset| {
                asset.node.identity.add(Field::OperatingSystem, claim(502, name));
            }));
            of(&coverage, "OS version").status
        };
        assert_eq!((with("VxWorks"), with("VxWorks 6.9")), (Status::Unknown, Status::Known));
    }

    #[test]
    fn totals_count_every_asset_once() {
        let coverage = coverage(&inventory(|_| {}));
        let sums =
            coverage.attributes.iter().map(|total| total.known + total.owner + total.unknown);
        assert!(sums.into_iter().all(|sum| sum == 1));
        let sheet = coverage_csv(&inventory(|_| {}));
        assert_eq!(sheet.lines().count(), 33);
    }
}
