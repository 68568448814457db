//! No harm: silence, refusals, aborts, and what is bound.

use std::time::Duration;

use otcore::gate::journal::{Close, What};
use otcore::protocols::bacnet::sim::{self, Habit, Server};
use otcore::sim::{Fault, Faulty};
use otcore::{Level, Outcome};

use crate::common::network::Network;
use crate::common::{Setting, leaves};
use crate::{AT, asked, outcome, scan, scan_any, to, with_everything};

#[tokio::test(start_paused = true)]
async fn silence_to_a_call_does_no_harm_to_who_has_answered() {
    let network = Network::wiring().device(AT, Server::new(sim::quiet())).done();
    let policy = to(Level::State);
    let setting = Setting::new(network).with_policy(policy);
    for round in 0..2 {
        let ended = setting.scan(&format!("bacnet://{AT}")).await;
        assert_eq!(outcome(&ended), Outcome::Identified, "{round}");
        assert_eq!(asked(&ended).iter().rev().find(|name| name.starts_with("Who")), Some(&"WhoIs"));
        let after = setting.policy.limits.revisit_after_s;
        tokio::time::sleep(Duration::from_secs(u64::from(after) + 1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_time_or_no_room_is_left_alone_at_once() {
    for refusal in [Habit::Abort(9), Habit::Abort(3), Habit::Error(0, 3)] {
        let mut shape = sim::controller();
        shape.heads[0].wildcard = refusal;
        let (ended, seen) = scan(shape, "", to(Level::State)).await;
        assert_eq!(outcome(&ended), Outcome::Busy, "{refusal:?}");
        assert_eq!(seen.datagrams, 1, "{refusal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_by_broadcast_unless_somebody_agreed() {
    for shape in sim::every_kind() {
        let (ended, seen) = scan(shape, "", with_everything(Level::State)).await;
        assert!(!asked(&ended).contains(&"CallEverybody"));
        assert!(seen.log.iter().all(|logged| logged.bytes[1] != 0x0B));
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_dies_of_a_question_gets_no_other() {
    for shape in sim::every_kind() {
        for fatal in 1..12 {
            let dying = Faulty::new(Server::new(shape.clone()), Fault::DarkAfter(fatal));
            let (ended, seen) = scan_any(dying, "", with_everything(Level::State)).await;
            let died = seen.log.len() as u64 > fatal;
            let last = asked(&ended).pop().unwrap_or_default().to_owned();
            let what = format!("{} after {fatal}: {last}", shape.heads[0].instance);
            // Who never answered is asked once more, and then called.
            let unheard =
                !ended.journal.iter().any(|entry| matches!(entry.what, What::Received { .. }));
            // Who only was to hand a call on is asked once whether it still answers itself.
            let fatal = seen.log.get(fatal as usize).and_then(|logged| logged.unit);
            let handed_on = fatal.is_some_and(|unit| unit & 0x8000_00FF == 0x8000_00FF);
            let most = if unheard { 3 } else { u64::from(handed_on) };
            assert!(seen.after_dark <= most, "{what}: {}", seen.after_dark);
            // Silence to a call, or to a question for a table, may mean that nobody is meant.
            let is_a_call = last.contains("Who") || last.ends_with("Table");
            if died && !unheard && !is_a_call && last != "WhatIsNetworkNumber" {
                assert_eq!(outcome(&ended), Outcome::WentDark, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_abort_no_datagram_leaves() {
    for millis in (0..40_000).step_by(1_700) {
        let network = Network::wiring().device(AT, Server::new(sim::router())).done();
        let setting = Setting::new(network).with_policy(with_everything(Level::State));
        let mut scan = setting.start(&format!("bacnet://{AT}"));
        let watch = async { while scan.next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_millis(millis), watch).await;
        scan.abort();
        let before = setting.journal.entries().len();
        let datagrams = setting.network.station(AT).counters().datagrams;
        let report = scan.finish().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!setting.journal.entries()[before..].iter().any(leaves), "{millis}");
        assert_eq!(setting.network.station(AT).counters().datagrams, datagrams, "{millis}");
        if datagrams > 1 {
            assert_eq!(report.assets.iter().count(), 1, "{millis}: what was found stays");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_bound_is_released() {
    for shape in sim::every_kind() {
        let (ended, _) = scan(shape, "", with_everything(Level::State)).await;
        let count = |which: fn(&What) -> bool| {
            ended.journal.iter().filter(|entry| which(&entry.what)).count()
        };
        let bound = count(|what| matches!(what, What::Bound { .. }));
        let released = count(|what| matches!(what, What::Closed { how: Close::Released }));
        assert_eq!((bound, released), (1, 1));
    }
}
