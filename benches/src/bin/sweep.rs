//! What it costs to knock at every port of a network: a bare loop of connects, or a scan of otcore
//! under the policy `lab`.
//!
//! `otcore-sweep floor NETWORK [PACKETS_PER_SECOND]` or `otcore-sweep otcore NETWORK`; who measures it from
//! outside is tests/outside/sweep. One JSON object is printed: what was counted.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what was counted is for whoever measures"
)]
#![expect(clippy::disallowed_types, reason = "the bare loop is what somebody else would write")]

use std::error::Error;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use ipnet::IpNet;
use otcore::{Policy, Scanner, Targets};
use serde_json::{Value, json};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

/// Modbus, S7, EtherNet/IP, DNP3.
const PORTS: [u16; 4] = [502, 102, 44818, 20000];

/// At this one otcore asks by datagram before it connects, with as many bytes.
const ASKED_FIRST: u16 = 44818;
const QUESTION: [u8; 24] = [0; 24];

/// Connects under way at once, as many as devices are under `lab`.
const AT_ONCE: usize = 1024;

/// As long as `lab` waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a loop with a pace sends, a handful of packets each time.
const TICKS_A_SECOND: u64 = 100;
const TICK: Duration = Duration::from_millis(1_000 / TICKS_A_SECOND);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(counted) => {
            println!("{counted}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("otcore-sweep: {error}");
            ExitCode::from(2)
        }
    }
}

/// Both on one thread, the way that takes the least processor time.
fn run(arguments: &[String]) -> Result<Value, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["floor", network] => runtime.block_on(floor(network.parse()?, None)),
        ["floor", network, pace] => runtime.block_on(floor(network.parse()?, Some(pace.parse()?))),
        ["otcore", network] => runtime.block_on(otcore(network)),
        _ => Err("expected `floor NETWORK [PACKETS_PER_SECOND]` or `otcore NETWORK`".into()),
    }
}

/// What became of a connect by hand.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    open: u64,
    refused: u64,
    silent: u64,
}

/// A bare loop: a task per connect, each with a timeout. Nothing is kept but three numbers, and nobody is
/// spared anything. With a `pace`, so many packets leave in a second, and they are those that otcore sends.
///
/// # Errors
/// If a task ends without an answer.
async fn floor(network: IpNet, pace: Option<u64>) -> Result<Value, Box<dyn Error>> {
    let mut connects = JoinSet::new();
    let mut tally = Tally::default();
    let mut ticks = interval(TICK);
    let mut left = 0;
    for address in network.hosts().chain(edges(network)) {
        for (port, by_datagram) in knocks(pace.is_some()) {
            while left == 0
                && let Some(pace) = pace
            {
                ticks.tick().await;
                left = pace / TICKS_A_SECOND;
            }
            left = left.saturating_sub(1);
            while connects.len() >= AT_ONCE
                && let Some(ended) = connects.join_next().await
            {
                tally.add(ended?);
            }
            connects.spawn(knock(SocketAddr::new(address, port), by_datagram));
        }
        while let Some(ended) = connects.try_join_next() {
            tally.add(ended?);
        }
    }
    while let Some(ended) = connects.join_next().await {
        tally.add(ended?);
    }
    let Tally { open, refused, silent } = tally;
    Ok(json!({ "open": open, "refused": refused, "silent": silent }))
}

/// The first and the last address, which are no hosts elsewhere but answer on loopback.
fn edges(network: IpNet) -> impl Iterator<Item = IpAddr> {
    [network.network(), network.broadcast()].into_iter()
}

/// Each port by connection, or as otcore does.
fn knocks(as_otcore: bool) -> impl Iterator<Item = (u16, bool)> {
    PORTS.into_iter().flat_map(move |port| {
        let first = (as_otcore && port == ASKED_FIRST).then_some((port, true));
        first.into_iter().chain([(port, false)])
    })
}

async fn knock(at: SocketAddr, by_datagram: bool) -> Option<ErrorKind> {
    let knocked = async {
        match by_datagram {
            true => ask(at).await,
            false => TcpStream::connect(at).await.map(drop),
        }
    };
    match timeout(PATIENCE, knocked).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.kind()),
        Err(_) => Some(ErrorKind::TimedOut),
    }
}

async fn ask(at: SocketAddr) -> std::io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    socket.connect(at).await?;
    socket.send(&QUESTION).await?;
    socket.recv(&mut [0; 512]).await.map(drop)
}

impl Tally {
    fn add(&mut self, ended: Option<ErrorKind>) {
        match ended {
            None => self.open += 1,
            Some(ErrorKind::ConnectionRefused) => self.refused += 1,
            Some(_) => self.silent += 1,
        }
    }
}

/// A scan of the same addresses in the four protocols of these ports, under the policy `lab`. What
/// is found is told and not kept, as in the loop.
///
/// # Errors
/// If the scan cannot be planned.
async fn otcore(network: &str) -> Result<Value, Box<dyn Error>> {
    let policy = Policy::lab().protocol("dnp3", |dnp3| dnp3.on().allow("connect"));
    let mut building = Scanner::builder().policy(policy).only_tell();
    for protocol in ["modbus", "s7", "enip", "dnp3"] {
        building = building.protocol(protocol);
    }
    let scanner = building.build()?;
    let mut scan = scanner.start(scanner.plan(&network.parse::<Targets>()?)?);
    let mut events = 0_u64;
    while scan.next().await.is_some() {
        events += 1;
    }
    let report = scan.finish().await;
    Ok(json!({
        "events": events,
        "completed": report.completed,
        "counters": report.counters,
    }))
}
