//! Programs that are not ours on the other side of the wire, and a witness between them and us.
#![allow(dead_code, unreachable_pub)] // every test file uses its own part
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_types)] // the other side of the wire has sockets of its own

pub(crate) mod recordings;

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otcore::gate::journal::{Close, Entry, Journal, Journals, MemoryJournal, What};
use otcore::model::{Named, Node, OutcomeRecord};
use otcore::{Policy, Report, Scanner, Targets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Says loudly that a test cannot do its work here.
pub(crate) fn skipped(why: &str) {
    eprintln!("\nSKIPPED: {why}\n");
}

/// A program that ends with its test.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it; its standard input stays open until it is dropped.
    pub(crate) fn start(command: &mut Command) -> Self {
        let started = command.stdin(Stdio::piped()).spawn();
        Self(started.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Starts it and reads its standard output up to the first line that `wanted` knows.
    pub(crate) fn start_until<T>(
        command: &mut Command,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> (Self, T) {
        let mut process = Self::start(command.stdout(Stdio::piped()));
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let known = lines.by_ref().map_while(Result::ok).find_map(|line| wanted(&line));
        let known = known.unwrap_or_else(|| panic!("{command:?} did not say that it is ready"));
        std::thread::spawn(move || lines.count()); // or it would stop at a full pipe
        (process, known)
    }

    /// The same with its standard error.
    pub(crate) fn start_until_error(command: &mut Command, wanted: &str) -> Self {
        let mut process = Self::start(command.stderr(Stdio::piped()));
        let mut lines = BufReader::new(process.0.stderr.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains(wanted));
        assert!(ready, "{command:?} did not say {wanted:?}");
        std::thread::spawn(move || lines.count());
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server of a foreign stack, see `tests/peers/README.md`.
pub(crate) struct Peer {
    process: Process,
    pub(crate) at: SocketAddr,
}

impl Peer {
    /// Starts it on a free port of loopback; `None`, and a notice, where it is not installed.
    pub(crate) fn start(name: &str) -> Option<Self> {
        let mut command = command_for(name)?;
        let (process, at) = Process::start_until(&mut command, |line| {
            let ready = line.strip_prefix("READY ")?.strip_prefix(name)?;
            ready.trim().parse().ok()
        });
        Some(Self { process, at })
    }
}

fn command_for(name: &str) -> Option<Command> {
    let compiled = match name {
        "modbus-libmodbus" => Some("OTCORE_LIBMODBUS_PEER"),
        "enip-opener" => Some("OTCORE_OPENER_PEER"),
        _ => None,
    };
    if let Some(variable) = compiled {
        return Some(Command::new(program(variable, name)?));
    }
    let python = match name {
        // Another version of the package that the first interpreter has.
        "s7-snap7py" | "s7-s7commplus" => "OTCORE_PEERS3_PYTHON",
        _ => "OTCORE_PEERS_PYTHON",
    };
    let mut command = Command::new(program(python, name)?);
    command.arg(project().join(format!("tests/peers/{}.py", protocol_of(name)))).arg(name);
    Some(command)
}

/// The first word in the name of a peer.
pub(crate) fn protocol_of(peer: &str) -> &str {
    peer.split('-').next().unwrap()
}

/// Only `scripts/test` may not skip: there a peer that is not found is one that was not installed,
/// and the script itself says so.
fn program(variable: &str, name: &str) -> Option<PathBuf> {
    let Some(path) = env::var_os(variable) else {
        skipped(&format!("{name}: {variable} is not set (scripts/test tools peers)"));
        return None;
    };
    Some(project().join(path))
}

/// The root of the workspace.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A relay that tells what passed through it.
pub(crate) struct Witness {
    pub(crate) at: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// What passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) open: usize,
    pub(crate) most_open: usize,
    pub(crate) connections: usize,
    /// Every byte to the server.
    pub(crate) asked: Vec<u8>,
    /// Every byte from the server.
    pub(crate) answered: Vec<u8>,
}

impl Witness {
    /// Everything that is sent to [`Witness::at`] goes on to `server`.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        tokio::spawn(relay(listener, server, Arc::clone(&seen)));
        Self { at, seen }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

async fn relay(listener: TcpListener, server: SocketAddr, seen: Arc<Mutex<Seen>>) {
    while let Ok((ours, _)) = listener.accept().await {
        let theirs = TcpStream::connect(server).await.unwrap();
        {
            let mut seen = seen.lock().unwrap();
            seen.connections += 1;
            seen.open += 1;
            seen.most_open = seen.most_open.max(seen.open);
        }
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let ((our_read, our_write), (read, write)) = (ours.into_split(), theirs.into_split());
            tokio::join!(
                pass(our_read, write, |bytes| seen.lock().unwrap().asked.extend(bytes)),
                pass(read, our_write, |bytes| seen.lock().unwrap().answered.extend(bytes)),
            );
            seen.lock().unwrap().open -= 1;
        });
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, see: impl Fn(&[u8])) {
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        see(&chunk[..count]);
        if to.write_all(&chunk[..count]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// Scans a peer through a witness; `None` where the peer is not installed.
pub(crate) async fn visit(name: &str, query: &str, policy: Policy) -> Option<(Scanned, Seen)> {
    let peer = Peer::start(name)?;
    let witness = Witness::before(peer.at).await;
    let target = format!("{}://{}{query}", protocol_of(name), witness.at);
    let scanned = scan(&[target], policy).await;
    moment().await;
    let seen = witness.seen();
    assert_eq!(seen.most_open, 1, "connections at once");
    assert_eq!(seen.open, 0, "every connection was closed");
    assert_eq!(seen.connections as u64, scanned.report.counters.connections);
    assert_eq!(seen.asked, scanned.questions().concat(), "the journal is what was sent");
    // An outstation may speak of itself once more while we say goodbye.
    let late = seen.answered.len() as u64 - scanned.report.counters.bytes_in;
    assert!(late == 0 || protocol_of(name) == "dnp3", "{late} bytes were not read");
    let outcome = scanned.outcome();
    assert!(outcome.packets <= outcome.packets_planned, "{outcome:?}");
    Some((scanned, seen))
}

/// Every connection ended with a goodbye from both sides.
pub(crate) fn nobody_hung_up(scanned: &Scanned) {
    for entry in &scanned.journal {
        if let What::Closed { how } = entry.what {
            assert_eq!(how, Close::Polite);
        }
    }
}

/// A scan that has come to its end.
pub(crate) struct Scanned {
    pub(crate) report: Report,
    pub(crate) journal: Vec<Entry>,
}

/// Scans `targets` for real, with every promise that holds for any scan checked.
pub(crate) async fn scan(targets: &[String], policy: Policy) -> Scanned {
    scan_into(targets, policy, Vec::new()).await
}

/// The same, with further journals.
pub(crate) async fn scan_into(
    targets: &[String],
    policy: Policy,
    mut journals: Vec<Box<dyn Journal>>,
) -> Scanned {
    let journal = Arc::new(MemoryJournal::default());
    journals.push(Box::new(Arc::clone(&journal)));
    let scanner = Scanner::builder().policy(policy).journal(Journals(journals)).build().unwrap();
    let targets = Targets::parse(targets.iter().map(String::as_str)).unwrap();
    let plan = scanner.plan(&targets).unwrap();
    let report = scanner.start(plan).finish().await;
    let counters = &report.counters;
    assert!(counters.packets <= counters.packets_planned, "more than planned: {counters:?}");
    assert!(report.completed, "stopped: {:?}", report.stopped);
    Scanned { report, journal: journal.entries() }
}

impl Scanned {
    /// How the only conversation ended.
    pub(crate) fn outcome(&self) -> &OutcomeRecord {
        assert_eq!(self.report.outcomes.len(), 1, "{:?}", self.report.outcomes);
        &self.report.outcomes[0]
    }

    /// The only device.
    pub(crate) fn device(&self) -> Node {
        let assets: Vec<_> = self.report.assets.iter().collect();
        assert_eq!(assets.len(), 1, "{assets:?}");
        assets[0].node.clone()
    }

    /// Every question as it was sent.
    pub(crate) fn questions(&self) -> Vec<Vec<u8>> {
        let sent = self.journal.iter().filter_map(|entry| match &entry.what {
            What::Sent { bytes, .. } => Some(bytes.as_ref().to_vec()),
            _ => None,
        });
        sent.collect()
    }

    /// Whom the questions were for, in order and each once.
    pub(crate) fn units_asked(&self) -> Vec<u8> {
        let mut units: Vec<u8> = self.questions().iter().map(|question| question[6]).collect();
        units.dedup();
        units
    }
}

/// The best claims about who a device is, by the names of the fields in JSON.
pub(crate) fn identity(node: &Node) -> BTreeMap<&'static str, String> {
    let fields = node.identity.fields();
    fields.map(|field| (field.name(), node.identity.value(field).unwrap().to_owned())).collect()
}

/// The same as it should be.
pub(crate) fn fields(of: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    of.iter().map(|(field, value)| (*field, (*value).to_owned())).collect()
}

/// A moment for what is on its way to arrive.
pub(crate) async fn moment() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// A file of our own that is gone when the test is over.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("otcore-{}-{name}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn read(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        std::fs::File::open(&self.0).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
