//! Pretend EtherNet/IP devices of every kind: what a scan finds is what each of them is.
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

use common::network::Network;
use common::{Ended, Setting, only, sent_to};
use otcore::gate::journal::{Close, What};
use otcore::model::{InterfaceField, Named, Node, ServiceField, StateField, Transport};
use otcore::protocols::enip::sim::{self, Lists, Module, Routes, Server, Shape};
use otcore::sim::{Counters, Device, Fault, Faulty};
use otcore::{Level, Outcome, Policy};
use proptest::prelude::*;

const AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), 44818);

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("enip", |enip| enip.level(level))
}

fn with_backplane(level: Level) -> Policy {
    to(level).protocol("enip", |enip| enip.allow("backplane"))
}

async fn scan_any(device: impl Device + 'static, query: &str, policy: Policy) -> (Ended, Counters) {
    let network = Network::wiring().device(AT, device).done();
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan(&format!("enip://{AT}{query}")).await;
    let seen = setting.network.station(AT).counters();
    assert_eq!(seen.violations, Vec::<String>::new());
    assert_eq!(seen.at_once.max(1), 1);
    (ended, seen)
}

async fn scan(shape: Shape, query: &str, policy: Policy) -> (Ended, Counters) {
    scan_any(Server::new(shape), query, policy).await
}

fn outcome(ended: &Ended) -> Outcome {
    let [record] = &ended.report.outcomes[..] else { panic!("{:?}", ended.report.outcomes) };
    record.outcome
}

fn device(ended: &Ended) -> Node {
    ended.report.assets.iter().next().unwrap().node.clone()
}

fn identity(node: &Node) -> Vec<(&'static str, String)> {
    let fields = node.identity.fields();
    fields.map(|field| (field.name(), node.identity.value(field).unwrap().to_owned())).collect()
}

fn says(node: &Node, expected: &[(&str, &str)]) {
    let said = identity(node);
    for (field, value) in expected {
        let has = said.iter().any(|(one, text)| one == field && text == value);
        assert!(has, "{field} {value} in {said:?}");
    }
}

fn interface(node: &Node, name: &str) -> Vec<(&'static str, String)> {
    let facts = &node.interfaces[name];
    let known = InterfaceField::ALL.iter().filter_map(|field| Some((field, facts.value(*field)?)));
    known.map(|(field, value)| (field.name(), value.to_owned())).collect()
}

fn asked(ended: &Ended) -> Vec<&str> {
    let sent = ended.journal.iter().filter_map(|entry| match &entry.what {
        What::Sent { function, .. } => Some(function.as_str()),
        _ => None,
    });
    sent.collect()
}

fn closed(ended: &Ended) -> Vec<Close> {
    let ends = ended.journal.iter().filter_map(|entry| match entry.what {
        What::Closed { how } => Some(how),
        _ => None,
    });
    ends.collect()
}

#[tokio::test(start_paused = true)]
async fn identity_takes_one_datagram_each_way() {
    for level in [Level::Detect, Level::Identify] {
        let (ended, seen) = scan(sim::controllogix(), "", to(level)).await;
        assert_eq!(outcome(&ended), Outcome::Identified);
        assert_eq!((seen.connections, seen.datagrams, seen.requests), (0, 1, 1));
        let [record] = &ended.report.outcomes[..] else { panic!() };
        assert_eq!((record.packets, record.connections, record.bytes_out), (1, 0, 24));
        says(
            &device(&ended),
            &[
                ("vendor", "Rockwell Automation"),
                ("vendor_id", "cip:1"),
                ("device_type", "cip:12"),
                ("product_name", "ControlLogix"),
                ("model", "1756-ENBT/A"),
                ("order_number", "1756-ENBT"),
                ("firmware", "4.3"),
                ("serial_number", "00524d8e"),
                ("description", "Communications Adapter"),
                ("device_class", "communication module"),
                ("product_code", "58"),
            ],
        );
        assert_eq!(closed(&ended), [Close::Released]);
        let service = device(&ended).services.into_keys().next().unwrap();
        assert_eq!((service.transport, service.port), (Transport::Udp, 44818));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rack_opens_by_consent_and_slot_by_slot() {
    let (ended, seen) = scan(sim::controllogix(), "", with_backplane(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let device = device(&ended);
    let modules: Vec<(&str, &str)> = { device.modules.values() }
        .map(|module| (module.path(), module.identity.value(otcore::model::Field::Model).unwrap()))
        .collect();
    assert_eq!(
        modules,
        [
            ("default/10.1.1.7/enip/44818/1.0", "1756-L61/B LOGIX5561"),
            ("default/10.1.1.7/enip/44818/1.2", "MVI56 ProSoft Technology, Inc."),
            ("default/10.1.1.7/enip/44818/1.3", "1756-L55/A 1756-M13/A LOGIX5555"),
            ("default/10.1.1.7/enip/44818/1.4", "1756-OB16D/A DCOUT DIAG"),
            ("default/10.1.1.7/enip/44818/1.5", "1756-IB16/A DCIN"),
        ],
        "slot 1 is the device itself, slot 6 is empty"
    );
    let modules: Vec<&Node> = device.modules.values().collect();
    says(modules[0], &[("device_name", "Packer07"), ("user_application", "Case packer, line 7")]);
    says(modules[2], &[("device_name", "Spare1"), ("firmware", "16.4")]);
    let state = |module: &Node, field| module.state.value(field).map(str::to_owned);
    let mode = |module| state(module, StateField::OperatingMode);
    assert_eq!(
        (mode(modules[0]).as_deref(), mode(modules[2]).as_deref()),
        (Some("Run"), Some("Program"))
    );
    assert_eq!(mode(&device), None, "the word of a communication module says nothing of a program");
    assert_eq!(state(modules[0], StateField::KeySwitch).as_deref(), Some("REM"));
    let digest = state(modules[0], StateField::ChangeDigest);
    assert_eq!(digest.as_deref(), Some("050002001d5a0031"));
    assert_eq!(
        interface(&device, "1"),
        [
            ("mac", "00:00:bc:2e:69:07".to_owned()),
            ("ip", "10.1.1.7".to_owned()),
            ("mask", "255.255.255.0".to_owned()),
            ("gateway", "10.1.1.1".to_owned()),
            ("host_name", "enbt-07".to_owned()),
            ("speed", "100 Mbit/s, full duplex".to_owned()),
            ("maker", "Rockwell Automation".to_owned()),
        ]
    );
    let over_tcp = |field| {
        let services = device.services.iter().filter(|(key, _)| key.transport == Transport::Tcp);
        services.map(|(_, facts)| facts).find_map(|facts| facts.value(field))
    };
    assert_eq!(over_tcp(ServiceField::Ports), Some("1: backplane, 2: EtherNet/IP"));
    let objects = "0x01, 0x02, 0x06, 0xf4, 0xf5, 0xf6";
    assert_eq!(over_tcp(ServiceField::Objects), Some(objects));
    assert_eq!(seen.connections, 1);
    let slots: Vec<u32> = seen.requests_by_unit.keys().copied().filter(|unit| *unit > 0).collect();
    assert_eq!(slots, [1, 2, 3, 4, 5, 6, 7], "as many as the chassis says");
    assert_eq!(asked(&ended).last(), Some(&"UnregisterSession"));
}

#[tokio::test(start_paused = true)]
async fn without_consent_nobody_behind_the_backplane_is_asked() {
    let (ended, seen) = scan(sim::controllogix(), "?slot=0", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert!(device(&ended).modules.is_empty());
    assert!(seen.requests_by_unit.keys().all(|unit| *unit == 0), "{:?}", seen.requests_by_unit);
}

#[tokio::test(start_paused = true)]
async fn slots_are_asked_no_sooner_than_the_policy_lets() {
    let policy = with_backplane(Level::Structure);
    let gap = Duration::from_millis(policy.limits.slot_gap_ms.into());
    let (_, seen) = scan(sim::controllogix(), "", policy).await;
    let routed = |path: &otcore::sim::Logged| path.bytes[0] == 0x6F && path.bytes[40] == 0x52;
    let first = seen.log.iter().filter(|logged| routed(logged));
    let mut times: Vec<(u8, Duration)> =
        first.map(|logged| (*logged.bytes.last().unwrap(), logged.at)).collect();
    times.dedup_by_key(|(slot, _)| *slot);
    assert!(times.len() > 5);
    for pair in times.windows(2) {
        assert!(pair[1].1 - pair[0].1 >= gap, "{pair:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_says_how_many_slots_there_are_a_few_empty_ones_end_the_walk() {
    let mut shape = sim::controllogix();
    shape.head.objects.remove(&vec![1, 0x66, 1]);
    let policy = with_backplane(Level::Structure);
    let patience = u64::from(policy.limits.dead_units_in_a_row);
    let (ended, seen) = scan(shape, "", policy).await;
    assert_eq!(device(&ended).modules.len(), 5);
    let slots = seen.requests_by_unit.keys().filter(|unit| **unit > 0).count() as u64;
    assert_eq!(slots, 6 + patience, "0 to 5, and then the empty ones");
}

#[tokio::test(start_paused = true)]
async fn a_named_slot_is_the_only_one_that_is_asked() {
    let (ended, seen) = scan(sim::controllogix(), "?slot=5", with_backplane(Level::State)).await;
    let device = device(&ended);
    assert_eq!(device.modules.len(), 1);
    let slots: Vec<u32> = seen.requests_by_unit.keys().copied().filter(|unit| *unit > 0).collect();
    assert_eq!(slots, [6]);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_refuses_to_say_who_it_is_does_not_end_the_walk() {
    let mut shape = sim::controllogix();
    let Routes::Rack(slots) = &mut shape.routes else { panic!() };
    slots.insert(2, Module::default());
    let (ended, _) = scan(shape, "", with_backplane(Level::Structure)).await;
    let paths: Vec<String> = device(&ended).modules.values().map(|m| m.path().to_owned()).collect();
    let slots: Vec<&str> = paths.iter().map(|path| path.rsplit('.').next().unwrap()).collect();
    assert_eq!(slots, ["0", "3", "4", "5"]);
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_is_in_every_slot_is_one_device() {
    let (ended, seen) = scan(sim::compactlogix(), "", with_backplane(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let device = device(&ended);
    assert!(device.modules.is_empty(), "{:?}", device.modules);
    let expected = [
        ("model", "1769-L36ERM/A LOGIX5336ERM"),
        ("product_name", "CompactLogix"),
        ("device_class", "plc"),
        ("device_name", "Packer07"),
    ];
    says(&device, &expected);
    let state = |field| device.state.value(field);
    assert_eq!(state(StateField::OperatingMode), Some("Run"));
    assert_eq!(state(StateField::OperatingModeRaw), Some("0x3060"));
    assert_eq!(state(StateField::ChangeDigest), Some("050002001d5a0031"));
    assert_eq!(state(StateField::ConfigurationDigest), Some("0xc35a"));
    let slots = seen.requests_by_unit.keys().filter(|unit| **unit > 0).count();
    assert_eq!(slots, 2, "two echoes are enough");
}

#[tokio::test(start_paused = true)]
async fn a_drive_gives_attributes_one_by_one_and_no_state_byte() {
    let (ended, _) = scan(sim::drive(), "", with_backplane(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let device = device(&ended);
    says(&device, &[("device_class", "drive"), ("model", "PowerFlex 525 1P 230V  .50HP")]);
    assert_eq!(
        interface(&device, "1"),
        [
            ("mac", "00:1d:9c:11:22:33".to_owned()),
            ("ip", "10.1.1.7".to_owned()),
            ("mask", "255.255.255.0".to_owned()),
            ("gateway", "10.1.1.1".to_owned()),
            ("host_name", "drive-525".to_owned()),
            ("maker", "Rockwell Automation".to_owned()),
        ]
    );
    assert!(!asked(&ended).contains(&"ReadModuleIdentity"), "a drive has no rack");
}

#[tokio::test(start_paused = true)]
async fn a_second_link_is_another_interface_and_a_speed_is_read_alone_where_it_must_be() {
    let mut shape = sim::controllogix();
    let link = shape.head.objects[&vec![1, 0xF6, 1]].clone();
    shape.head.objects.insert(vec![1, 0xF6, 2], link);
    let (ended, _) = scan(shape, "", to(Level::Structure)).await;
    let [first, second] = ["1", "2"].map(|name| interface(&device(&ended), name));
    assert!(second.iter().any(|(field, _)| *field == "mac") && second.len() < first.len());
    assert!(second.iter().all(|fact| first.contains(fact)), "{second:?}");

    let mut shape = sim::drive();
    shape.head.objects.insert(vec![0x0E, 0xF6, 1, 1], 100_u32.to_le_bytes().to_vec());
    let (ended, _) = scan(shape, "", to(Level::Structure)).await;
    let told = interface(&device(&ended), "1");
    assert!(told.contains(&("speed", "100 Mbit/s".to_owned())), "{told:?}");
}

/// What a module is shows only once it has said its name.
#[tokio::test(start_paused = true)]
async fn a_module_that_a_rule_skips_is_named_and_asked_nothing_more() {
    let skips = "[protocols.enip]\nlevel = \"state\"\nallow = [\"backplane\"]\n\
                 [[rule]]\nname = \"old controllers\"\nwhen = { model = \"1756-L61*\" }\nthen = { skip = true }";
    let slot = |seen: &Counters, number: u32| seen.requests_by_unit[&(number + 1)];
    let (all, asked) = scan(sim::controllogix(), "", with_backplane(Level::State)).await;
    let (ended, spared) = scan(sim::controllogix(), "", Policy::from_toml(skips).unwrap()).await;
    assert_eq!((slot(&spared, 0), slot(&asked, 0) > 1), (1, true));
    assert_eq!(slot(&spared, 1), slot(&asked, 1), "the others are asked as ever");
    let names = |ended: &Ended| device(ended).modules.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ended), names(&all), "and the one that is skipped is told");
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_refuses_list_identity_is_named_by_its_identity_object() {
    let (ended, seen) = scan(sim::adapter(), "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let device = device(&ended);
    let expected = [
        ("vendor", "Hilscher"),
        ("vendor_id", "cip:283"),
        ("device_type", "cip:12"),
        ("model", "RIG-EIP-ADAPTER 16DI"),
        ("serial_number", "deadbeef"),
        ("firmware", "3.7"),
    ];
    says(&device, &expected);
    assert_eq!((seen.connections, seen.datagrams), (1, 0), "its system said that nobody listens");
    assert_eq!(asked(&ended).last(), Some(&"UnregisterSession"));
    let (ended, seen) = scan(sim::adapter(), "", to(Level::Detect)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity, "a refusal is a sign of life");
    assert_eq!(seen.requests, 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_takes_a_session_only_where_the_level_allows() {
    let shape = || Shape { lists: Lists::Empty, ..sim::controllogix() };
    let (ended, seen) = scan(shape(), "", to(Level::Detect)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert_eq!((seen.connections, seen.requests), (0, 1));
    let (ended, _) = scan(shape(), "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    says(&device(&ended), &[("model", "1756-ENBT/A")]);
    let (ended, _) =
        scan_any(Faulty::new(Server::new(shape()), Fault::DarkAfter(0)), "", to(Level::Detect))
            .await;
    assert_eq!(outcome(&ended), Outcome::Silent);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_three_devices_is_told_as_three() {
    let (ended, _) = scan(sim::gateway(), "", to(Level::Structure)).await;
    let device = device(&ended);
    says(&device, &[("model", "GATEWAY ETHERNET SIDE"), ("serial_number", "00001001")]);
    let children: Vec<(&str, &str)> = { device.children.values() }
        .map(|child| (child.path(), child.identity.value(otcore::model::Field::Model).unwrap()))
        .collect();
    assert_eq!(
        children,
        [
            ("default/10.1.1.7/enip/44818/identity.2", "GATEWAY SERIAL SIDE"),
            ("default/10.1.1.7/enip/44818/identity.3", "GATEWAY RADIO SIDE"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_small_controller_is_no_logix_and_has_no_rack() {
    let (ended, _) = scan(sim::micro800(), "", with_backplane(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let device = device(&ended);
    says(&device, &[("product_name", "Micro800"), ("device_class", "plc")]);
    assert_eq!(
        device.state.value(StateField::OperatingMode),
        None,
        "its word means something else"
    );
    let health = device.state.value(StateField::Health).unwrap();
    assert_eq!(health, "operational, configured, an I/O connection runs (status 0x0064)");
    let asked = asked(&ended);
    for function in ["ReadNames", "ReadProgramChanges", "ReadChassis", "ReadModuleIdentity"] {
        assert!(!asked.contains(&function), "{asked:?}");
    }
    let objects = device.services.values().find_map(|one| one.value(ServiceField::Objects));
    assert_eq!(objects, Some("0x01, 0x02, 0x06"));
}

#[tokio::test(start_paused = true)]
async fn every_fault_and_every_kind_of_use_is_told_in_words() {
    let health = async |status| {
        let mut shape = sim::drive();
        shape.head.status = status;
        let (ended, _) = scan(shape, "", to(Level::Identify)).await;
        device(&ended).state.value(StateField::Health).unwrap().to_owned()
    };
    assert_eq!(health(0).await, "no fault is reported (status 0x0000)");
    let all = "owned, configured, minor recoverable fault, minor unrecoverable fault, major \
               recoverable fault, major unrecoverable fault, an I/O connection is faulted (status \
               0x0f25)";
    assert_eq!(health(0x0F25).await, all);
    assert_eq!(health(0x0060).await, "an I/O connection runs (status 0x0060)");
}

#[tokio::test(start_paused = true)]
async fn who_is_out_of_resources_is_left_alone_at_once() {
    let shape = Shape { lists: Lists::Refuses(2), ..sim::controllogix() };
    let (ended, seen) = scan(shape, "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Busy);
    assert_eq!((seen.connections, seen.datagrams, seen.requests), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_datagram_is_repeated_once_and_then_somebody_may_still_take_a_connection() {
    let mute = Faulty::new(Server::new(sim::controllogix()), Fault::Mute);
    let (ended, seen) = scan_any(mute, "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Silent);
    let expected = ["ListIdentity", "ListIdentity", "ListIdentity"];
    assert_eq!(asked(&ended), expected, "twice by datagram, and over a connection");
    assert_eq!((seen.datagrams, seen.connections), (2, 1));
    let gap = seen.log[1].at.saturating_sub(seen.log[0].at);
    assert!(gap >= Duration::from_secs(2), "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn who_answers_while_the_repetition_waits_for_leave_is_not_asked_again() {
    let at = |host| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, host)), 44818);
    let late = Fault::Slow { first: Duration::from_millis(3_100), more: Duration::ZERO };
    let slow = || Faulty::new(Server::new(sim::controllogix()), late.clone());
    let network = (1..=6).fold(Network::wiring(), |wiring, host| wiring.device(at(host), slow()));
    // One address looked for in a second: while another device has its turn, a repetition waits.
    let mut policy = only("enip", to(Level::Identify));
    policy.limits.subnet_new_addresses_per_s = 1;
    let ended = Setting::new(network.done()).with_policy(policy).scan("10.1.1.1-6").await;
    assert_eq!(ended.report.counters.identified, 6);
    let first = ended.journal.iter().find(|entry| matches!(entry.what, What::Sent { .. })).unwrap();
    assert_eq!(sent_to(&ended.journal, first.device).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_dies_of_a_read_gets_no_goodbye() {
    for fatal in 2..9 {
        let dying = Faulty::new(Server::new(sim::controllogix()), Fault::DarkAfter(fatal));
        let (ended, seen) = scan_any(dying, "", with_backplane(Level::State)).await;
        assert_eq!(outcome(&ended), Outcome::WentDark, "{fatal}");
        assert_eq!(seen.after_dark, 0, "{fatal}");
        assert_ne!(asked(&ended).last(), Some(&"UnregisterSession"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_given_back_after_every_answer_that_makes_no_sense() {
    for at in [0_usize, 26, 40, 42] {
        let shape = Shape { lists: Lists::Refuses(1), ..sim::controllogix() };
        let odd = common::devices::Later::new(
            Box::new(Server::new(shape)),
            2, // List Identity refused, session granted
            Fault::Flip { at, mask: 0x55 },
        );
        let (ended, _) = scan_any(odd, "", to(Level::Identify)).await;
        let asked = asked(&ended);
        assert!(asked.contains(&"RegisterSession"), "{asked:?}");
        assert_eq!(asked.last(), Some(&"UnregisterSession"), "byte {at}: {asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_identities_in_one_answer_are_no_harm() {
    let one = sim::gateway().further[0].clone();
    let further = vec![one; 99];
    let shape = Shape { further, ..sim::gateway() };
    let (ended, _) = scan(shape, "", to(Level::Identify)).await;
    let outcome = outcome(&ended);
    assert!([Outcome::Identified, Outcome::Malformed].contains(&outcome), "{outcome:?}");
}

/// A device of random numbers, texts and abilities.
fn any_shape() -> impl Strategy<Value = Shape> {
    let numbers = (any::<[u16; 3]>(), any::<[u8; 2]>(), any::<(u16, u32)>());
    let knows = (any::<[bool; 4]>(), 0..5_usize, 0..4_usize);
    (numbers, knows).prop_map(|((key, revision, (status, serial)), (knows, lists, routes))| {
        let mut shape = sim::controllogix();
        let [datagrams, gives_all, gives_lists, is_logix] = knows;
        let key = if is_logix { [1, 14, key[2]] } else { key };
        let head = shape.head.clone();
        shape.head = Module { key, revision, status, serial, gives_all, gives_lists, ..head };
        shape.datagrams = datagrams;
        shape.lists = [
            Lists::Answers,
            Lists::WithoutState,
            Lists::Refuses(1),
            Lists::Refuses(2),
            Lists::Empty,
        ][lists];
        match routes {
            0 => shape.routes = Routes::No,
            1 => shape.routes = Routes::Echoes,
            _ => {}
        }
        shape
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_a_device_is_the_dialogue_ends_in_order(shape in any_shape(), level in 0..4_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let serial = format!("{:08x}", shape.head.serial);
        let policy = with_backplane(Level::ALL[level]);
        let most = policy.limits.requests_per_conversation as usize;
        let (ended, seen) = runtime.block_on(scan(shape, "", policy));
        let asked = asked(&ended);
        let registered = asked.iter().filter(|name| **name == "RegisterSession").count();
        let given_back = asked.iter().filter(|name| **name == "UnregisterSession").count();
        prop_assert_eq!(registered, given_back);
        prop_assert!(registered == 0 || asked.last() == Some(&"UnregisterSession"));
        let routed = asked.iter().filter(|name| name.contains("Module")).count();
        prop_assert!(asked.len() - routed <= most + 1, "{:?}", asked);
        prop_assert!(seen.connections <= 1 && seen.datagrams <= 1);
        if outcome(&ended) == Outcome::Identified && serial != "00000000" {
            let said = identity(&device(&ended));
            let said = said.iter().find(|(field, _)| *field == "serial_number");
            prop_assert_eq!(said.map(|(_, value)| value.as_str()), Some(serial.as_str()));
        }
    }
}
