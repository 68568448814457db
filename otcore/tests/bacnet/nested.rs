//! Who lives beside a device and behind it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use otcore::frame::Frame;
use otcore::gate::journal::What;
use otcore::gate::{Gate, Parts, Refusal, Silence, Wire};
use otcore::model::ServiceField;
use otcore::protocols::bacnet::sim::{self, Habit, Server};
use otcore::protocols::bacnet::{Address, Bacnet, Function, Read, WhoIs};
use otcore::sim::{Fault, Faulty};
use otcore::targets::AddressRange;
use otcore::{Level, Outcome, Policy};

use crate::common::Setting;
use crate::common::network::Network;
use crate::{
    AT, asked, children, device, named, outcome, says, scan, service, to, with_everything,
};

#[tokio::test(start_paused = true)]
async fn two_devices_at_one_address_are_told_apart() {
    let (ended, seen) = scan(sim::two_in_one(), "", to(Level::Structure)).await;
    let node = device(&ended);
    says(&node, &[("device_name", "GATEWAY"), ("serial_number", "TWB-204711")]);
    assert_eq!(children(&node), [named("device.4716", "CHILLER")]);
    says(node.children.values().next().unwrap(), &[("serial_number", "TWC-0002")]);
    let units: Vec<u32> = seen.requests_by_unit.into_keys().collect();
    assert_eq!(units, [0, 4716]);
    let (ended, _) = scan(sim::two_in_one(), "", to(Level::Identify)).await;
    assert!(device(&ended).children.is_empty(), "to identify is to identify one device");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_at_one_address_is_asked_only_as_far_as_the_policy_lets() {
    let mut shape = sim::two_in_one();
    let one = shape.heads[1].clone();
    let device_of = |instance: u32| {
        let mut head = one.clone();
        let own = head.objects.remove(&(sim::DEVICE, head.instance)).unwrap();
        head.instance = instance;
        head.objects.insert((sim::DEVICE, instance), own);
        head
    };
    shape.heads.extend((10_000..10_400).map(device_of));
    let policy = to(Level::State);
    let most = policy.limits.units_per_gateway as usize;
    let (ended, seen) = scan(shape, "", policy).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert!(device(&ended).children.len() <= most.max(50), "{}", device(&ended).children.len());
    let asked: usize = seen.requests_by_unit.keys().filter(|unit| **unit != 0).count();
    assert!(asked <= most, "{asked}");
}

#[tokio::test(start_paused = true)]
async fn networks_behind_a_router_open_by_consent() {
    let (ended, seen) = scan(sim::router(), "", to(Level::State)).await;
    let node = device(&ended);
    says(&node, &[("device_name", "ROUTER")]);
    let ports = service(&node, ServiceField::Ports);
    assert_eq!(ports, Some("leads to networks 2001, 2002, is on network 100"));
    assert!(node.children.is_empty());
    assert!(seen.requests_by_unit.into_keys().all(|unit| unit == 0));

    let (ended, seen) = scan(sim::router(), "", with_everything(Level::State)).await;
    let node = device(&ended);
    let expected = [("2001.02", "VAV 2-2"), ("2001.04", "VAV 2-4"), ("2002.72", "FCU 3-72")];
    assert_eq!(children(&node), expected.map(|(place, name)| named(place, name)));
    let units: Vec<u32> = seen.requests_by_unit.into_keys().filter(|unit| *unit != 0).collect();
    assert_eq!(units, [0x8007_D102, 0x8007_D104, 0x8007_D1FF, 0x8007_D272, 0x8007_D2FF]);
    let second = &node.children.values().nth(1).unwrap();
    assert_eq!(
        service(second, ServiceField::Limits),
        Some("messages up to 206 bytes, no segments")
    );
}

#[tokio::test(start_paused = true)]
async fn a_named_network_is_the_only_one_that_is_called() {
    let policy = with_everything(Level::Structure);
    let (ended, seen) = scan(sim::router(), "?network=2002", policy.clone()).await;
    assert_eq!(children(&device(&ended)), [named("2002.72", "FCU 3-72")]);
    assert!(!seen.requests_by_unit.contains_key(&0x8007_D1FF));
    let (ended, _) = scan(sim::router(), "?network=2001&instance=200004", policy.clone()).await;
    assert_eq!(children(&device(&ended)), [named("2001.04", "VAV 2-4")]);
    let (ended, seen) = scan(sim::router(), "?network=2999", policy).await;
    assert_eq!(outcome(&ended), Outcome::Identified, "there is no way to that network");
    assert!(device(&ended).children.is_empty());
    assert_eq!(seen.after_dark, 0);
}

#[tokio::test(start_paused = true)]
async fn a_serial_line_is_left_in_peace_most_of_the_time() {
    let policy = with_everything(Level::State);
    let duty = policy.limits.bus_duty_percent;
    let (_, seen) = scan(sim::router(), "", policy).await;
    let on_the_bus: Vec<Duration> = { seen.log.iter() }
        .filter(|logged| logged.unit.is_some_and(|unit| unit >= 0x8000_0000))
        .filter(|logged| !logged.selector.unwrap().path().starts_with(&[0x0A, 0x20, 0x10]))
        .map(|logged| logged.at)
        .collect();
    assert!(on_the_bus.len() > 10);
    let least = Duration::from_millis(90) * 100 / duty;
    for pair in on_the_bus.windows(2) {
        assert!(pair[1] - pair[0] >= least, "{pair:?}, {least:?} promised");
    }
}

#[tokio::test(start_paused = true)]
async fn who_falls_silent_on_a_serial_line_gets_no_second_question() {
    let mut shape = sim::router();
    let line = shape.networks.get_mut(&2001).unwrap();
    let gone = line.get_mut(&vec![2]).unwrap();
    (gone.several, gone.one) = (Habit::Silent, Habit::Silent);
    let (ended, seen) = scan(shape, "", with_everything(Level::Structure)).await;
    assert_eq!(outcome(&ended), Outcome::WentDark);
    assert_eq!(seen.requests_by_unit.get(&0x8007_D102), Some(&1));
    let node = device(&ended);
    says(&node, &[("device_name", "ROUTER")]);
    let heard: Vec<String> = children(&node).into_iter().map(|(place, _)| place).collect();
    assert_eq!(heard, ["2001.02", "2001.04"], "what was heard before is kept");
}

#[tokio::test(start_paused = true)]
async fn a_network_where_nobody_answers_does_not_hide_the_next() {
    let mut shape = sim::router();
    shape.networks.insert(2000, BTreeMap::new());
    let (ended, seen) = scan(shape, "", with_everything(Level::Structure)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert_eq!(seen.requests_by_unit.get(&0x8007_D0FF), Some(&1), "called once");
    assert_eq!(children(&device(&ended)).len(), 3);
    let asked = asked(&ended);
    let at = asked.iter().position(|function| *function == "RoutedWhoIs").unwrap();
    assert_eq!(asked[at + 1..at + 3], ["ReadObjectIdentifier", "RoutedWhoIs"]);
    assert_eq!(asked.last(), Some(&"WhatIsNetworkNumber"), "the walk goes on to its end");
}

#[tokio::test(start_paused = true)]
async fn networks_where_nobody_answers_are_called_only_as_far_as_the_policy_lets() {
    let mut shape = sim::router();
    shape.networks.extend((1990..2001).map(|network| (network, BTreeMap::new())));
    let policy = with_everything(Level::Structure);
    let most = policy.limits.dead_units_in_a_row as usize;
    let (ended, _) = scan(shape, "", policy).await;
    let count = |name| asked(&ended).into_iter().filter(|function| *function == name).count();
    assert_eq!(count("RoutedWhoIs"), most);
    assert_eq!(count("ReadObjectIdentifier"), 1 + most - 1, "not after the last");
    assert_eq!(outcome(&ended), Outcome::Identified);
}

#[tokio::test(start_paused = true)]
async fn a_router_that_dies_of_a_call_that_it_hands_on_is_found_out_by_one_question() {
    let calls = |logged: &[u8]| matches!(logged, [0x81, 0x0A, _, _, 1, 0x20, .., 0x10, 0x08]);
    let healthy = scan(sim::router(), "", with_everything(Level::Structure)).await.1;
    let fatal = healthy.log.iter().position(|logged| calls(&logged.bytes)).unwrap() as u64;
    let network = Network::wiring()
        .device(AT, Faulty::new(Server::new(sim::router()), Fault::DarkAfter(fatal)))
        .done();
    let setting = Setting::new(network).with_policy(with_everything(Level::Structure));
    let ended = setting.scan(&format!("bacnet://{AT}")).await;
    assert_eq!(outcome(&ended), Outcome::WentDark);
    let asked = asked(&ended);
    assert_eq!(asked[asked.len() - 2..], ["RoutedWhoIs", "ReadObjectIdentifier"]);
    assert_eq!(setting.network.station(AT).counters().after_dark, 1, "the question to itself");
    let quarantined = |what: &What| matches!(what, What::WentDark { .. });
    assert!(ended.journal.iter().any(|entry| quarantined(&entry.what)));
}

#[tokio::test(start_paused = true)]
async fn after_a_silent_network_the_gate_hands_on_nothing_before_the_router_has_answered() {
    let scope = [AddressRange::new(AT.ip(), AT.ip()).unwrap()].into_iter().collect();
    let parts = Parts::new(Arc::new(Policy::gentle()), scope);
    let gate = Gate::new(Parts { wire: Wire::isolated(), ..parts });
    let visit = gate.visit(AT, 100).await.unwrap();
    let (_to, _lease) = visit.address(AT, None, "bacnet").await.unwrap();
    let patience = Duration::from_secs(3);
    let call = |network| {
        let behind = Bacnet::behind(Address::all(network));
        let who_is = WhoIs { range: None, routed: true };
        visit.admit(Arc::new(Frame::of(&behind, 1, &who_is).unwrap()), patience)
    };
    let itself = || {
        let read = Read::of(Function::ReadObjectIdentifier, 5_000);
        visit.admit(Arc::new(Frame::of(&Bacnet::default(), 2, &read).unwrap()), patience)
    };
    drop(itself().await.unwrap());
    visit.answered(Duration::from_millis(5), false).unwrap();
    drop(call(2001).await.unwrap());
    assert_eq!(visit.nobody_behind("RoutedWhoIs", true), Silence::NobodyBehind);
    assert!(matches!(call(2002).await, Err(Refusal::NotMeant { .. })));
    drop(itself().await.unwrap());
    visit.answered(Duration::from_millis(5), false).unwrap();
    drop(call(2002).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn tables_of_broadcasts_are_read_by_consent() {
    let (ended, _) = scan(sim::bbmd(), "", to(Level::State)).await;
    assert!(!asked(&ended).iter().any(|function| function.ends_with("Table")));
    let (ended, _) = scan(sim::bbmd(), "", with_everything(Level::Structure)).await;
    let node = device(&ended);
    let note = service(&node, ServiceField::Note).unwrap();
    for address in ["10.2.0.5:47808", "10.9.0.77:47808", "10.9.0.78:47820"] {
        assert!(note.contains(address), "{note}");
    }
    let (ended, _) = scan(sim::controller(), "", with_everything(Level::Structure)).await;
    assert_eq!(outcome(&ended), Outcome::Identified, "who keeps no table says so");
    assert_eq!(service(&device(&ended), ServiceField::Note), None);
}
