//! Everybody in a network called at once: only where somebody agreed, ranged, paced, and narrower
//! where answers pile up.
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

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::network::{Kind, Network, Packet};
use common::{Ended, Setting, only};
use otcore::gate::Device;
use otcore::gate::memory::{Quarantine, Record};
use otcore::protocols::bacnet::sim::{self, Server, Shape};
use otcore::scan::{Phase, PhaseState};
use otcore::{Outcome, Policy};

const NETWORK: &str = "10.9.1.0/24";
/// The type of the object that every device has.
const DEVICE: u16 = 8;
const EVERYBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 1, 255)), 47808);

fn at(last: u8) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(10, 9, 1, last).into(), 47808)
}

/// A controller of this number in a plant that agreed to be called.
fn controller(instance: u32) -> Shape {
    let mut shape = Shape { agreed_to_broadcasts: true, ..sim::controller() };
    let head = &mut shape.heads[0];
    let properties = head.objects.remove(&(DEVICE, head.instance)).unwrap();
    head.objects.insert((DEVICE, instance), properties);
    head.instance = instance;
    shape
}

/// `many` controllers, numbered from `first` on.
fn plant(first: u32, many: u8) -> Network {
    let wiring = Network::wiring().watched(&agreed(6).limits);
    let devices = (1..=many).map(|n| (at(n), controller(first + u32::from(n))));
    devices.fold(wiring, |w, (at, shape)| w.device(at, Server::new(shape))).done()
}

/// The network is monitored by name, and may be called so often.
fn agreed(calls: u32) -> Policy {
    let policy = Policy::gentle().monitor(NETWORK.parse().unwrap());
    let mut policy = only("bacnet", policy).protocol("bacnet", |bacnet| bacnet.allow("broadcast"));
    policy.limits.broadcasts_per_scan = calls;
    policy
}

async fn scan(network: &Network, policy: Policy) -> Ended {
    Setting::new(network.clone()).with_policy(policy).scan(NETWORK).await
}

/// When each call left, and for which numbers.
fn calls(network: &Network) -> Vec<(Duration, u32, u32)> {
    let range = |packet: &Packet| match &packet.what {
        Kind::Payload(bytes) if bytes[1] == 0x0B => {
            assert_eq!(packet.to, EVERYBODY);
            Some((packet.at, read_range(bytes)))
        }
        _ => None,
    };
    let capture = network.capture();
    capture.iter().filter_map(range).map(|(at, (first, last))| (at, first, last)).collect()
}

/// The two context-tagged numbers behind the header of a Who-Is, with eyes of our own.
fn read_range(bytes: &[u8]) -> (u32, u32) {
    let number = |tag: u8, rest: &[u8]| {
        assert_eq!(rest[0] & 0xF8, tag << 4 | 0x08);
        let length = usize::from(rest[0] & 7);
        let value = rest[1..=length].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        (value, 1 + length)
    };
    assert_eq!(bytes[..2], [0x81, 0x0B]);
    assert_eq!(bytes[4..8], [1, 0, 0x10, 8]);
    let (first, length) = number(0, &bytes[8..]);
    (first, number(1, &bytes[8 + length..]).0)
}

/// Who was sent anything by itself.
fn asked(network: &Network) -> Vec<u8> {
    let mut asked: Vec<u8> = network
        .capture()
        .iter()
        .filter(|packet| packet.to != EVERYBODY)
        .map(|packet| match packet.to.ip() {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(_) => panic!("an address of the other family"),
        })
        .collect();
    asked.dedup();
    asked.sort_unstable();
    asked.dedup();
    asked
}

fn no_alarms(network: &Network) {
    for (at, station) in network.stations() {
        assert_eq!(station.counters().violations, Vec::<String>::new(), "{at}");
    }
    network.watched(|watch, _| assert_eq!(watch.broken(), Vec::<String>::new()));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_to_no_end_is_counted_and_told_too() {
    let network = plant(100, 80);
    let mut policy = agreed(6);
    policy.limits.answers_per_call = 100;
    policy.limits.device_bytes = 1_024; // so many answers have more
    let ended = scan(&network, policy).await;
    let counters = ended.report.counters;
    assert_eq!(counters.packets, network.capture().len() as u64);
    let told = ended.report.skipped.iter().find(|skipped| skipped.what.contains("call"));
    assert!(told.unwrap().reason.contains("device_bytes"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn by_default_nobody_is_called() {
    let mut without_a_name = only("bacnet", Policy::gentle());
    without_a_name.limits = agreed(6).limits;
    for policy in [
        only("bacnet", Policy::gentle().monitor(NETWORK.parse().unwrap())),
        agreed(0),
        without_a_name,
    ] {
        let network = plant(100, 3);
        let ended = scan(&network, policy).await;
        assert_eq!(ended.plan.calls, []);
        assert_eq!(calls(&network), []);
        assert_eq!(ended.report.counters.identified, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_answers_a_call_is_asked_and_nobody_else() {
    let network = plant(100, 5);
    let ended = scan(&network, agreed(6)).await;
    assert_eq!(ended.plan.calls.len(), 1);
    assert!(ended.plan.to_string().contains("10.9.1.0/24: everybody is called at once in bacnet"));
    let ranges: Vec<_> = calls(&network).iter().map(|(_, first, last)| (*first, *last)).collect();
    let widening =
        [(0, 999), (1_000, 8_999), (9_000, 72_999), (73_000, 584_999), (585_000, 4_194_303)];
    assert_eq!(ranges, widening);
    assert_eq!(asked(&network), [1, 2, 3, 4, 5], "all others got no packet of their own");
    assert_eq!(ended.report.counters.identified, 5);
    assert_eq!(ended.report.counters.silent, 250);
    let started = |record: &otcore::scan::PhaseRecord| record.phase == Phase::Discovery;
    let discovery = ended.report.phases.iter().find(|phase| started(phase)).unwrap();
    assert_eq!(discovery.state, PhaseState::Finished);
    assert!(ended.report.counters.packets <= ended.plan.bounds.packets);
    no_alarms(&network);
}

#[tokio::test(start_paused = true)]
async fn calls_rest_ten_seconds_and_are_no_more_than_the_policy_says() {
    let network = plant(100, 2);
    let ended = scan(&network, agreed(3)).await;
    let calls = calls(&network);
    assert_eq!(calls.len(), 3);
    for pair in calls.windows(2) {
        assert!(pair[1].0.checked_sub(pair[0].0).unwrap() >= Duration::from_secs(10), "{calls:?}");
    }
    let sent = network.capture().len() as u64;
    assert_eq!(ended.report.counters.packets, sent, "calls are counted");
    // Numbers above 72,999 were not called for, so silence says nothing and everybody is asked.
    assert_eq!(asked(&network).len(), 255);
    assert_eq!(ended.report.counters.identified, 2);
    no_alarms(&network);
}

/// Those of one scan rest between their calls; a network rests whoever calls.
#[tokio::test(start_paused = true)]
async fn a_network_rests_between_the_calls_of_two_scans_as_well() {
    let network = plant(100, 2);
    let setting = Setting::new(network.clone()).with_policy(agreed(2));
    let (scans, other) = (setting.start(NETWORK), setting.start(NETWORK));
    tokio::join!(scans.finish(), other.finish());
    let calls = calls(&network);
    assert_eq!(calls.len(), 4);
    for pair in calls.windows(2) {
        assert!(pair[1].0.checked_sub(pair[0].0).unwrap() >= Duration::from_secs(10), "{calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_answers_pile_up_the_next_call_is_for_half_as_many_numbers() {
    let network = plant(0, 80);
    scan(&network, agreed(6)).await;
    let ranges: Vec<_> = calls(&network).iter().map(|(_, first, last)| (*first, *last)).collect();
    assert_eq!(ranges[..3], [(0, 999), (0, 499), (0, 249)]);
    assert_eq!(ranges.len(), 6);
    no_alarms(&network);
}

/// The policy under which it is carried out has to agree, whatever a plan says.
#[tokio::test(start_paused = true)]
async fn a_plan_of_somebody_who_agreed_calls_nobody_for_one_who_did_not() {
    let without_consent = {
        let mut policy = agreed(6);
        let bacnet = policy.protocols.get_mut("bacnet").unwrap();
        bacnet.allow.retain(|consent| consent != "broadcast");
        policy
    };
    let without_one = agreed(6).exclude("10.9.1.77/32".parse().unwrap());
    for (policy, agrees) in [(agreed(6), true), (without_consent, false), (without_one, false)] {
        let network = plant(100, 3);
        let setting = Setting::new(network.clone()).with_policy(agreed(6));
        let plan = setting.scanner().plan(&common::parse(NETWORK)).unwrap();
        assert_eq!(plan.calls.len(), 1);
        let left_alone = !policy.exclude.is_empty();
        let report = setting.with_policy(policy).scanner().start(plan).finish().await;
        assert_eq!(!calls(&network).is_empty(), agrees);
        assert_eq!(report.counters.identified, 3, "the others are asked one by one");
        assert_eq!(asked(&network).contains(&77), !agrees && !left_alone);
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_with_somebody_in_it_who_is_left_alone_is_not_called() {
    let network = plant(100, 3);
    let excluded = agreed(6).exclude("10.9.1.77/32".parse().unwrap());
    let ended = scan(&network, excluded).await;
    assert_eq!((ended.plan.calls.len(), calls(&network).len()), (0, 0));

    let network = plant(100, 3);
    let setting = Setting::new(network.clone()).with_policy(agreed(6));
    let why = "silent after ReadIdentity though it had answered before".to_owned();
    let since = common::EPOCH.parse().unwrap();
    let record = Record { quarantined: Some(Quarantine { since, why }), ..Record::default() };
    setting.memory.remember(&"default".parse().unwrap(), Device::at(at(2)), record).unwrap();
    let ended = setting.scan(NETWORK).await;
    assert_eq!((ended.plan.calls.len(), calls(&network).len()), (0, 0));
    assert_eq!(asked(&network).iter().filter(|last| **last == 2).count(), 0);

    let network = plant(100, 3);
    let setting = Setting::new(network.clone()).with_policy(agreed(6));
    let ended = setting.scan("10.9.1.0/25").await;
    assert_eq!((ended.plan.calls.len(), calls(&network).len()), (0, 0), "half of it was asked for");
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_calling_too() {
    let network = plant(100, 3);
    let setting = Setting::new(network.clone()).with_policy(agreed(6));
    let mut scan = setting.start(NETWORK);
    while calls(&network).is_empty() {
        tokio::time::timeout(Duration::from_millis(100), scan.next()).await.ok();
    }
    scan.abort();
    let before = network.capture().len();
    let report = scan.finish().await;
    assert_eq!(network.capture().len(), before);
    assert!(!report.completed);
    assert!(report.outcomes.iter().all(|record| record.outcome != Outcome::Identified));
}
