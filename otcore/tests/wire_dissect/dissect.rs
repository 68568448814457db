//! What tshark reads in a capture file of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use otcore::model::Transport;

use crate::eyes::Eye;

/// What an older tshark says of the device attributes that DNP3 got last; it reads them all the same.
const NOT_YET_KNOWN: &str = "Unknown Group 0 Variation";

/// A payload of ours as tshark reads it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) protocols: String,
    /// What tshark knows of the selector.
    pub(crate) selector: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) complaints: Vec<String>,
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

pub(crate) fn dissect(eye: &Eye, file: &Path, targets: &[SocketAddr]) -> Vec<Question> {
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
pub(crate) struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl Fields<'_> {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0[field]
    }

    /// The numbers in those of these fields that there are.
    fn numbers(&self, fields: &[&str]) -> Vec<u16> {
        let texts = fields.iter().map(|field| self.text(field));
        texts.filter(|text| !text.is_empty()).map(number).collect()
    }

    pub(crate) fn bytes(&self, fields: &[&str]) -> Vec<u8> {
        self.numbers(fields).into_iter().map(|number| u8::try_from(number).unwrap()).collect()
    }

    pub(crate) fn words(&self, fields: &[&str]) -> Vec<u8> {
        self.numbers(fields).into_iter().flat_map(u16::to_be_bytes).collect()
    }
}

pub(crate) fn number(text: &str) -> u16 {
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

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}
