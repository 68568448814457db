//! Devices that refuse every question with one code: every code there is, in every protocol.
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

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use common::devices::Changed;
use common::network::Network;
use common::{Setting, deepest};
use otcore::Outcome;
use otcore::protocols::ALL;

/// An honest answer made a refusal with this code.
type Refuse = fn(&[u8], u8) -> Vec<u8>;

/// In which forms a protocol refuses.
fn forms(protocol: &str) -> &'static [Refuse] {
    match protocol {
        "modbus" => &[modbus],
        "enip" => &[enip],
        "s7" => &[s7_connection, s7],
        "bacnet" => &[bacnet_error, bacnet_reject, bacnet_abort],
        "dnp3" => &[dnp3],
        other => panic!("nobody here knows how {other} refuses"),
    }
}

fn modbus(honest: &[u8], code: u8) -> Vec<u8> {
    [&honest[..4], &[0, 3, honest[6], honest[7] | 0x80, code]].concat()
}

/// The status of the message in the encapsulation, or of the encapsulation itself.
fn enip(honest: &[u8], code: u8) -> Vec<u8> {
    let mut refused = honest.to_vec();
    if honest[0] == 0x6F {
        refused[42] = code;
        return refused;
    }
    refused.truncate(24);
    refused[2..4].fill(0);
    refused[8] = code;
    refused
}

/// A disconnect request in place of a connection; what comes after one stays as it is.
fn s7_connection(honest: &[u8], code: u8) -> Vec<u8> {
    match honest[5] {
        0xD0 => [&[3, 0, 0, 11, 6, 0x80], &honest[6..10], &[code]].concat(),
        _ => honest.to_vec(),
    }
}

/// The error of an acknowledgement, or that of user data.
fn s7(honest: &[u8], code: u8) -> Vec<u8> {
    let mut refused = honest.to_vec();
    if honest[5] != 0xF0 {
        return refused;
    }
    if honest[8] == 3 {
        refused[17..19].fill(code);
        return refused;
    }
    refused.truncate(29);
    refused[27..29].fill(code);
    refused.extend([0x0A, 0, 0, 0]);
    refused[2..4].copy_from_slice(&[0, 33]);
    refused[15..17].copy_from_slice(&[0, 4]);
    refused
}

fn bacnet(honest: &[u8], apdu: &[u8]) -> Vec<u8> {
    let is_answer = honest[1] == 0x0A && honest[4..7] == [1, 0, 0x30];
    match is_answer {
        true => [&[0x81, 0x0A, 0, 6 + apdu.len() as u8, 1, 0], apdu].concat(),
        false => honest.to_vec(),
    }
}

fn bacnet_error(honest: &[u8], code: u8) -> Vec<u8> {
    bacnet(honest, &[0x50, honest[7], honest[8], 0x91, code, 0x91, code])
}

fn bacnet_reject(honest: &[u8], code: u8) -> Vec<u8> {
    bacnet(honest, &[0x60, honest[7], code])
}

fn bacnet_abort(honest: &[u8], code: u8) -> Vec<u8> {
    bacnet(honest, &[0x71, honest[7], code])
}

/// Indications in place of the objects of a response; other frames stay as they are.
fn dnp3(honest: &[u8], code: u8) -> Vec<u8> {
    if honest.len() < 18 || honest[12] != 0x81 {
        return honest.to_vec();
    }
    let mut head = honest[..8].to_vec();
    head[2] = 10;
    let data = [honest[10] | 0xC0, honest[11], honest[12], 0, code];
    [&head[..], &checksum(&head), &data, &checksum(&data)].concat()
}

/// The checksum of a block (IEEE 1815, clause 9.2.5.3).
fn checksum(block: &[u8]) -> [u8; 2] {
    let step = |sum: u16| if sum & 1 == 1 { (sum >> 1) ^ 0xA6BC } else { sum >> 1 };
    let sum = block.iter().fold(0, |sum, byte| (0..8).fold(sum ^ u16::from(*byte), |s, _| step(s)));
    (!sum).to_le_bytes()
}

#[tokio::test(start_paused = true)]
async fn every_error_code_of_every_protocol_is_an_honest_outcome() {
    for probe in ALL {
        let mut outcomes = BTreeSet::new();
        let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), probe.port());
        for (form, refuse) in forms(probe.name()).iter().enumerate() {
            for code in 0..=u8::MAX {
                let refuse = *refuse;
                let says = move |_, bytes: &mut Vec<u8>| *bytes = refuse(bytes, code);
                let device = Changed::new(probe.simulate(), says);
                let network = Network::wiring().device(at, device).done();
                let setting = Setting::new(network).with_policy(deepest(*probe, at));
                let ended = setting.scan(&at.ip().to_string()).await;
                let what = format!("{} with code {code:#04x} in form {form}", probe.name());
                let [record] = &ended.report.outcomes[..] else { panic!("{what}") };
                // Nothing was silent, and nobody else spoke.
                let dishonest = matches!(
                    record.outcome,
                    Outcome::Silent | Outcome::WentDark | Outcome::Unsupported | Outcome::Aborted
                );
                assert!(!dishonest, "{what}: {record:?}");
                let seen = setting.network.station(at).counters();
                assert_eq!(seen.violations, Vec::<String>::new(), "{what}");
                outcomes.insert(record.outcome);
            }
        }
        let told_apart = outcomes.len() > 1 && outcomes.contains(&Outcome::Busy);
        assert!(told_apart, "{} has {outcomes:?}", probe.name());
    }
}
