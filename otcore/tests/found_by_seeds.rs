//! What the seeds found once, each as a case of its own.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::network::{Kind, Network};
use common::{Setting, only, sent_to};
use otcore::gate::journal::What;
use otcore::gate::policy::ProtocolPolicy;
use otcore::model::Field;
use otcore::protocols::by_name;
use otcore::protocols::dnp3::sim as dnp3;
use otcore::protocols::enip::sim as enip;
use otcore::protocols::modbus::sim::{Identity, Serial, Server, Shape, Unit};
use otcore::sim::{Device, Ending, Fault, Faulty};
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

/// A device breaks its answer off and says it again, and again. At some lengths the pieces make a message
/// of the right length; no name is made of it.
#[tokio::test(start_paused = true)]
async fn an_answer_broken_off_and_begun_again_is_nobodys_name() {
    for after in 8..43 {
        for times in 2..6 {
            let server = Server::new(Shape::native(named(b"BMX P34 2020")));
            let cut = Faulty::new(server, Fault::Cut { after, then: Ending::Stall });
            let policy = only("modbus", Policy::gentle());
            let setting = plant(Faulty::new(cut, Fault::Repeat(times)), 502, policy);
            let report = setting.scan("10.1.1.7").await.report;
            for asset in report.assets.iter() {
                let says = |field| asset.node.identity.value(field);
                let names = [says(Field::Vendor), says(Field::Model)];
                assert_eq!(names, [None, None], "{times} times {after} bytes");
            }
            assert_ne!(report.outcomes[0].outcome, Outcome::Identified, "{times} times {after}");
        }
    }
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

/// Where a bus is asked rarely, an outstation at the address of a slow device rests for long before its
/// first question. That is waited for before the connection, or there is none.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_bus_with_an_open_connection() {
    for (late, connections) in [(300, 1), (700, 0)] {
        let fault = Fault::Slow { first: Duration::from_millis(late), more: Duration::ZERO };
        let slow = Faulty::new(Server::new(Shape::native(named(b"QG-4"))), fault);
        let network = Network::wiring().device(at(7, 502), slow);
        let network = network.device(at(7, 20_000), by_name("dnp3").unwrap().simulate()).done();
        let policy = Policy::gentle()
            .protocol("dnp3", |settings| settings.on().level(Level::Structure).allow("connect"));
        let mut policy =
            policy.protocol("enip", ProtocolPolicy::off).protocol("s7", ProtocolPolicy::off);
        policy.limits.bus_duty_percent = 1;
        let setting = Setting::new(network).with_policy(policy);
        let ended = setting.scan("10.1.1.7").await;
        let counters = setting.network.station(at(7, 20_000)).counters();
        assert_eq!((counters.connections, counters.empty), (connections, 0), "{late} ms");
        let dnp3 = ended.journal.iter().filter(|entry| entry.protocol == "dnp3");
        let first =
            |is: fn(&What) -> bool| dnp3.clone().find(|entry| is(&entry.what)).map(|e| e.at);
        let connected = first(|what| matches!(what, What::Connected { .. }));
        assert_eq!(connected, first(|what| matches!(what, What::Sent { .. })), "{late} ms");
        assert!(ended.took.as_secs() <= ended.plan.seconds_at_most, "{:?}", ended.took);
    }
}

/// An outstation answers the question before the one that it is asked. In the scan of the next day that
/// is the answer of the day before, which comes before its question leaves: the question is open all
/// the same, and nothing else is asked.
#[tokio::test(start_paused = true)]
async fn the_answer_to_the_scan_before_is_none_to_this_one() {
    let greets = dnp3::Shape { greets: dnp3::Greets::AtOnce, ..dnp3::full() };
    let stale = Faulty::new(dnp3::Server::new(greets), Fault::Stale);
    let policy = only("dnp3", Policy::gentle());
    let policy = policy.protocol("dnp3", |settings| settings.on().allow("connect"));
    let setting = plant(stale, 20_000, policy.clone());
    setting.scan("10.1.1.7").await;
    tokio::time::sleep(Duration::from_secs(2 * u64::from(policy.limits.revisit_after_s))).await;
    let before = setting.journal.count();
    setting.scan("10.1.1.7").await;
    let journal = setting.journal.entries().split_off(before);
    let came = journal.iter().position(|entry| match &entry.what {
        What::Received { bytes } => bytes.as_ref().len() > 100,
        _ => false,
    });
    let asked = sent_to(&journal, at(7, 20_000));
    assert_eq!(asked.last().unwrap().0, "ReadAttributeList");
    let left = journal.iter().rposition(|entry| matches!(entry.what, What::Sent { .. }));
    assert!(came.is_some() && came < left, "an old answer before the last question: {journal:#?}");
}

/// A datagram that comes too late is kept, as what comes late on a connection is.
#[tokio::test(start_paused = true)]
async fn a_late_datagram_is_in_the_report() {
    let ms = Duration::from_millis;
    let mut policy = only("bacnet", Policy::gentle());
    policy.limits.udp_retries = 0;
    for late in [3_000, 3_400, 5_900] {
        let fault = Fault::Slow { first: ms(late), more: Duration::ZERO };
        let device = Faulty::new(by_name("bacnet").unwrap().simulate(), fault);
        let report = plant(device, 47_808, policy.clone()).scan("10.1.1.7").await.report;
        let kept = report.exchanges.first().unwrap();
        assert_eq!(kept.function, "ReadObjectIdentifier", "{late} ms late");
        assert!(kept.rtt_micros >= 1_000 * late, "{kept:?}");
        assert_eq!(report.counters.requests, 2, "{late} ms late");
    }
}

/// A device that hangs up gets its goodbye when there is room for one in the process, like every other.
#[tokio::test(start_paused = true)]
async fn who_hangs_up_first_waits_for_the_goodbye_as_well() {
    for latency in (1..60).map(Duration::from_millis) {
        let mut policy = only("modbus", Policy::gentle());
        policy.limits.device_packets_per_s = 7;
        policy.limits.subnet_packets_per_s = 8;
        policy.limits.process_packets_per_s = 7;
        let network = Network::wiring().latency(latency).watched(&policy.limits);
        let leaves = Faulty::new(Server::new(Shape::native(named(b"BH-110"))), Fault::Leaves);
        let stays = Server::new(Shape::native(named(b"PM-100")));
        let network = network.device(at(7, 502), stays).device(at(8, 502), leaves).done();
        let setting = Setting::new(network).with_policy(policy);
        setting.scan("10.1.1.7-8").await;
        let broken = setting.network.watched(|watch, _| watch.broken().to_vec());
        assert_eq!(broken, Some(Vec::new()), "{latency:?}");
    }
}

fn calling_by_datagrams() -> Policy {
    let policy = only("dnp3", Policy::gentle());
    let mut policy = policy.protocol("dnp3", |settings| settings.on().allow("datagrams"));
    policy.limits.link_addresses = 11;
    policy
}

/// An outstation answers the call to it when the next address is called, and is silent to that. Who says
/// something else and then nothing may be in trouble: no further address is called.
#[tokio::test(start_paused = true)]
async fn who_answers_a_call_too_late_is_not_called_on() {
    let shape = dnp3::Shape { datagrams: true, itself: None, ..dnp3::full() };
    let stale = Faulty::new(dnp3::Server::new(shape), Fault::Stale);
    let setting = plant(stale, 20_000, calling_by_datagrams());
    let ended = setting.scan("10.1.1.7").await;
    let heard = ended.journal.iter().position(|one| matches!(one.what, What::Received { .. }));
    let left = ended.journal.iter().rposition(|one| matches!(one.what, What::Sent { .. }));
    assert!(heard.is_some() && left < heard, "{:#?}", ended.journal);
}

/// Each link address is called for as long as a bus may take, where one address is looked for at a
/// time.
#[tokio::test(start_paused = true)]
async fn a_plan_knows_how_long_outstations_are_called_that_are_not_there() {
    let mut policy = calling_by_datagrams();
    policy.limits.subnet_unresolved = 1;
    let setting = plant(dnp3::Server::new(dnp3::full()), 20_000, policy);
    let ended = setting.scan("10.1.1.10-12").await;
    let most = Duration::from_secs(ended.plan.seconds_at_most);
    assert!(ended.took <= most, "{:?}, planned were {most:?}", ended.took);
}
