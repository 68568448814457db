//! The independent eyes: what tshark makes of everything we send, and what the kernel really sent.
//!
//! Without tshark, or without root and tcpdump, the tests say so and pass.
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

mod peers_support;

#[path = "wire_dissect/dissect.rs"]
mod dissect;
#[path = "wire_dissect/eyes.rs"]
mod eyes;
#[path = "wire_dissect/kernel.rs"]
mod kernel;

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use dissect::{Question, dissect};
use eyes::{EYES, Eye, eye_on};
use otcore::gate::Pcapng;
use otcore::sim::{Device, Expected, Plant, Running};
use otcore::{Level, Policy, manifest};
use peers_support::{Peer, Scanned, Scratch, protocol_of, scan_into, skipped};

/// Everything that may be asked, asked.
fn everything() -> Policy {
    let policy = Policy::gentle().protocol("modbus", |modbus| {
        modbus.level(Level::State).allow("umas").allow("sunspec").unit(1).unit(2).unit(17)
    });
    let policy = policy.protocol("s7", |s7| s7.level(Level::State).allow("programmer"));
    let policy = policy.protocol("enip", |enip| enip.level(Level::State).allow("backplane"));
    let policy = policy.protocol("dnp3", |dnp3| {
        dnp3.on().level(Level::State).allow("connect").allow("datagrams").outstation(10).master(1)
    });
    let mut policy = policy
        .protocol("bacnet", |bacnet| bacnet.level(Level::State).allow("routed").allow("bbmd"));
    // Who does not know how to answer several questions at once needs many.
    policy.limits.set("requests_per_conversation", 64).unwrap();
    policy
}

#[test]
fn every_protocol_is_looked_at() {
    let looked_at: Vec<&str> = EYES.iter().map(|eye| eye.protocol).collect();
    let spoken: Vec<&str> = otcore::protocols::ALL.iter().map(|probe| probe.name()).collect();
    assert_eq!(looked_at, spoken);
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Scans and writes a capture file, and asks tshark what is in it.
async fn scan_and_dissect(
    name: &str,
    eye: &Eye,
    targets: &[SocketAddr],
) -> Option<(Scanned, Vec<Question>)> {
    if !runs("tshark") {
        skipped(&format!("{name}: tshark is not installed, so nobody dissects what we send"));
        return None;
    }
    let scratch = Scratch::new(&format!("{name}.pcapng"));
    let capture = Pcapng::new(File::create(scratch.path()).unwrap()).unwrap();
    let urls: Vec<String> = targets.iter().map(|at| format!("{}://{at}", eye.protocol)).collect();
    let scanned = scan_into(&urls, everything(), vec![Box::new(capture)]).await;
    let questions = dissect(eye, scratch.path(), targets);
    Some((scanned, questions))
}

/// tshark sees the questions of the journal, all of them and no others, as clean requests of the
/// manifest.
fn all_are_known_questions(eye: &Eye, scanned: &Scanned, seen: &[Question]) {
    let manifest = manifest();
    let of_protocol = manifest.protocols.iter().filter(|entry| entry.protocol == eye.protocol);
    let functions = of_protocol.flat_map(|entry| &entry.functions);
    let known: Vec<&[u8]> = functions.map(|facts| facts.selector.path()).collect();
    for question in seen {
        let ends = |end: &&str| question.protocols.ends_with(*end);
        assert!(eye.protocols.iter().any(ends), "{question:?}");
        assert_eq!(question.complaints, Vec::<String>::new(), "{question:?}");
        assert!(!question.selector.is_empty(), "{question:?}");
        let read_alike = |selector: &&[u8]| match eye.begins_after {
            Some(header) => {
                question.bytes[header..].starts_with(selector)
                    && selector.starts_with(&question.selector)
            }
            None => **selector == question.selector,
        };
        assert!(known.iter().any(read_alike), "not known: {question:?}");
    }
    let mut dissected: Vec<&[u8]> = seen.iter().map(|question| question.bytes.as_slice()).collect();
    let questions = scanned.questions();
    let mut sent: Vec<&[u8]> = questions.iter().map(Vec::as_slice).collect();
    dissected.sort_unstable();
    sent.sort_unstable();
    assert_eq!(dissected, sent, "the capture file holds what the journal holds");
}

/// Asks devices of one protocol for everything, and has tshark look at it: which functions of the manifest
/// none of them was asked. `None` if nobody can look.
async fn unasked(
    protocol: &str,
    devices: impl IntoIterator<Item = impl Device + 'static>,
) -> Option<Vec<&'static str>> {
    let plant = devices.into_iter().enumerate().fold(Plant::new(), |plant, (at, device)| {
        plant.with(Expected { name: format!("{protocol}-{at}"), ..Expected::default() }, device)
    });
    let plant = plant.start().await.unwrap();
    let targets: Vec<SocketAddr> = plant.devices().iter().map(|device| device.addr).collect();
    let eye = eye_on(protocol);
    let (scanned, seen) = scan_and_dissect(protocol, eye, &targets).await?;
    all_are_known_questions(eye, &scanned, &seen);
    assert_eq!(plant.violations(), Vec::<String>::new());
    let asked: BTreeSet<&[u8]> = seen.iter().map(|question| &question.selector[..]).collect();
    let manifest = manifest();
    let entry = manifest.protocols.iter().find(|entry| entry.protocol == protocol).unwrap();
    let functions = entry.functions.iter();
    let unasked = functions.filter(|facts| !asked.contains(facts.selector.path()));
    Some(unasked.map(|facts| facts.name).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_a_plant_for_questions_of_the_manifest() {
    let plant = Plant::demo().start().await.unwrap();
    let speaks_modbus = |device: &&Running| device.target().starts_with("modbus://");
    let devices = plant.devices().iter().filter(speaks_modbus);
    let targets: Vec<SocketAddr> = devices.map(|device| device.addr).collect();
    let eye = eye_on("modbus");
    let Some((scanned, seen)) = scan_and_dissect("plant", eye, &targets).await else { return };
    all_are_known_questions(eye, &scanned, &seen);
    let functions: BTreeSet<u8> = seen.iter().map(|question| question.selector[0]).collect();
    assert_eq!(functions, BTreeSet::from([0x03, 0x11, 0x2B, 0x5A]), "every kind was asked");
    assert_eq!(plant.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_s7_controllers_for_questions_of_the_manifest() {
    use otcore::protocols::s7::sim;
    // As Snap7 does: with its protection in the first list, so that its location still fits.
    let mut cut = sim::s7_300().that_cuts_its_lists_short();
    let protection = cut.lists.get(&(0x0132, 4)).cloned().unwrap();
    cut.lists.insert((0x0232, 4), protection);
    let cpus = [
        sim::s7_300(),
        sim::Cpu { addresses: vec![[3, 2]], ..sim::s7_400() },
        sim::Cpu { addresses: vec![[1, 1]], ..sim::s7_1500() },
        sim::logo(),
        sim::plus_only(),
        cut,
    ];
    let Some(unasked) = unasked("s7", cpus.map(sim::Server::new)).await else { return };
    assert_eq!(unasked, ["ConnectOperator"], "with consent to more, nobody calls as a panel");
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_enip_devices_for_questions_of_the_manifest() {
    use otcore::protocols::enip::sim;
    let devices = sim::every_kind().into_iter().map(sim::Server::new);
    let Some(unasked) = unasked("enip", devices).await else { return };
    assert_eq!(unasked, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_outstations_for_questions_of_the_manifest() {
    use otcore::protocols::dnp3::sim;
    // One that has everything and gives it one by one only, and one that listens for datagrams.
    let mut single = sim::fragmented();
    single.outstations.get_mut(&10).unwrap().gives_all = false;
    let mut rest = single.clone();
    let attributes = &mut rest.outstations.get_mut(&10).unwrap().attributes;
    attributes.retain(|variation, _| matches!(variation, 196..=200 | 207..=209 | 249));
    let by_datagrams = sim::Shape { datagrams: true, ..sim::full() };
    let shapes = [sim::full(), single, rest, by_datagrams, sim::bare()];
    let Some(unasked) = unasked("dnp3", shapes.map(sim::Server::new)).await else { return };
    assert_eq!(unasked, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_bacnet_devices_for_questions_of_the_manifest() {
    use otcore::protocols::bacnet::sim;
    // One that is asked one by one and does not say who made it, but for a number.
    let mut nameless = sim::room_sensor();
    for properties in nameless.heads[0].objects.values_mut() {
        properties.remove(&121);
    }
    let devices = sim::every_kind().into_iter().chain([nameless]).map(sim::Server::new);
    let Some(unasked) = unasked("bacnet", devices).await else { return };
    assert_eq!(unasked, ["CallEverybody"], "which takes a network");
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_a_foreign_server_for_questions_of_the_manifest() {
    for (name, at_least) in [
        ("modbus-pymodbus-long", 6),
        ("s7-snap7", 12),
        ("enip-opener", 10),
        ("dnp3-opendnp3-quiet", 4),
        ("bacnet-bacpypes3-router", 12),
    ] {
        let Some(peer) = Peer::start(name) else { continue };
        let eye = eye_on(protocol_of(name));
        let Some((scanned, seen)) = scan_and_dissect(name, eye, &[peer.at]).await else { return };
        all_are_known_questions(eye, &scanned, &seen);
        assert!(seen.len() >= at_least, "{seen:?}");
    }
}
