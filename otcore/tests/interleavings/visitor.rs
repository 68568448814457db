//! Somebody with a device, step by step, and what is written down of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otcore::Zone;
use otcore::frame::Frame;
use otcore::gate::journal::Close;
use otcore::gate::memory::{DeviceMemory, Record};
use otcore::gate::policy::{Limits, Policy};
use otcore::gate::{Device, Gate, Lease, Parts, Refusal, RunClock, StopReason, Visit, Wire};
use otcore::protocols::modbus::{Code, Modbus, ReadDeviceId};
use otcore::targets::AddressSet;
use tokio::time::Instant;

use crate::common::EPOCH;
use crate::common::limits::{Watch, Why};
use crate::explorer::step;

/// Several scans of one process, with everything that left.
pub(crate) struct World {
    limits: Limits,
    wire: Arc<Wire>,
    seen: Arc<Seen>,
}

/// What left, held against the limits as it leaves.
pub(crate) struct Seen {
    began: Instant,
    watch: Mutex<Watch>,
    visited: Mutex<Vec<u8>>,
}

/// One scan, and whether somebody knows that it was stopped.
#[derive(Clone)]
pub(crate) struct Scan {
    pub(crate) gate: Gate,
    seen: Arc<Seen>,
    stopped: Arc<AtomicBool>,
}

fn device(host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, host)), 502)
}

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        let watch = Mutex::new(Watch::new(limits.clone()));
        let seen = Seen { began: Instant::now(), watch, visited: Mutex::default() };
        Self { limits, wire: Wire::isolated(), seen: Arc::new(seen) }
    }

    /// One more scan of the same process.
    pub(crate) fn scan(&self) -> Scan {
        let mut policy = Policy::gentle();
        policy.limits = self.limits.clone();
        let scope = AddressSet::from_nets(["10.1.1.0/24".parse().unwrap()]);
        let parts = Parts {
            wire: Arc::clone(&self.wire),
            clock: Arc::new(RunClock::starting_at(EPOCH.parse().unwrap())),
            memory: Arc::new(Forgets),
            ..Parts::new(Arc::new(policy), scope)
        };
        let (seen, stopped) = (Arc::clone(&self.seen), Arc::default());
        Scan { gate: Gate::new(parts), seen, stopped }
    }

    /// Nothing was against a limit, and nobody is anywhere any more.
    pub(crate) fn check(&self) {
        assert_eq!(self.seen.watch.lock().unwrap().broken(), Vec::<String>::new());
        assert_eq!(*self.seen.visited.lock().unwrap(), Vec::<u8>::new());
    }
}

impl Scan {
    /// Somebody visits the device and asks one question, unless the scan is stopped before.
    pub(crate) async fn visitor(self, host: u8, asks: bool) {
        let Ok(visit) = self.gate.visit(device(host), 100).await else { return };
        self.seen.enters(host);
        step().await;
        let _stopped = self.converse(&visit, host, asks).await;
        self.seen.leaves(host);
        drop(visit);
    }

    async fn converse(&self, visit: &Visit, host: u8, asks: bool) -> Result<(), Refusal> {
        let (permit, lease) = visit.connect(device(host), "modbus").await?;
        step().await;
        let line = permit.pass(|_| Line::begins(self, host, lease))?;
        step().await;
        let mut line = line;
        line.opens()?;
        step().await;
        if asks {
            self.ask(visit, &line).await?;
        }
        visit.may_close().await?;
        step().await;
        line.closes();
        Ok(())
    }

    async fn ask(&self, visit: &Visit, line: &Line) -> Result<(), Refusal> {
        let question = ReadDeviceId::first(Code::Basic);
        let frame = Frame::of(&Modbus { unit: 255 }, 7, &question).unwrap();
        let permit = visit.admit(Arc::new(frame), Duration::from_secs(3)).await?;
        step().await;
        permit.pass(|_| self.leaves(line.host))?;
        step().await;
        visit.received(&[0; 12])?;
        self.seen.packet(line.host, Why::Ours);
        visit.heard(false);
        visit.answered(Duration::from_millis(1), false)
    }

    /// A SYN or a question leaves.
    fn leaves(&self, host: u8) {
        assert!(!self.stopped.load(Ordering::SeqCst), "after the abort had returned");
        self.seen.packet(host, Why::Ours);
        assert!(!self.stopped.load(Ordering::SeqCst), "while the abort returned");
    }

    /// Stop the scan; from now on nothing may leave.
    pub(crate) fn abort(&self) {
        self.gate.stop(StopReason::Asked);
        self.stopped.store(true, Ordering::SeqCst);
    }
}

impl Seen {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn watched(&self, tell: impl FnOnce(&mut Watch, Duration)) {
        let mut watch = self.watch.lock().unwrap();
        let now = self.now();
        tell(&mut watch, now);
    }

    fn packet(&self, host: u8, why: Why) {
        self.watched(|watch, now| watch.packet(now, device(host).ip(), why));
    }

    fn enters(&self, host: u8) {
        let mut visited = self.visited.lock().unwrap();
        assert!(!visited.contains(&host), "two with device {host}");
        visited.push(host);
    }

    fn leaves(&self, host: u8) {
        self.visited.lock().unwrap().retain(|other| *other != host);
    }
}

/// A connection, from its SYN to its end, whichever way it ends.
struct Line {
    seen: Arc<Seen>,
    host: u8,
    lease: Option<Lease>,
    is_open: bool,
}

impl Line {
    fn begins(scan: &Scan, host: u8, lease: Lease) -> Self {
        scan.leaves(host);
        scan.seen.watched(|watch, now| {
            watch.syn(now, device(host).ip());
            watch.resolving(now, device(host).ip(), true);
            watch.connection(now, device(host).ip(), true);
        });
        Self { seen: Arc::clone(&scan.seen), host, lease: Some(lease), is_open: false }
    }

    fn opens(&mut self) -> Result<(), Refusal> {
        self.seen.watched(|watch, now| watch.resolving(now, device(self.host).ip(), false));
        self.seen.packet(self.host, Why::Ours);
        self.is_open = true;
        self.lease.as_ref().unwrap().connected(device(self.host))
    }

    fn closes(mut self) {
        self.end(Why::Ours);
        self.lease.take().unwrap().closed(Close::Polite);
    }

    fn end(&mut self, why: Why) {
        self.seen.watched(|watch, now| {
            let ip = device(self.host).ip();
            match std::mem::take(&mut self.is_open) {
                true => (0..2).for_each(|_| watch.packet(now, ip, why)),
                false => watch.resolving(now, ip, false),
            }
            watch.connection(now, ip, false);
        });
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.lease.is_some() {
            self.end(Why::Hurry);
        }
    }
}

/// A device may be visited again at once.
struct Forgets;

impl DeviceMemory for Forgets {
    fn recall(&self, _: &Zone, _: Device) -> std::io::Result<Record> {
        Ok(Record::default())
    }
    fn remember(&self, _: &Zone, _: Device, _: Record) -> std::io::Result<()> {
        Ok(())
    }
    fn all(&self) -> std::io::Result<Vec<(Zone, String, Record)>> {
        Ok(Vec::new())
    }
    fn clear(&self, _: &Zone, _: IpAddr) -> std::io::Result<usize> {
        Ok(0)
    }
}
