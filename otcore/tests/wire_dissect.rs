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

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use otcore::gate::Pcapng;
use otcore::gate::journal::What;
use otcore::model::Transport;
use otcore::sim::{Expected, Plant, Running};
use otcore::{Level, Policy, manifest};
use peers_support::{
    Peer, Process, Scanned, Scratch, moment, protocol_of, scan, scan_into, skipped,
};

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

/// How tshark looks at one protocol.
struct Eye {
    protocol: &'static str,
    /// What it takes our ports for.
    decode_as: &'static str,
    /// What it may end up with.
    protocols: &'static [&'static str],
    /// What it knows of a question.
    fields: &'static [&'static str],
    /// The selector as it reads it; it takes some questions apart less far than the manifest does.
    selector: fn(&Fields<'_>) -> Vec<u8>,
    /// Whether our own bytes begin with the selector, behind so many bytes of header.
    begins_after: Option<usize>,
}

const EYES: &[Eye] = &[
    Eye {
        protocol: "modbus",
        decode_as: "mbtcp",
        protocols: &[":mbtcp:modbus"],
        fields: &[
            "modbus.func_code",
            "modbus.mei",
            "modbus.read_device_id",
            "modbus.reference_num",
            "modbus.word_cnt",
        ],
        selector: |fields| {
            let bytes = ["modbus.func_code", "modbus.mei", "modbus.read_device_id"];
            let words = ["modbus.reference_num", "modbus.word_cnt"];
            [fields.bytes(&bytes), fields.words(&words)].concat()
        },
        begins_after: Some(7),
    },
    Eye {
        protocol: "s7",
        decode_as: "tpkt",
        protocols: &[":tpkt:cotp", ":tpkt:cotp:s7comm"],
        fields: &[
            "cotp.dst-tsap-bytes",
            "s7comm.header.rosctr",
            "s7comm.param.func",
            "s7comm.param.userdata.reqres1",
            "s7comm.param.userdata.type",
            "s7comm.param.userdata.funcgroup",
            "s7comm.param.userdata.subfunc",
            "s7comm.data.userdata.szl_id",
            "s7comm.data.userdata.szl_index",
        ],
        selector: |fields| {
            let called = bytes(fields.text("cotp.dst-tsap-bytes"));
            if let [kind, _place] = called[..] {
                return vec![0xE0, kind]; // only a connection request has an address
            }
            let head =
                ["s7comm.header.rosctr", "s7comm.param.func", "s7comm.param.userdata.reqres1"];
            let group = ["s7comm.param.userdata.type", "s7comm.param.userdata.funcgroup"];
            let group = match fields.bytes(&group)[..] {
                [kind, group] => vec![kind << 4 | group],
                _ => Vec::new(),
            };
            let list = ["s7comm.data.userdata.szl_id", "s7comm.data.userdata.szl_index"];
            let function = fields.bytes(&["s7comm.param.userdata.subfunc"]);
            [fields.bytes(&head), group, function, fields.words(&list)].concat()
        },
        begins_after: None,
    },
    Eye {
        protocol: "enip",
        decode_as: "enip",
        protocols: &[
            ":enip",
            ":enip:cip",
            ":enip:cip:cipcm",
            ":enip:cip:cipcm:cip",
            ":enip:cip:cipcls",
        ],
        fields: &["enip.command", "cip.sc", "cip.class", "cip.instance", "cip.attribute"],
        selector: |fields| {
            // Of an Unconnected Send it names the service, and those of the request inside.
            let all = |field| -> Vec<u8> {
                let texts = fields.text(field).split(',').filter(|text| !text.is_empty());
                texts.map(number).map(|number| u8::try_from(number).unwrap()).collect()
            };
            let (class, instance) = (all("cip.class"), all("cip.instance"));
            let mut selector = fields.bytes(&["enip.command"]);
            for (nth, service) in all("cip.sc").into_iter().enumerate() {
                selector.extend([service, class[nth], instance[nth]]);
            }
            selector.extend(all("cip.attribute"));
            selector
        },
        begins_after: None,
    },
    Eye {
        protocol: "bacnet",
        decode_as: "bvlc",
        protocols: &[":bvlc", ":bvlc:bacnet", ":bvlc:bacnet:bacapp"],
        fields: &[
            "bvlc.function",
            "bacnet.control",
            "bacnet.mesgtyp",
            "bacapp.type",
            "bacapp.confirmed_service",
            "bacapp.unconfirmed_service",
            "bacapp.objectType",
            "bacapp.property_identifier",
        ],
        selector: |fields| {
            let mut selector = fields.bytes(&["bvlc.function"]);
            // That a reply is expected follows from the kind of question.
            selector.extend(fields.bytes(&["bacnet.control"]).iter().map(|control| control & !4));
            selector.extend(fields.bytes(&["bacnet.mesgtyp"]));
            selector.extend(fields.bytes(&["bacapp.type"]).iter().map(|kind| kind << 4));
            let service = ["bacapp.confirmed_service", "bacapp.unconfirmed_service"];
            selector.extend(fields.bytes(&service));
            selector.extend(fields.bytes(&["bacapp.objectType"]));
            let properties = fields.text("bacapp.property_identifier").split(',');
            let mut properties: Vec<u16> =
                properties.filter(|text| !text.is_empty()).map(number).collect();
            // It names the list, but not which of its elements: of several each time.
            const LIST: u16 = 76;
            properties.dedup_by(|one, other| [&*one, &*other] == [&LIST, &LIST]);
            let counts = fields.text("udp.payload").ends_with("194c2900");
            let element = if counts { 0x4000 } else { 0x8000 };
            let words =
                properties.iter().map(|one| if *one == LIST { one | element } else { *one });
            selector.extend(words.flat_map(u16::to_be_bytes));
            selector
        },
        begins_after: None,
    },
    Eye {
        protocol: "dnp3",
        decode_as: "dnp3",
        protocols: &[":dnp3"],
        fields: &[
            "dnp3.ctl.prifunc",
            "dnp3.al.func",
            "dnp3.al.obj",
            "dnp3.al.objq.prefix",
            "dnp3.al.objq.range",
        ],
        selector: |fields| {
            let qualifier = ["dnp3.al.objq.prefix", "dnp3.al.objq.range"];
            let qualifier = match fields.bytes(&qualifier)[..] {
                [prefix, range] => vec![prefix << 4 | range],
                _ => Vec::new(),
            };
            let functions = fields.bytes(&["dnp3.ctl.prifunc", "dnp3.al.func"]);
            [functions, fields.words(&["dnp3.al.obj"]), qualifier].concat()
        },
        begins_after: None,
    },
];

impl Eye {
    fn takes(&self, carrier: Transport) -> bool {
        otcore::protocols::by_name(self.protocol).unwrap().carriers().contains(&carrier)
    }
}

fn eye_on(protocol: &str) -> &'static Eye {
    EYES.iter().find(|eye| eye.protocol == protocol).unwrap()
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

/// What an older tshark says of the device attributes that DNP3 got last; it reads them all the same.
const NOT_YET_KNOWN: &str = "Unknown Group 0 Variation";

/// A payload of ours as tshark reads it.
#[derive(Debug)]
struct Question {
    protocols: String,
    /// What tshark knows of the selector.
    selector: Vec<u8>,
    bytes: Vec<u8>,
    complaints: Vec<String>,
}

/// What it says of any payload.
const COMMON: [&str; 6] = [
    "frame.protocols",
    "tcp.payload",
    "udp.payload",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
];

fn dissect(eye: &Eye, file: &Path, targets: &[SocketAddr]) -> Vec<Question> {
    let ports: BTreeSet<String> = targets.iter().map(|at| at.port().to_string()).collect();
    let to = |port| format!("tcp.dstport=={port}||udp.dstport=={port}");
    let ours: Vec<String> = ports.iter().map(to).collect();
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-T", "fields", "-E", "separator=|"]);
    for port in &ports {
        if eye.takes(Transport::Tcp) {
            command.arg("-d").arg(format!("tcp.port=={port},{}", eye.decode_as));
        }
        if eye.takes(Transport::Udp) {
            command.arg("-d").arg(format!("udp.port=={port},{}", eye.decode_as));
        }
    }
    // Its own questions about the port are answered by naming it.
    if !eye.takes(Transport::Udp) {
        let named: Vec<&str> = ports.iter().map(String::as_str).collect();
        command.arg("-o").arg(format!("{}.tcp.port:{}", eye.decode_as, named.join(",")));
    }
    command.arg("-Y").arg(format!("(tcp.len>0 || udp) && ({})", ours.join("||")));
    let names: Vec<&str> = COMMON.iter().chain(eye.fields).copied().collect();
    for field in &names {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let fields = |line| Fields(names.iter().copied().zip(str::split(line, '|')).collect());
    lines.lines().map(|line| question(eye, &fields(line))).collect()
}

/// The fields of one payload by name.
struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl Fields<'_> {
    fn text(&self, field: &str) -> &str {
        self.0[field]
    }

    /// The numbers in those of these fields that there are.
    fn numbers(&self, fields: &[&str]) -> Vec<u16> {
        let texts = fields.iter().map(|field| self.text(field));
        texts.filter(|text| !text.is_empty()).map(number).collect()
    }

    fn bytes(&self, fields: &[&str]) -> Vec<u8> {
        self.numbers(fields).into_iter().map(|number| u8::try_from(number).unwrap()).collect()
    }

    fn words(&self, fields: &[&str]) -> Vec<u8> {
        self.numbers(fields).into_iter().flat_map(u16::to_be_bytes).collect()
    }
}

fn number(text: &str) -> u16 {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |hex| (hex, 16));
    u16::from_str_radix(digits, radix).unwrap()
}

fn question(eye: &Eye, fields: &Fields<'_>) -> Question {
    // That a segment pushes, opens or closes is no complaint: notes and chats are left out.
    const WARNING: u32 = 0x0060_0000;
    let severe = fields.text("_ws.expert.severity").split(',').filter_map(|text| text.parse().ok());
    let severe = severe.filter(|severity: &u32| *severity >= WARNING);
    let message = fields.text("_ws.expert.message");
    let mut complaints: Vec<String> =
        severe.map(|severity| format!("{severity:#x} {message}")).collect();
    complaints.retain(|complaint| !complaint.ends_with(NOT_YET_KNOWN));
    let malformed = Some(fields.text("_ws.malformed").to_owned());
    complaints.extend(malformed.filter(|text| !text.is_empty()));
    Question {
        protocols: fields.text("frame.protocols").to_owned(),
        selector: (eye.selector)(fields),
        bytes: bytes(&[fields.text("tcp.payload"), fields.text("udp.payload")].concat()),
        complaints,
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
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
    let plant = cpus.into_iter().enumerate().fold(Plant::new(), |plant, (number, cpu)| {
        let expected = Expected { name: format!("cpu-{number}"), ..Expected::default() };
        plant.with(expected, sim::Server::new(cpu))
    });
    let plant = plant.start().await.unwrap();
    let targets: Vec<SocketAddr> = plant.devices().iter().map(|device| device.addr).collect();
    let eye = eye_on("s7");
    let Some((scanned, seen)) = scan_and_dissect("s7", eye, &targets).await else { return };
    all_are_known_questions(eye, &scanned, &seen);
    let asked: BTreeSet<&[u8]> = seen.iter().map(|question| &question.selector[..]).collect();
    let manifest = manifest();
    let entry = manifest.protocols.iter().find(|entry| entry.protocol == "s7").unwrap();
    for facts in &entry.functions {
        // With consent to more, a stranger is not called as an operator station.
        let is_asked = asked.contains(facts.selector.path());
        assert_eq!(is_asked, facts.name != "ConnectOperator", "{}", facts.name);
    }
    assert_eq!(plant.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_enip_devices_for_questions_of_the_manifest() {
    use otcore::protocols::enip::sim;
    let plant =
        sim::every_kind().into_iter().enumerate().fold(Plant::new(), |plant, (at, shape)| {
            let expected = Expected { name: format!("device-{at}"), ..Expected::default() };
            plant.with(expected, sim::Server::new(shape))
        });
    let plant = plant.start().await.unwrap();
    let targets: Vec<SocketAddr> = plant.devices().iter().map(|device| device.addr).collect();
    let eye = eye_on("enip");
    let Some((scanned, seen)) = scan_and_dissect("enip", eye, &targets).await else { return };
    all_are_known_questions(eye, &scanned, &seen);
    let asked: BTreeSet<&[u8]> = seen.iter().map(|question| &question.selector[..]).collect();
    let manifest = manifest();
    let entry = manifest.protocols.iter().find(|entry| entry.protocol == "enip").unwrap();
    let unasked: Vec<&str> = { entry.functions.iter() }
        .filter(|facts| !asked.contains(facts.selector.path()))
        .map(|facts| facts.name)
        .collect();
    assert_eq!(unasked, Vec::<&str>::new());
    assert_eq!(plant.violations(), Vec::<String>::new());
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
    let plant = shapes.into_iter().enumerate().fold(Plant::new(), |plant, (at, shape)| {
        let expected = Expected { name: format!("outstation-{at}"), ..Expected::default() };
        plant.with(expected, sim::Server::new(shape))
    });
    let plant = plant.start().await.unwrap();
    let targets: Vec<SocketAddr> = plant.devices().iter().map(|device| device.addr).collect();
    let eye = eye_on("dnp3");
    let Some((scanned, seen)) = scan_and_dissect("dnp3", eye, &targets).await else { return };
    all_are_known_questions(eye, &scanned, &seen);
    let asked: BTreeSet<&[u8]> = seen.iter().map(|question| &question.selector[..]).collect();
    let manifest = manifest();
    let entry = manifest.protocols.iter().find(|entry| entry.protocol == "dnp3").unwrap();
    let unasked: Vec<&str> = { entry.functions.iter() }
        .filter(|facts| !asked.contains(facts.selector.path()))
        .map(|facts| facts.name)
        .collect();
    assert_eq!(unasked, Vec::<&str>::new());
    assert_eq!(plant.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_bacnet_devices_for_questions_of_the_manifest() {
    use otcore::protocols::bacnet::sim;
    let plant =
        sim::every_kind().into_iter().enumerate().fold(Plant::new(), |plant, (at, shape)| {
            let expected = Expected { name: format!("device-{at}"), ..Expected::default() };
            plant.with(expected, sim::Server::new(shape))
        });
    let plant = plant.start().await.unwrap();
    let targets: Vec<SocketAddr> = plant.devices().iter().map(|device| device.addr).collect();
    let eye = eye_on("bacnet");
    let Some((scanned, seen)) = scan_and_dissect("bacnet", eye, &targets).await else { return };
    all_are_known_questions(eye, &scanned, &seen);
    let asked: BTreeSet<&[u8]> = seen.iter().map(|question| &question.selector[..]).collect();
    let manifest = manifest();
    let entry = manifest.protocols.iter().find(|entry| entry.protocol == "bacnet").unwrap();
    let unasked: Vec<&str> = { entry.functions.iter() }
        .filter(|facts| !asked.contains(facts.selector.path()))
        .map(|facts| facts.name)
        .collect();
    assert_eq!(unasked, ["CallEverybody"], "which takes a network");
    assert_eq!(plant.violations(), Vec::<String>::new());
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

/// Bytes of ours and packets of ours that tcpdump saw on loopback.
#[derive(Debug, Default)]
struct Wire {
    /// Payload by our port, in the order of sequence numbers.
    payload: BTreeMap<u16, BTreeMap<u32, Vec<u8>>>,
    packets: u64,
    resets: u64,
}

/// Reads a capture of IPv4 over Ethernet, as loopback looks to tcpdump on Linux.
fn read(capture: &[u8], to: SocketAddr) -> Wire {
    let mut wire = Wire::default();
    assert_eq!(capture[..4], 0xA1B2_C3D4_u32.to_ne_bytes(), "a pcap file of this machine");
    assert_eq!(capture[20], 1, "Ethernet");
    let mut rest = &capture[24..];
    while !rest.is_empty() {
        let length = u32::from_ne_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (frame, next) = rest[16..].split_at(length);
        rest = next;
        let ip = &frame[14..];
        let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = &ip[usize::from(ip[0] & 0x0F) * 4..total];
        if u16::from_be_bytes([tcp[2], tcp[3]]) != to.port() {
            continue;
        }
        wire.packets += 1;
        wire.resets += u64::from(tcp[13] & 0x04 != 0);
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        if !payload.is_empty() {
            let ours = u16::from_be_bytes([tcp[0], tcp[1]]);
            let sequence = u32::from_be_bytes(tcp[4..8].try_into().unwrap());
            wire.payload.entry(ours).or_default().insert(sequence, payload.to_vec());
        }
    }
    wire
}

/// What the journal says was sent, by our port.
fn journalled(scanned: &Scanned) -> BTreeMap<u16, Vec<u8>> {
    let mut ports = BTreeMap::new();
    let mut sent: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for entry in &scanned.journal {
        match &entry.what {
            What::Connected { local } => {
                ports.insert(entry.connection, local.port());
            }
            What::Sent { bytes, .. } => {
                sent.entry(ports[&entry.connection]).or_default().extend(bytes.as_ref());
            }
            _ => {}
        }
    }
    sent
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_sent_is_what_the_journal_says() {
    let plant = Plant::demo().start().await.unwrap();
    for name in ["compact-plc", "long-identity", "resets-on-server-id", "power-meter", "http"] {
        let device = plant.device(name).unwrap();
        let scratch = Scratch::new(&format!("{name}.pcap"));
        let Some(tcpdump) = listen(device.addr, scratch.path()) else { return };
        let scanned = scan(&[device.target()], everything()).await;
        moment().await;
        drop(tcpdump);

        let wire = read(&scratch.read(), device.addr);
        let payload = wire.payload.iter();
        let payload =
            payload.map(|(port, parts)| (*port, parts.values().flatten().copied().collect()));
        assert_eq!(payload.collect::<BTreeMap<u16, Vec<u8>>>(), journalled(&scanned), "{name}");
        assert_eq!(wire.resets, 0, "{name}: we say goodbye, we do not slam the door");
        let counted = scanned.report.counters.packets;
        assert!(
            wire.packets <= counted,
            "{name}: {} packets left, {counted} counted",
            wire.packets
        );
        println!("{name}: {} packets left, {counted} counted", wire.packets);
    }
}

/// tcpdump on loopback; `None`, and a notice, where it cannot run.
fn listen(to: SocketAddr, file: &Path) -> Option<Process> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root || !runs("tcpdump") {
        skipped("the journal against the wire: that takes root and tcpdump");
        return None;
    }
    let mut command = Command::new("tcpdump");
    command.args(["-i", "lo", "--immediate-mode", "-U", "-n", "-w"]).arg(file);
    command.arg(format!("tcp port {}", to.port()));
    Some(Process::start_until_error(&mut command, "listening on"))
}
