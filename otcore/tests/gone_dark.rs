//! Devices that fall silent after a question, and what that means for all others.
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

use std::io;
use std::sync::Arc;
use std::time::Duration;

use common::modbus_plant::{at, deep, faulty, outcomes, plant, ranges};
use common::{Ended, Setting, leaves, parse, sent_to};
use otcore::gate::StopReason;
use otcore::gate::journal::{Entry, What};
use otcore::gate::memory::{InFile, InMemory};
use otcore::scan::Event;
use otcore::sim::Fault;
use otcore::{Outcome, Policy};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_device_that_went_dark_gets_no_second_packet() {
    for killing in 1..6 {
        let wiring = plant(1, 20).device(at(0, 7), faulty(Fault::DarkAfter(killing)));
        let setting = Setting::new(wiring.done()).with_policy(deep(Policy::gentle()));
        let ended = setting.scan("10.1.0.1-20").await;
        let dark = setting.network.station(at(0, 7));
        if !dark.is_dark() {
            continue; // it was not asked that much
        }
        assert_eq!(dark.counters().after_dark, 0, "{killing}");
        assert_eq!(outcomes(&ended)[&at(0, 7).ip()], Outcome::WentDark, "{killing}");
        assert!(ended.report.harm_suspected());
        assert_eq!(ended.report.counters.went_dark, 1);
        assert_eq!(ended.report.stopped, None, "one is no reason to stop the others");
        let last = sent_to(&ended.journal, at(0, 7)).len();
        assert_eq!(last as u64, killing + 1, "the question that killed it was the last one");
        let asset = ended.report.assets.asset(&ended.report.zone, at(0, 7).ip());
        assert!(asset.is_some(), "what it said before is kept");
    }
}

/// A router that no longer finds the device says so, and then the kernel says that instead of how long
/// it waited.
#[tokio::test(start_paused = true)]
async fn a_device_that_cannot_be_reached_any_more_after_a_question_went_dark() {
    let kinds = [
        io::ErrorKind::TimedOut,
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable,
        io::ErrorKind::ConnectionRefused,
    ];
    for kind in kinds {
        let wiring = plant(1, 3).device(at(0, 7), faulty(Fault::DarkAfter(2)));
        let wiring = wiring.gives_up_with(kind);
        let setting = Setting::new(wiring.done()).with_policy(deep(Policy::gentle()));
        let ended = setting.scan("10.1.0.1-7").await;
        assert_eq!(outcomes(&ended)[&at(0, 7).ip()], Outcome::WentDark, "{kind}");
        assert_eq!(setting.network.station(at(0, 7)).counters().after_dark, 0, "{kind}");
        let again = setting.scanner().plan(&parse("modbus://10.1.0.7"));
        assert!(again.unwrap_err().to_string().contains("quarantined"), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quarantine_outlives_the_scan_and_the_process() {
    let folder = std::env::temp_dir().join(format!("otcore-promises-{}", std::process::id()));
    let file = folder.join("devices.ndjson");
    let in_memory: Arc<InMemory> = Arc::default();
    for on_disk in [false, true] {
        let wiring = plant(1, 3).device(at(0, 7), faulty(Fault::DarkAfter(1)));
        let mut setting = Setting::new(wiring.done());
        setting.memory = match on_disk {
            true => Arc::new(InFile::open(&file).unwrap()),
            false => in_memory.clone(),
        };
        let ended = setting.scan("10.1.0.1-3 10.1.0.7").await;
        assert_eq!(outcomes(&ended)[&at(0, 7).ip()], Outcome::WentDark);
        let early = setting.scanner(); // its memory is opened again below, as in a new process
        if on_disk {
            setting.memory = Arc::new(InFile::open(&file).unwrap());
        }
        sleep(100 * 24 * 3600 * SECOND).await;
        let heard = setting.network.station(at(0, 7)).counters();
        let again = setting.scan("10.1.0.1-3 10.1.0.7").await;
        assert_eq!(again.report.counters.identified, 3);
        let reason = &again.report.skipped[0];
        assert_eq!(reason.what, "10.1.0.7");
        assert!(reason.reason.contains("quarantined since 2026-05-04"), "{}", reason.reason);
        let named = setting.scanner().plan(&parse("modbus://10.1.0.7"));
        let error = named.unwrap_err().to_string();
        assert!(error.contains("quarantined") && error.contains("clear"), "{error}");
        assert!(early.plan(&parse("10.1.0.7")).is_err());
        assert_eq!(setting.network.station(at(0, 7)).counters(), heard, "not one packet more");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The plan was made before the device went dark in another scan.
#[tokio::test(start_paused = true)]
async fn an_old_plan_does_not_lead_back_to_a_dark_device() {
    let wiring = plant(1, 3).device(at(0, 7), faulty(Fault::DarkAfter(1)));
    let setting = Setting::new(wiring.done());
    let scanner = setting.scanner();
    let plan = scanner.plan(&parse("10.1.0.7")).unwrap();
    setting.scan("10.1.0.7").await;
    let heard = setting.network.station(at(0, 7)).counters();
    let report = scanner.start(plan).finish().await;
    assert_eq!(report.outcomes[0].outcome, Outcome::SkippedByPolicy);
    assert!(report.outcomes[0].detail.as_ref().unwrap().contains("quarantined"));
    assert_eq!(setting.network.station(at(0, 7)).counters(), heard);
}

#[tokio::test(start_paused = true)]
async fn two_dark_devices_in_a_subnet_end_the_scan() {
    let wiring = plant(3, 60)
        .device(at(1, 5), faulty(Fault::DarkAfter(1)))
        .device(at(1, 30), faulty(Fault::DarkAfter(1)));
    let setting = Setting::new(wiring.done());
    let ended = setting.scan(&ranges(3, 60)).await;
    harm_suspected(&setting, &ended, 2);
}

#[tokio::test(start_paused = true)]
async fn three_dark_devices_anywhere_end_the_scan() {
    let wiring = (0..3).fold(plant(3, 40), |wiring, subnet| {
        wiring.device(at(subnet, 5 + 6 * subnet), faulty(Fault::DarkAfter(1)))
    });
    let setting = Setting::new(wiring.done());
    let ended = setting.scan(&ranges(3, 40)).await;
    harm_suspected(&setting, &ended, 3);
}

fn harm_suspected(setting: &Setting, ended: &Ended, dark: usize) {
    assert_eq!(ended.report.stopped, Some(StopReason::HarmSuspected));
    assert!(!ended.report.completed && ended.report.harm_suspected());
    assert_eq!(ended.report.counters.went_dark, dark as u64);
    let is_dark = |entry: &Entry| matches!(entry.what, What::WentDark { .. });
    let last = ended.journal.iter().rposition(is_dark).unwrap();
    assert_eq!(ended.journal.iter().filter(|entry| is_dark(entry)).count(), dark);
    let after = &ended.journal[last..];
    assert!(!after.iter().any(leaves), "{after:#?}");
    assert!(ended.report.assets.len() > dark, "what was found before stays");
    let counters = &ended.report.counters;
    assert!(counters.identified + 20 < counters.planned, "it did not go on to the end");
    let finished = ended.events.last();
    let reason = Some(StopReason::HarmSuspected);
    assert!(matches!(finished, Some(Event::Finished { stopped }) if *stopped == reason));
    for (_, station) in setting.network.stations() {
        assert_eq!(station.counters().after_dark, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_killed_one_device_is_not_asked_of_its_kind() {
    let wiring = plant(1, 6).device(at(0, 1), faulty(Fault::DarkAfter(3)));
    let mut policy = deep(Policy::gentle());
    policy.limits.parallel_devices = 1;
    let setting = Setting::new(wiring.done()).with_policy(policy);
    let ended = setting.scan("10.1.0.1-6").await;
    let (deadly, _) = sent_to(&ended.journal, at(0, 1)).pop().unwrap();
    assert_eq!(outcomes(&ended)[&at(0, 1).ip()], Outcome::WentDark);
    for host in 2..=6 {
        let sent = sent_to(&ended.journal, at(0, host));
        assert!(!sent.iter().any(|(name, _)| *name == deadly), "{host}: {sent:?}");
        let asset = ended.report.assets.asset(&ended.report.zone, at(0, host).ip());
        assert!(asset.is_some(), "it was recognised before it was left alone");
    }
}
