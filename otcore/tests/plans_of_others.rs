//! Plans that were made under another policy than the one they are carried out under.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test says what went wrong by stopping

mod common;

use std::net::IpAddr;
use std::sync::Arc;

use common::modbus_plant::{at, plant};
use common::{Setting, only, parse};
use otcore::scan::Event;
use otcore::{Outcome, Policy, Scanner};

/// A plan says who would be visited; the policy under which it is carried out says who is.
#[tokio::test(start_paused = true)]
async fn a_plan_of_another_policy_leads_nobody_out_of_the_scope() {
    let loose = Setting::new(plant(2, 100).done());
    let plan = loose.scanner().plan(&parse("10.1.0.0/23")).unwrap();
    assert_eq!(plan.devices, 2 * 256);
    let strict = only("modbus", Policy::gentle())
        .without_default_networks()
        .monitor("10.1.0.0/24".parse().unwrap())
        .exclude("10.1.0.32/27".parse().unwrap());
    let setting = Setting::new(loose.network).with_policy(strict);
    let report = setting.scanner().start(plan).finish().await;
    for packet in setting.network.capture() {
        let IpAddr::V4(to) = packet.to.ip() else { panic!("{packet:?}") };
        let [_, _, subnet, host] = to.octets();
        assert!(subnet == 0 && !(32..64).contains(&host), "{packet:?}");
    }
    assert_eq!(report.counters.identified, 100 - 32);
    let skipped: Vec<_> = report.skipped.iter().map(|s| (s.what.as_str(), s.addresses)).collect();
    let excluded = [("10.1.0.32-10.1.0.62", 31), ("10.1.0.63", 1)];
    let others = [("10.1.0.255", 1), ("10.1.1.0/24", 256)];
    assert_eq!(skipped, [excluded, others].concat());
    assert_eq!(report.skipped[3].reason, "scope: in no monitored network, by the policy");
    assert_eq!(report.counters.planned, 255 - 32);
    assert!(report.completed, "as much of it as may be");
}

/// A range that is not gone into costs as much as its line in the report, however large it is.
#[tokio::test(start_paused = true)]
async fn what_is_left_out_of_a_plan_is_told_once_for_all_its_addresses() {
    let setting = Setting::new(plant(1, 2).done());
    let plan = setting.scanner().plan(&parse("10.0.0.0/8")).unwrap();
    let policy = setting.policy.clone().without_default_networks();
    let strict = setting.with_policy(policy.monitor("10.1.0.0/30".parse().unwrap()));
    let mut scan = strict.scanner().start(plan);
    let (mut told, mut skipped) = (0, 0);
    while let Some(event) = scan.next().await {
        told += 1;
        skipped += u32::from(matches!(event, Event::Skipped(_)));
    }
    let report = scan.finish().await;
    assert!(report.counters.packets_planned < 1_000, "{}", report.counters.packets_planned);
    let left_out: u128 = report.skipped.iter().map(|skipped| skipped.addresses).sum();
    assert_eq!((report.counters.identified, left_out), (2, (1 << 24) - 3));
    assert_eq!(skipped as usize, report.skipped.len());
    assert!(told < 30 && report.skipped.len() <= 4, "{told} {:?}", report.skipped);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_a_plan_names_and_the_policy_does_not_monitor_is_told_by_itself() {
    let loose = Setting::new(plant(2, 2).done());
    let plan = loose.scanner().plan(&parse("modbus://10.1.0.1 modbus://10.1.1.1")).unwrap();
    let strict = only("modbus", Policy::gentle())
        .without_default_networks()
        .monitor("10.1.0.0/24".parse().unwrap());
    let setting = Setting::new(loose.network).with_policy(strict);
    let report = setting.scanner().start(plan).finish().await;
    let elsewhere = report.outcomes.iter().find(|record| record.address == at(1, 1).ip()).unwrap();
    let why = "scope: in no monitored network, by the policy";
    assert_eq!((elsewhere.outcome, elsewhere.packets), (Outcome::SkippedByPolicy, 0));
    assert_eq!(elsewhere.detail.as_deref(), Some(why));
    assert_eq!(report.counters.identified, 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_of_the_scanner_that_carries_the_plan_out() {
    let setting = Setting::new(plant(1, 2).done());
    let plan = setting.scanner().plan(&parse("10.1.0.1")).unwrap();
    let careful = Scanner::builder()
        .policy(only("modbus", Policy::careful()))
        .zone("line-4".parse().unwrap())
        .source("hub-7".parse().unwrap())
        .dialer(setting.network.clone())
        .wire(Arc::clone(&setting.wire))
        .build()
        .unwrap();
    let report = careful.start(plan).finish().await;
    assert_eq!((report.zone.as_str(), report.source.as_str()), ("line-4", "hub-7"));
    assert_eq!(report.profile.name(), "careful");
    assert!(report.assets.asset(&report.zone, at(0, 1).ip()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_another_policy_asks_nothing_in_a_protocol_that_is_off() {
    let loose = Setting::new(plant(1, 20).done());
    let plan = loose.scanner().plan(&parse("10.1.0.0/24")).unwrap();
    let setting = Setting::new(loose.network).with_policy(only("s7", Policy::gentle()));
    let report = setting.scanner().start(plan).finish().await;
    assert_eq!(setting.network.capture().len(), 0);
    assert_eq!((report.outcomes.len(), report.skipped.len()), (0, 1));
    assert_eq!((report.skipped[0].addresses, report.counters.planned), (256, 0));
}
