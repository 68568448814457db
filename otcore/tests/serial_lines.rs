//! Gateways: the line behind them has its rest, and nobody is looked for on it without end.
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

use std::time::Duration;

use common::modbus_plant::{at, outcomes};
use common::network::Network;
use common::{Ended, Setting, sent_to};
use otcore::gate::journal::{Entry, What};
use otcore::protocols::modbus::sim::{Identity, Serial, Server, Shape, Unit};
use otcore::{Level, Outcome, Policy};

#[tokio::test(start_paused = true)]
async fn a_serial_line_rests_twenty_times_as_long_as_it_worked() {
    let policy = Policy::gentle().protocol("modbus", |modbus| {
        modbus.level(Level::Structure).unit(1).unit(2).unit(4).unit(5).unit(3)
    });
    let ended = scan_of_a_gateway(255, policy).await;
    assert!(rested_on_the_line(&ended.journal, 255) >= 4);
}

/// The first question is for the device itself, and the gateway looks for it on its line.
#[tokio::test(start_paused = true)]
async fn a_line_rests_as_long_after_the_search_for_a_gateway_that_has_no_number() {
    let ended = scan_of_a_gateway(0, Policy::gentle()).await;
    assert!(rested_on_the_line(&ended.journal, 0) >= 2);
}

/// It looks like a device that answers to unit 1 only, so the line rests behind that too.
#[tokio::test(start_paused = true)]
async fn a_line_rests_after_the_search_of_a_gateway_that_says_nothing_about_it() {
    let units = [(1, Unit { always: Some(1), ..Unit::default() })].into();
    let silent_to_255 = Server::new(Shape { units, ..Shape::default() });
    let network = Network::wiring().device(at(0, 1), silent_to_255).done();
    let setting = Setting::new(network);
    let ended = setting.scan("10.1.0.1").await;
    assert_eq!(outcomes(&ended)[&at(0, 1).ip()], Outcome::PresentNoIdentity);
    let asked = |unit| move |entry: &&Entry| matches!(&entry.what, What::Sent { bytes, .. } if bytes.as_ref()[6] == unit);
    let [first, second] = [255, 1].map(|unit| ended.journal.iter().find(asked(unit)).unwrap().at);
    let limits = &setting.policy.limits;
    let line = i64::from(limits.missing_unit_ms) * i64::from(100 / limits.bus_duty_percent);
    let rested = second.as_millisecond() - first.as_millisecond();
    assert!(rested >= i64::from(limits.missing_unit_ms) + line, "rested {rested} ms");
}

/// Who refuses 255 looks at the unit, so that equal answers come from equal devices.
#[tokio::test(start_paused = true)]
async fn equal_meters_behind_a_gateway_are_all_found() {
    let meter = |unit: Unit| [1, 2, 3, 4].map(|number| (number, unit.clone()));
    let named = Identity::new(1, [(0, b"Ohmstead"), (1, b"PM-300"), (2, b"V1.0")]);
    let nameless = Unit { always: Some(1), ..Unit::default() };
    for (unit, own) in [(Unit::identified(named), 0), (nameless.clone(), 255)] {
        let ms = Duration::from_millis;
        let serial = Serial { own, transaction: ms(40), timeout: ms(600) };
        let gateway = Server::new(Shape::gateway(serial, nameless.clone(), meter(unit)));
        let network = Network::wiring().device(at(0, 1), gateway).done();
        let policy = Policy::gentle().protocol("modbus", |modbus| {
            (1..=5).fold(modbus.level(Level::Structure), otcore::gate::policy::ProtocolPolicy::unit)
        });
        let ended = Setting::new(network).with_policy(policy).scan("10.1.0.1").await;
        let children = &ended.report.assets.iter().next().unwrap().node.children;
        assert_eq!(children.len(), 4, "{:?}", children.keys());
    }
}

/// A gateway that is unit `own` itself, with three units behind it.
async fn scan_of_a_gateway(own: u8, policy: Policy) -> Ended {
    let ms = Duration::from_millis;
    let serial = Serial { own, transaction: ms(40), timeout: ms(600) };
    let unit = Unit { always: Some(1), ..Unit::default() };
    let behind = [1, 2, 3].map(|number| (number, unit.clone()));
    let gateway = Server::new(Shape::gateway(serial, unit, behind));
    let network = Network::wiring().device(at(0, 1), gateway).done();
    Setting::new(network).with_policy(policy).scan("10.1.0.1").await
}

/// How many questions went to units other than `own`; each came after a rest.
fn rested_on_the_line(journal: &[Entry], own: u8) -> usize {
    let mut worked: Option<(jiff::Timestamp, i64)> = None;
    let mut asked = None;
    let mut on_the_line = 0;
    for entry in journal {
        match &entry.what {
            What::Sent { bytes, .. } => {
                if let Some((end, micros)) = worked.take() {
                    let rested = entry.at.as_microsecond() - end.as_microsecond();
                    assert!(rested >= 20 * micros, "rested {rested} us after {micros} us of work");
                }
                asked = (bytes.as_ref()[6] != own).then_some(entry.at);
                on_the_line += usize::from(asked.is_some());
            }
            What::Received { .. } => {
                worked = asked.take().map(|asked: jiff::Timestamp| {
                    (entry.at, entry.at.as_microsecond() - asked.as_microsecond())
                });
            }
            _ => {}
        }
    }
    on_the_line
}

#[tokio::test(start_paused = true)]
async fn too_many_absent_units_in_a_row_end_the_walk() {
    let ms = Duration::from_millis;
    let serial = Serial { own: 255, transaction: ms(40), timeout: ms(60) };
    let own = Unit { always: Some(1), ..Unit::default() };
    let gateway = Server::new(Shape::gateway(serial, own, [(9, Unit::default())]));
    let policy = Policy::gentle().protocol("modbus", |modbus| {
        (2..=9).fold(modbus.level(Level::Structure), otcore::gate::policy::ProtocolPolicy::unit)
    });
    let network = Network::wiring().device(at(0, 1), gateway).done();
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan("10.1.0.1").await;
    let units: Vec<u8> =
        sent_to(&ended.journal, at(0, 1)).iter().map(|(_, bytes)| bytes[6]).collect();
    let absent = units.iter().filter(|unit| **unit != 255).count();
    assert_eq!(absent, setting.policy.limits.dead_units_in_a_row as usize, "{units:?}");
}
