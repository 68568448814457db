//! The promises of the design, watched from outside by a network that writes down every packet.
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

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::limits::{busiest_second, within_limits};
use common::modbus_plant::{at, deep, faulty, outcomes, plant, ranges};
use common::network::{Kind, Network, Packet};
use common::{Dice, Setting, leaves, only, parse, sent_to};
use otcore::gate::StopReason;
use otcore::gate::journal::{Entry, Journal, What};
use otcore::gate::policy::Window;
use otcore::protocols::modbus::sim::{Server, Shape, Unit};
use otcore::scan::{Event, Skipped};
use otcore::sim::Fault;
use otcore::targets::subnet_of;
use otcore::{Level, Outcome, Policy, Scanner};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn no_second_holds_more_packets_than_the_policy_allows() {
    let network = plant(12, 30).done();
    let setting = Setting::new(network).with_policy(deep(Policy::gentle()));
    let ended = setting.scan(&ranges(12, 40)).await;
    let capture = setting.network.capture();
    within_limits(&capture, &setting.policy.limits);
    assert_eq!(ended.report.counters.identified, 360);
    assert_eq!(capture.len() as u64, ended.report.counters.packets, "what is charged is sent");
    let busiest = busiest_second(capture.iter().map(|packet| packet.at));
    assert!(busiest > 100, "the plant is large enough to come near the limit: {busiest}");
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_another_profile_hold_as_well() {
    let network = plant(9, 20).done();
    let setting = Setting::new(network).with_policy(deep(Policy::careful()));
    setting.scan(&ranges(9, 25)).await;
    within_limits(&setting.network.capture(), &setting.policy.limits);
}

#[tokio::test(start_paused = true)]
async fn a_device_has_one_connection_however_many_scans_want_it() {
    let network = plant(3, 12).done();
    let setting = Setting::new(network).with_policy(deep(Policy::gentle()));
    let scans: Vec<_> = (0..5)
        .map(|_| {
            let mut own = Setting::new(setting.network.clone()).with_policy(setting.policy.clone());
            own.wire = Arc::clone(&setting.wire);
            own.start(&ranges(3, 12))
        })
        .collect();
    for scan in scans {
        let report = scan.finish().await;
        assert_eq!(report.counters.identified, 36, "{:?}", report.outcomes);
    }
    assert_eq!(setting.network.most_open(), 1);
    for (_, station) in setting.network.stations() {
        assert_eq!(station.counters().harm(), Vec::<String>::new());
        assert_eq!(station.counters().connections, 5);
    }
    within_limits(&setting.network.capture(), &setting.policy.limits);
}

#[tokio::test(start_paused = true)]
async fn no_subnet_has_more_guests_than_it_may() {
    let network = plant(2, 60).done();
    let setting = Setting::new(network).with_policy(deep(Policy::gentle()));
    let ended = setting.scan(&ranges(2, 60)).await;
    let mut open: BTreeMap<_, BTreeSet<SocketAddr>> = BTreeMap::new();
    for entry in &ended.journal {
        let here = open.entry(subnet_of(entry.device.ip())).or_default();
        match entry.what {
            What::Connecting => drop(here.insert(entry.device)),
            What::Closed { .. } | What::NotConnected { .. } => drop(here.remove(&entry.device)),
            _ => {}
        }
        assert!(here.len() <= setting.policy.limits.subnet_devices as usize);
    }
}

#[tokio::test(start_paused = true)]
async fn no_packet_leaves_the_scope() {
    let policy = only("modbus", Policy::gentle())
        .without_default_networks()
        .monitor("10.1.0.0/23".parse().unwrap())
        .exclude("10.1.0.32/27".parse().unwrap());
    let setting = Setting::new(plant(4, 100).done()).with_policy(policy);
    let ended = setting.scan("10.1.0.0/22 203.0.113.7 modbus://10.1.0.40 modbus://10.1.3.3").await;
    for packet in setting.network.capture() {
        let IpAddr::V4(to) = packet.to.ip() else { panic!("{packet:?}") };
        let [_, _, subnet, host] = to.octets();
        assert!(subnet < 2 && !(subnet == 0 && (32..64).contains(&host)), "{packet:?}");
        assert_eq!(packet.to.port(), 502, "{packet:?}");
    }
    assert_eq!(ended.report.counters.identified, 200 - 32);
    let skipped: u128 = ended.report.skipped.iter().map(|skipped| skipped.addresses).sum();
    assert_eq!(skipped + ended.plan.devices, 4 * 256 + 1, "every address is accounted for");
}

#[tokio::test(start_paused = true)]
async fn after_an_abort_nothing_leaves_and_what_was_found_stays() {
    let mut dice = Dice::new(1);
    for round in 0..60 {
        let setting = Setting::new(plant(4, 20).done()).with_policy(deep(Policy::gentle()));
        let mut scan = setting.start(&ranges(4, 30));
        let moment = Duration::from_micros(dice.below(12_000_000));
        let watch = async { while scan.next().await.is_some() {} };
        let _ = tokio::time::timeout(moment, watch).await;
        scan.abort();
        let (before, packets) = (setting.journal.entries().len(), setting.network.capture().len());
        let aborted = tokio::time::Instant::now();
        let report = scan.finish().await;
        assert!(aborted.elapsed() <= Duration::from_millis(50), "round {round}");
        sleep(60 * SECOND).await;
        let after = &setting.journal.entries()[before..];
        assert!(!after.iter().any(leaves), "round {round}: {after:#?}");
        for packet in &setting.network.capture()[packets..] {
            assert!(matches!(packet.what, Kind::Fin | Kind::Ack), "round {round}: {packet:?}");
        }
        within_limits(&setting.network.capture(), &setting.policy.limits);
        assert_eq!(report.stopped, Some(StopReason::Asked), "round {round}");
        assert!(!report.completed, "round {round}");
        kept(&setting, &report);
    }
}

/// Whoever answered whole is in the report.
fn kept(setting: &Setting, report: &otcore::Report) {
    let entries = setting.journal.entries();
    let answered: BTreeSet<IpAddr> = entries
        .iter()
        .filter(|entry| matches!(entry.what, What::Received { .. }))
        .map(|entry| entry.device.ip())
        .collect();
    for address in answered {
        let asset = report.assets.asset(&report.zone, address);
        assert!(asset.is_some(), "{address} answered and was lost");
    }
}

/// The same with real threads and real time: the abort races with sends on other cores.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_abort_wins_every_race() {
    let mut dice = Dice::new(2);
    for _ in 0..25 {
        let network = plant(40, 4).latency(Duration::from_micros(50)).done();
        let setting = Setting::new(network);
        let scan = setting.start(&ranges(40, 4));
        sleep(Duration::from_micros(dice.below(40_000))).await;
        let handle = scan.handle();
        let abort = tokio::task::spawn_blocking(move || handle.abort());
        abort.await.unwrap();
        let before = setting.journal.entries().len();
        let report = tokio::time::timeout(SECOND, scan.finish()).await.unwrap();
        sleep(Duration::from_millis(5)).await;
        assert!(!setting.journal.entries()[before..].iter().any(leaves));
        assert_eq!(report.stopped, Some(StopReason::Asked));
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_scan_starts_nothing_and_goes_on_where_it_was() {
    let mut dice = Dice::new(3);
    for round in 0..20 {
        let setting = Setting::new(plant(3, 20).done());
        let scan = setting.start(&ranges(3, 20));
        let handle = scan.handle();
        let reading = tokio::spawn(scan.finish());
        sleep(Duration::from_micros(dice.below(6_000_000))).await;
        handle.pause();
        let before = setting.journal.entries().len();
        sleep(300 * SECOND).await;
        let meanwhile = setting.journal.entries().len();
        let connecting = |entry: &Entry| entry.what == What::Connecting;
        let started = setting.journal.entries()[before..].iter().filter(|e| connecting(e)).count();
        assert_eq!(started, 0, "round {round}: conversations were started during the pause");
        sleep(60 * SECOND).await;
        assert_eq!(setting.journal.entries().len(), meanwhile, "those under way came to an end");
        handle.resume();
        let report = reading.await.unwrap();
        assert!(report.completed);
        assert_eq!(report.counters.identified, 60, "round {round}");
        assert_eq!(setting.network.most_open(), 1);
        within_limits(&setting.network.capture(), &setting.policy.limits);
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_scan_can_be_aborted() {
    let setting = Setting::new(plant(3, 20).done());
    let scan = setting.start(&ranges(3, 20));
    sleep(SECOND).await;
    scan.handle().pause();
    sleep(30 * SECOND).await;
    scan.abort();
    let report = tokio::time::timeout(SECOND, scan.finish()).await.unwrap();
    assert_eq!(report.stopped, Some(StopReason::Asked));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_was_just_scanned_is_left_alone_for_an_hour() {
    let setting = Setting::new(plant(1, 5).done());
    let first = setting.scan("10.1.0.1-9").await;
    assert_eq!(first.report.counters.identified, 5);
    let (packets, entries) = (setting.network.packets(), setting.journal.entries().len());
    sleep(1800 * SECOND).await;
    let again = setting.scan("10.1.0.1-5").await;
    assert!(again.report.completed);
    assert_eq!(again.report.outcomes.len(), 5);
    for record in &again.report.outcomes {
        assert_eq!(record.outcome, Outcome::SkippedFresh);
    }
    assert_eq!((setting.network.packets(), again.journal.len()), (packets, entries));
    assert_eq!(again.progress().percent(), 100);
    sleep(1801 * SECOND).await;
    let later = setting.scan("10.1.0.1-5").await;
    assert_eq!(later.report.counters.identified, 5);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_no_window_is_open() {
    let night = Window::daily("22:00", "05:00", "UTC").unwrap();
    let setting = Setting::new(plant(1, 5).done())
        .with_policy(only("modbus", Policy::gentle()).window(night));
    let ended = setting.scan("10.1.0.1-5").await;
    assert_eq!((setting.network.packets(), ended.journal.len()), (0, 0));
    for record in &ended.report.outcomes {
        assert_eq!(record.outcome, Outcome::SkippedByPolicy);
        assert!(record.detail.as_ref().unwrap().contains("window"), "{record:?}");
    }
    assert_eq!((ended.report.outcomes.len(), ended.progress().done), (5, 0));
    assert_eq!(ended.report.stopped, Some(StopReason::WindowClosed));
}

#[tokio::test(start_paused = true)]
async fn a_window_that_closes_ends_the_sending() {
    let morning = Window::daily("07:00", "08:00:04", "UTC").unwrap();
    let policy = deep(Policy::gentle().window(morning));
    let setting = Setting::new(plant(2, 60).done()).with_policy(policy);
    let ended = setting.scan(&ranges(2, 60)).await;
    let closes = "2026-05-04T08:00:04Z".parse().unwrap();
    let late: Vec<_> = ended.journal.iter().filter(|e| leaves(e) && e.at >= closes).collect();
    assert!(late.is_empty(), "{late:#?}");
    assert!(ended.report.counters.identified > 0 && ended.report.counters.identified < 120);
    assert_eq!(ended.report.stopped, Some(StopReason::WindowClosed));
    assert!(!ended.report.completed && ended.report.counters.visited < 120);
    kept(&setting, &ended.report);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_left_when_a_window_closes_is_not_gone_through_one_by_one() {
    let morning = Window::daily("07:00", "08:00:04", "UTC").unwrap();
    let setting = Setting::new(plant(2, 60).done())
        .with_policy(only("modbus", Policy::gentle()).window(morning));
    let ended = setting.scan("10.1.0.0/16").await;
    assert_eq!(ended.report.stopped, Some(StopReason::WindowClosed));
    let at_a_time = setting.policy.limits.parallel_devices as usize;
    assert!(ended.report.outcomes.len() <= 120 + at_a_time, "{}", ended.report.outcomes.len());
    let met: BTreeSet<_> = setting.network.capture().iter().map(|packet| packet.to.ip()).collect();
    assert_eq!(ended.progress().done, met.len() as u64, "who is turned away was not visited");
    assert!(ended.took < 10 * SECOND, "{:?}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn a_busy_device_gets_an_hour_then_two() {
    let unit = Unit { always: Some(0x06), ..Unit::default() };
    let busy = Server::new(Shape::native(unit));
    let setting = Setting::new(Network::wiring().device(at(0, 1), busy).done());
    let mut packets = 0;
    let mut asked = Vec::new();
    for _ in 0..4 {
        let ended = setting.scan("10.1.0.1").await;
        assert_eq!(outcomes(&ended)[&at(0, 1).ip()], Outcome::Busy);
        assert!(
            sent_to(&ended.journal, at(0, 1)).len() <= asked.len() + 1,
            "one question is enough"
        );
        asked.push(setting.network.packets() > packets);
        packets = setting.network.packets();
        sleep(3_700 * SECOND).await;
    }
    assert_eq!(asked, [true, true, false, true], "an hour, then two");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_gets_slower_is_left_alone() {
    let ms = Duration::from_millis;
    let slowing = faulty(Fault::Slow { first: ms(10), more: ms(400) });
    let wiring = plant(1, 1).device(at(0, 2), slowing);
    let setting = Setting::new(wiring.done()).with_policy(deep(Policy::gentle()));
    let ended = setting.scan("10.1.0.1-2").await;
    let (healthy, slow) = (sent_to(&ended.journal, at(0, 1)), sent_to(&ended.journal, at(0, 2)));
    assert!(healthy.len() > 3);
    assert_eq!(slow.len(), 3, "the second slow answer in a row is the last");
    let record = ended.report.outcomes.iter().find(|r| r.address == at(0, 2).ip()).unwrap();
    assert_eq!(record.outcome, Outcome::Identified, "it had said its name");
    assert!(record.detail.as_ref().unwrap().contains("slower"), "{record:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_talks_on_between_two_questions_is_left_before_the_next() {
    let wiring = plant(1, 1).device(at(0, 2), faulty(Fault::Repeat(1_000)));
    let setting = Setting::new(wiring.done()).with_policy(deep(Policy::gentle()));
    let ended = setting.scan("10.1.0.1-2").await;
    assert_eq!(sent_to(&ended.journal, at(0, 2)).len(), 1);
    let record = ended.report.outcomes.iter().find(|r| r.address == at(0, 2).ip()).unwrap();
    assert_eq!(record.outcome, Outcome::Identified, "its first answer is kept");
    assert!(record.detail.as_ref().unwrap().contains("unasked_bytes"), "{record:?}");
}

#[tokio::test(start_paused = true)]
async fn a_subnet_that_says_unreachable_is_left_alone() {
    let wiring = (1..=60).fold(plant(2, 10), |wiring, host| wiring.unreachable(at(7, host).ip()));
    let setting = Setting::new(wiring.done());
    let ended = setting.scan("10.1.7.1-60 10.1.0.1-10 10.1.1.1-10").await;
    let tried: BTreeSet<_> = setting.network.capture().iter().map(|packet| packet.to).collect();
    let there = tried.iter().filter(|to| subnet_of(to.ip()) == subnet_of(at(7, 1).ip())).count();
    let limits = &setting.policy.limits;
    let most = limits.unreachable_per_subnet + limits.subnet_unresolved;
    assert!(there <= most as usize, "{there} addresses were tried");
    assert_eq!(ended.report.counters.identified, 20, "other subnets are not affected");
    assert_eq!(ended.progress().percent(), 100);
}

#[tokio::test(start_paused = true)]
async fn who_is_left_out_of_a_range_for_one_reason_is_told_at_once() {
    let wiring = (0..=255).fold(plant(1, 10), |wiring, host| wiring.unreachable(at(7, host).ip()));
    let setting = Setting::new(wiring.done());
    let ended = setting.scan("10.1.7.0/24 10.1.0.0/28").await;
    let report = &ended.report;
    assert!(report.outcomes.iter().all(|record| record.outcome == Outcome::Identified));
    let left_out = |skipped: &&Skipped| skipped.reason.contains("10.1.7.0/24 reported itself");
    let counts = report.skipped.iter().filter(left_out).map(|skipped| skipped.addresses);
    let limits = &setting.policy.limits;
    let most = limits.unreachable_per_subnet + limits.subnet_unresolved;
    assert!((256 - u128::from(most)..256).contains(&counts.sum()), "{:?}", report.skipped);
    assert!(report.skipped.len() < 20, "{:?}", report.skipped);
    assert_eq!((ended.progress().percent(), report.completed), (100, true));
}

#[tokio::test(start_paused = true)]
async fn progress_reaches_the_end_whatever_answers() {
    let wiring = (1..=9).fold(plant(3, 5), |wiring, host| wiring.refusing(at(1, 20 + host).ip()));
    let setting = Setting::new(wiring.done());
    let ended = setting.scan("10.1.0.0/22").await;
    let mut last = 0;
    for event in &ended.events {
        if let Event::Progress(progress) = event {
            assert!(progress.percent() >= last);
            last = progress.percent();
        }
    }
    assert_eq!(last, 100);
    let counters = ended.report.counters;
    assert!(ended.report.completed);
    assert_eq!((counters.planned, counters.visited), (1024, 1024));
    assert_eq!((counters.identified, counters.answered), (15, 24));
    assert_eq!(counters.silent, 1024 - 24);
}

/// More single targets than subnets are open at once, and one device at a time.
#[tokio::test(start_paused = true)]
async fn a_long_list_of_single_targets_is_worked_off_one_by_one() {
    let targets: String =
        (0..700_u32).map(|i| format!("10.2.{}.{} ", i / 200, 1 + i % 200)).collect();
    let mut policy = Policy::gentle();
    policy.limits.parallel_devices = 1;
    let setting = Setting::new(Network::wiring().done()).with_policy(policy);
    let ended = setting.scan(&targets).await;
    assert_eq!(ended.report.counters.visited, 700);
    assert!(ended.report.completed);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_journal_byte_for_byte() {
    let mut texts = Vec::new();
    for seed in [7, 7, 8] {
        let wiring = plant(6, 15)
            .device(at(2, 40), faulty(Fault::Garbage))
            .device(at(3, 40), faulty(Fault::DarkAfter(1)))
            .device(at(4, 40), faulty(Fault::Drip { gap: Duration::from_millis(9) }));
        let mut setting = Setting::new(wiring.done()).with_policy(deep(Policy::gentle()));
        setting.seed = seed;
        let ended = setting.scan(&ranges(6, 45)).await;
        let lines: Vec<String> =
            ended.journal.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
        texts.push(lines.join("\n"));
    }
    assert!(texts[0].len() > 10_000);
    assert_eq!(texts[0], texts[1]);
    assert_ne!(texts[0], texts[2], "another seed gives other tags");
}

/// Fails from its nth entry on.
struct Full(AtomicUsize);

impl Journal for Full {
    fn record(&self, _: &Entry) -> io::Result<()> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        left.map(drop).map_err(|_| io::ErrorKind::StorageFull.into())
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_down_is_not_sent() {
    for entries in [0, 1, 2, 3, 17, 100] {
        let setting = Setting::new(plant(2, 20).done());
        let scanner = Scanner::builder()
            .dialer(setting.network.clone())
            .wire(Arc::clone(&setting.wire))
            .clock(setting.clock)
            .journal(Full(AtomicUsize::new(entries)))
            .build()
            .unwrap();
        let plan = scanner.plan(&parse(&ranges(2, 20))).unwrap();
        let report = scanner.start(plan).finish().await;
        assert_eq!(report.stopped, Some(StopReason::JournalFailed), "{entries}");
        let ours = |packet: &&Packet| matches!(packet.what, Kind::Syn | Kind::Payload(_));
        let left = setting.network.capture().iter().filter(ours).count();
        assert!(left <= entries, "{left} packets with room for {entries} entries");
    }
}

#[tokio::test(start_paused = true)]
async fn the_journal_is_the_wire() {
    let setting = Setting::new(plant(3, 10).done()).with_policy(deep(Policy::gentle()));
    let ended = setting.scan(&ranges(3, 12)).await;
    let wire: Vec<_> = setting
        .network
        .capture()
        .into_iter()
        .filter_map(|packet| match packet.what {
            Kind::Syn => Some((packet.at, packet.to, None)),
            Kind::Payload(bytes) => Some((packet.at, packet.to, Some(bytes))),
            Kind::Ack | Kind::Fin => None,
        })
        .collect();
    let start = ended.report.started;
    let told: Vec<_> = ended
        .journal
        .iter()
        .filter_map(|entry| {
            let at = entry.at.duration_since(start).unsigned_abs();
            match &entry.what {
                What::Connecting => Some((at, entry.device, None)),
                What::Sent { bytes, .. } => Some((at, entry.device, Some(bytes.as_ref().to_vec()))),
                _ => None,
            }
        })
        .collect();
    assert_eq!(told, wire);
}

/// Nobody reads the events: the scan waits, but no device waits with an open connection.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_no_connection_open() {
    let setting = Setting::new(plant(4, 60).done());
    let scan = setting.start(&ranges(4, 60));
    sleep(600 * SECOND).await;
    let open: usize = setting.network.stations().map(|(_, station)| station.open()).sum();
    assert_eq!(open, 0);
    let report = scan.finish().await;
    assert_eq!(report.counters.identified, 240);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_scan_lets_go_of_everything() {
    for moment in [0, 3, 900, 2_500, 9_000] {
        let wiring = plant(2, 20).device(at(0, 2), faulty(Fault::DarkAfter(1)));
        let setting = Setting::new(wiring.done()).with_policy(deep(Policy::gentle()));
        let scan = setting.start(&ranges(2, 20));
        sleep(Duration::from_millis(moment)).await;
        drop(scan);
        let before = setting.journal.entries().len();
        sleep(60 * SECOND).await;
        assert!(!setting.journal.entries()[before..].iter().any(leaves), "{moment}");
        let open: usize = setting.network.stations().map(|(_, station)| station.open()).sum();
        assert_eq!(open, 0, "{moment}");
        let mut next = Setting::new(setting.network.clone());
        next.wire = Arc::clone(&setting.wire);
        let mut policy = Policy::gentle();
        policy.limits.subnet_devices = 1;
        let next = next.with_policy(policy);
        let again = tokio::time::timeout(3600 * SECOND, next.scan("10.1.0.3-6")).await;
        assert_eq!(again.expect("nothing is held").report.counters.identified, 4, "{moment}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_never_costs_more_than_its_plan() {
    for level in Level::ALL {
        for policy in [Policy::gentle(), Policy::careful()] {
            let policy = policy.protocol("modbus", |modbus| {
                modbus.level(level).allow("umas").allow("sunspec").unit(1).unit(2)
            });
            let setting = Setting::new(plant(2, 12).done()).with_policy(policy);
            let ended = setting.scan(&ranges(2, 15)).await;
            let (counters, bounds) = (ended.report.counters, ended.plan.bounds);
            assert!(counters.packets <= bounds.packets && counters.requests <= bounds.requests);
            assert!(counters.connections <= bounds.connections);
            assert!(counters.bytes_out <= bounds.bytes_out);
            assert!(ended.took.as_secs() <= ended.plan.seconds_at_most);
            for stop in &ended.plan.stops {
                for record in &ended.report.outcomes {
                    assert!(u64::from(record.packets) <= stop.per_device.packets, "{record:?}");
                    assert!(u64::from(record.requests) <= stop.per_device.requests, "{record:?}");
                    assert!(record.millis <= stop.per_device.seconds * 1000, "{record:?}");
                }
            }
        }
    }
}
