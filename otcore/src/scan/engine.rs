//! Carries out a plan: parallel over devices, serial within one. The only place that spawns.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::event::{Event, Phase, PhaseState, Progress};
use super::host::{Crew, Decided, Visited};
use super::lanes::Lanes;
use super::plan::{Plan, Skipped};
use super::report::{Counters, ENGINE, PhaseRecord, REPORT_LAYOUT, Report};
use crate::gate::{Gate, StopReason};
use crate::model::{Asked, Inventory, Outcome};
use crate::targets::AddressSet;

/// A running scan. Dropping it stops it.
pub struct Scan {
    events: mpsc::Receiver<Event>,
    gate: Gate,
    work: Option<JoinHandle<Report>>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// Stops, pauses and resumes a scan from anywhere.
#[derive(Clone, Debug)]
pub struct Handle(Gate);

impl Handle {
    /// No SYN and no payload leaves once this returns; open connections are only closed.
    pub fn abort(&self) {
        self.0.stop(StopReason::Asked);
    }

    /// Start no new conversation; those under way finish within their budget.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Go on.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Whether the scan is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.0.is_paused()
    }
}

impl Scan {
    pub(super) fn start(crew: Crew, plan: Plan, only_tells: bool) -> Self {
        let (tx, events) = mpsc::channel(64);
        let gate = crew.gate.clone();
        let work = tokio::spawn(Work { only_tells, ..Work::new(crew, plan, tx) }.run());
        Self { events, gate, work: Some(work) }
    }

    /// The next event, or `None` at the end. A slow reader slows the scan down, but never holds a
    /// device's connection open.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// The same for who waits outside of a runtime.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_recv(context)
    }

    /// What stops, pauses and resumes this scan.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.gate.clone())
    }

    /// Stop: no SYN and no payload leaves once this returns. What was found stays; read the
    /// remaining events or [`finish`](Scan::finish).
    pub fn abort(&self) {
        self.gate.stop(StopReason::Asked);
    }

    /// Wait for the end and take what was found. Events that nobody read are dropped. Whoever gives up
    /// waiting aborts the scan and has nothing of it: read events until the time is up, then
    /// [`abort`](Self::abort) and wait for this.
    ///
    /// # Panics
    /// If the engine did.
    pub async fn finish(mut self) -> Report {
        while self.events.recv().await.is_some() {}
        let work = self.work.take();
        match work {
            Some(work) => match work.await {
                Ok(report) => report,
                Err(error) => std::panic::resume_unwind(Box::new(error.to_string())),
            },
            None => unreachable!("finish takes the scan, so it runs once"),
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.gate.stop(StopReason::Asked);
            work.abort();
        }
        self.gate.close_parked(); // nothing is left of a scan that came to its end, but of one that broke down
    }
}

/// Devices that are visited, each on its own task.
type Visits = JoinSet<(IpAddr, Visited)>;

/// How many visits begin before anybody looks how long the line is.
const TOGETHER: usize = 8;

/// The scan itself, on its own task.
struct Work {
    crew: Arc<Crew>,
    plan: Arc<Plan>,
    lanes: Lanes,
    /// What the policy says of stops with many addresses, by the number of the stop.
    decided: BTreeMap<usize, Decided>,
    events: mpsc::Sender<Event>,
    report: Report,
    /// Who of a range was left out though the plan led there, by the reason.
    left_out: BTreeMap<String, AddressSet>,
    progress: Progress,
    /// Devices are in events alone, not in the report.
    only_tells: bool,
}

impl Work {
    fn new(crew: Crew, plan: Plan, events: mpsc::Sender<Event>) -> Self {
        let limits = &crew.gate.policy().limits;
        let per_subnet = usize::try_from(limits.subnet_devices).unwrap_or(1);
        let (plan, decided) = crew.agreed(plan);
        let planned = u64::try_from(plan.devices).unwrap_or(u64::MAX);
        Self {
            lanes: Lanes::new(&plan, per_subnet),
            decided,
            report: empty_report(&crew, &plan, planned),
            left_out: BTreeMap::new(),
            progress: Progress { planned, ..Progress::default() },
            crew: Arc::new(crew),
            plan: Arc::new(plan),
            events,
            only_tells: false,
        }
    }

    async fn run(mut self) -> Report {
        for skipped in self.report.skipped.clone() {
            self.tell(Event::Skipped(skipped)).await;
        }
        for phase in Phase::ALL {
            match left_out(phase, &self.plan) {
                Some(why) => self.phase(phase, PhaseState::Skipped(why)).await,
                None => {
                    self.tell(Event::Phase { phase, state: PhaseState::Started }).await;
                    match phase {
                        Phase::Discovery => self.call_everybody().await,
                        _ => self.visit_everybody().await,
                    }
                    self.phase(phase, PhaseState::Finished).await;
                }
            }
        }
        self.crew.gate.close_parked_in_turn().await;
        self.tell_left_out().await;
        self.report.stopped = self.crew.gate.over();
        self.report.finished = self.crew.gate.now();
        self.report.completed =
            self.report.stopped.is_none() && self.progress.done == self.progress.planned;
        self.tell(Event::Finished { stopped: self.report.stopped }).await;
        self.report
    }

    async fn call_everybody(&mut self) {
        let plan = Arc::clone(&self.plan);
        for call in &plan.calls {
            let (called, spent) = self.crew.call(call).await;
            spent.into_iter().for_each(|spending| self.report.counters.add(spending));
            if let Some(why) = &called.failed {
                let what = format!("call to everybody in {} ({})", call.network, call.protocol);
                self.skipped(Skipped { what, addresses: 0, reason: why.clone() }).await;
            }
            // Nobody is visited yet, so nobody else has the crew.
            if let Some(crew) = Arc::get_mut(&mut self.crew) {
                crew.called.push(called);
            }
        }
    }

    async fn visit_everybody(&mut self) {
        let mut visits = JoinSet::new();
        let gate = self.crew.gate.clone();
        loop {
            let all_out = self.send_out(&mut visits).await;
            let joined = tokio::select! {
                biased;
                joined = visits.join_next() => joined,
                () = gate.line_moved(), if !all_out => continue,
            };
            match joined {
                None => return,
                Some(Ok((address, visited))) => {
                    self.lanes.done(address);
                    self.take(address, visited).await;
                }
                Some(Err(error)) if error.is_panic() => {
                    self.crew.gate.stop(StopReason::Asked);
                    std::panic::resume_unwind(error.into_panic());
                }
                Some(Err(_)) => {}
            }
        }
    }

    /// Begin visits until enough of them stand in line for the pace of the whole process: more would
    /// only take up memory. Whether as many are under way as there may be now.
    async fn send_out(&mut self, visits: &mut Visits) -> bool {
        let most = usize::try_from(self.crew.gate.policy().limits.parallel_devices).unwrap_or(1);
        let mut sent = 0;
        while !self.crew.gate.has_line() {
            if visits.len() >= most || self.crew.gate.over().is_some() {
                return true;
            }
            let Some((number, address)) = self.lanes.next() else { return true };
            let (crew, plan) = (Arc::clone(&self.crew), Arc::clone(&self.plan));
            let decided = self.decided.get(&number).cloned();
            visits.spawn(async move {
                let visited = match plan.stops.get(number) {
                    Some(stop) => {
                        let decided = decided.unwrap_or_else(|| crew.decide(address, stop));
                        crew.visit(address, stop, decided).await
                    }
                    None => unreachable!("lanes hand out stops of this plan"),
                };
                (address, visited)
            });
            sent += 1;
            if sent % TOGETHER == 0 {
                tokio::task::yield_now().await; // who was sent out shows whether there is a line
            }
        }
        false
    }

    async fn take(&mut self, address: IpAddr, mut visited: Visited) {
        for why in visited.left_out.drain(..) {
            self.left_out.entry(why).or_default().insert(address.into());
        }
        let answered =
            visited.asset.is_some() || visited.outcomes.iter().any(|r| r.outcome.answered());
        let turned_away = visited.spending.packets == 0 && self.crew.gate.over().is_some();
        self.count(&visited, answered);
        if !turned_away {
            self.progress.done += 1;
            self.report.counters.visited += 1;
        }
        if !self.only_tells {
            self.report.exchanges.extend(visited.exchanges);
            visited.asset.iter().cloned().for_each(|asset| self.report.assets.add(asset));
        }
        if let Some(asset) = visited.asset {
            self.tell(Event::Asset(Box::new(asset))).await;
        }
        for record in visited.outcomes {
            let was_asked = !matches!(record.outcome, Outcome::Aborted | Outcome::NotReached);
            if record.packets > 0 && was_asked {
                let (protocol, port) = (&record.protocol, record.port);
                self.report.asked.add(&record.zone, record.address, protocol, port);
            }
            // Addresses at which nobody answered are only counted, or a large range fills memory.
            let unremarkable = !visited.named && record.outcome == Outcome::Silent;
            if !visited.named && record.outcome == Outcome::NotReached {
                let why = record.detail.unwrap_or_else(|| record.outcome.to_string());
                self.left_out.entry(why).or_default().insert(record.address.into());
            } else if !unremarkable {
                if !self.only_tells {
                    self.report.outcomes.push(record.clone());
                }
                self.tell(Event::Outcome(Box::new(record))).await;
            }
        }
        self.tell(Event::Progress(self.progress)).await;
    }

    fn count(&mut self, visited: &Visited, answered: bool) {
        let counters = &mut self.report.counters;
        let has = |outcome| visited.outcomes.iter().any(|record| record.outcome == outcome);
        counters.add(visited.spending);
        counters.answered += u64::from(answered);
        counters.identified += u64::from(has(Outcome::Identified));
        counters.went_dark += u64::from(has(Outcome::WentDark));
        counters.silent += u64::from(!answered && has(Outcome::Silent));
        self.progress.answered = counters.answered;
        self.progress.packets = counters.packets;
    }

    async fn tell_left_out(&mut self) {
        for (reason, who) in std::mem::take(&mut self.left_out) {
            for range in who.ranges() {
                let (what, addresses) = (range.to_string(), range.count());
                self.skipped(Skipped { what, addresses, reason: reason.clone() }).await;
            }
        }
    }

    async fn skipped(&mut self, skipped: Skipped) {
        self.report.skipped.push(skipped.clone());
        self.tell(Event::Skipped(skipped)).await;
    }

    async fn phase(&mut self, phase: Phase, state: PhaseState) {
        self.report.phases.push(PhaseRecord { phase, state: state.clone() });
        self.tell(Event::Phase { phase, state }).await;
    }

    /// Nobody listens to an event after its scan was dropped, and that is fine.
    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }
}

/// Why a phase sends nothing of its own in this build.
fn left_out(phase: Phase, plan: &Plan) -> Option<&'static str> {
    match phase {
        Phase::Discovery if !plan.calls.is_empty() => None,
        Phase::Discovery => Some("nobody is searched for: each device is asked by itself"),
        Phase::PortCheck => Some("a port is never opened only to look: the first question tells"),
        Phase::InitialEnrichment => Some("nothing is known of these devices without asking"),
        Phase::OtQueries => None,
        Phase::ItQueries => Some("this build asks nothing in the protocols of offices"),
    }
}

/// Whoever made the plan: the report is of him who carries it out.
fn empty_report(crew: &Crew, plan: &Plan, planned: u64) -> Report {
    let now = crew.gate.now();
    let counters =
        Counters { planned, packets_planned: plan.bounds.packets, ..Counters::default() };
    Report {
        schema: REPORT_LAYOUT,
        engine: ENGINE,
        zone: crew.zone.clone(),
        source: crew.source.clone(),
        profile: crew.gate.policy().profile,
        data_pack: crew.known.data_pack(),
        started: now,
        finished: now,
        completed: false,
        stopped: None,
        phases: Vec::new(),
        assets: Inventory::default(),
        outcomes: Vec::new(),
        asked: Asked::default(),
        skipped: plan.skipped.clone(),
        counters,
        exchanges: Vec::new(),
    }
}
