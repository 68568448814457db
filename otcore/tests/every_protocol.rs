//! What every protocol must survive. A new folder is tested here without touching this file.
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

mod common;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use common::devices::Later;
use common::limits::busiest_second;
use common::manifest::in_the_manifest;
use common::network::{Kind, Network};
use common::{Ended, Setting, sent_to};
use otcore::fingerprint::{self, Knowledge, interpret};
use otcore::gate::journal::{Entry, What};
use otcore::gate::policy::{Limits, known};
use otcore::model::{Asset, Claim, Confidence, Evidence, Exchange, Facts, Method, Node};
use otcore::protocols::{ALL, Probe};
use otcore::safety::never;
use otcore::sim::{Action, Device, Fault, Faulty, Reply, Visit};
use otcore::{Level, Outcome, Policy, Report, Zone};

fn home(probe: &dyn Probe) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), probe.port())
}

fn only(probe: &dyn Probe, level: Level) -> Policy {
    let policy = common::only(probe.name(), Policy::gentle());
    let policy = policy.protocol(probe.name(), |settings| settings.on().level(level));
    let decision = policy.upper_bound("", home(probe).ip(), probe.name(), probe.port());
    match probe.missing_consent(&decision) {
        Some(consent) => policy.protocol(probe.name(), |settings| settings.allow(consent)),
        None => policy,
    }
}

/// Everything this protocol may do beyond its harmless questions.
fn with_every_consent(probe: &dyn Probe, policy: Policy) -> Policy {
    let consents = known(probe.name()).unwrap().consents;
    policy.protocol(probe.name(), |settings| {
        consents.iter().fold(settings, |settings, consent| settings.allow(consent.name))
    })
}

async fn scan(
    probe: &dyn Probe,
    device: impl Device + 'static,
    policy: Policy,
) -> (Setting, Ended) {
    let network = Network::wiring().device(home(probe), device).done();
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan(&home(probe).ip().to_string()).await;
    (setting, ended)
}

fn outcome(report: &Report) -> Outcome {
    let [record] = &report.outcomes[..] else { panic!("{:?}", report.outcomes) };
    record.outcome
}

/// What holds whatever the device does.
fn check(probe: &dyn Probe, setting: &Setting, ended: &Ended, what: &str) {
    let at = home(probe);
    let (report, limits) = (&ended.report, &setting.policy.limits);
    let seen = setting.network.station(at).counters();

    // It ends, in its time, with all of the progress, and says how each conversation ended.
    let time = Duration::from_secs(limits.device_time_s.into()) + slack(limits);
    assert!(ended.took <= time, "{what}: took {:?}", ended.took);
    assert_eq!(ended.progress().percent(), 100, "{what}");
    assert!(report.completed, "{what}: {:?}", report.stopped);
    assert!(!report.outcomes.is_empty(), "{what}");

    // The journal is what the device heard.
    let sent = sent_to(&ended.journal, at);
    let heard: Vec<Vec<u8>> = seen.log.iter().map(|logged| logged.bytes.clone()).collect();
    let told: Vec<Vec<u8>> = sent.iter().map(|(_, bytes)| bytes.clone()).collect();
    if seen.after_dark == 0 && heard.len() == told.len() {
        assert_eq!(told, heard, "{what}");
    }
    let payloads: Vec<Vec<u8>> = payloads(setting);
    assert_eq!(told, payloads, "{what}: the journal is not the wire");

    // The device was not harmed, and heard nothing that is not in the manifest.
    assert_eq!(seen.violations, Vec::<String>::new(), "{what}");
    assert!(seen.at_once <= 1, "{what}: {} connections at once", seen.at_once);
    assert_eq!(seen.turned_away, 0, "{what}");
    // A datagram that gets no answer shows no more than a connection that does not come about: it is
    // sent once more, and then somebody may still take a connection.
    let datagrams = count(&ended.journal, |what| matches!(what, What::Bound { .. }));
    let unheard =
        datagrams > 0 && count(&ended.journal, |w| matches!(w, What::Received { .. })) == 0;
    assert!(seen.after_dark <= if unheard { 3 } else { 0 }, "{what}: {} late", seen.after_dark);
    in_the_manifest(probe, (at, &sent), (setting, 1), what);

    // Limits and plan.
    let bounds = ended.plan.bounds;
    let counters = report.counters;
    let attempts = count(&ended.journal, |what| matches!(what, What::Connecting));
    let connections = count(&ended.journal, |what| matches!(what, What::Connected { .. }));
    assert!(
        connections <= limits.connections_per_scan as usize,
        "{what}: {connections} connections"
    );
    assert!(attempts <= limits.ports_per_device as usize, "{what}: {attempts} attempts");
    assert!(attempts as u64 <= bounds.connections, "{what}: {attempts} attempts");
    for (unit, requests) in &seen.requests_by_unit {
        let allowed = u64::from(limits.requests_per_conversation);
        assert!(*requests <= allowed, "{what}: unit {unit} was asked {requests} times");
    }
    let received: usize = ended.journal.iter().map(|entry| received(&entry.what)).sum();
    assert!(received <= limits.device_bytes as usize + 2048, "{what}: {received} bytes");
    assert!(sent.len() as u64 <= bounds.requests, "{what}: {} questions", sent.len());
    assert!(counters.packets <= bounds.packets, "{what}: {counters:?} {bounds:?}");
    assert!(counters.bytes_out <= bounds.bytes_out, "{what}: {counters:?} {bounds:?}");
    assert_eq!(counters.bytes_in as usize, received, "{what}");
    assert_eq!(counters.requests as usize, sent.len(), "{what}");
    let packets = setting.network.capture();
    // The goodbye to a device that went dark leaves when the run is over and counted.
    let charged = counters.packets + 2 * counters.went_dark;
    assert!(packets.len() as u64 <= charged, "{what}: {charged} charged: {packets:?}");
    // Whoever answers in pieces decides how many acknowledgements it gets, until we leave.
    let pieces = count(&ended.journal, |what| matches!(what, What::Received { .. }));
    let allowed = limits.device_packets_per_s as usize + usize::from(pieces > sent.len());
    let busiest = busiest_second(packets.iter().map(|packet| packet.at));
    assert!(busiest <= allowed, "{what}: {busiest} in a second: {packets:?}");

    // Every asset can be made again from its evidence.
    let again = interpret(&Knowledge::built_in(), &report.exchanges);
    assert_eq!(again.as_ref(), report.assets.iter().next(), "{what}");
}

/// One answer that was begun in time, and the goodbye.
fn slack(limits: &Limits) -> Duration {
    let ms = limits.connect_timeout_ms + limits.drain_ms + limits.close_wait_ms;
    Duration::from_millis(u64::from(ms) + 1_000)
}

fn payloads(setting: &Setting) -> Vec<Vec<u8>> {
    let payload = |kind| if let Kind::Payload(bytes) = kind { Some(bytes) } else { None };
    setting.network.capture().into_iter().filter_map(|packet| payload(packet.what)).collect()
}

fn received(what: &What) -> usize {
    if let What::Received { bytes } = what { bytes.as_ref().len() } else { 0 }
}

fn count(journal: &[Entry], which: impl Fn(&What) -> bool) -> usize {
    journal.iter().filter(|entry| which(&entry.what)).count()
}

#[tokio::test(start_paused = true)]
async fn honest_devices_are_identified_at_every_level() {
    for probe in ALL {
        for level in Level::ALL {
            let policy = with_every_consent(*probe, only(*probe, level));
            let (setting, ended) = scan(*probe, probe.simulate(), policy).await;
            let what = format!("honest {} at level {level}", probe.name());
            check(*probe, &setting, &ended, &what);
            let asset = ended.report.assets.iter().next().unwrap();
            // To detect a protocol need not mean to ask for a name.
            if level > Level::Detect || outcome(&ended.report) != Outcome::PresentNoIdentity {
                assert_eq!(outcome(&ended.report), Outcome::Identified, "{what}");
                assert!(asset.is_identified(), "{what}");
            }
            assert!(!ended.journal.is_empty(), "{what}");
        }
    }
}

/// How a conversation with a device of this fault may honestly end.
fn honest_outcomes(fault: &Fault) -> &'static [Outcome] {
    use Outcome::{Identified, Malformed, PresentNoIdentity, ResetAfter, Silent, SkippedByPolicy};
    use Outcome::{Unsupported, WentDark};
    match fault {
        Fault::Slots(_) => &[Identified],
        Fault::Slow { .. } => &[Identified, PresentNoIdentity, Silent],
        Fault::DarkAfter(0) | Fault::Mute => &[Silent],
        Fault::DarkAfter(_) => &[WentDark],
        Fault::Banner(_) | Fault::Says(_) => &[Unsupported, Malformed],
        Fault::Echo => &[Unsupported, Malformed],
        Fault::Garbage => &[Malformed, Silent],
        // What it says a question too late is true as well.
        Fault::Stale => &[Silent, Malformed, Identified],
        Fault::Overtaken => &[Identified, Malformed],
        Fault::Leaves => &[Identified, PresentNoIdentity, ResetAfter],
        Fault::Drip { .. } => &[Identified, Silent, Malformed, SkippedByPolicy],
        Fault::Repeat(_) => &[Identified, Malformed, SkippedByPolicy],
        Fault::Cut { then: otcore::sim::Ending::Stall, .. } => &[Silent, Malformed],
        Fault::Cut { .. } => &[ResetAfter, Malformed],
        // One changed byte may be one that no protocol can check.
        Fault::Flip { .. } | Fault::Put { .. } => {
            &[Identified, PresentNoIdentity, Silent, Malformed, Unsupported]
        }
    }
}

/// Whether the fault had no chance to show, or a repeated datagram got round it: who is asked one
/// question does not die of the second, and the answer to a question is also one to its repetition.
fn is_excused(fault: &Fault, asked: u64, ended: &Ended, outcome: Outcome) -> bool {
    let datagrams = count(&ended.journal, |what| matches!(what, What::Bound { .. })) > 0;
    match fault {
        // Who is silent to a call may not be meant by it, and what it said before stands.
        Fault::DarkAfter(_) | Fault::Stale | Fault::Drip { .. }
            if outcome == Outcome::PresentNoIdentity && ends_with_a_call(ended) =>
        {
            true
        }
        Fault::DarkAfter(fatal) => asked <= *fatal && outcome == Outcome::Identified,
        Fault::Stale => datagrams && outcome == Outcome::WentDark,
        // Without a connection there is nothing to close, and nothing was sent.
        Fault::Cut { after: 0, .. } => datagrams && outcome == Outcome::Silent,
        _ => false,
    }
}

/// Whether the last question was the first read of an outstation, which is a call to whoever takes
/// the questions of that master.
fn ends_with_a_call(ended: &Ended) -> bool {
    let sent = ended.journal.iter().rev().find_map(|entry| match &entry.what {
        What::Sent { function, .. } => Some(function.as_str()),
        _ => None,
    });
    sent == Some("ReadAttributeList")
}

#[tokio::test(start_paused = true)]
async fn bad_devices_have_honest_outcomes_never_panics_or_hangs() {
    for probe in ALL {
        for fault in Fault::samples() {
            for level in [Level::Identify, Level::State] {
                let device = Faulty::new(probe.simulate(), fault.clone());
                let (setting, ended) = scan(*probe, device, only(*probe, level)).await;
                let what = format!("{} at level {level} with {fault:?}", probe.name());
                check(*probe, &setting, &ended, &what);
                let outcome = outcome(&ended.report);
                let asked = sent_to(&ended.journal, home(*probe)).len() as u64;
                let honest = honest_outcomes(&fault).contains(&outcome);
                assert!(
                    honest || is_excused(&fault, asked, &ended, outcome),
                    "{what}: {:?}",
                    ended.report.outcomes
                );
                let record = &ended.report.outcomes[0];
                let nonsense = record.detail.as_ref().is_some_and(|d| d.starts_with("malformed"));
                if nonsense && outcome == Outcome::Malformed {
                    assert!(record.evidence.is_some(), "{what}: the bytes are not shown");
                }
            }
        }
    }
}

/// How many answers of an honest device it takes until it has said who it is.
async fn answers_to_a_name(probe: &dyn Probe) -> u64 {
    let (_, ended) = scan(probe, probe.simulate(), only(probe, Level::State)).await;
    let exchanges: Vec<&Exchange> = ended.report.exchanges.iter().collect();
    let is_named = |count: &usize| {
        probe.interpret(&exchanges[..*count]).is_some_and(|asset| asset.is_identified())
    };
    (1..=exchanges.len()).find(is_named).unwrap() as u64
}

#[tokio::test(start_paused = true)]
async fn what_was_found_before_a_fault_is_kept() {
    for probe in ALL {
        let named = answers_to_a_name(*probe).await;
        for fault in Fault::samples() {
            for after in named..named + 3 {
                let later = Later::new(probe.simulate(), after, fault.clone());
                let (setting, ended) = scan(*probe, later, only(*probe, Level::State)).await;
                let what = format!("{} with {fault:?} after {after} answers", probe.name());
                check(*probe, &setting, &ended, &what);
                let asked = sent_to(&ended.journal, home(*probe)).len();
                let kept = ended.report.exchanges.len();
                assert!(kept >= asked.min(after as usize), "{what}: {kept} of {asked} exchanges");
                let asset = ended.report.assets.iter().next();
                assert!(asset.is_some_and(Asset::is_identified), "{what}: {asset:?}");
                let outcome = outcome(&ended.report);
                let silenced = matches!(fault, Fault::DarkAfter(_) | Fault::Mute);
                if silenced && asked > after as usize {
                    assert_eq!(outcome, Outcome::WentDark, "{what}");
                }
            }
        }
    }
}

/// Never stops talking.
#[derive(Debug)]
struct Flood<D>(D, usize);

impl<D: Device> Device for Flood<D> {
    fn protocol(&self) -> &'static str {
        self.0.protocol()
    }
    fn takes_datagrams(&self) -> bool {
        self.0.takes_datagrams()
    }
    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let mut reply = self.0.answer(visit, received);
        let once = reply.actions.clone();
        for _ in 0..self.1 {
            reply.actions.extend(once.iter().cloned());
            reply.actions.push(Action::Wait(Duration::from_millis(1)));
        }
        reply
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_never_stops_talking_is_left() {
    for probe in ALL {
        for times in [100, 20_000] {
            let device = Flood(probe.simulate(), times);
            let (setting, ended) = scan(*probe, device, only(*probe, Level::State)).await;
            let what = format!("{} saying everything {times} times", probe.name());
            check(*probe, &setting, &ended, &what);
            // That it floods is no decision of the policy.
            let honest = [Outcome::Identified, Outcome::PresentNoIdentity, Outcome::Malformed];
            assert!(
                honest.contains(&outcome(&ended.report)),
                "{what}: {:?}",
                ended.report.outcomes
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_drips_is_left_with_room_for_a_packet_that_was_acknowledged_and_not_read_yet() {
    for probe in ALL.iter().copied().filter(|probe| !probe.simulate().takes_datagrams()) {
        for gap in [50, 60, 80, 100] {
            let drips = Fault::Drip { gap: Duration::from_millis(gap) };
            let policy = only(probe, Level::Identify);
            let most = policy.limits.device_packets_per_s as usize;
            let (setting, _) = scan(probe, Faulty::new(probe.simulate(), drips), policy).await;
            let packets = setting.network.capture();
            let busiest = busiest_second(packets.iter().map(|packet| packet.at));
            assert!(busiest < most, "{} {gap} ms: {busiest} in a second", probe.name());
        }
    }
}

#[test]
fn the_manifest_holds_together() {
    for probe in ALL {
        let name = probe.name();
        let known = known(name).unwrap_or_else(|| panic!("no policy can speak of {name}"));
        assert_eq!(known.default_port, probe.port(), "{name}");
        let scheme = otcore::targets::Scheme::of(name);
        assert_eq!(scheme.unwrap_or_else(|| panic!("no target says {name}")).port, probe.port());
        let never = never::of(name).unwrap_or_else(|| panic!("nothing is forbidden for {name}"));
        let mut selectors = BTreeSet::new();
        let mut consents = BTreeSet::new();
        for facts in probe.functions() {
            let what = format!("{name} {}", facts.name);
            assert!(selectors.insert(facts.selector), "{what}: its selector is there twice");
            assert!(!never::lists(never, facts.selector.path()), "{what} changes the device");
            assert!(facts.max_request > 0 && facts.max_count > 0, "{what}");
            assert!(!facts.why_safe.is_empty() && !facts.source.is_empty(), "{what}");
            consents.extend(facts.consent);
        }
        for consent in consents {
            let listed = known.consents.iter().any(|known| known.name == consent);
            assert!(listed, "{name}: no policy can consent to {consent}");
        }
    }
}

/// So that no change sends more than before without being seen in a review.
#[test]
fn the_manifest_is_the_golden_file() {
    let manifest = otcore::manifest().to_string();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/manifest.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &manifest).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        manifest, golden,
        "what this build can send has changed; if that is meant, say so in CHANGELOG.md and run\n  \
         UPDATE_GOLDEN=1 cargo test -p otcore --features sim --test every_protocol golden"
    );
}

#[test]
fn every_example_of_every_rule_holds() {
    let mut ids = BTreeSet::new();
    for (file, text) in Knowledge::files() {
        let Some(topic) = file.strip_suffix(".toml") else { continue };
        for rule in fingerprint::parse(topic, text).unwrap() {
            assert!(ids.insert(rule.id.clone()), "{} is there twice", rule.id);
            let of_file = rule.id.starts_with(&format!("{topic}/"));
            assert!(of_file, "{} belongs to {topic}", rule.id);
            assert!(!rule.examples.is_empty(), "{} has no example", rule.id);
            assert!(!rule.reference.is_empty(), "{} has no reference", rule.id);
            let only = Knowledge::of_rules(vec![rule.clone()]);
            for example in &rule.examples {
                let mut asset = Asset::new(Zone::default(), IpAddr::V4(Ipv4Addr::LOCALHOST));
                for (field, value) in example {
                    asset.node.identity.add(*field, claim(topic, value));
                }
                let before = asset.clone();
                fingerprint::infer(&only, &mut asset);
                for (field, value) in &rule.then {
                    let concluded = asset.node.identity.claims(*field).any(|c| c.value == *value);
                    assert!(concluded, "{}: {example:?}", rule.id);
                }
                let reasons: Vec<&str> =
                    asset.node.findings.iter().map(|found| found.reason.as_str()).collect();
                let suspicion = rule.finding.as_ref();
                assert_eq!(reasons, suspicion.map(|s| s.reason.as_str()).as_slice(), "{}", rule.id);
                let once = asset.clone();
                fingerprint::infer(&only, &mut asset);
                assert_eq!(asset, once, "{}: concluding twice changes nothing", rule.id);
                assert_ne!(asset, before, "{}", rule.id);
            }
        }
    }
    assert!(ids.len() > 20, "{ids:?}");
}

fn claim(protocol: &str, value: &str) -> Claim {
    let evidence = Evidence {
        at: "2026-05-04T08:00:00Z".parse().unwrap(),
        source: otcore::Source::default(),
        method: Method::Active,
        protocol: protocol.to_owned(),
        port: 1,
        function: "Example".to_owned(),
        rule: None,
        request: Vec::new().into(),
        response: Vec::new().into(),
    };
    Claim { confidence: Confidence::Reported, evidence: evidence.into(), value: value.to_owned() }
}

/// Every claim names an exchange that is really there.
#[tokio::test(start_paused = true)]
async fn every_fact_names_its_evidence() {
    for probe in ALL {
        let policy = with_every_consent(*probe, only(*probe, Level::State));
        let (_, ended) = scan(*probe, probe.simulate(), policy).await;
        let mut asset = ended.report.assets.iter().next().unwrap().clone();
        let exchanges: Vec<Evidence> = ended.report.exchanges.iter().map(Evidence::of).collect();
        asset.for_each_node(|node| {
            for claim in claims(node) {
                let evidence = Evidence::clone(&claim.evidence);
                let basis = Evidence { method: Method::Active, rule: None, ..evidence };
                assert!(exchanges.contains(&basis), "{claim:?}");
            }
        });
    }
}

fn claims(node: &Node) -> Vec<&Claim> {
    let interfaces = node.interfaces.values().flat_map(Facts::all);
    let services = node.services.values().flat_map(Facts::all);
    node.identity.all().chain(node.state.all()).chain(interfaces).chain(services).collect()
}

/// The same exchanges through JSON, backwards or in part, never make a decoder panic, and in full they
/// say the same.
#[tokio::test(start_paused = true)]
async fn stored_evidence_says_the_same_again() {
    for probe in ALL {
        let policy = with_every_consent(*probe, only(*probe, Level::State));
        let (_, ended) = scan(*probe, probe.simulate(), policy).await;
        let json = serde_json::to_string(&ended.report.exchanges).unwrap();
        let stored: Vec<Exchange> = serde_json::from_str(&json).unwrap();
        assert_eq!(stored, ended.report.exchanges);
        let again = interpret(&Knowledge::built_in(), &stored);
        assert_eq!(again.as_ref(), ended.report.assets.iter().next());
        let backwards: Vec<_> = stored.iter().rev().cloned().collect();
        let _ = interpret(&Knowledge::built_in(), &backwards);
        for end in 0..stored.len() {
            let _ = interpret(&Knowledge::built_in(), &stored[..end]);
            let _ = interpret(&Knowledge::built_in(), &stored[end..]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_report_follows_the_schema() {
    let schema: serde_json::Value = serde_json::from_str(otcore::model::REPORT_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for probe in ALL {
        let honest: Box<dyn Device> = probe.simulate();
        let faulty = Fault::samples().into_iter();
        let faulty = faulty
            .map(|fault| -> Box<dyn Device> { Box::new(Faulty::new(probe.simulate(), fault)) });
        for device in std::iter::once(honest).chain(faulty) {
            let policy = with_every_consent(*probe, only(*probe, Level::State));
            let (_, ended) = scan(*probe, device, policy).await;
            let report = serde_json::to_value(&ended.report).unwrap();
            let wrong: Vec<String> = validator
                .iter_errors(&report)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{wrong:#?}\n{report:#}");
        }
    }
}
