//! Devices that answer honestly but for one place: every byte of every answer, in every protocol.
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
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::devices::Changed;
use common::network::Network;
use common::{Setting, deepest};
use otcore::Outcome;
use otcore::protocols::{ALL, Probe};

/// What is wrong at one place of an answer. Lengths and checksums are right, or a decoder would see
/// no more than those.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// The answer ends there.
    Cut,
    /// One byte is this one.
    Is(u8),
    /// One byte is one more.
    More,
}

const KINDS: [Wrong; 4] = [Wrong::Is(0), Wrong::Is(0xFF), Wrong::Is(0x7F), Wrong::More];

/// What was answered so far.
#[derive(Debug, Default)]
struct Answers {
    count: AtomicUsize,
    /// Whether the byte was there to be changed.
    hit: AtomicUsize,
}

/// Where an honest answer is wrong.
#[derive(Clone, Copy)]
struct Odd {
    protocol: &'static str,
    /// Which answer, and which byte of what it says.
    nth: usize,
    place: usize,
    wrong: Wrong,
}

impl Odd {
    fn spoil(self, bytes: &mut Vec<u8>, answers: &Answers) {
        if answers.count.fetch_add(1, Ordering::SeqCst) != self.nth {
            return;
        }
        let mut said = open(self.protocol, bytes);
        if self.place < said.len() {
            answers.hit.store(1, Ordering::SeqCst);
            match self.wrong {
                Wrong::Cut => said.truncate(self.place),
                Wrong::Is(byte) => said[self.place] = byte,
                Wrong::More => said[self.place] = said[self.place].wrapping_add(1),
            }
            *bytes = sealed(self.protocol, bytes, &said);
        }
    }
}

/// How long the part with the length of the rest is.
fn head(protocol: &str) -> usize {
    match protocol {
        "modbus" => 6,
        "enip" => 24,
        "s7" | "bacnet" => 4,
        "dnp3" => 10,
        other => panic!("nobody here knows how {other} frames"),
    }
}

/// What an answer says, without the part that says how long it is.
fn open(protocol: &str, bytes: &[u8]) -> Vec<u8> {
    let rest = &bytes[head(protocol).min(bytes.len())..];
    match protocol {
        "dnp3" => rest.chunks(18).flat_map(|block| &block[..block.len() - 2]).copied().collect(),
        _ => rest.to_vec(),
    }
}

/// `said` in place of what the answer said.
fn sealed(protocol: &str, bytes: &[u8], said: &[u8]) -> Vec<u8> {
    let mut head = bytes[..head(protocol)].to_vec();
    let mut said = said.to_vec();
    let length = said.len() as u16;
    match protocol {
        "modbus" => head[4..6].copy_from_slice(&length.to_be_bytes()),
        "enip" => {
            head[2..4].copy_from_slice(&length.to_le_bytes());
            if head[0] == 0x6F && length >= 16 {
                said[14..16].copy_from_slice(&(length - 16).to_le_bytes());
            }
        }
        "s7" => {
            head[2..4].copy_from_slice(&(length + 4).to_be_bytes());
            let more = if said.get(4) == Some(&3) { 15 } else { 13 };
            if let Some(parameters) =
                said.get(9..11).map(|two| u16::from_be_bytes([two[0], two[1]]))
                && said.len() >= more
            {
                let data = length.saturating_sub(more as u16 + parameters);
                said[11..13].copy_from_slice(&data.to_be_bytes());
            }
        }
        "bacnet" => head[2..4].copy_from_slice(&(length + 4).to_be_bytes()),
        _ => {
            head.truncate(8);
            head[2] = 5 + length as u8;
            head.extend(checksum(&head.clone()));
            said = said.chunks(16).flat_map(|block| [block, &checksum(block)].concat()).collect();
        }
    }
    [head, said].concat()
}

/// The checksum of a block (IEEE 1815, clause 9.2.5.3).
fn checksum(block: &[u8]) -> [u8; 2] {
    let step = |sum: u16| if sum & 1 == 1 { (sum >> 1) ^ 0xA6BC } else { sum >> 1 };
    let sum = block.iter().fold(0, |sum, byte| (0..8).fold(sum ^ u16::from(*byte), |s, _| step(s)));
    (!sum).to_le_bytes()
}

/// A scan of the odd device: whether there was such a byte, and how many answers there were.
async fn scan(probe: &dyn Probe, nth: usize, place: usize, wrong: Wrong) -> (bool, usize) {
    let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), probe.port());
    let answers = Arc::<Answers>::default();
    let (odd, said) = (Odd { protocol: probe.name(), nth, place, wrong }, Arc::clone(&answers));
    let device = Changed::new(probe.simulate(), move |_, bytes| odd.spoil(bytes, &said));
    let network = Network::wiring().device(at, device).done();
    let setting = Setting::new(network).with_policy(deepest(probe, at));
    let ended = setting.scan(&at.ip().to_string()).await;
    let what = format!("{}: answer {nth}, byte {place}, {wrong:?}", probe.name());
    let [record] = &ended.report.outcomes[..] else { panic!("{what}") };
    assert_ne!(record.outcome, Outcome::Aborted, "{what}");
    let seen = setting.network.station(at).counters();
    assert_eq!(seen.violations, Vec::<String>::new(), "{what}");
    (answers.hit.load(Ordering::SeqCst) == 1, answers.count.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn whatever_one_byte_says_the_scan_ends_and_asks_nothing_that_changes_a_device() {
    for probe in ALL {
        let (_, answers) = scan(*probe, usize::MAX, 0, Wrong::More).await;
        assert!(answers > 2, "{} answers {answers} times", probe.name());
        for nth in 0..answers {
            let mut place = 0;
            while scan(*probe, nth, place, Wrong::Cut).await.0 {
                for wrong in KINDS {
                    scan(*probe, nth, place, wrong).await;
                }
                place += if place < 24 { 1 } else { 1 + (place + nth) % 7 };
            }
        }
    }
}
