//! Pretend S7 controllers of every kind: what a scan finds is what each of them is.
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
use common::{Ended, Setting};
use otcore::fingerprint::Knowledge;
use otcore::gate::StopReason;
use otcore::model::{Document, Exchange, InterfaceField, Node, ServiceField, StateField};
use otcore::protocols::s7::sim::{self, Cpu, Server, TurnsAway};
use otcore::scan::redecode;
use otcore::sim::{Counters, Fault, Faulty};
use otcore::{Level, Outcome, Policy};

const AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), 102);

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("s7", |s7| s7.level(level))
}

/// What this is about are the two protocols that connect.
fn without_datagrams() -> Policy {
    use otcore::gate::policy::ProtocolPolicy;
    let policy = Policy::gentle().protocol("enip", ProtocolPolicy::off);
    policy.protocol("bacnet", ProtocolPolicy::off)
}

async fn scan(cpu: Cpu, query: &str, policy: Policy) -> (Ended, Counters) {
    let network = Network::wiring().device(AT, Server::new(cpu)).done();
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan(&format!("s7://{AT}{query}")).await;
    let seen = setting.network.station(AT).counters();
    assert_eq!(seen.violations, Vec::<String>::new());
    assert_eq!(seen.at_once.max(1), 1);
    (ended, seen)
}

fn outcome(ended: &Ended) -> Outcome {
    let [record] = &ended.report.outcomes[..] else { panic!("{:?}", ended.report.outcomes) };
    record.outcome
}

fn device(ended: &Ended) -> Node {
    ended.report.assets.iter().next().unwrap().node.clone()
}

fn identity(ended: &Ended) -> Vec<(String, String)> {
    let json = serde_json::to_value(&device(ended).identity).unwrap();
    let fields = json.as_object().unwrap().iter();
    let text = |value: &serde_json::Value| value["value"].as_str().unwrap().to_owned();
    fields.map(|(field, fact)| (field.clone(), text(fact))).collect()
}

fn says(ended: &Ended, expected: &[(&str, &str)]) {
    let said = identity(ended);
    let said: Vec<(&str, &str)> = said.iter().map(|(f, v)| (f.as_str(), v.as_str())).collect();
    for fact in expected {
        assert!(said.contains(fact), "{fact:?} in {said:?}");
    }
}

/// The addresses that were called, as kind and place, in order.
fn called(seen: &Counters) -> Vec<[u8; 2]> {
    let requests = seen.log.iter().map(|logged| &logged.bytes);
    requests.filter(|bytes| bytes[5] == 0xE0).map(|bytes| [bytes[20], bytes[21]]).collect()
}

#[tokio::test(start_paused = true)]
async fn an_s7_300_opens_its_rack() {
    let (ended, seen) = scan(sim::s7_300(), "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    says(
        &ended,
        &[
            ("vendor", "Siemens"),
            ("model", "CPU 317-2 PN/DP"),
            ("order_number", "6ES7 317-2EK14-0AB0"),
            ("hardware_revision", "4"),
            ("firmware", "V3.2.12"),
            ("bootloader", "A32.9.9"),
            ("device_name", "PRESS-07"),
            ("plant_id", "=A1.PRESS07"),
            ("serial_number", "S C-E4UX61142013"),
            ("memory_card", "MMC 5B2CC8F1"),
            ("location", "Hall 2, row C"),
            ("copyright", "Original Siemens Equipment"),
            ("product_name", "SIMATIC S7-300"),
            ("device_class", "plc"),
        ],
    );
    let device = device(&ended);
    let state = |field| device.state.value(field);
    assert_eq!(state(StateField::OperatingMode), Some("Run"));
    assert_eq!(state(StateField::KeySwitch), Some("RUN-P"));
    assert_eq!(state(StateField::ProtectionLevel), Some("1"));
    assert_eq!(state(StateField::ChangeDigest), Some("bc04a3d58401d6b2"));
    assert_eq!(state(StateField::Health), Some("lights: SF"));
    let modules: Vec<(&str, Option<&str>)> = { device.modules.values() }
        .map(|module| (module.path(), module.state.value(StateField::Health)))
        .collect();
    let health = [
        ("default/10.1.1.7/s7/102/0.4", Some("ok")),
        ("default/10.1.1.7/s7/102/0.5", Some("error")),
    ];
    assert_eq!(modules, health, "slot 2 is the device itself, slot 6 is empty");
    let interface = &device.interfaces["0x07ff"];
    assert_eq!(interface.value(InterfaceField::Ip), Some("10.20.4.31"));
    assert_eq!(interface.value(InterfaceField::Mac), Some("00:1b:1b:07:31:01"));
    let service = device.services.values().next().unwrap();
    assert_eq!(service.value(ServiceField::Unit), Some("0.2"));
    let limits = "32 connections, messages of 240 bytes";
    assert_eq!(service.value(ServiceField::Limits), Some(limits));
    assert_eq!((seen.connections, seen.requests), (1, 12));
}

#[tokio::test(start_paused = true)]
async fn answers_that_go_on_in_the_next_one_are_read_in_whatever_order_they_were_kept() {
    let (ended, _) = scan(sim::s7_300(), "", to(Level::Identify)).await;
    let (found, mut kept) = (&ended.report.assets, ended.report.exchanges.clone());
    assert!(kept.iter().any(|exchange| exchange.function == "ReadNextPart"));
    let known = Knowledge::built_in();
    kept.reverse();
    assert_eq!(&redecode(&known, &kept), found);
    let part = |exchanges: &[Exchange]| {
        let mut part = Document::default();
        part.exchanges = exchanges.to_vec();
        part
    };
    let (late, early) = kept.split_at(4);
    let mut together = part(late);
    together.merge(part(early));
    together.merge(part(late));
    kept.reverse();
    assert_eq!(together.exchanges, kept);
}

#[tokio::test(start_paused = true)]
async fn identity_takes_one_connection_and_five_questions() {
    let (ended, seen) = scan(sim::s7_300(), "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert_eq!((seen.connections, seen.requests), (1, 5));
    assert!(device(&ended).modules.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_list_cut_short_still_owes_is_asked_for_alone() {
    let cpu = sim::s7_300().that_cuts_its_lists_short();
    let (ended, seen) = scan(cpu.clone(), "", to(Level::Structure)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    says(&ended, &[("memory_card", "MMC 5B2CC8F1"), ("location", "Hall 2, row C")]);
    assert_eq!((seen.connections, seen.requests), (1, 9));
    let (ended, seen) = scan(cpu, "", to(Level::Identify)).await;
    says(&ended, &[("serial_number", "S C-E4UX61142013"), ("firmware", "V3.2.12")]);
    assert_eq!((seen.connections, seen.requests), (1, 4), "two questions for two facts can wait");
}

#[tokio::test(start_paused = true)]
async fn an_s7_400_is_called_by_the_slot_that_the_target_names() {
    let (ended, seen) = scan(sim::s7_400(), "?rack=0&slot=3", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    says(&ended, &[("model", "CPU 416-3 PN/DP"), ("firmware", "V7.0.3")]);
    assert_eq!(called(&seen), [[3, 3]]);
    let device = device(&ended);
    assert_eq!(device.modules.len(), 14, "fifteen modules over two messages, one of them itself");
    assert_eq!(device.state.value(StateField::OperatingMode), Some("Stop"));
    assert_eq!(device.state.value(StateField::OperatingModeRaw), Some("0x84"));
    assert_eq!(device.state.value(StateField::KeySwitch), Some("RUN"));
    assert!(device.identity.value(otcore::model::Field::MemoryCard).is_none(), "MC is no card");
}

#[tokio::test(start_paused = true)]
async fn an_s7_1500_is_found_in_slot_1_two_seconds_after_slot_2_refused() {
    let (ended, seen) = scan(sim::s7_1500(), "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    says(&ended, &[("model", "CPU 1515-2 PN"), ("product_name", "SIMATIC S7-1500")]);
    assert_eq!(called(&seen), [[3, 2], [3, 1]]);
    let gap = seen.log[1].at.saturating_sub(seen.log[0].at);
    assert!(gap >= Duration::from_secs(2), "{gap:?}");
}

/// The numbers of the lists that were asked for, in order.
fn lists_asked(seen: &Counters) -> Vec<u16> {
    let requests = seen.log.iter().map(|logged| &logged.bytes);
    let questions = requests.filter(|bytes| bytes.len() == 33 && bytes[21..24] == [0x11, 0x44, 1]);
    questions.map(|bytes| u16::from_be_bytes([bytes[29], bytes[30]])).collect()
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_refuses_a_list_says_once_which_it_has_and_is_asked_for_no_other() {
    let (ended, seen) = scan(sim::s7_1500(), "", to(Level::State)).await;
    let first = [0x0011, 0x001C, 0x0037];
    assert_eq!(lists_asked(&seen), [&first[..], &[0x0000, 0x0424]].concat());
    let mode = device(&ended).state.value(StateField::OperatingMode).map(str::to_owned);
    assert_eq!(mode.as_deref(), Some("Run"));

    let mut cpu = sim::s7_1500();
    cpu.lists.remove(&(0, 0));
    let (ended, seen) = scan(cpu, "", to(Level::State)).await;
    let every = [0x0000, 0x0131, 0x0424, 0x0232, 0x0132, 0x0074];
    assert_eq!(lists_asked(&seen), [&first[..], &every].concat(), "without it, one by one");
    assert_eq!(device(&ended).state.value(StateField::OperatingMode), Some("Run"));
}

#[tokio::test(start_paused = true)]
async fn lists_that_are_named_and_fail_are_survived() {
    let mut cpu = sim::s7_1500();
    cpu.lists.remove(&(0, 0));
    let cpu = cpu.that_lists_its_lists(&[0x0131, 0x0232, 0x0074, 0x0090]);
    let (ended, seen) = scan(cpu, "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert_eq!(lists_asked(&seen)[3..], [0x0000, 0x0131, 0x0424, 0x0232, 0x0074]);
    assert_eq!(device(&ended).state.value(StateField::OperatingMode), Some("Run"));
}

#[tokio::test(start_paused = true)]
async fn the_list_of_lists_is_not_asked_for_where_it_saves_nothing() {
    for (cpu, query, level) in [
        (sim::s7_300(), "", Level::State), // it is known which lists such have
        (sim::s7_400(), "?slot=3", Level::State), // the same, though it refuses some
        (sim::s7_1500(), "", Level::Identify), // what it would save is not asked anyway
        (sim::s7_1500(), "", Level::Structure), // one list is left
        (sim::s7_1200(), "", Level::State), // has given no list at all
    ] {
        let (_, seen) = scan(cpu, query, to(level)).await;
        assert!(!lists_asked(&seen).contains(&0), "{:x?}", lists_asked(&seen));
    }
}

#[tokio::test(start_paused = true)]
async fn an_s7_1200_that_refuses_every_list_is_there_and_nameless() {
    let (ended, seen) = scan(sim::s7_1200(), "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert!(identity(&ended).is_empty());
    assert_eq!(seen.connections, 2);
}

#[tokio::test(start_paused = true)]
async fn a_controller_with_few_records_is_what_they_say() {
    let (ended, _) = scan(sim::et200s(), "", to(Level::Identify)).await;
    let expected = [
        ("description", "IM151-8 PN/DP CPU"),
        ("device_class", "plc"),
        ("hardware_revision", "3"),
        ("model", "IM151-8 PN/DP CPU"),
        ("order_number", "6ES7 151-8AB01-0AB0"),
        ("product_name", "SIMATIC ET 200S"),
        ("vendor", "Siemens"),
    ];
    says(&ended, &expected);
    assert_eq!(identity(&ended).len(), expected.len());
}

#[tokio::test(start_paused = true)]
async fn a_logo_is_found_by_its_slot_and_has_no_lists() {
    let (ended, seen) = scan(sim::logo(), "?slot=0", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert_eq!(called(&seen), [[3, 0], [2, 0]], "hanging up is a refusal too");
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_speaks_s7comm_plus_only_is_not_named_and_not_called_again() {
    let (ended, seen) = scan(sim::plus_only(), "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::ResetAfter);
    assert!(ended.report.assets.is_empty(), "a granted connection proves only the transport");
    assert_eq!((seen.connections, seen.requests), (1, 2));
}

fn at(subnet: u8, host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, subnet, host)), 102)
}

/// A plant of the given S7 devices, all of them scanned.
async fn scan_plant(cpus: &[(SocketAddr, Cpu)]) -> (Ended, Setting) {
    let wiring = cpus
        .iter()
        .fold(Network::wiring(), |wiring, (at, cpu)| wiring.device(*at, Server::new(cpu.clone())));
    let setting = Setting::new(wiring.done()).with_policy(to(Level::Identify));
    let targets: Vec<String> = cpus.iter().map(|(at, _)| format!("s7://{at}")).collect();
    let ended = setting.scan(&targets.join(" ")).await;
    (ended, setting)
}

fn outcomes(ended: &Ended) -> Vec<(IpAddr, Outcome)> {
    let mut all: Vec<_> =
        ended.report.outcomes.iter().map(|record| (record.address, record.outcome)).collect();
    all.sort();
    all
}

#[tokio::test(start_paused = true)]
async fn who_grants_a_connection_and_is_silent_to_s7_gets_nothing_more_and_ends_no_scan() {
    let (quiet, plc) = (at(1, 1), at(1, 9));
    let (ended, setting) = scan_plant(&[(quiet, sim::mms_only()), (plc, sim::s7_300())]).await;
    let expected = [(quiet.ip(), Outcome::WentDark), (plc.ip(), Outcome::Identified)];
    assert_eq!(outcomes(&ended), expected);
    let record = ended.report.outcomes.iter().find(|record| record.address == quiet.ip()).unwrap();
    let detail = record.detail.as_deref().unwrap();
    assert!(detail.ends_with("; it had granted the transport and nothing more"), "{detail}");
    assert!(ended.report.harm_suspected(), "a person should look, though the scan goes on");
    assert_eq!(ended.report.stopped, None);
    let asked = |packet: &&Packet| packet.to == quiet && matches!(packet.what, Kind::Payload(_));
    let capture = setting.network.capture();
    assert_eq!(capture.iter().filter(asked).count(), 2, "nothing after Setup Communication");
    let dialled = |packet: &&Packet| packet.to == quiet && packet.what == Kind::Syn;
    assert_eq!(capture.iter().filter(dialled).count(), 1);
    let again = setting.scanner().plan(&common::parse(&format!("s7://{quiet}")));
    let error = again.unwrap_err().to_string();
    assert!(error.contains("quarantined") && error.contains("clear"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn two_such_devices_end_s7_in_their_subnet_and_not_the_scan() {
    let quiet = (1..=2).map(|host| (at(1, host), sim::mms_only()));
    let plcs = (3..=60).map(|host| (at(1, host), sim::s7_300()));
    let elsewhere = (1..=60).map(|host| (at(2, host), sim::s7_300()));
    let plant: Vec<_> = quiet.chain(plcs).chain(elsewhere).collect();
    let (ended, _) = scan_plant(&plant).await;
    assert_eq!(ended.report.stopped, None, "no harm suspected");
    let told = |network: u8, outcome| {
        let records = ended.report.outcomes.iter();
        let here = records.filter(|record| subnet_of(record.address) == network);
        here.filter(|record| record.outcome == outcome).collect::<Vec<_>>()
    };
    assert_eq!(told(1, Outcome::WentDark).len(), 2);
    let skipped = told(1, Outcome::SkippedByPolicy);
    assert!(!skipped.is_empty());
    for record in &skipped {
        let detail = record.detail.as_deref().unwrap_or_default();
        assert!(detail.ends_with("s7 is not asked any further there in this run"), "{detail}");
        assert!(record.requests <= 1, "no more than the transport: {record:?}");
    }
    assert_eq!(told(1, Outcome::Identified).len(), 58 - skipped.len());
    assert_eq!(told(2, Outcome::Identified).len(), 60);
}

fn subnet_of(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) => address.octets()[2],
        IpAddr::V6(_) => 0,
    }
}

/// Its answer to the connection request takes so long that two others have fallen silent before it
/// may be asked again.
#[tokio::test(start_paused = true)]
async fn who_has_just_granted_a_connection_is_not_asked_what_silenced_two_others() {
    let late = Fault::Slow { first: Duration::from_millis(2_500), more: Duration::ZERO };
    let network = Network::wiring()
        .device(at(1, 1), Server::new(sim::mms_only()))
        .device(at(1, 2), Server::new(sim::mms_only()))
        .device(at(1, 3), Faulty::new(Server::new(sim::s7_300()), late))
        .done();
    let setting = Setting::new(network).with_policy(to(Level::Identify));
    let ended = setting.scan("10.1.1.1-3").await;
    let third = at(1, 3).ip();
    let record = ended
        .report
        .outcomes
        .iter()
        .find(|record| record.address == third && record.protocol == "s7");
    let record = record.unwrap();
    assert_eq!((record.outcome, record.requests), (Outcome::SkippedByPolicy, 1), "{record:?}");
    assert_eq!(setting.network.station(at(1, 3)).counters().requests, 1);
}

#[tokio::test(start_paused = true)]
async fn who_had_spoken_in_another_protocol_and_is_silent_to_s7_is_harm() {
    let network = (1..=2).fold(Network::wiring(), |wiring, host| {
        let modbus = SocketAddr::new(at(1, host).ip(), 502);
        let wiring = wiring.device(modbus, otcore::protocols::modbus::sim::typical());
        wiring.device(at(1, host), Server::new(sim::mms_only()))
    });
    let policy = Policy::gentle().protocol("s7", |s7| s7.level(Level::Structure));
    let setting = Setting::new(network.done()).with_policy(policy);
    let ended = setting.scan("10.1.1.1 10.1.1.2").await;
    assert_eq!(ended.report.stopped, Some(StopReason::HarmSuspected));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_dies_of_the_setup_is_harm_and_not_another_protocol() {
    let dies = |host| (at(1, host), Faulty::new(Server::new(sim::s7_300()), Fault::DarkAfter(1)));
    let [(first, a), (second, b)] = [dies(1), dies(2)];
    let network = Network::wiring().device(first, a).device(second, b).done();
    let setting = Setting::new(network).with_policy(to(Level::Identify));
    let ended = setting.scan(&format!("s7://{first} s7://{second}")).await;
    assert_eq!(ended.report.stopped, Some(StopReason::HarmSuspected));
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_wants_a_password_says_so() {
    let (ended, _) = scan(sim::lists_to_nobody(), "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::AuthRequired);
}

fn nobody() -> Cpu {
    Cpu { addresses: Vec::new(), ..sim::s7_300() }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_more_often_than_the_policy_allows() {
    for turns_away in [TurnsAway::Reason(3), TurnsAway::HangsUp] {
        let cpu = Cpu { turns_away, ..nobody() };
        let (ended, seen) = scan(cpu, "", to(Level::State)).await;
        assert_eq!(called(&seen), [[3, 2], [3, 1]], "gentlest kind only");
        let expected = match turns_away {
            TurnsAway::Reason(_) => Outcome::Refused,
            TurnsAway::HangsUp => Outcome::ResetAfter,
        };
        assert_eq!(outcome(&ended), expected);
        assert!(ended.report.assets.is_empty());
    }
    let mut one = to(Level::State);
    one.limits.connections_per_scan = 1;
    let (_, seen) = scan(nobody(), "", one).await;
    assert_eq!(called(&seen), [[3, 2]]);
}

#[tokio::test(start_paused = true)]
async fn we_are_a_programming_device_only_by_consent_and_last() {
    let consent = || to(Level::Identify).protocol("s7", |s7| s7.allow("programmer"));
    let (_, seen) = scan(nobody(), "?slot=2", to(Level::Identify)).await;
    assert_eq!(called(&seen), [[3, 2], [2, 2]]);
    let (_, seen) = scan(nobody(), "?slot=2", consent()).await;
    assert_eq!(called(&seen), [[3, 2], [1, 2]]);
    let (_, seen) = scan(nobody(), "", consent()).await;
    assert_eq!(called(&seen), [[3, 2], [1, 1]]);
}

#[tokio::test(start_paused = true)]
async fn other_protocols_use_up_connections_too() {
    let network = Network::wiring().device(AT, Server::new(nobody())).done();
    let setting = Setting::new(network).with_policy(without_datagrams());
    let ended = setting.scan(&AT.ip().to_string()).await;
    let outcomes: Vec<(&str, Outcome)> = { ended.report.outcomes.iter() }
        .map(|record| (record.protocol.as_str(), record.outcome))
        .collect();
    assert_eq!(outcomes, [("modbus", Outcome::Silent), ("s7", Outcome::Refused)]);
    let seen = setting.network.station(AT).counters();
    assert_eq!(called(&seen), [[3, 2], [3, 1]], "one of three went to port 502");
}

#[tokio::test(start_paused = true)]
async fn a_congested_controller_is_left_alone() {
    let cpu = Cpu { turns_away: TurnsAway::Reason(1), ..nobody() };
    let (ended, seen) = scan(cpu, "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Busy);
    assert_eq!(seen.connections, 1);
}

/// A controller that also speaks Modbus, and how often it is connected to for either.
async fn asked_in_both(targets: &str, policy: Policy) -> Vec<(String, Outcome)> {
    let modbus = SocketAddr::new(AT.ip(), 502);
    let network = Network::wiring()
        .device(modbus, otcore::protocols::modbus::sim::typical())
        .device(AT, Server::new(sim::s7_300()))
        .done();
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan(targets).await;
    let records = ended.report.outcomes.iter();
    records.map(|record| (record.protocol.clone(), record.outcome)).collect()
}

#[tokio::test(start_paused = true)]
async fn who_has_said_who_it_is_is_not_asked_in_the_next_protocol() {
    let both = |s7| vec![("modbus".to_owned(), Outcome::Identified), ("s7".to_owned(), s7)];
    let address = AT.ip().to_string();
    let gentle = asked_in_both(&address, without_datagrams()).await;
    assert_eq!(gentle, both(Outcome::SkippedByPolicy));
    let deeper = without_datagrams().protocol("s7", |s7| s7.level(Level::Structure));
    assert_eq!(asked_in_both(&address, deeper).await, both(Outcome::Identified));
    let named = asked_in_both(&format!("s7://{address} {address}"), without_datagrams()).await;
    assert_eq!(named[0], ("s7".to_owned(), Outcome::Identified), "what is named comes first");
    assert_eq!(named[1].1, Outcome::SkippedByPolicy);
}
