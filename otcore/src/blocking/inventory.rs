//! What is known of a plant, for callers that take text: found by a scan, or read from a file.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{Packs, json, read};
use crate::error::{Error, ErrorKind};
use crate::export::{self, Format, Results, Sheet};
use crate::model::{self, Asset, Diff, Document, Exchange, Facts, Joined, Joining, Node};
use crate::scan::{self, Report};
use crate::store::Look;

/// What is known of a plant: a scan found it, or a file says so. Copies share it.
///
/// ```
/// use otcore::blocking::Inventory;
///
/// let inventory = Inventory::read("[]")?;
/// assert!(inventory.is_empty());
/// assert_eq!(inventory.json()?, "[]");
/// # Ok::<(), otcore::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inventory(Arc<Origin>);

#[derive(Debug)]
enum Origin {
    Scan(Arc<Report>),
    Text { text: String, head: Map<String, Value>, document: Document },
}

/// A report without what takes room.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(rename = "assets")]
    _assets: IgnoredAny,
    #[serde(default, rename = "exchanges")]
    _exchanges: IgnoredAny,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl From<Arc<Report>> for Inventory {
    fn from(report: Arc<Report>) -> Self {
        Self(Arc::new(Origin::Scan(report)))
    }
}

impl Inventory {
    /// Read a report, an array of assets, or lines of assets or exchanges.
    ///
    /// # Errors
    /// [`ErrorKind::File`] says what is wrong and where.
    pub fn read(text: &str) -> Result<Self, Error> {
        let document = read(text)?;
        let head = match document.scans.is_empty() {
            true => Map::new(),
            false => serde_json::from_str::<Head>(text).map_err(unreadable)?.rest,
        };
        // Lines become one array, so that whoever reads the JSON on meets two layouts only.
        let is_json = !head.is_empty() || text.trim_start().starts_with('[');
        let text = if is_json { text.to_owned() } else { json(&document.assets)? };
        Ok(Self(Arc::new(Origin::Text { text, head, document })))
    }

    /// The JSON of the report; an array of assets if there is none. What was read is given back
    /// byte for byte.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it has no form in JSON.
    pub fn json(&self) -> Result<String, Error> {
        match &*self.0 {
            Origin::Scan(report) => json(&**report),
            Origin::Text { text, .. } => Ok(text.clone()),
        }
    }

    /// The JSON of the report without assets and exchanges; `{}` if there is no report.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it has no form in JSON.
    pub fn head(&self) -> Result<String, Error> {
        match &*self.0 {
            Origin::Scan(report) => json(&report.head()),
            Origin::Text { head, .. } => json(head),
        }
    }

    /// The report of the scan that found it; `None` if it was read.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        match &*self.0 {
            Origin::Scan(report) => Some(report),
            Origin::Text { .. } => None,
        }
    }

    /// How many assets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.assets().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.assets().is_empty()
    }

    /// The paths of all assets, by zone and address.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        self.assets().iter().map(Asset::path).collect()
    }

    /// The asset with this path.
    #[must_use]
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        let (zone, address) = path.split_once('/')?;
        self.assets().asset(&zone.parse().ok()?, address.parse().ok()?)
    }

    /// Only the assets with these paths, without the report.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if they have no form in JSON.
    pub fn part(&self, paths: &BTreeSet<String>) -> Result<Self, Error> {
        let kept = self.assets().iter().filter(|asset| paths.contains(asset.path()));
        let mut assets = model::Inventory::default();
        kept.for_each(|asset| assets.add(asset.clone()));
        Self::of(assets)
    }

    /// What both say of their assets, without the reports. The order does not matter.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if they have no form in JSON.
    pub fn merged(&self, other: &Self) -> Result<Self, Error> {
        let mut assets = self.assets().clone();
        assets.merge(other.assets().clone());
        Self::of(assets)
    }

    /// What is different in `later`, as far as it was asked; what moved is recognised in another
    /// zone only if `across_zones` says so.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if either has no form in JSON.
    pub fn diff(&self, later: &Self, across_zones: bool) -> Result<Diff, Error> {
        let joining = Joining { across_zones, ..Joining::default() };
        Ok(scan::compare(&*self.document()?, &*later.document()?, joining))
    }

    /// Which of its assets are one device at several addresses, and why: see [`model::join()`]; in
    /// several zones only if `across_zones` says so.
    #[must_use]
    pub fn joined(&self, across_zones: bool) -> Joined<'_> {
        model::join(self.assets(), &Joining { across_zones, ..Joining::default() })
    }

    /// The same in another form.
    ///
    /// # Errors
    /// [`ErrorKind::Naming`] for a form that there is not.
    pub fn export(&self, format: &str) -> Result<String, Error> {
        let format: Format = format.parse()?;
        let written = format.write(&*self.document()?);
        written.map_err(|error| Error::new(ErrorKind::Internal, error))
    }

    /// What its questions and answers say, as this build reads them with the pack in use. Nothing
    /// is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if it has no form in JSON.
    pub fn redecoded(&self, packs: &Packs) -> Result<Self, Error> {
        Self::of(scan::redecode(&packs.knowledge(), self.exchanges()))
    }

    /// What it would say otherwise with this pack than with the one in use. Nothing changes.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the pack may not be used.
    pub fn preview(&self, packs: &Packs, pack: &[u8]) -> Result<Diff, Error> {
        let new = packs.open(pack)?;
        let now = scan::redecode(&packs.knowledge(), self.exchanges());
        Ok(model::reread(&now, &scan::redecode(new.knowledge(), self.exchanges())))
    }

    /// One row per device and per module or child, for a spreadsheet: see [`export::csv()`].
    #[must_use]
    pub fn csv(&self) -> String {
        export::csv(self.results())
    }

    /// The same as data: see [`export::sheet()`].
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        export::sheet(self.results())
    }

    /// A table for people: see [`export::table()`].
    #[must_use]
    pub fn table(&self, look: export::Look) -> String {
        export::table(self.results(), look)
    }

    /// What it saw, device by device, as a store keeps it: exchanges and outcomes; of an inventory
    /// without them, what it claims, as said when the newest of it was learned.
    pub(super) fn looks(&self) -> Vec<Look> {
        let document = match &*self.0 {
            Origin::Scan(report) => return report.looks(),
            Origin::Text { document, .. } => document,
        };
        let Document { scans, assets, outcomes, exchanges, .. } = document;
        let first = exchanges.iter().map(|exchange| exchange.at).min();
        match scans.first().map(|scan| scan.started).or(first) {
            Some(at) => Look::each(at, exchanges.iter().cloned(), outcomes.iter().cloned()),
            None => assets
                .iter()
                .filter_map(|asset| Look::said(newest(&asset.node)?, asset.clone()))
                .collect(),
        }
    }

    pub(super) fn of(assets: model::Inventory) -> Result<Self, Error> {
        let document = Document { assets, ..Document::default() };
        let text = json(&document.assets)?;
        Ok(Self(Arc::new(Origin::Text { text, head: Map::new(), document })))
    }

    fn exchanges(&self) -> &[Exchange] {
        match &*self.0 {
            Origin::Scan(report) => &report.exchanges,
            Origin::Text { document, .. } => &document.exchanges,
        }
    }

    fn assets(&self) -> &model::Inventory {
        match &*self.0 {
            Origin::Scan(report) => &report.assets,
            Origin::Text { document, .. } => &document.assets,
        }
    }

    fn document(&self) -> Result<Cow<'_, Document>, Error> {
        Ok(match &*self.0 {
            Origin::Text { document, .. } => Cow::Borrowed(document),
            Origin::Scan(report) => Cow::Owned(read(&json(&**report)?)?),
        })
    }

    fn results(&self) -> Results<'_> {
        match &*self.0 {
            Origin::Scan(report) => Results::from(&**report),
            Origin::Text { document, .. } => Results::from(document),
        }
    }
}

/// When the newest claim about a node, or anything in it or behind it, was learned.
fn newest(node: &Node) -> Option<Timestamp> {
    let own = node.identity.all().chain(node.state.all());
    let own = own.chain(node.interfaces.values().flat_map(Facts::all));
    let own = own.chain(node.services.values().flat_map(Facts::all));
    let below = node.modules.values().chain(node.children.values()).filter_map(newest);
    own.map(|claim| claim.evidence.at).chain(below).max()
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::File, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocking::{Plant, Scanner, Settings};
    use crate::model::Field;
    use crate::model::testing::{asset, said};

    fn found(zone: &str) -> Inventory {
        let plant = Plant::start(0).unwrap();
        let target = plant.devices()[0].target();
        let settings = Settings { zone: Some(zone), ..Settings::default() };
        let scan = Scanner::new(&settings).unwrap().start(&target).unwrap();
        scan.finish().unwrap().into()
    }

    #[test]
    fn what_was_found_is_read_again_as_it_was() {
        let inventory = found("line-3");
        let text = inventory.json().unwrap();
        let again = Inventory::read(&text).unwrap();
        assert_eq!(again.json().unwrap(), text);
        assert_eq!(again.paths(), inventory.paths());
        assert_eq!(again.asset(again.paths()[0]), inventory.asset(inventory.paths()[0]));
        assert_eq!(again.csv(), inventory.csv());
        assert!(inventory.diff(&again, false).unwrap().is_empty());
        assert!(inventory.redecoded(&Packs::built_in()).unwrap().paths() == inventory.paths());
        assert_eq!(inventory.export("csv").unwrap(), inventory.csv());
        assert_eq!(inventory.export("xls").unwrap_err().kind(), ErrorKind::Naming);
    }

    #[test]
    fn the_head_has_all_of_the_report_but_assets_and_exchanges() {
        let inventory = found("default");
        let again = Inventory::read(&inventory.json().unwrap()).unwrap();
        let keys = |text: String, dropped: &[&str]| {
            let map: Map<String, Value> = serde_json::from_str(&text).unwrap();
            let mut keys: Vec<String> =
                map.keys().filter(|key| !dropped.contains(&key.as_str())).cloned().collect();
            keys.sort();
            keys
        };
        let dropped = ["assets", "exchanges"];
        let all = keys(inventory.json().unwrap(), &dropped);
        assert_eq!(keys(inventory.head().unwrap(), &dropped), all);
        assert_eq!(keys(again.head().unwrap(), &[]), all);
    }

    #[test]
    fn a_part_and_a_merge_are_inventories_without_a_report() {
        let (one, two) = (found("a"), found("b"));
        let both = one.merged(&two).unwrap();
        assert_eq!(both.len(), 2);
        assert_eq!(both.head().unwrap(), "{}");
        let only: BTreeSet<String> = one.paths().into_iter().map(str::to_owned).collect();
        assert_eq!(both.part(&only).unwrap().paths(), one.paths());
    }

    #[test]
    fn a_device_in_two_zones_is_one_only_if_told_so() {
        let mut drives = model::Inventory::default();
        for zone in ["a", "b"] {
            let mut drive = asset(zone, 7);
            drive.node.identity.add(Field::Vendor, said("Brakkenholt"));
            drive.node.identity.add(Field::SerialNumber, said("BH-0042-11"));
            drives.add(drive);
        }
        let drives = Inventory::of(drives).unwrap();
        let devices = |across| drives.joined(across).devices.len();
        assert_eq!((devices(false), devices(true)), (2, 1));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_of_its_kind() {
        for text in ["shopping list", "{\"schema\":\"otcore-report-1\"}", "[1]"] {
            assert_eq!(Inventory::read(text).unwrap_err().kind(), ErrorKind::File, "{text}");
        }
    }
}
