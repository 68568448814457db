//! What the seeds found once, each as a case of its own.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::network::{Kind, Network};
use common::{Setting, only};
use otcore::gate::journal::What;
use otcore::model::Field;
use otcore::protocols::by_name;
use otcore::protocols::enip::sim as enip;
use otcore::protocols::modbus::sim::{Identity, Serial, Server, Shape, Unit};
use otcore::sim::{Device, Fault, Faulty};
use otcore::{Level, Outcome, Policy};

fn at(host: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, host)), port)
}

fn plant(device: impl Device + 'static, port: u16, policy: Policy) -> Setting {
    let network = Network::wiring().device(at(7, port), device).done();
    Setting::new(network).with_policy(policy)
}

/// An adapter that refuses List Identity has answered by datagram. With no room for a session there is
/// nothing left to ask it on a connection.
#[tokio::test(start_paused = true)]
async fn who_has_answered_and_has_no_name_is_not_connected_to_for_nothing() {
    let adapter = enip::Shape { datagrams: true, ..enip::adapter() };
    for requests in [1, 2, 3] {
        let mut policy = only("enip", Policy::gentle());
        policy = policy.protocol("enip", |settings| settings.level(Level::Identify));
        policy.limits.requests_per_conversation = requests;
        let setting = plant(enip::Server::new(adapter.clone()), 44818, policy);
        let ended = setting.scan("10.1.1.7").await;
        let attempts = setting.network.capture().into_iter().filter(|one| one.what == Kind::Syn);
        assert_eq!(attempts.count(), 0, "room for {requests} questions");
        assert_eq!(ended.report.outcomes[0].outcome, Outcome::PresentNoIdentity);
    }
}

fn named(product: &[u8]) -> Unit {
    let objects = [(0, &b"Ohmstead"[..]), (1, product), (2, b"4.2")];
    Unit::identified(Identity::new(0x01, objects))
}

/// A gateway that takes longer than we wait is asked for unit 1 next. What it says of itself then
/// comes first, and is kept: the unit behind it is not taken for it.
#[tokio::test(start_paused = true)]
async fn a_unit_behind_a_gateway_that_answers_late_is_not_taken_for_the_gateway() {
    let ms = Duration::from_millis;
    let serial = Serial { own: 255, transaction: ms(120), timeout: ms(300) };
    let shape = Shape::gateway(serial, named(b"QG-4"), [(1, named(b"BH-110"))]);
    let late = Fault::Slow { first: ms(3_400), more: Duration::ZERO };
    let policy = only("modbus", Policy::gentle());
    let setting = plant(Faulty::new(Server::new(shape), late), 502, policy);
    let ended = setting.scan("10.1.1.7").await;
    let asset = ended.report.assets.iter().next().unwrap();
    assert_eq!(asset.node.identity.value(Field::Model), Some("QG-4"));
    assert_eq!(ended.report.outcomes[0].outcome, Outcome::Identified);
    assert_eq!(asset.node.children.len(), 0, "what came after that may be meant for either");
}

/// A device that answers everything many times has answers on their way when the next question
/// leaves. They are none to it, and until there is one nothing more leaves, not even a goodbye of
/// the protocol.
#[tokio::test(start_paused = true)]
async fn a_session_is_not_given_back_while_a_question_is_open() {
    let policy = Policy::gentle().protocol("enip", |settings| settings.level(Level::State));
    for times in [20, 60, 200] {
        let device = enip::Server::new(enip::drive());
        let repeats = Faulty::new(device, Fault::Repeat(times));
        let setting = plant(repeats, 44818, only("enip", policy.clone()));
        setting.scan("10.1.1.7").await;
        let counters = setting.network.station(at(7, 44818)).counters();
        assert_eq!(counters.overlapping, 0, "{times} times");
        let mut open = false;
        for entry in setting.journal.entries() {
            match entry.what {
                What::Sent { function, .. } => {
                    assert!(!open, "{function} while a question is open, {times} times");
                    open = true;
                }
                What::Received { .. } | What::Connecting => open = false,
                _ => {}
            }
        }
    }
}

/// Where one address is looked for at a time, and each for as long as may be, a plan says so.
#[tokio::test(start_paused = true)]
async fn a_plan_knows_how_long_it_takes_where_nobody_lives() {
    let mut policy = Policy::gentle();
    policy.limits.subnet_unresolved = 1;
    policy.limits.connect_timeout_ms = 3_045;
    let setting = plant(enip::Server::new(enip::adapter()), 44818, policy);
    let ended = setting.scan("10.1.1.10-40").await;
    let most = Duration::from_secs(ended.plan.seconds_at_most);
    assert!(ended.took <= most, "{:?}, planned were {most:?}", ended.took);
}

/// After a unit behind a slow serial line the device rests longer than there is time for it. Nobody
/// connects to it in another protocol, to wait that long with an open connection.
#[tokio::test(start_paused = true)]
async fn who_has_to_rest_longer_than_there_is_time_is_not_connected_to() {
    let slow = Duration::from_millis(4_200);
    let serial = Serial { own: 255, transaction: slow, timeout: slow };
    let shape = Shape::gateway(serial, named(b"QG-4"), [(1, named(b"BH-110"))]);
    let network = Network::wiring().device(at(7, 502), Server::new(shape));
    let network = network.device(at(7, 102), by_name("s7").unwrap().simulate()).done();
    let policy = Policy::gentle().protocol("modbus", |settings| settings.level(Level::Structure));
    let policy = policy.protocol("s7", |settings| settings.level(Level::Structure));
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan("10.1.1.7").await;
    let asked = |port| setting.network.station(at(7, port)).counters();
    assert!(asked(502).requests_by_unit.contains_key(&1), "{:?}", ended.report.outcomes);
    assert_eq!((asked(102).connections, asked(102).empty), (0, 0));
    assert!(ended.took <= Duration::from_secs(60), "{:?}", ended.took);
}
