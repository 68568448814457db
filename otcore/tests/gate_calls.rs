//! Calls to everybody in a network: what one costs, and when there is none.
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

#[path = "common/gate.rs"]
mod gate;

use std::sync::Arc;

use gate::{NETWORK, Plant, SECOND, at, gentle, parts, plant};
use otcore::Policy;
use otcore::frame::Frame;
use otcore::gate::memory::{DeviceMemory, Quarantine, Record};
use otcore::gate::{Device, Gate, Refusal};
use otcore::protocols::bacnet::{Bacnet, CallEverybody};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_call_to_everybody_costs_what_it_is_and_its_answers_are_limited_as_any() {
    for (most, fits) in [(13, true), (12, false)] {
        let plant = plant(|limits| {
            limits.broadcasts_per_scan = 1;
            limits.request_bytes = most;
            limits.device_bytes = 100;
        });
        assert_eq!(plant.gate.calls_left(), 1);
        let frame = Frame::of(&Bacnet::default(), 0, &CallEverybody { range: 0..=999 }).unwrap();
        let network = NETWORK.parse().unwrap();
        let called = plant.gate.call(network, 47808, "bacnet", Arc::new(frame)).await;
        assert_eq!(called.is_ok(), fits);
        let Ok((permit, calling)) = called else { continue };
        permit.pass(|_| ()).unwrap();
        assert_eq!((plant.wire.load(), plant.gate.calls_left()), (1, 0));
        assert_eq!(calling.received(&[0; 100]), Ok(()));
        let refused = calling.received(&[0]).unwrap_err();
        assert!(matches!(refused, Refusal::Spent { limit: "device_bytes", .. }));
        let cost = calling.over();
        assert_eq!((cost.requests, cost.packets, cost.bytes_out, cost.bytes_in), (1, 1, 13, 101));
    }
}

async fn call(plant: &Plant, network: &str, port: u16) -> Result<(), Refusal> {
    let frame = Frame::of(&Bacnet::default(), 0, &CallEverybody { range: 0..=999 }).unwrap();
    let called = plant.gate.call(network.parse().unwrap(), port, "bacnet", Arc::new(frame)).await;
    called.map(drop)
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_without_leave_by_the_policy_or_beside_somebody_who_is_left_alone() {
    let agreed = || plant(|limits| limits.broadcasts_per_scan = 1);
    assert_eq!(call(&agreed(), NETWORK, 47808).await, Ok(()));
    assert_eq!(call(&agreed(), NETWORK, 9100).await, Err(Refusal::NeverPort(9100)));
    let spent = call(&gentle(), NETWORK, 47808).await.unwrap_err();
    assert!(matches!(spent, Refusal::Spent { limit: "broadcasts_per_scan", .. }), "{spent:?}");
    // The last address of what is no network of ours is that of a device.
    for (other, last) in [("10.1.0.0/27", 31), ("10.1.0.7/32", 7), ("10.1.0.0/25", 127)] {
        let refused = call(&agreed(), other, 47808).await;
        assert_eq!(refused, Err(Refusal::OutOfScope(at(last).ip())), "{other}");
    }
    for left_alone in ["10.1.0.63/32", "10.1.0.9/32"] {
        let mut policy = Policy::gentle().monitor(NETWORK.parse().unwrap());
        policy.limits.broadcasts_per_scan = 1;
        let gate = Gate::new(parts(policy.exclude(left_alone.parse().unwrap())));
        let refused = call(&Plant { gate, ..agreed() }, NETWORK, 47808).await;
        assert!(matches!(refused, Err(Refusal::OutOfScope(_))), "{left_alone}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_rests_between_its_calls_whichever_networks_they_are_for() {
    let other = "10.1.0.64/28";
    let networks = [NETWORK, other].map(|network| network.parse().unwrap());
    let mut policy = networks.into_iter().fold(Policy::gentle(), Policy::monitor);
    policy.limits.broadcasts_per_scan = 2;
    let plant = Plant { gate: Gate::new(parts(policy)), ..gentle() };
    let began = Instant::now();
    for (network, seconds) in [(NETWORK, 0), (other, 10)] {
        assert_eq!(call(&plant, network, 47808).await, Ok(()));
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_while_a_scan_is_paused_though_the_rest_before_it_ends() {
    let plant = plant(|limits| limits.broadcasts_per_scan = 2);
    assert_eq!(call(&plant, NETWORK, 47808).await, Ok(()));
    let began = Instant::now();
    let second = async {
        call(&plant, NETWORK, 47808).await.unwrap();
        began.elapsed().as_secs()
    };
    let (waited, ()) = tokio::join!(second, async {
        tokio::time::sleep(SECOND).await;
        plant.gate.pause();
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!(plant.gate.calls_left(), 1);
        plant.gate.resume();
    });
    assert_eq!(waited, 61);
}

#[tokio::test(start_paused = true)]
async fn who_was_quarantined_since_the_plan_was_made_hears_no_call() {
    for (zone, host, is_called) in [("default", 9, false), ("default", 77, true), ("else", 9, true)]
    {
        let plant = plant(|limits| limits.broadcasts_per_scan = 1);
        let since = "2026-05-04T08:00:00Z".parse().unwrap();
        let quarantined = Some(Quarantine { since, why: "silent".to_owned() });
        let record = Record { quarantined, ..Record::default() };
        plant.memory.remember(&zone.parse().unwrap(), Device::at(at(host)), record).unwrap();
        let called = call(&plant, NETWORK, 47808).await;
        assert_eq!(called.is_ok(), is_called, "{called:?}");
        assert!(is_called || matches!(called, Err(Refusal::Quarantined { .. })), "{called:?}");
    }
}
