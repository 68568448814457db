//! S7 controllers with few connections, one of them a master's: what our visit costs the master.
//!
//! A pretend master connects before the scan, asks for the operating mode ten times a second while
//! it lasts, and has to be answered each time.
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
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::network::{Kind, Network};
use common::{Ended, Setting};
use otcore::protocols::s7::sim::{self, Cpu, Server, TurnsAway};
use otcore::sim::{Action, Device, Fault, Faulty, Greeting, Reply, Visit};
use otcore::{Level, Outcome, Policy};
use tokio::time::{Instant, sleep};

const AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), 102);
const BETWEEN_POLLS: Duration = Duration::from_millis(100);

/// A device that lets everybody in and drops the connection it has had longest when its table is
/// full.
#[derive(Debug)]
struct Evicting {
    server: Server,
    entries: usize,
    table: Mutex<Vec<u64>>,
}

impl Evicting {
    fn new(cpu: Cpu, entries: usize) -> Self {
        Self { server: Server::new(cpu), entries, table: Mutex::default() }
    }
}

impl Device for Evicting {
    fn protocol(&self) -> &'static str {
        self.server.protocol()
    }

    fn connect(&self, visit: Visit) -> Greeting {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        // The newest of those that the witness still counts as open; nobody says who left.
        table.truncate(visit.others);
        if table.len() >= self.entries {
            table.remove(0);
        }
        table.push(visit.connection);
        Greeting::Accept
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.contains(&visit.connection) {
            return self.server.answer(visit, received);
        }
        Reply { consumed: received.len(), actions: vec![Action::Reset], ..Reply::default() }
    }
}

/// What the master saw.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    polls: u32,
    lost: u32,
}

/// Whoever runs the plant: one connection that lasts, and a question ten times a second.
struct Master {
    network: Network,
    connection: u64,
    since: Instant,
}

impl Master {
    fn connects(network: &Network, slot: u8) -> Self {
        let since = Instant::now();
        let (connection, greeting) = network.station(AT).connect(Duration::ZERO);
        assert_eq!(greeting, Greeting::Accept);
        let master = Self { network: network.clone(), connection, since };
        let call = [3, 0, 0, 22, 17, 0xE0, 0, 0, 0, 9, 0, 0xC0, 1, 10, 0xC1, 2, 1, 0, 0xC2, 2, 2];
        assert!(master.is_answered(&[&call[..], &[slot]].concat()));
        let setup = "0300001902f08032010000000900080000f0000001000100f0";
        assert!(master.is_answered(&bytes(setup)));
        master
    }

    fn is_answered(&self, question: &[u8]) -> bool {
        let station = self.network.station(AT);
        let actions = station.receive(self.connection, question, self.since.elapsed());
        matches!(actions[..], [Action::Send(_), ..])
    }

    /// Asks until `scan` is over.
    async fn beside<T>(self, scan: impl Future<Output = T>) -> (T, Seen) {
        let mode = bytes("0300002102f080320700000009000800080001120411440100ff09000404240000");
        let mut seen = Seen::default();
        let mut scan = std::pin::pin!(scan);
        loop {
            tokio::select! {
                ended = &mut scan => return (ended, seen),
                () = sleep(BETWEEN_POLLS) => {
                    seen.polls += 1;
                    seen.lost += u32::from(!self.is_answered(&mode));
                }
            }
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// A scan of everything that `device` says, with its master beside it.
async fn scan_beside_master(device: impl Device + 'static, slot: u8) -> (Ended, Seen, Network) {
    let network = Network::wiring().device(AT, device).done();
    let policy = Policy::gentle().protocol("s7", |s7| s7.level(Level::State));
    let setting = Setting::new(network.clone()).with_policy(policy);
    let master = Master::connects(&network, slot);
    let (ended, seen) = master.beside(setting.scan(&format!("s7://{AT}"))).await;
    assert!(seen.polls > 0, "the scan took no time");
    assert_eq!(network.station(AT).counters().violations, Vec::<String>::new());
    (ended, seen, network)
}

fn outcome(ended: &Ended) -> Outcome {
    let [record] = &ended.report.outcomes[..] else { panic!("{:?}", ended.report.outcomes) };
    record.outcome
}

/// One that is found at once, one that is called twice, one that turns everybody away.
fn controllers() -> [(Cpu, u8); 4] {
    let closed = |turns_away| Cpu { addresses: vec![[2, 2]], turns_away, ..sim::s7_300() };
    [
        (sim::s7_300(), 2),
        (Cpu { addresses: vec![[3, 1], [2, 1]], ..sim::s7_300() }, 1),
        (closed(TurnsAway::Reason(3)), 2),
        (closed(TurnsAway::HangsUp), 2),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_table_with_room_for_two_never_turns_the_master_away() {
    for (cpu, slot) in controllers() {
        let (_, seen, network) = scan_beside_master(Evicting::new(cpu.clone(), 2), slot).await;
        assert_eq!(seen.lost, 0, "evicted: {seen:?}");
        assert_eq!(network.station(AT).counters().at_once, 2, "the master and one of ours");
        let closing = Faulty::new(Server::new(cpu), Fault::Slots(2));
        let (_, seen, network) = scan_beside_master(closing, slot).await;
        assert_eq!(seen.lost, 0, "{seen:?}");
        assert_eq!(network.station(AT).counters().turned_away, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_one_connection_of_a_master_that_holds_it_stays_its_own() {
    let device = Faulty::new(Server::new(sim::s7_300()), Fault::Slots(1));
    let (ended, seen, network) = scan_beside_master(device, 2).await;
    assert_eq!(seen.lost, 0, "{seen:?}");
    assert_eq!(outcome(&ended), Outcome::ResetAfter);
    let dialled = network.capture().into_iter().filter(|packet| packet.what == Kind::Syn);
    assert_eq!(dialled.count(), 2, "called twice at most, and turned away");
}

/// The risk that remains, as `docs/s7.md` says: whoever takes the only entry of such a table, be it
/// for one connection, takes it from somebody.
#[tokio::test(start_paused = true)]
async fn a_table_of_one_that_evicts_loses_its_master_to_any_connection() {
    let (ended, seen, network) = scan_beside_master(Evicting::new(sim::s7_300(), 1), 2).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert!(seen.lost > 0, "a table of one has no room for two");
    let dialled = network.capture().into_iter().filter(|packet| packet.what == Kind::Syn);
    assert_eq!(dialled.count(), 1, "one connection and no more");
}

/// The other side of one slot: while we have it, nobody else gets in.
#[tokio::test(start_paused = true)]
async fn the_one_connection_of_a_controller_is_ours_for_seconds_only() {
    let device = Faulty::new(Server::new(sim::s7_300()), Fault::Slots(1));
    let network = Network::wiring().device(AT, device).done();
    let policy = Policy::gentle().protocol("s7", |s7| s7.level(Level::Identify));
    let setting = Setting::new(network.clone()).with_policy(policy);
    let ended = setting.scan(&format!("s7://{AT}")).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    let capture = network.capture();
    let held = capture.last().unwrap().at.saturating_sub(capture[0].at);
    assert!(held < Duration::from_secs(2), "{held:?}");
}
