//! The one door to the network: scope, stop, budget, pace, connection slot, breaker, journal.
//!
//! One file per decision. A [`Gate`] admits a [`Visit`] to a device, a visit grants a [`Permit`]
//! for each connection and each question, and a permit, once passed, is in the [`journal`].

mod append;
mod books;
mod breaker;
mod cargo;
mod clock;
mod device;
mod door;
mod host_lock;
pub mod journal;
mod line;
pub mod memory;
mod meter;
mod pace;
mod pcapng;
mod permit;
pub mod policy;
mod refusal;
pub(crate) mod sabotage;
mod sensitive;
mod silence;
mod ticks;
mod visit;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use clock::{Clock, HostClock, RunClock};
pub use device::Device;
pub use pace::Wire;
pub use pcapng::Pcapng;
pub use permit::{Call, Connection, Peer, Permit};
pub use refusal::{Refusal, StopReason};
pub use silence::Silence;
pub use visit::{Calling, Lease, Spending, Visit};

use breaker::Breaker;
use door::Door;
use journal::{Entry, Journal, NoJournal};
use line::Line;
use memory::{DeviceMemory, InMemory, Record};
use policy::Policy;
use sabotage::Saboteur;

use crate::model::Zone;
use crate::targets::AddressSet;

/// The one door. Cheap to clone; all clones are the same gate.
#[derive(Clone)]
pub struct Gate(pub(crate) Arc<Inner>);

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("zone", &self.0.zone).finish_non_exhaustive()
    }
}

pub(crate) struct Inner {
    policy: Arc<Policy>,
    scope: AddressSet,
    zone: Zone,
    wire: Arc<Wire>,
    /// Who could begin a conversation but for the packets of the whole process.
    line: Line,
    clock: Arc<dyn Clock>,
    memory: Arc<dyn DeviceMemory>,
    journal: Arc<dyn Journal>,
    door: Door,
    /// Something did not leave since no maintenance window was open.
    window_closed: AtomicBool,
    breaker: Breaker,
    connections: AtomicU64,
    parked: Mutex<VecDeque<Parked>>,
    kept: Mutex<Vec<Box<dyn Send>>>,
    calls: Mutex<visit::Calls>,
}

/// What a gate is made of.
pub struct Parts {
    /// What may be done.
    pub policy: Arc<Policy>,
    /// The addresses of the plan; nothing else is ever spoken to, and of these only what is in scope by the
    /// policy.
    pub scope: AddressSet,
    /// The network they live in.
    pub zone: Zone,
    /// What this scan shares with others.
    pub wire: Arc<Wire>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// What is remembered of devices.
    pub memory: Arc<dyn DeviceMemory>,
    /// Where everything is written down.
    pub journal: Arc<dyn Journal>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("zone", &self.zone).finish_non_exhaustive()
    }
}

impl Parts {
    /// The usual parts of a gate for `scope` under `policy`: host clock, the wire of this process,
    /// memory that lasts as long as the gate, no journal.
    #[must_use]
    pub fn new(policy: Arc<Policy>, scope: AddressSet) -> Self {
        Self {
            policy,
            scope,
            zone: Zone::default(),
            wire: Wire::of_this_process(),
            clock: Arc::new(HostClock),
            memory: Arc::new(InMemory::default()),
            journal: Arc::new(NoJournal),
        }
    }
}

/// A connection to a device that went dark, and the visit it belongs to.
type Parked = (Arc<visit::Visiting>, Box<dyn Send>);

impl Gate {
    /// A gate made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { policy, scope, zone, wire, clock, memory, journal } = parts;
        Self(Arc::new(Inner {
            scope: policy.in_scope(&scope), // whoever made the plan, under whatever policy
            policy,
            zone,
            wire,
            line: Line::default(),
            clock,
            memory,
            journal,
            door: Door::open(),
            window_closed: AtomicBool::new(false),
            breaker: Breaker::default(),
            connections: AtomicU64::new(0),
            parked: Mutex::default(),
            kept: Mutex::default(),
            calls: Mutex::default(),
        }))
    }

    /// Nothing leaves once this returns; open connections are only closed. The first reason stays.
    pub fn stop(&self, why: StopReason) {
        self.0.door.shut(why);
    }

    /// Why it was stopped, if it was.
    #[must_use]
    pub fn stopped(&self) -> Option<StopReason> {
        self.0.door.stopped()
    }

    /// Why nobody else needs to be sent out: it was stopped, or the window has closed. Whoever is under way
    /// then is still let go in good order.
    #[cfg(any(test, feature = "net"))] // whoever sends out visits asks
    pub(crate) fn over(&self) -> Option<StopReason> {
        let closed = self.0.window_closed.load(Ordering::Relaxed);
        self.stopped().or_else(|| closed.then_some(StopReason::WindowClosed))
    }

    /// Start no new conversation; those under way finish within their budget.
    pub fn pause(&self) {
        self.0.door.pause();
    }

    /// Go on after [`Gate::pause`].
    pub fn resume(&self) {
        self.0.door.resume();
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.0.door.is_paused()
    }

    /// Close the connections to devices that went dark, at once.
    pub fn close_parked(&self) {
        let parked = std::mem::take(&mut *self.0.parked());
        for (visiting, connection) in parked {
            visiting.unpark();
            drop(connection);
        }
        self.0.kept().clear();
    }

    /// The run is over: close the connections to devices that went dark, each as soon as there is
    /// room for its goodbye, unless somebody asked to stop.
    pub async fn close_parked_in_turn(&self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        loop {
            let next = self.0.parked().pop_front();
            let Some((visiting, connection)) = next else { break };
            visiting.unpark();
            let in_time = tokio::time::timeout(PATIENCE, visiting.room_to_close());
            let _ = self.0.door.unless_asked(in_time).await; // in a hurry if there is no time
            drop(connection);
        }
        self.0.kept().clear();
    }

    /// The policy it enforces.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.0.clock.now()
    }

    /// Begin a stay with the device at `endpoint`, of at most `planned` packets; waits until nobody
    /// else is there.
    ///
    /// # Errors
    /// A [`Refusal`] if the device is out of scope, quarantined, cooling down or was scanned a
    /// short while ago, or if everything is stopped.
    pub async fn visit(&self, endpoint: SocketAddr, planned: u64) -> Result<Visit, Refusal> {
        let inner = &self.0;
        inner.check_endpoint(endpoint)?;
        let device = Device::at(endpoint);
        inner.check_memory(device)?;
        inner.door.unpaused().await?;
        let enter = pin!(inner.wire.enter(device, inner.policy.limits()));
        inner.door.unless_shut(enter).await?;
        let visit = Visit::new(Arc::clone(inner), endpoint, planned);
        inner.check_memory(device)?; // somebody may have met it while we waited
        Ok(visit)
    }

    /// Whether so many wait for the pace of the whole process that nobody else needs to be sent out.
    #[cfg(any(test, feature = "net"))] // whoever sends out visits asks
    pub(crate) fn has_line(&self) -> bool {
        self.0.line.is_long()
    }

    /// Wait until there is no line any more, or there may be none.
    #[cfg(any(test, feature = "net"))] // whoever sends out visits asks
    pub(crate) async fn line_moved(&self) {
        self.0.line.moved().await;
    }

    /// Wait for `work`, but not after an abort.
    ///
    /// # Errors
    /// [`Refusal::Stopped`].
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Refusal> {
        self.0.door.unless_shut(work).await
    }
}

impl Inner {
    fn check_endpoint(&self, endpoint: SocketAddr) -> Result<(), Refusal> {
        self.door.check()?;
        self.check_window()?;
        let address = endpoint.ip();
        // The scope was judged piece by piece, this address is judged itself.
        if !self.scope.contains(address) || !self.policy.scope(address).is_monitored() {
            return Err(Refusal::OutOfScope(address));
        }
        match self.policy.is_never_port(endpoint.port()) {
            true => Err(Refusal::NeverPort(endpoint.port())),
            false => Ok(()),
        }
    }

    fn check_window(&self) -> Result<(), Refusal> {
        match self.policy.windows.is_empty() || self.policy.is_open(self.clock.now()) {
            true => Ok(()),
            false => {
                self.window_closed.store(true, Ordering::Relaxed);
                Err(Refusal::WindowClosed)
            }
        }
    }

    fn check_memory(&self, device: Device) -> Result<(), Refusal> {
        let record = self.recall(device)?;
        let now = self.clock.now();
        if let Some(quarantine) = record.quarantined {
            let (since, why) = (quarantine.since, quarantine.why);
            return Err(Refusal::Quarantined { device, since, why });
        }
        if let Some(cooling) = record.cooling.filter(|cooling| cooling.lasts(now)) {
            return Err(Refusal::CoolingDown { device, until: cooling.until });
        }
        let revisit = i64::from(self.policy.limits().revisit_after_s);
        match record.visited {
            // A visit far in the future was written when the clock of this host stood elsewhere.
            Some(at) if (now.as_second() - at.as_second()).abs() < revisit => {
                Err(Refusal::Fresh { device, at })
            }
            _ => Ok(()),
        }
    }

    fn recall(&self, device: Device) -> Result<Record, Refusal> {
        self.memory.recall(&self.zone, device).map_err(|e| Refusal::Memory(e.to_string()))
    }

    /// A quarantine that cannot be kept stops the scan: it would be broken by the next run.
    fn remember(&self, device: Device, record: Record) {
        let matters = record.quarantined.is_some();
        if self.memory.remember(&self.zone, device, record).is_err() && matters {
            self.door.shut(StopReason::HarmSuspected);
        }
    }

    /// Write down what `entry` makes, if anybody keeps it.
    fn record(&self, entry: impl FnOnce() -> Entry) -> Result<(), Refusal> {
        if !self.journal.keeps() {
            return Ok(());
        }
        let entry = &entry();
        if Saboteur::Journal.is_at_work() && matches!(entry.what, journal::What::Sent { .. }) {
            return Ok(());
        }
        self.journal.record(entry).map_err(|_| {
            self.door.shut_for_journal();
            Refusal::Stopped(StopReason::JournalFailed)
        })
    }

    fn parked(&self) -> MutexGuard<'_, VecDeque<Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sockets for datagrams of devices that went dark. As long as they are open, our system does
    /// not answer a late datagram.
    fn kept(&self) -> MutexGuard<'_, Vec<Box<dyn Send>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> MutexGuard<'_, visit::Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::AddressRange;

    #[tokio::test(start_paused = true)]
    async fn there_is_a_line_while_many_wait_for_the_pace_of_the_process() {
        let mut policy = Policy::gentle();
        policy.limits.process_packets_per_s = 8;
        let at = |n: u8| SocketAddr::from(([10, 1, n, 7], 502));
        let scope = [AddressRange::new(at(0).ip(), at(99).ip()).unwrap()].into_iter().collect();
        let parts = Parts::new(Arc::new(policy), scope);
        let gate = Gate::new(Parts { wire: Wire::isolated(), ..parts });
        let mut waiting = tokio::task::JoinSet::new();
        assert!(!gate.has_line());
        for n in 0..50 {
            let gate = gate.clone();
            waiting.spawn(async move {
                let visit = gate.visit(at(n), 100).await.unwrap();
                let _held = visit.connect(at(n), "modbus").await.unwrap();
                std::future::pending::<()>().await;
            });
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(gate.has_line());
        waiting.shutdown().await;
        assert!(!gate.has_line());
    }
}
