//! A scan: plan it, start it, watch it, stop it, keep what it found.

mod agreed;
mod calls;
mod engine;
mod event;
mod host;
mod lanes;
mod plan;
mod report;
mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

pub use calls::Call;
pub use engine::{Handle, Scan};
pub use event::{Event, Phase, PhaseState, Progress};
pub use plan::{Conversation, Plan, Skipped, Stop};
pub use report::{Counters, ENGINE, Engine, PhaseRecord, REPORT_LAYOUT, Report};
pub use stored::{compare, redecode};

use crate::error::{Error, ErrorKind};
use crate::fingerprint::Knowledge;
use crate::gate::journal::{Journal, NoJournal};
use crate::gate::memory::{DeviceMemory, InMemory, Quarantine, quarantined};
use crate::gate::policy::Policy;
use crate::gate::{Clock, Gate, HostClock, Parts, Wire};
use crate::model::{Source, Zone};
use crate::net::Sockets;
use crate::pack::Shelf;
use crate::session::Dialer;
use crate::targets::Targets;

/// Plans and starts scans under one policy.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use otcore::{Policy, Scanner, Targets};
///
/// let scanner = Scanner::builder()
///     .policy(Policy::gentle().exclude("10.20.9.0/24".parse()?))
///     .source("gateway-7".parse()?)
///     .zone("line-3".parse()?)
///     .build()?;
/// let plan = scanner.plan(&"10.20.4.0/24".parse::<Targets>()?)?; // nothing is sent
/// println!("{plan}");
/// let mut scan = scanner.start(plan);
/// while let Some(event) = scan.next().await {
///     println!("{event:?}");
/// }
/// let report = scan.finish().await;
/// println!("{} devices", report.assets.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Scanner {
    policy: Arc<Policy>,
    zone: Zone,
    source: Source,
    protocols: BTreeSet<String>,
    wire: Arc<Wire>,
    clock: Arc<dyn Clock>,
    memory: Arc<dyn DeviceMemory>,
    journal: Arc<dyn Journal>,
    /// Sockets of its own for each scan, if none is given.
    dialer: Option<Arc<dyn Dialer>>,
    shelf: Arc<Shelf>,
    seed: Option<u64>,
    only_tells: bool,
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("zone", &self.zone)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Scanner {
    /// A scanner with the gentle policy, unless told otherwise.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What would be sent to whom. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] if a target is a name that has not been resolved,
    /// [`ErrorKind::EmptyScope`] if nothing is left to scan, with the first reason.
    pub fn plan(&self, targets: &Targets) -> Result<Plan, Error> {
        let quarantined = self.quarantined()?;
        let basis = plan::Basis {
            policy: &self.policy,
            zone: &self.zone,
            source: &self.source,
            protocols: &self.protocols,
            quarantined: &quarantined,
        };
        Plan::make(&basis, targets)
    }

    /// Carry out a plan. Must be called inside a tokio runtime with time and I/O enabled; the scan
    /// runs on it until it ends, is stopped, or the [`Scan`] is dropped.
    ///
    /// A plan that was made under another policy leads to nobody, and asks nothing, that the policy of
    /// this scanner does not permit. The outcome of such a conversation says why; of a range in which there
    /// would be none [`Report::skipped`] does.
    #[must_use]
    pub fn start(&self, plan: Plan) -> Scan {
        let gate = Gate::new(Parts {
            policy: Arc::clone(&self.policy),
            scope: plan.scope(),
            zone: self.zone.clone(),
            wire: Arc::clone(&self.wire),
            clock: Arc::clone(&self.clock),
            memory: Arc::clone(&self.memory),
            journal: Arc::clone(&self.journal),
        });
        let crew = host::Crew {
            gate,
            dialer: self.dialer.clone().unwrap_or_else(|| Arc::new(Sockets::default())),
            known: self.shelf.in_use(),
            zone: self.zone.clone(),
            source: self.source.clone(),
            first_tag: self.first_tag(),
            called: Vec::new(),
        };
        Scan::start(crew, plan, self.only_tells)
    }

    /// The same scanner, with what is known taken from `shelf` when a scan starts.
    pub(crate) fn with_shelf(mut self, shelf: Arc<Shelf>) -> Self {
        self.shelf = shelf;
        self
    }

    /// The policy it works under.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The network its addresses live in.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// What it remembers of devices.
    #[must_use]
    pub fn memory(&self) -> &dyn DeviceMemory {
        &*self.memory
    }

    /// Where tags of questions begin: not guessable, unless a seed asks for the same every time.
    fn first_tag(&self) -> u16 {
        let random = || getrandom::u32().map_or(0, u64::from);
        let [a, b, ..] = self.seed.unwrap_or_else(random).to_le_bytes();
        u16::from_le_bytes([a, b])
    }

    fn quarantined(&self) -> Result<BTreeMap<IpAddr, String>, Error> {
        let ours = quarantined(&*self.memory, &self.zone);
        let ours = ours.map_err(|e| Error::new(ErrorKind::File, e))?;
        // On loopback an address is that of many devices, by their ports.
        let whole = ours.filter(|(device, _)| device.port().is_none());
        Ok(whole
            .map(|(device, Quarantine { since, why })| {
                let text = format!("quarantined since {since}: {why}; a person must clear it");
                (device.address(), text)
            })
            .collect())
    }
}

/// Puts a [`Scanner`] together.
#[derive(Default)]
pub struct Builder {
    policy: Option<Policy>,
    zone: Zone,
    source: Source,
    protocols: BTreeSet<String>,
    wire: Option<Arc<Wire>>,
    clock: Option<Arc<dyn Clock>>,
    memory: Option<Arc<dyn DeviceMemory>>,
    journal: Option<Arc<dyn Journal>>,
    dialer: Option<Arc<dyn Dialer>>,
    shelf: Option<Arc<Shelf>>,
    seed: Option<u64>,
    only_tells: bool,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("zone", &self.zone).finish_non_exhaustive()
    }
}

impl Builder {
    /// What may be done. Default: [`Policy::gentle`].
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The network the addresses live in. Default: `default`.
    #[must_use]
    pub fn zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// Who looks, stamped on every claim. Default: `otcore`.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Use this protocol only, and those named by further calls. Default: all that the policy
    /// enables.
    #[must_use]
    pub fn protocol(mut self, name: &str) -> Self {
        self.protocols.insert(name.to_owned());
        self
    }

    /// Where everything that is sent and received is written down. Default: nowhere.
    #[must_use]
    pub fn journal(mut self, journal: impl Journal + 'static) -> Self {
        self.journal = Some(Arc::new(journal));
        self
    }

    /// What is remembered of devices between scans. Default: kept as long as the scanner lives.
    #[must_use]
    pub fn memory(mut self, memory: impl DeviceMemory + 'static) -> Self {
        self.memory = Some(Arc::new(memory));
        self
    }

    /// How connections are opened: a jump host, a simulated plant. Default: the sockets of this
    /// host. Scans over something else than those sockets need a [`Builder::wire`] of their own.
    #[must_use]
    pub fn dialer(mut self, dialer: impl Dialer + 'static) -> Self {
        self.dialer = Some(Arc::new(dialer));
        self
    }

    /// What is known of devices in general: how things are called, never what is sent. Default: what
    /// is compiled in.
    #[must_use]
    pub fn knowledge(self, knowledge: Knowledge) -> Self {
        self.shelf(Arc::new(Shelf::of(knowledge)))
    }

    /// Where what is known is taken from when a scan starts; the scan keeps it to its end. Default:
    /// what is compiled in.
    #[must_use]
    pub fn shelf(mut self, shelf: Arc<Shelf>) -> Self {
        self.shelf = Some(shelf);
        self
    }

    /// What is shared with other scans. Default: everything of this process.
    #[must_use]
    pub fn wire(mut self, wire: Arc<Wire>) -> Self {
        self.wire = Some(wire);
        self
    }

    /// The time of day. Default: the clock of this host.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Choose the same tags in every run. Default: from the random numbers of this host.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Do not keep what is found: every device, and how each conversation ended, is told in an
    /// [`Event`] and then forgotten, so that a range of any size takes the memory of what is under
    /// way. The report has no assets, outcomes and exchanges then; its counters, and who was asked,
    /// are whole. Default: everything is kept for the report.
    #[must_use]
    pub fn only_tell(mut self) -> Self {
        self.only_tells = true;
        self
    }

    /// Check everything and make the scanner.
    ///
    /// # Errors
    /// [`ErrorKind::Policy`] if the policy is wrong or a protocol is unknown.
    pub fn build(self) -> Result<Scanner, Error> {
        let policy = self.policy.unwrap_or_else(Policy::gentle);
        policy.check()?;
        for name in &self.protocols {
            if crate::protocols::by_name(name).is_none() {
                let known: Vec<_> = crate::protocols::ALL.iter().map(|p| p.name()).collect();
                let text =
                    format!("unknown protocol {name:?}: this build has {}", known.join(", "));
                return Err(Error::new(ErrorKind::Policy, text));
            }
        }
        Ok(Scanner {
            policy: Arc::new(policy),
            zone: self.zone,
            source: self.source,
            protocols: self.protocols,
            wire: self.wire.unwrap_or_else(Wire::of_this_process),
            clock: self.clock.unwrap_or_else(|| Arc::new(HostClock)),
            memory: self.memory.unwrap_or_else(|| Arc::new(InMemory::default())),
            journal: self.journal.unwrap_or_else(|| Arc::new(NoJournal)),
            dialer: self.dialer,
            shelf: self.shelf.unwrap_or_default(),
            seed: self.seed,
            only_tells: self.only_tells,
        })
    }
}
