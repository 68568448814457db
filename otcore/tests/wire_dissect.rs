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
use otcore::sim::Plant;
use otcore::{Level, Policy, manifest};
use peers_support::{Peer, Process, Scanned, Scratch, moment, scan, scan_into, skipped};

/// Everything that may be asked, asked.
fn everything() -> Policy {
    Policy::gentle().protocol("modbus", |modbus| {
        modbus.level(Level::State).allow("umas").allow("sunspec").unit(1).unit(2).unit(17)
    })
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Scans and writes a capture file, and asks tshark what is in it.
async fn scan_and_dissect(name: &str, targets: &[SocketAddr]) -> Option<(Scanned, Vec<Question>)> {
    if !runs("tshark") {
        skipped(&format!("{name}: tshark is not installed, so nobody dissects what we send"));
        return None;
    }
    let scratch = Scratch::new(&format!("{name}.pcapng"));
    let capture = Pcapng::new(File::create(scratch.path()).unwrap()).unwrap();
    let urls: Vec<String> = targets.iter().map(|at| format!("modbus://{at}")).collect();
    let scanned = scan_into(&urls, everything(), vec![Box::new(capture)]).await;
    let questions = dissect(scratch.path(), targets);
    Some((scanned, questions))
}

/// A payload of ours as tshark reads it.
#[derive(Debug)]
struct Question {
    protocols: String,
    /// Function code, and what tshark knows of the rest of the selector.
    selector: Vec<u8>,
    bytes: Vec<u8>,
    complaints: Vec<String>,
}

const FIELDS: [&str; 10] = [
    "frame.protocols",
    "modbus.func_code",
    "modbus.mei",
    "modbus.read_device_id",
    "modbus.reference_num",
    "modbus.word_cnt",
    "tcp.payload",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
];

fn dissect(file: &Path, targets: &[SocketAddr]) -> Vec<Question> {
    let ports: BTreeSet<String> = targets.iter().map(|at| at.port().to_string()).collect();
    let ours: Vec<String> = ports.iter().map(|port| format!("tcp.dstport=={port}")).collect();
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-T", "fields", "-E", "separator=|"]);
    for port in &ports {
        command.arg("-d").arg(format!("tcp.port=={port},mbtcp"));
    }
    // Its own questions about the port are answered by naming it.
    let named: Vec<&str> = ports.iter().map(String::as_str).collect();
    command.arg("-o").arg(format!("mbtcp.tcp.port:{}", named.join(",")));
    command.arg("-Y").arg(format!("tcp.len>0 && ({})", ours.join("||")));
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(question).collect()
}

fn question(line: &str) -> Question {
    let fields: BTreeMap<&str, &str> = FIELDS.into_iter().zip(line.split('|')).collect();
    let number = |field: &str| {
        let text = fields[field];
        let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |hex| (hex, 16));
        u16::from_str_radix(digits, radix).ok()
    };
    let byte = |field: &str| number(field).map(|number| u8::try_from(number).unwrap());
    let mut selector: Vec<u8> = ["modbus.func_code", "modbus.mei", "modbus.read_device_id"]
        .into_iter()
        .filter_map(byte)
        .collect();
    for field in ["modbus.reference_num", "modbus.word_cnt"] {
        selector.extend(number(field).into_iter().flat_map(u16::to_be_bytes));
    }
    // That a segment pushes, opens or closes is no complaint: notes and chats are left out.
    const WARNING: u32 = 0x0060_0000;
    let severe = fields["_ws.expert.severity"].split(',').filter_map(|text| text.parse().ok());
    let severe = severe.filter(|severity: &u32| *severity >= WARNING);
    let mut complaints: Vec<String> =
        severe.map(|severity| format!("{severity:#x} {}", fields["_ws.expert.message"])).collect();
    complaints.extend(Some(fields["_ws.malformed"].to_owned()).filter(|text| !text.is_empty()));
    Question {
        protocols: fields["frame.protocols"].to_owned(),
        selector,
        bytes: bytes(fields["tcp.payload"]),
        complaints,
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// tshark sees the questions of the journal, all of them and no others, as clean Modbus requests of
/// the manifest.
fn all_are_known_questions(scanned: &Scanned, seen: &[Question]) {
    let manifest = manifest();
    let functions = manifest.protocols.iter().flat_map(|entry| &entry.functions);
    let known: Vec<&[u8]> = functions.map(|facts| facts.selector.path()).collect();
    for question in seen {
        assert!(question.protocols.ends_with(":mbtcp:modbus"), "{question:?}");
        assert_eq!(question.complaints, Vec::<String>::new(), "{question:?}");
        assert!(!question.selector.is_empty(), "{question:?}");
        // tshark takes some questions apart less far than the manifest does.
        let read_alike = |selector: &&[u8]| {
            question.bytes[7..].starts_with(selector) && selector.starts_with(&question.selector)
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
    let targets: Vec<SocketAddr> = plant.devices().iter().map(|device| device.addr).collect();
    let Some((scanned, seen)) = scan_and_dissect("plant", &targets).await else { return };
    all_are_known_questions(&scanned, &seen);
    let functions: BTreeSet<u8> = seen.iter().map(|question| question.selector[0]).collect();
    assert_eq!(functions, BTreeSet::from([0x03, 0x11, 0x2B, 0x5A]), "every kind was asked");
    assert_eq!(plant.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_takes_everything_we_send_to_a_foreign_server_for_questions_of_the_manifest() {
    let Some(peer) = Peer::start("modbus-pymodbus-long") else { return };
    let Some((scanned, seen)) = scan_and_dissect("peer", &[peer.at]).await else { return };
    all_are_known_questions(&scanned, &seen);
    assert!(seen.len() > 5, "{seen:?}");
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
