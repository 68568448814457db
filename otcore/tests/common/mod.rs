//! Scans over simulated devices in virtual time.
#![allow(dead_code)] // every test file uses its own part

pub(crate) mod devices;
pub(crate) mod large;
pub(crate) mod limits;
pub(crate) mod manifest;
pub(crate) mod modbus_plant;
pub(crate) mod network;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otcore::gate::journal::{Entry, Journal, What};
use otcore::gate::memory::{DeviceMemory, InMemory, Record};
use otcore::gate::policy::KNOWN;
use otcore::gate::{Device, RunClock, Wire};
use otcore::protocols::Probe;
use otcore::scan::{Event, Plan, Progress, Report, Scan, Scanner};
use otcore::{Level, Policy, Targets, Zone};

use network::Network;

/// When virtual time begins.
pub(crate) const EPOCH: &str = "2026-05-04T08:00:00Z";

/// Everything a scan is made of, so that several scans can share it.
pub(crate) struct Setting {
    pub(crate) network: Network,
    pub(crate) policy: Policy,
    pub(crate) memory: Arc<dyn DeviceMemory>,
    pub(crate) journal: Arc<Kept>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) clock: RunClock,
    pub(crate) seed: u64,
}

/// A scan that has come to its end.
pub(crate) struct Ended {
    pub(crate) plan: Plan,
    pub(crate) report: Report,
    pub(crate) events: Vec<Event>,
    pub(crate) journal: Vec<Entry>,
    pub(crate) took: Duration,
}

impl Setting {
    /// The gentle policy over a `network` of Modbus devices, at eight o'clock on a Monday morning.
    pub(crate) fn new(network: Network) -> Self {
        let epoch = EPOCH.parse().unwrap();
        Self {
            network,
            policy: only("modbus", Policy::gentle()),
            memory: Arc::new(InMemory::default()),
            journal: Arc::<Kept>::default(),
            wire: Wire::isolated(),
            clock: RunClock::starting_at(epoch),
            seed: 7,
        }
    }

    pub(crate) fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn scanner(&self) -> Scanner {
        Scanner::builder()
            .policy(self.policy.clone())
            .dialer(self.network.clone())
            .wire(Arc::clone(&self.wire))
            .clock(self.clock)
            .memory(Shared(Arc::clone(&self.memory)))
            .journal(Telling(Arc::clone(&self.journal), self.network.clone()))
            .seed(self.seed)
            .build()
            .unwrap()
    }

    pub(crate) fn start(&self, targets: &str) -> Scan {
        let scanner = self.scanner();
        let plan = scanner.plan(&parse(targets)).unwrap();
        scanner.start(plan)
    }

    /// Scan to the end, reading every event.
    pub(crate) async fn scan(&self, targets: &str) -> Ended {
        let scanner = self.scanner();
        let plan = scanner.plan(&parse(targets)).unwrap();
        let began = tokio::time::Instant::now();
        let mut scan = scanner.start(plan.clone());
        let mut events = Vec::new();
        while let Some(event) = scan.next().await {
            events.push(event);
        }
        let report = scan.finish().await;
        Ended { plan, report, events, journal: self.journal.entries(), took: began.elapsed() }
    }
}

impl Ended {
    /// The last progress that was told.
    pub(crate) fn progress(&self) -> Progress {
        let progress = self.events.iter().rev().find_map(|event| match event {
            Event::Progress(progress) => Some(*progress),
            _ => None,
        });
        progress.expect("a scan tells its progress")
    }
}

/// Nothing but this protocol.
pub(crate) fn only(protocol: &str, policy: Policy) -> Policy {
    KNOWN.iter().filter(|other| other.name != protocol).fold(policy, |policy, other| {
        policy.protocol(other.name, otcore::gate::policy::ProtocolPolicy::off)
    })
}

/// The gentle policy for the deepest look at the device that `probe` knows, at `at`.
pub(crate) fn deepest(probe: &dyn Probe, at: SocketAddr) -> Policy {
    let policy = only(probe.name(), Policy::gentle())
        .protocol(probe.name(), |settings| settings.on().level(Level::State));
    let decision = policy.upper_bound("", at.ip(), probe.name(), at.port());
    match probe.missing_consent(&decision) {
        Some(consent) => policy.protocol(probe.name(), |settings| settings.allow(consent)),
        None => policy,
    }
}

pub(crate) fn parse(targets: &str) -> Targets {
    targets.parse().unwrap()
}

/// Whether something of ours left with this entry.
pub(crate) fn leaves(entry: &Entry) -> bool {
    matches!(entry.what, What::Connecting | What::Sent { .. })
}

/// What was sent to `device`, by name and bytes.
pub(crate) fn sent_to(journal: &[Entry], device: SocketAddr) -> Vec<(String, Vec<u8>)> {
    let to_it = journal.iter().filter(|entry| entry.device == device);
    to_it
        .filter_map(|entry| match &entry.what {
            What::Sent { function, bytes } => Some((function.clone(), bytes.as_ref().to_vec())),
            _ => None,
        })
        .collect()
}

/// Every entry so far.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<Entry>>);

impl Kept {
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Keeps every entry, and tells the network's watch who went dark: a packet does not show it.
struct Telling(Arc<Kept>, Network);

impl Journal for Telling {
    fn record(&self, entry: &Entry) -> std::io::Result<()> {
        if let What::WentDark { .. } = entry.what {
            self.1.watched(|watch, now| watch.went_dark(now, entry.device.ip()));
        }
        self.0.0.lock().unwrap().push(entry.clone());
        Ok(())
    }
}

/// A memory that several scanners share.
pub(crate) struct Shared(pub Arc<dyn DeviceMemory>);

impl DeviceMemory for Shared {
    fn recall(&self, zone: &Zone, device: Device) -> std::io::Result<Record> {
        self.0.recall(zone, device)
    }
    fn remember(&self, zone: &Zone, device: Device, record: Record) -> std::io::Result<()> {
        self.0.remember(zone, device, record)
    }
    fn all(&self) -> std::io::Result<Vec<(Zone, String, Record)>> {
        self.0.all()
    }
    fn clear(&self, zone: &Zone, address: std::net::IpAddr) -> std::io::Result<usize> {
        self.0.clear(zone, address)
    }
}

/// The same random numbers in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`. SplitMix64.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}
