//! Who a device is: what is said of it is true of it, or nothing is said.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use otcore::fingerprint::{Knowledge, interpret};
use otcore::gate::policy::{Bound, ProtocolPolicy, TABLE, known};
use otcore::model::{Asset, Exchange, Field, Method, Node};
use otcore::protocols::by_name;
use otcore::{Level, Policy};

use crate::case::Planted;
use crate::common::network::Network;
use crate::common::{Setting, only, parse};
use crate::kinds;
use crate::run::Seen;

/// Where below a device, about what, and what.
type Fact = (String, Field, String);

/// Everything that is true of a device of one kind, as scans of it say that nothing disturbs: at every
/// level, with every consent and without, whole and broken off after any answer.
type Truth = BTreeSet<Fact>;

/// Where the device of an undisturbed scan lives.
const ALONE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 2));

/// Every name in every report is a name of whoever lives there.
pub(crate) fn names_are_true(seen: &Seen) {
    if seen.case.planted.is_empty() {
        return;
    }
    for report in seen.scans.iter().filter_map(|(_, report)| report.as_ref()) {
        for asset in report.assets.iter() {
            let lives_here = |one: &&Planted| asset.addresses().any(|ip| ip == one.at.ip());
            let here: Vec<&Planted> = seen.case.planted.iter().filter(lives_here).collect();
            assert!(!here.is_empty(), "nobody lives there: {asset:?}");
            if !here.iter().any(|one| one.lies) {
                is_true(asset, &here);
            }
        }
    }
}

fn is_true(asset: &Asset, here: &[&Planted]) {
    let truths: Vec<Arc<Truth>> = here.iter().map(|one| truth_of(one.protocol, one.kind)).collect();
    for (method, fact) in facts_of(asset) {
        // A rule may conclude from what two devices at one address say what neither says alone.
        let concluded = method == Method::Rule && here.len() > 1;
        let known = truths.iter().any(|truth| truth.contains(&fact));
        assert!(concluded || known, "{fact:?} is not true of {:?}", names(here));
    }
}

fn names(here: &[&Planted]) -> Vec<(SocketAddr, u8)> {
    here.iter().map(|one| (one.at, one.kind)).collect()
}

/// The identity of a device, and of all that is below it.
fn facts_of(asset: &Asset) -> Vec<(Method, Fact)> {
    fn of_node(node: &Node, home: &str, facts: &mut Vec<(Method, Fact)>) {
        let place = node.path().strip_prefix(home).unwrap_or_default();
        for field in node.identity.fields() {
            for claim in node.identity.claims(field) {
                let fact = (place.to_owned(), field, claim.value.clone());
                facts.push((claim.evidence.method, fact));
            }
        }
        let below = node.modules.values().chain(node.children.values());
        below.for_each(|node| of_node(node, home, facts));
    }
    let mut facts = Vec::new();
    of_node(&asset.node, asset.path(), &mut facts);
    facts
}

/// Worked out once for each kind.
fn truth_of(protocol: &'static str, kind: u8) -> Arc<Truth> {
    static KNOWN: Mutex<BTreeMap<(&str, u8), Arc<Truth>>> = Mutex::new(BTreeMap::new());
    let known = KNOWN.lock().unwrap().get(&(protocol, kind)).cloned();
    known.unwrap_or_else(|| {
        let truth = Arc::new(work_out(protocol, kind));
        KNOWN.lock().unwrap().insert((protocol, kind), Arc::clone(&truth));
        truth
    })
}

fn work_out(protocol: &str, kind: u8) -> Truth {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let knowledge = Knowledge::built_in();
    let mut truth = Truth::new();
    for policy in policies(protocol) {
        let exchanges = runtime.block_on(undisturbed(protocol, kind, policy));
        for end in 1..=exchanges.len() {
            let asset = interpret(&knowledge, &exchanges[..end]);
            truth.extend(asset.iter().flat_map(facts_of).map(|(_, fact)| fact));
        }
    }
    truth
}

async fn undisturbed(protocol: &str, kind: u8, policy: Policy) -> Vec<Exchange> {
    let at = SocketAddr::new(ALONE, by_name(protocol).unwrap().port());
    let network = Network::wiring().device(at, kinds::honest(protocol, kind)).done();
    let setting = Setting::new(network).with_policy(policy);
    let scanner = setting.scanner();
    match scanner.plan(&parse(&format!("{protocol}://{ALONE}"))) {
        Ok(plan) => scanner.start(plan).finish().await.exchanges,
        Err(_) => Vec::new(), // nothing may be asked without a consent
    }
}

/// What a policy of a seed may let be asked: nothing beyond the harmless questions, everything, and
/// with each single consent. Levels in between ask the beginning of what the next one asks.
fn policies(protocol: &str) -> Vec<Policy> {
    let known = known(protocol).unwrap();
    let names: Vec<&str> = known.consents.iter().map(|consent| consent.name).collect();
    let mut consents = vec![vec![], names.clone()];
    consents.extend(names.into_iter().map(|name| vec![name]));
    let units: &[Option<u8>] = if known.has_units { &[None, Some(1), Some(2)] } else { &[None] };
    let mut all = Vec::new();
    for level in [Level::Detect, Level::Identify, Level::State] {
        for consents in &consents {
            for unit in units {
                all.push(policy(protocol, level, consents, *unit));
            }
        }
    }
    all
}

fn policy(protocol: &str, level: Level, consents: &[&str], unit: Option<u8>) -> Policy {
    let policy = only(protocol, Policy::gentle()).protocol(protocol, |settings| {
        let settings = settings.on().level(level);
        let settings = consents.iter().fold(settings, |settings, name| settings.allow(name));
        unit.into_iter().fold(settings, ProtocolPolicy::unit)
    });
    with_room_for_everything(policy)
}

fn with_room_for_everything(mut policy: Policy) -> Policy {
    for row in TABLE.iter().filter(|row| row.bound == Bound::AtMost) {
        let before = policy.limits.clone();
        if policy.limits.set(row.key, row.max).is_err() || policy.check().is_err() {
            policy.limits = before;
        }
    }
    policy
}

#[test]
fn something_is_true_of_several_kinds_of_every_protocol() {
    for protocol in otcore::protocols::ALL.iter().map(|probe| probe.name()) {
        let kinds = 0..kinds::count(protocol);
        let truths: BTreeSet<Truth> =
            kinds.map(|kind| Truth::clone(&truth_of(protocol, kind))).collect();
        assert!(truths.len() > 2, "{protocol}: {truths:?}");
    }
}
