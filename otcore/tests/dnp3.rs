//! Pretend outstations of every kind: what a scan finds is what each of them is, and whoever operates
//! one keeps it.
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

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::network::Network;
use common::{Ended, Setting, only, parse};
use otcore::gate::journal::What;
use otcore::model::{Named, Node, ServiceField, Transport};
use otcore::protocols::dnp3::sim::{self, Greets, Outstation, Server, Shape};
use otcore::sim::{Action, Counters, Device, Fault, Faulty, Greeting, Reply, Visit};
use otcore::{Level, Outcome, Policy};
use proptest::prelude::*;

const AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), 20000);

/// Whether outstation 10 is there, as its master asks.
const KEEP_ALIVE: [u8; 10] = [0x05, 0x64, 0x05, 0xC9, 0x0A, 0x00, 0x01, 0x00, 0xFE, 0xDA];

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("dnp3", |dnp3| dnp3.on().level(level).allow("connect"))
}

fn as_master(level: Level) -> Policy {
    to(level).protocol("dnp3", |dnp3| dnp3.master(1))
}

fn by_datagrams(level: Level) -> Policy {
    let policy = Policy::gentle();
    policy.protocol("dnp3", |dnp3| dnp3.on().level(level).allow("datagrams").master(1))
}

async fn scan_any(device: impl Device + 'static, query: &str, policy: Policy) -> (Ended, Counters) {
    let network = Network::wiring().device(AT, device).done();
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan(&format!("dnp3://{AT}{query}")).await;
    let seen = setting.network.station(AT).counters();
    assert_eq!(seen.violations, Vec::<String>::new());
    assert!(seen.at_once <= 1);
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

fn state(node: &Node) -> Vec<(&'static str, String)> {
    let fields = node.state.fields();
    fields.map(|field| (field.name(), node.state.value(field).unwrap().to_owned())).collect()
}

fn service(node: &Node, field: ServiceField) -> Option<String> {
    node.services.values().find_map(|facts| facts.value(field)).map(str::to_owned)
}

fn owned(all: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    all.iter().map(|(field, value)| (*field, (*value).to_owned())).collect()
}

fn asked(ended: &Ended) -> Vec<&str> {
    let sent = ended.journal.iter().filter_map(|entry| match &entry.what {
        What::Sent { function, .. } => Some(function.as_str()),
        _ => None,
    });
    sent.collect()
}

/// The link addresses that were called or read, in order.
fn addresses(seen: &Counters) -> Vec<u32> {
    seen.log.iter().map(|logged| logged.unit.unwrap()).collect()
}

fn refused(policy: Policy, targets: &str) -> String {
    let network = Network::wiring().device(AT, sim::typical()).done();
    let setting = Setting::new(network).with_policy(policy);
    setting.scanner().plan(&parse(targets)).unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_unless_a_policy_says_so_and_the_plan_says_why_and_how() {
    let target = format!("dnp3://{AT}");
    let risk = "opens a connection, which may displace the station that operates the device";
    let off = refused(Policy::gentle(), &target);
    assert!(off.contains(risk) && off.contains("allow `connect`"), "{off}");
    let on = Policy::gentle().protocol("dnp3", otcore::gate::policy::ProtocolPolicy::on);
    let undecided = refused(only("dnp3", on), "10.1.1.7");
    assert!(undecided.contains(risk) && undecided.contains("allow `connect`"), "{undecided}");

    let network = Network::wiring().device(AT, sim::typical()).done();
    let setting = Setting::new(network).with_policy(to(Level::Identify));
    let plan = setting.scanner().plan(&parse(&target)).unwrap().to_string();
    assert!(plan.contains(&format!("connect: {risk}")), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_master_keeps_its_outstation_under_the_default_policy() {
    let network = Network::wiring().device(AT, Server::new(sim::one_master())).done();
    let setting = Setting::new(network).with_policy(Policy::gentle());
    let station = setting.network.station(AT);
    let (master, _) = station.connect(Duration::ZERO);
    let ended = setting.scan("10.1.1.0/29").await;
    assert!(!ended.journal.is_empty(), "the subnet was scanned for everything else");
    let about_it = ended.journal.iter().filter(|entry| entry.device.port() == AT.port());
    assert_eq!(about_it.count(), 0, "{:?}", ended.journal);
    let answers = station.receive(master, &KEEP_ALIVE, Duration::from_secs(60));
    assert!(answers.iter().any(|action| matches!(action, Action::Send(_))), "{answers:?}");
    assert_eq!(station.counters().harm(), Vec::<String>::new());
}

/// What the consent is about; and that the pretend outstation would tell.
#[tokio::test(start_paused = true)]
async fn by_consent_a_connection_costs_the_master_its_own() {
    let network = Network::wiring().device(AT, Server::new(sim::one_master())).done();
    let setting = Setting::new(network).with_policy(to(Level::Detect));
    let station = setting.network.station(AT);
    let (master, _) = station.connect(Duration::ZERO);
    let ended = setting.scan(&format!("dnp3://{AT}")).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert_eq!(station.receive(master, &KEEP_ALIVE, Duration::from_secs(60)), [Action::Close]);
    assert_eq!(station.counters().violations, ["its master was displaced by a newer connection"]);
}

#[tokio::test(start_paused = true)]
async fn datagrams_displace_nobody() {
    let shape = Shape { datagrams: true, ..sim::one_master() };
    for (policy, query) in [
        (by_datagrams(Level::Identify), "?outstation=10"),
        (to(Level::Identify), "?outstation=10&master=1&udp=1"),
    ] {
        let network = Network::wiring().device(AT, Server::new(shape.clone())).done();
        let setting = Setting::new(network).with_policy(policy);
        let station = setting.network.station(AT);
        let (master, _) = station.connect(Duration::ZERO);
        let ended = setting.scan(&format!("dnp3://{AT}{query}")).await;
        assert_eq!(outcome(&ended), Outcome::Identified);
        let key = device(&ended).services.into_keys().next().unwrap();
        assert_eq!(key.transport, Transport::Udp);
        assert!(identity(&device(&ended)).contains(&("serial_number", "TW40-001377".to_owned())));
        let answers = station.receive(master, &KEEP_ALIVE, Duration::from_secs(90));
        assert!(answers.iter().any(|action| matches!(action, Action::Send(_))), "{answers:?}");
        assert_eq!(station.counters().connections, 1, "its master's");
        assert_eq!(station.counters().harm(), Vec::<String>::new());
        assert!(!asked(&ended).contains(&"ReadAllAttributes"), "which may not fit a datagram");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_where_nobody_hears_datagrams_takes_no_longer_than_its_plan_says() {
    let policy = Policy::gentle().protocol("dnp3", |dnp3| dnp3.on().allow("datagrams"));
    let setting = Setting::new(Network::wiring().done()).with_policy(only("dnp3", policy));
    for range in ["10.1.0.0/29", "10.1.0.0/26"] {
        let ended = setting.scan(range).await;
        let longest = Duration::from_secs(ended.plan.seconds_at_most);
        assert!(ended.took <= longest, "{range}: {:?}, {longest:?} by the plan", ended.took);
    }
}

#[tokio::test(start_paused = true)]
async fn who_hears_no_datagrams_is_connected_to_only_by_consent() {
    let silent = || Faulty::new(Server::new(Shape { datagrams: true, ..sim::full() }), Fault::Mute);
    let (ended, seen) = scan_any(silent(), "?outstation=10", by_datagrams(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Silent);
    assert_eq!(seen.connections, 0);
    let both = by_datagrams(Level::Identify).protocol("dnp3", |dnp3| dnp3.allow("connect"));
    let (ended, seen) = scan(sim::full(), "?outstation=10", both.clone()).await;
    assert_eq!(outcome(&ended), Outcome::Identified, "its system said that nobody listens");
    assert_eq!((seen.connections, seen.datagrams), (1, 0));
    let (ended, seen) = scan(sim::full(), "?outstation=10&udp=1", both).await;
    assert_eq!(outcome(&ended), Outcome::Refused, "the target says datagrams");
    assert_eq!(seen.connections, 0);
}

#[tokio::test(start_paused = true)]
async fn an_outstation_says_everything_of_itself_in_two_answers() {
    let (ended, seen) = scan(sim::full(), "?outstation=10&master=1", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let device = device(&ended);
    let expected = [
        ("vendor", "Tarnwick Automation"),
        ("model", "TW-RTU 40"),
        ("serial_number", "TW40-001377"),
        ("hardware_revision", "C"),
        ("firmware", "6.2.1"),
        ("device_name", "feeder 7"),
        ("location", "substation 12"),
        ("description", "east ring"),
        ("plant_id", "RTU-12-A"),
        ("owner", "Ostbach Power"),
        ("device_class", "rtu"),
    ];
    assert_eq!(identity(&device), owned(&expected));
    let expected = [
        ("health", "no trouble is reported"),
        ("project_name", "east-ring-feeders"),
        ("project_revision", "14"),
        ("project_changed", "2024-05-06T07:08:09Z"),
        ("configuration_digest", "SHA-256 c0ffee001540"),
    ];
    assert_eq!(state(&device), owned(&expected));
    let says = |field| service(&device, field).unwrap();
    assert_eq!(says(ServiceField::Unit), "10");
    assert_eq!(says(ServiceField::Conformity), "2:2012");
    assert_eq!(says(ServiceField::Dialect), "secure authentication version 5");
    assert_eq!(
        says(ServiceField::Objects),
        "64 binary inputs (up to index 63, with events), 4 double-bit binary inputs (up to index 3, \
         with events), 16 binary outputs (up to index 15), 300 analog inputs (up to index 299, with \
         events), 2 analog outputs (up to index 1), frozen counters, 2 data sets of its own, 1 \
         prototypes of its own, 18 security statistics per association"
    );
    assert_eq!(
        says(ServiceField::Limits),
        "sends fragments of up to 2048 bytes, takes fragments of up to 2048 bytes, takes up to 8 \
         binary outputs per request, local timing accuracy 10, duration of timing accuracy 60"
    );
    assert_eq!(
        says(ServiceField::Note),
        "speaks to the master with link address 1; operated by control room east; second operator \
         control room west; mRID 7b2e0c44-9f3d-4a64-9f6c-0d5d5f1a0001; has attributes of its own: \
         TW private; at 48.5, 11.25, 44.5 m"
    );
    assert_eq!(asked(&ended), ["RequestLinkStatus", "ReadAttributeList", "ReadAllAttributes"]);
    assert_eq!((seen.connections, seen.requests), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn to_detect_takes_one_call() {
    let (ended, seen) = scan(sim::bare(), "?outstation=4", to(Level::Detect)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert_eq!((seen.requests, seen.bytes), (1, 10));
    assert_eq!(service(&device(&ended), ServiceField::Unit).as_deref(), Some("4"));
}

#[tokio::test(start_paused = true)]
async fn an_outstation_that_greets_its_master_needs_no_more_than_a_call_to_anybody() {
    for greets in [Greets::AtOnce, Greets::WhenAsked] {
        let shape = Shape { greets, ..sim::full() };
        let (ended, seen) = scan(shape, "", to(Level::Identify)).await;
        assert_eq!(outcome(&ended), Outcome::Identified);
        assert_eq!(addresses(&seen), [65532, 10, 10], "its own address and its master's are known");
        let note = service(&device(&ended), ServiceField::Note).unwrap();
        assert!(note.starts_with("speaks to the master with link address 1"), "{note}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_master_to_ask_as_nobody_is_read() {
    let shape = Shape { greets: Greets::No, itself: Some(10), ..sim::full() };
    let (ended, seen) = scan(shape.clone(), "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert_eq!(asked(&ended), ["RequestLinkStatus"; 2]);
    assert_eq!(addresses(&seen), [65532, 10]);
    assert_eq!(service(&device(&ended), ServiceField::Unit).as_deref(), Some("10"));
    let (ended, _) = scan(shape, "", as_master(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified, "the policy says who its master is");
}

#[tokio::test(start_paused = true)]
async fn where_neither_list_nor_all_is_to_be_had_attributes_are_read_one_by_one() {
    let (ended, _) = scan(sim::partial(), "", as_master(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let expected = [
        ("vendor", "Brakkenholt Drives"),
        ("model", "BH-RC Recloser"),
        ("serial_number", "RC-90210"),
        ("firmware", "2.07"),
        ("device_class", "recloser control"),
    ];
    assert_eq!(identity(&device(&ended)), owned(&expected));
    let health = "restarted, and nobody has taken note, wants the time";
    assert_eq!(state(&device(&ended)), owned(&[("health", health)]));
    assert_eq!(service(&device(&ended), ServiceField::Unit).as_deref(), Some("1024"));
}

#[tokio::test(start_paused = true)]
async fn an_outstation_without_attributes_is_left_after_a_few_refusals() {
    let (ended, _) = scan(sim::bare(), "?outstation=4", as_master(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    let expected = [
        "RequestLinkStatus",
        "ReadAttributeList",
        "ReadAllAttributes",
        "ReadManufacturer",
        "ReadProductName",
    ];
    assert_eq!(asked(&ended), expected);
    let mut shape = sim::bare();
    shape.outstations.get_mut(&4).unwrap().refuses = 0x01;
    let (ended, _) = scan(shape, "?outstation=4", as_master(Level::State)).await;
    assert_eq!(asked(&ended).len(), 2, "who does not know the function is not asked again");
}

#[tokio::test(start_paused = true)]
async fn several_outstations_behind_one_address_are_stations_of_their_own() {
    let query = "?outstation=11,12,13&master=1";
    let (ended, seen) = scan(sim::concentrator(), query, to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let device = device(&ended);
    assert!(device.identity.is_empty());
    let children: Vec<(&str, String)> = { device.children.values() }
        .map(|child| (child.path(), identity(child)[2].1.clone()))
        .collect();
    let expected = [
        ("default/10.1.1.7/dnp3/20000/11", "C-1".to_owned()),
        ("default/10.1.1.7/dnp3/20000/12", "F-12".to_owned()),
        ("default/10.1.1.7/dnp3/20000/13", "F-13".to_owned()),
    ];
    assert_eq!(children, expected);
    assert_eq!(seen.connections, 1);
    let by_policy =
        to(Level::Identify).protocol("dnp3", |dnp3| dnp3.master(1).outstation(12).outstation(13));
    let (ended, seen) = scan(sim::concentrator(), "", by_policy).await;
    assert_eq!(ended.report.assets.iter().next().unwrap().node.children.len(), 2);
    assert!(!addresses(&seen).contains(&11), "nobody asked for it");
}

#[tokio::test(start_paused = true)]
async fn an_outstation_that_is_not_there_ends_the_walk_after_one_that_is() {
    let query = "?outstation=11,99,13&master=1";
    let (ended, seen) = scan(sim::concentrator(), query, to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified, "what was found is kept");
    assert_eq!(addresses(&seen), [11, 11, 11, 99], "nobody can tell whether it harmed somebody");
    assert_eq!(ended.report.counters.went_dark, 0);
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_long_answer_is_read_attribute_by_attribute_and_nothing_is_confirmed() {
    let (ended, _) = scan(sim::fragmented(), "?outstation=10&master=1", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let said = identity(&device(&ended));
    for field in ["vendor", "model", "serial_number", "firmware", "device_name"] {
        assert!(said.iter().any(|(one, _)| *one == field), "{field} in {said:?}");
    }
    let note = service(&device(&ended), ServiceField::Note).unwrap();
    assert!(note.ends_with("has more to say than one answer holds"), "{note}");
    let singles = asked(&ended).len() - 3;
    assert!(singles > 4, "{:?}", asked(&ended));
}

#[tokio::test(start_paused = true)]
async fn an_outstation_that_waits_for_its_master_is_not_taken_for_dead() {
    let (ended, seen) = scan(sim::waiting(), "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert_eq!(asked(&ended), ["RequestLinkStatus", "ReadAttributeList"]);
    assert_eq!(ended.report.counters.went_dark, 0);
    assert_eq!(service(&device(&ended), ServiceField::Unit).as_deref(), Some("10"));
    assert_eq!(seen.after_dark, 0);
}

#[tokio::test(start_paused = true)]
async fn an_outstation_that_dies_of_a_read_is_quarantined() {
    for fatal in [2, 3] {
        let dying = Faulty::new(Server::new(sim::fragmented()), Fault::DarkAfter(fatal));
        let (ended, seen) = scan_any(dying, "?outstation=10&master=1", to(Level::Identify)).await;
        assert_eq!(ended.report.counters.went_dark, 1, "{fatal}: {:?}", ended.report.outcomes);
        assert_eq!((seen.after_dark, seen.requests), (0, fatal + 1));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_in_a_burst() {
    let mute = Faulty::new(Server::new(sim::full()), Fault::Mute);
    let policy = to(Level::Identify);
    let most = policy.limits.link_addresses as usize;
    let patience = Duration::from_millis(policy.limits.gateway_response_timeout_ms.into());
    let (ended, seen) = scan_any(mute, "?outstation=77", policy).await;
    assert_eq!(outcome(&ended), Outcome::Silent);
    assert_eq!(addresses(&seen), [77, 65532, 1, 10, 4], "named, itself, and the likeliest");
    assert_eq!(seen.requests as usize, 1 + most);
    for pair in seen.log.windows(2) {
        assert!(pair[1].at - pair[0].at >= patience, "one at a time, each in its time");
    }
    assert_eq!(ended.report.counters.went_dark, 0);
}

#[tokio::test(start_paused = true)]
async fn a_serial_line_is_kept_busy_for_a_small_part_of_its_time() {
    let shape = sim::behind_serial();
    let line = shape.line;
    let (ended, seen) = scan(shape, "?outstation=3&master=1", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let duty = to(Level::Identify).limits.bus_duty_percent;
    for pair in seen.log.windows(2) {
        assert!(pair[1].at - pair[0].at >= line * (100 / duty - 1), "{pair:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_strict_outstation_says_nothing_to_a_master_that_it_does_not_know() {
    let query = "?outstation=11&master=7";
    let (ended, seen) = scan(sim::concentrator(), query, to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert_eq!(seen.requests, 2, "it is not asked as anybody else");
}

/// Outstations of random abilities and texts.
fn any_shape() -> impl Strategy<Value = Shape> {
    let texts = proptest::collection::btree_map(196_u8..=253, ".{0,40}", 0..20);
    let knows = (any::<[bool; 5]>(), 0..3_usize, 40_usize..2048, any::<[u8; 2]>());
    (texts, knows, 0_u16..=65_519).prop_map(|(texts, (knows, greets, fragment, iin), address)| {
        let [gives_list, gives_all, waits, is_strict, by_itself] = knows;
        let text = |text: String| (1, text.into_bytes());
        let attributes: BTreeMap<u8, (u8, Vec<u8>)> =
            texts.into_iter().map(|(variation, value)| (variation, text(value))).collect();
        let outstation = Outstation {
            gives_list,
            gives_all,
            waits,
            is_strict,
            fragment,
            indications: [iin[0], iin[1] & 0x28],
            attributes,
            ..Outstation::default()
        };
        Shape {
            datagrams: address % 2 == 0,
            outstations: BTreeMap::from([(address, outstation)]),
            itself: by_itself.then_some(address),
            greets: [Greets::No, Greets::AtOnce, Greets::WhenAsked][greets],
            ..Shape::default()
        }
    })
}

/// Sends each frame of an answer by itself, a moment after the one before.
#[derive(Debug)]
struct FrameByFrame(Server);

impl Device for FrameByFrame {
    fn protocol(&self) -> &'static str {
        "dnp3"
    }

    fn connect(&self, visit: Visit) -> Greeting {
        self.0.connect(visit)
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        const FRAME: usize = 292;
        let mut reply = self.0.answer(visit, received);
        let parts =
            std::mem::take(&mut reply.actions).into_iter().flat_map(|action| match action {
                Action::Send(bytes) => bytes
                    .chunks(FRAME)
                    .flat_map(|part| [Action::Wait(MOMENT), Action::Send(part.to_vec())])
                    .collect(),
                other => vec![other],
            });
        Reply { actions: parts.collect(), ..reply }
    }
}

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn an_answer_in_several_frames_is_read_whole_on_the_fastest_network() {
    let device = FrameByFrame(Server::new(sim::full()));
    let wiring = Network::wiring().latency(Duration::from_micros(50)).device(AT, device);
    let policy = as_master(Level::State);
    let most = policy.limits.device_packets_per_s as usize;
    let setting = Setting::new(wiring.done()).with_policy(policy);
    let ended = setting.scan(&format!("dnp3://{AT}")).await;
    assert_eq!(outcome(&ended), Outcome::Identified, "{:?}", ended.report.outcomes);
    assert!(asked(&ended).contains(&"ReadAllAttributes"));
    let packets = setting.network.capture();
    let busiest = common::limits::busiest_second(packets.iter().map(|packet| packet.at));
    assert!(busiest <= most, "{busiest}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_an_outstation_is_the_dialogue_ends_in_order(
        shape in any_shape(),
        level in 0..4_usize,
        named in any::<bool>(),
        datagrams in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (address, outstation) = shape.outstations.iter().next().unwrap();
        let (address, outstation) = (*address, outstation.clone());
        let query = if named { format!("?outstation={address}&master=1") } else { String::new() };
        let policy = match datagrams {
            true => by_datagrams(Level::ALL[level]).protocol("dnp3", |dnp3| dnp3.allow("connect")),
            false => to(Level::ALL[level]),
        };
        let most = policy.limits.requests_per_conversation;
        let (ended, seen) = runtime.block_on(scan(shape, &query, policy));
        let asked = asked(&ended);
        prop_assert!(seen.requests_by_unit.values().all(|count| *count <= most.into()));
        prop_assert!(seen.connections <= 1);
        prop_assert_eq!(ended.report.counters.went_dark, 0);
        if named {
            let found = device(&ended);
            let address = address.to_string();
            let unit = service(&found, ServiceField::Unit);
            prop_assert_eq!(unit.as_deref(), Some(address.as_str()));
            let answers = level > 0 && !outstation.waits;
            prop_assert_eq!(asked.iter().any(|name| name.starts_with("Read")), level > 0);
            // What does not fit a fragment is asked for one by one, and may not fit then either.
            let at_once = asked.last() == Some(&"ReadAllAttributes");
            if answers && outstation.gives_all && at_once {
                for (variation, field) in [(252, "vendor"), (250, "model"), (248, "serial_number")] {
                    let (_, bytes) = outstation.attributes.get(&variation).cloned().unwrap_or_default();
                    let text = otcore::model::decode(&bytes);
                    let said = identity(&found).into_iter().find(|(one, _)| *one == field);
                    let said = said.map(|(_, value)| value).unwrap_or_default();
                    prop_assert_eq!(said, text);
                }
            }
        }
    }
}
