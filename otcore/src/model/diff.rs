//! What differs between two inventories, as far as it was asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::asked::Asked;
use super::compare::changes;
use super::exchange::Exchange;
use super::inventory::Inventory;
use super::join::Joining;
use super::key::Key;
use super::nodes::{Entry, Kind, entries};
use super::outcome::OutcomeRecord;
use super::verdict::{Verdict, Witness};

pub use super::compare::Change;

/// What is known later, and what was asked to know it.
#[derive(Clone, Copy, Debug)]
pub struct Later<'a> {
    /// What is known.
    pub assets: &'a Inventory,
    /// Who was asked. Nothing outside of this is gone, whatever is missing.
    pub asked: &'a Asked,
    /// How the conversations ended.
    pub outcomes: &'a [OutcomeRecord],
    /// Every question and its answer.
    pub exchanges: &'a [Exchange],
    /// Whether two questions in a protocol are the same one, asked twice.
    pub repeats: fn(protocol: &str, earlier: &[u8], later: &[u8]) -> bool,
    /// How far the same device is recognised at another place.
    pub joining: Joining,
}

/// What differs between two inventories.
///
/// What lies below a device that is new, gone or moved is not listed by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// There now, and not known before.
    pub new: Vec<Spot>,
    /// Known before, asked again in every way it was known by, and not there.
    pub gone: Vec<Gone>,
    /// The same piece of hardware at another place.
    pub moved: Vec<Moved>,
    /// There both times, and different.
    pub changed: Vec<Changed>,
    /// There both times, and silent now about who it is.
    pub quiet: Vec<Gone>,
    /// Known before and not asked again, so that nothing can be said.
    pub not_asked: Vec<Spot>,
}

/// A device, a module or what lives behind a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Spot {
    /// Where.
    pub path: String,
    /// What it is part of.
    pub kind: Kind,
    /// Vendor and model, as far as they are known.
    pub headline: String,
}

/// Something that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Gone {
    /// What it was.
    #[serde(flatten)]
    pub spot: Spot,
    /// What became of asking it again.
    pub why: String,
}

/// The same piece of hardware at another place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Moved {
    /// Where it was.
    pub from: String,
    /// Where and what it is now.
    #[serde(flatten)]
    pub spot: Spot,
    /// How it is recognised.
    pub reasons: Vec<Key>,
    /// Whether its old place was asked again. If not, it may be at both.
    pub left: bool,
    /// What else is different.
    pub changes: Vec<Change>,
}

/// Something that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Changed {
    /// What it is now.
    #[serde(flatten)]
    pub spot: Spot,
    /// What is different.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Whether nothing that was asked differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty()
            && self.gone.is_empty()
            && self.moved.is_empty()
            && self.changed.is_empty()
            && self.quiet.is_empty()
    }
}

/// What differs between what was known `before` and what is known later.
///
/// Silence counts only where somebody asked: a device is gone if it was asked again in every
/// protocol it was known by, a module or a value if the very question that told of it was asked
/// again. Clocks go on, which is no change.
#[must_use]
pub fn diff(before: &Inventory, later: &Later<'_>) -> Diff {
    let sides = Sides::new(before, later);
    let mut diff = Diff::default();
    let moved = sides.moved();
    let arrived: BTreeSet<&str> = moved.iter().map(|(_, to, _)| to.path()).collect();
    let departed: BTreeSet<&str> = moved.iter().map(|(from, ..)| from.path()).collect();
    for (path, new) in &sides.after {
        if let Some(known) = sides.before.get(path) {
            let changes = sides.changes(known, new);
            if !changes.is_empty() {
                diff.changed.push(Changed { spot: new.spot(), changes });
            }
        } else if new.is_within(|above| sides.before.contains_key(above)) && !arrived.contains(path)
        {
            diff.new.push(new.spot());
        }
    }
    for (path, old) in &sides.before {
        let below_one_that_stays = old.is_within(|above| sides.after.contains_key(above));
        if sides.after.contains_key(path) || departed.contains(path) || !below_one_that_stays {
            continue;
        }
        match sides.witness.verdict(old) {
            Verdict::Gone(why) => diff.gone.push(Gone { spot: old.spot(), why }),
            Verdict::Quiet(why) => diff.quiet.push(Gone { spot: old.spot(), why }),
            Verdict::NotAsked => diff.not_asked.push(old.spot()),
        }
    }
    diff.moved =
        moved.into_iter().map(|(from, to, reasons)| sides.tell(from, to, reasons)).collect();
    diff
}

/// What the same looks say differently when they are read again, with other knowledge: nothing is
/// new or gone, and what is not said any more is a change.
#[must_use]
pub fn reread(before: &Inventory, after: &Inventory) -> Diff {
    let after = entries(after);
    let changed = entries(before).into_iter().filter_map(|(path, known)| {
        let again = after.get(path)?;
        let changes = changes(&known, again, |_| true);
        (!changes.is_empty()).then(|| Changed { spot: again.spot(), changes })
    });
    Diff { changed: changed.collect(), ..Diff::default() }
}

struct Sides<'a> {
    before: BTreeMap<&'a str, Entry<'a>>,
    after: BTreeMap<&'a str, Entry<'a>>,
    witness: Witness<'a>,
    joining: Joining,
}

type Move<'s, 'a> = (&'s Entry<'a>, &'s Entry<'a>, Vec<Key>);

impl<'a> Sides<'a> {
    fn new(before: &'a Inventory, later: &Later<'a>) -> Self {
        Self {
            before: entries(before),
            after: entries(later.assets),
            witness: Witness::new(later),
            joining: later.joining,
        }
    }

    /// What is said differently, as far as it was asked.
    fn changes(&self, before: &Entry<'a>, after: &Entry<'a>) -> Vec<Change> {
        changes(before, after, |claim| self.witness.asked_again(after.asset, claim))
    }

    /// What was met at one place and is met at another, if each key is met once only.
    fn moved(&self) -> Vec<Move<'_, 'a>> {
        let (before, after) = (self.holders(&self.before), self.holders(&self.after));
        let mut found: BTreeMap<(&str, &str), Move<'_, 'a>> = BTreeMap::new();
        for (key, from) in &before {
            let (Some(from), Some(Some(to))) = (from, after.get(key)) else { continue };
            let stays = self.after.get(from.path()).is_some_and(|now| shares(from, now));
            let was_there = self.before.get(to.path()).is_some_and(|then| shares(then, to));
            if from.path() != to.path() && from.kind == to.kind && !stays && !was_there {
                let ends = (from.path(), to.path());
                let reasons = &mut found.entry(ends).or_insert((from, to, Vec::new())).2;
                reasons.push(key.1.clone());
            }
        }
        one_to_one(found.into_values().collect())
    }

    /// Who has a key; `None` if several have it.
    fn holders<'s>(
        &self,
        entries: &'s BTreeMap<&'a str, Entry<'a>>,
    ) -> BTreeMap<(Option<String>, Key), Option<&'s Entry<'a>>> {
        let mut holders = BTreeMap::new();
        for entry in entries.values() {
            let zone = (!self.joining.across_zones).then(|| entry.asset.zone().to_string());
            for key in Key::of(entry.node) {
                let first = holders.entry((zone.clone(), key));
                first.and_modify(|holder| *holder = None).or_insert(Some(entry));
            }
        }
        holders
    }

    fn tell(&self, from: &Entry<'a>, to: &Entry<'a>, reasons: Vec<Key>) -> Moved {
        let now_another = self.after.contains_key(from.path());
        let left = now_another || !matches!(self.witness.verdict(from), Verdict::NotAsked);
        let changes = self.changes(from, to);
        Moved { from: from.path().to_owned(), spot: to.spot(), reasons, left, changes }
    }
}

fn shares(one: &Entry<'_>, other: &Entry<'_>) -> bool {
    !Key::of(one.node).is_disjoint(&Key::of(other.node))
}

/// Without those whose keys point to several places.
fn one_to_one<'s, 'a>(moves: Vec<Move<'s, 'a>>) -> Vec<Move<'s, 'a>> {
    let mut counts: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for (from, to, _) in &moves {
        *counts.entry((false, from.path())).or_default() += 1;
        *counts.entry((true, to.path())).or_default() += 1;
    }
    let single = |end| counts.get(&end) == Some(&1);
    let fine =
        |(from, to, _): &Move<'_, 'a>| single((false, from.path())) && single((true, to.path()));
    moves.into_iter().filter(fine).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{asset, claim, inventories, said};
    use crate::model::{
        Asset, Field, HexBytes, Node, Outcome, ServiceKey, StateField, Transport, Zone,
    };

    /// A later look at a plant: what is known, and what was asked.
    #[derive(Default)]
    struct Look {
        assets: Inventory,
        asked: Asked,
        outcomes: Vec<OutcomeRecord>,
        exchanges: Vec<Exchange>,
    }

    impl Look {
        fn of(assets: impl IntoIterator<Item = Asset>) -> Self {
            let mut look = Self::default();
            assets.into_iter().for_each(|asset| look.assets.add(asset));
            look
        }

        /// It was asked, and the conversation ended like this.
        fn asked(
            mut self,
            zone: &str,
            last: u8,
            protocol: &str,
            port: u16,
            outcome: Outcome,
        ) -> Self {
            let (zone, address): (Zone, _) = (zone.parse().unwrap(), [10, 0, 0, last].into());
            self.asked.add(&zone, address, protocol, port);
            let record = OutcomeRecord::new(zone, address, protocol, port, outcome);
            self.outcomes.push(record);
            self
        }

        /// This question was asked.
        fn question(mut self, last: u8, protocol: &str, port: u16, request: &[u8]) -> Self {
            self.exchanges.push(Exchange {
                zone: "line-3".parse().unwrap(),
                source: "tester".parse().unwrap(),
                address: [10, 0, 0, last].into(),
                port,
                transport: Transport::Tcp,
                protocol: protocol.into(),
                function: "ReadDeviceIdBasic".into(),
                request: HexBytes::from(request.to_vec()),
                response: HexBytes::default(),
                at: jiff::Timestamp::UNIX_EPOCH,
                rtt_micros: 0,
            });
            self
        }

        fn since(&self, before: &Self) -> Diff {
            diff(&before.assets, &self.later())
        }

        fn later(&self) -> Later<'_> {
            Later {
                assets: &self.assets,
                asked: &self.asked,
                outcomes: &self.outcomes,
                exchanges: &self.exchanges,
                repeats: |_, earlier, later| earlier == later,
                joining: Joining::default(),
            }
        }
    }

    fn service(node: &mut Node, protocol: &str, port: u16) {
        let transport = Transport::Tcp;
        node.service(ServiceKey { protocol: protocol.into(), transport, port });
    }

    fn drive(last: u8) -> Asset {
        let mut drive = asset("line-3", last);
        service(&mut drive.node, "modbus", 502);
        drive.node.identity.add(Field::Vendor, said("Brakkenholt"));
        drive.node.identity.add(Field::Model, said("BH-110"));
        drive.node.identity.add(Field::Firmware, said("0.98"));
        drive
    }

    fn numbered(last: u8, serial: &str) -> Asset {
        let mut drive = drive(last);
        drive.node.identity.add(Field::SerialNumber, said(serial));
        drive
    }

    fn paths<'a>(spots: impl IntoIterator<Item = &'a Spot>) -> Vec<&'a str> {
        spots.into_iter().map(|spot| spot.path.as_str()).collect()
    }

    #[test]
    fn silence_where_nobody_asked_is_no_news() {
        let before = Look::of([drive(7)]);
        let diff = Look::default().since(&before);
        assert!(diff.is_empty());
        assert_eq!(paths(&diff.not_asked), ["line-3/10.0.0.7"]);
        // In another zone, the same address is another device.
        let elsewhere = Look::default().asked("line-4", 7, "modbus", 502, Outcome::Silent);
        assert!(elsewhere.since(&before).is_empty());
    }

    #[test]
    fn silence_where_somebody_asked_is_gone() {
        let now = Look::default().asked("line-3", 7, "modbus", 502, Outcome::Silent);
        let diff = now.since(&Look::of([drive(7)]));
        assert_eq!(diff.gone[0].spot.headline, "Brakkenholt BH-110");
        assert_eq!(diff.gone[0].why, "silent in modbus/502");
        assert!(diff.not_asked.is_empty() && diff.quiet.is_empty());
    }

    #[test]
    fn silence_in_a_large_range_counts_too_although_nobody_wrote_it_down() {
        let mut now = Look::default().asked("line-3", 7, "modbus", 502, Outcome::Silent);
        now.outcomes.clear();
        assert_eq!(now.since(&Look::of([drive(7)])).gone.len(), 1);
    }

    #[test]
    fn who_is_known_in_two_protocols_is_gone_only_if_both_are_silent() {
        let mut both = drive(7);
        service(&mut both.node, "s7", 102);
        let before = Look::of([both]);
        let half = Look::default().asked("line-3", 7, "modbus", 502, Outcome::Silent);
        assert_eq!(half.since(&before).not_asked.len(), 1);
        let all = half.asked("line-3", 7, "s7", 102, Outcome::Silent);
        assert_eq!(all.since(&before).gone[0].why, "silent in modbus/502 and s7/102");
    }

    #[test]
    fn a_stopped_or_refused_scan_takes_nobody_away() {
        for outcome in [Outcome::Aborted, Outcome::SkippedByPolicy, Outcome::SkippedFresh] {
            let now = Look::default().asked("line-3", 7, "modbus", 502, outcome);
            let diff = now.since(&Look::of([drive(7)]));
            assert!(diff.is_empty() && diff.not_asked.len() == 1, "{outcome:?}");
        }
    }

    #[test]
    fn who_hangs_up_is_quiet_and_not_gone() {
        for outcome in [Outcome::Refused, Outcome::Busy, Outcome::WentDark, Outcome::Malformed] {
            let now = Look::default().asked("line-3", 7, "modbus", 502, outcome);
            let diff = now.since(&Look::of([drive(7)]));
            assert!(diff.gone.is_empty(), "{outcome:?}");
            assert!(diff.quiet[0].why.ends_with("in modbus/502"), "{:?}", diff.quiet);
        }
    }

    #[test]
    fn a_new_device_is_told_once_without_its_modules() {
        let mut new = drive(7);
        new.module("modbus", 502, "3").identity.add(Field::Model, said("IO-8"));
        let diff = Look::of([new]).since(&Look::default());
        assert_eq!(paths(&diff.new), ["line-3/10.0.0.7"]);
    }

    #[test]
    fn a_module_that_is_added_or_pulled_is_told_if_its_question_was_asked_again() {
        let with = |slot: &str, request: &[u8]| {
            let mut rack = drive(7);
            rack.module("modbus", 502, slot)
                .identity
                .add(Field::Model, claim("modbus", 502, request, "IO-8"));
            rack
        };
        let before = Look::of([with("3", &[3])]);
        let now =
            Look::of([with("4", &[4])]).asked("line-3", 7, "modbus", 502, Outcome::Identified);
        let diff = now.since(&before);
        assert_eq!(paths(&diff.new), ["line-3/10.0.0.7/modbus/502/4"]);
        assert_eq!(paths(&diff.not_asked), ["line-3/10.0.0.7/modbus/502/3"]);
        let diff = now.question(7, "modbus", 502, &[3]).since(&before);
        assert_eq!(diff.gone[0].spot.path, "line-3/10.0.0.7/modbus/502/3");
        assert_eq!(diff.gone[0].spot.kind, Kind::Module);
    }

    #[test]
    fn a_change_says_from_what_to_what_and_on_which_bytes() {
        let mut now = drive(7);
        now = {
            let mut fresh = asset("line-3", 7);
            service(&mut fresh.node, "modbus", 502);
            fresh.node.identity.add(Field::Vendor, said("Brakkenholt"));
            fresh.node.identity.add(Field::Model, said("BH-110"));
            fresh.node.identity.add(Field::Firmware, claim("modbus", 502, &[1], "1.02"));
            fresh.node.state.add(StateField::OperatingMode, said("Run"));
            assert_ne!(fresh, now);
            fresh
        };
        let diff = Look::of([now]).since(&Look::of([drive(7)]));
        let [changed] = &diff.changed[..] else { panic!("{diff:?}") };
        let [firmware, mode] = &changed.changes[..] else { panic!("{changed:?}") };
        assert_eq!(firmware.field, "identity.firmware");
        assert_eq!(firmware.from.as_ref().unwrap().value, "0.98");
        let to = firmware.to.as_ref().unwrap();
        assert_eq!(
            (to.value.as_str(), to.evidence.function.as_str()),
            ("1.02", "ReadDeviceIdBasic")
        );
        assert_eq!((mode.field.as_str(), &mode.from), ("state.operating_mode", &None));
    }

    #[test]
    fn a_value_is_lost_only_if_its_question_was_asked_again() {
        let mut shallow = asset("line-3", 7);
        service(&mut shallow.node, "modbus", 502);
        shallow.node.identity.add(Field::Vendor, said("Brakkenholt"));
        let before = Look::of([drive(7)]);
        let now = Look::of([shallow]);
        assert!(now.since(&before).is_empty(), "a scan at a lower level takes nothing away");
        let diff = now.question(7, "modbus", 502, &[1]).since(&before);
        let lost: Vec<&str> = diff.changed[0].changes.iter().map(|c| c.field.as_str()).collect();
        assert_eq!(lost, ["identity.firmware", "identity.model"]);
        assert!(diff.changed[0].changes.iter().all(|change| change.to.is_none()));
    }

    #[test]
    fn a_clock_that_goes_on_is_no_change() {
        let at = |clock: &str| {
            let mut drive = drive(7);
            drive.node.state.add(StateField::Clock, said(clock));
            drive
        };
        assert!(Look::of([at("12:01")]).since(&Look::of([at("12:00")])).is_empty());
    }

    #[test]
    fn the_same_piece_at_another_address_has_moved() {
        let before = Look::of([numbered(7, "BH-0042-11")]);
        let now = Look::of([numbered(9, "bh-0042-11")]);
        let unsure = now.since(&before);
        let [moved] = &unsure.moved[..] else { panic!("{unsure:?}") };
        assert_eq!(
            (moved.from.as_str(), moved.spot.path.as_str()),
            ("line-3/10.0.0.7", "line-3/10.0.0.9")
        );
        assert!(!moved.left, "nobody asked at its old address");
        assert!(unsure.new.is_empty() && unsure.gone.is_empty() && unsure.not_asked.is_empty());
        let sure = now.asked("line-3", 7, "modbus", 502, Outcome::Silent).since(&before);
        assert!(sure.moved[0].left && sure.gone.is_empty());
    }

    #[test]
    fn two_devices_that_trade_addresses_have_both_moved() {
        let before = Look::of([numbered(7, "BH-0042-11"), numbered(8, "BH-0042-12")]);
        let now = Look::of([numbered(7, "BH-0042-12"), numbered(8, "BH-0042-11")]);
        let diff = now.since(&before);
        assert_eq!(diff.moved.len(), 2);
        assert!(diff.moved.iter().all(|moved| moved.left));
        assert_eq!(diff.changed.len(), 2, "at each address, the serial number is another one");
    }

    #[test]
    fn clones_move_nowhere() {
        let before = Look::of([numbered(7, "BH-0042-11")]);
        let now = Look::of([numbered(8, "BH-0042-11"), numbered(9, "BH-0042-11")]);
        let diff = now.since(&before);
        assert!(diff.moved.is_empty());
        assert_eq!((diff.new.len(), diff.not_asked.len()), (2, 1));
    }

    #[test]
    fn no_device_moves_into_another_zone_without_leave() {
        let mut there = asset("line-4", 7);
        there.node.identity.add(Field::Vendor, said("Brakkenholt"));
        there.node.identity.add(Field::SerialNumber, said("BH-0042-11"));
        let (before, now) = (Look::of([numbered(7, "BH-0042-11")]), Look::of([there]));
        assert!(now.since(&before).moved.is_empty());
        let joining = Joining { across_zones: true, ..Joining::default() };
        let diff = diff(&before.assets, &Later { joining, ..now.later() });
        assert_eq!(diff.moved.len(), 1);
    }

    fn everywhere() -> Look {
        let mut look = Look::default();
        for (zone, last) in (0..10).map(|n| (["a", "b"][n % 2], u8::try_from(n / 2).unwrap())) {
            for (protocol, port) in [("modbus", 502), ("s7", 102)] {
                look.asked.add(&zone.parse().unwrap(), [10, 0, 0, last].into(), protocol, port);
            }
        }
        look
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn nothing_differs_from_itself(a in inventories(), outcomes: bool) {
            let look = Look { assets: a, ..if outcomes { everywhere() } else { Look::default() } };
            let diff = look.since(&look);
            prop_assert!(diff.is_empty() && diff.not_asked.is_empty(), "{:?}", diff);
        }

        #[test]
        fn every_device_is_accounted_for_and_only_once(a in inventories(), b in inventories()) {
            let (before, now) = (Look { assets: a, ..Look::default() }, Look { assets: b, ..everywhere() });
            let diff = now.since(&before);
            let moved_from: Vec<&str> = diff.moved.iter().map(|m| m.from.as_str()).collect();
            for old in before.assets.iter().map(Asset::path) {
                let stays = now.assets.iter().any(|asset| asset.path() == old);
                let told = paths(&diff.not_asked).iter().filter(|p| **p == old).count()
                    + diff.gone.iter().chain(&diff.quiet).filter(|g| g.spot.path == old).count()
                    + moved_from.iter().filter(|p| **p == old).count();
                prop_assert!(if stays { told <= 1 } else { told == 1 }, "{} {:?}", old, diff);
            }
            for new in now.assets.iter().map(Asset::path) {
                let was = before.assets.iter().any(|asset| asset.path() == new);
                let told = paths(&diff.new).iter().filter(|p| **p == new).count()
                    + diff.moved.iter().filter(|m| m.spot.path == new).count();
                prop_assert!(if was { told <= 1 } else { told == 1 }, "{} {:?}", new, diff);
            }
        }

        #[test]
        fn nobody_is_gone_where_nobody_asked(a in inventories(), b in inventories()) {
            let now = Look { assets: b, ..Look::default() };
            let diff = now.since(&Look { assets: a, ..Look::default() });
            prop_assert!(diff.gone.is_empty() && diff.quiet.is_empty());
            prop_assert!(diff.moved.iter().all(|m| !m.left || now.assets.iter().any(|x| x.path() == m.from) || m.spot.kind != Kind::Device));
        }

        #[test]
        fn a_change_quotes_what_is_really_said(a in inventories(), b in inventories()) {
            let (before, now) = (Look { assets: a, ..Look::default() }, Look { assets: b, ..everywhere() });
            let claims = |look: &Look| -> BTreeSet<_> {
                entries(&look.assets).values().flat_map(|e| e.claims().cloned().collect::<Vec<_>>()).collect()
            };
            let (old, new) = (claims(&before), claims(&now));
            for change in now.since(&before).changed.iter().flat_map(|changed| &changed.changes) {
                prop_assert!(change.from.iter().all(|claim| old.contains(claim)));
                prop_assert!(change.to.iter().all(|claim| new.contains(claim)));
                let values = [&change.from, &change.to].map(|c| c.as_ref().map(|c| &c.value));
                prop_assert_ne!(values[0], values[1]);
            }
        }
    }
}
