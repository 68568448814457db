//! Steps of a visit, for tests that ask the gate itself.
#![allow(dead_code)] // every test file uses its own part

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use otcore::Policy;
use otcore::frame::Frame;
use otcore::gate::memory::{DeviceMemory, InMemory};
use otcore::gate::policy::Limits;
use otcore::gate::{Device, Gate, Lease, Parts, Permit, Refusal, RunClock, Visit, Wire};
use otcore::protocols::modbus::{Modbus, ReportServerId};
use otcore::targets::AddressRange;

pub(crate) const ENOUGH: u64 = 1_000;
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn at(host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::from([10, 1, 0, host]), 502)
}

pub(crate) fn parts(policy: Policy) -> Parts {
    let scope = [AddressRange::new(at(0).ip(), at(99).ip()).unwrap()].into_iter().collect();
    let clock = RunClock::starting_at("2026-05-04T08:00:00Z".parse().unwrap());
    Parts { wire: Wire::isolated(), clock: Arc::new(clock), ..Parts::new(Arc::new(policy), scope) }
}

/// Our end.
pub(crate) fn local() -> SocketAddr {
    SocketAddr::new(IpAddr::from([10, 1, 0, 200]), 40_000)
}

pub(crate) async fn opened(visit: &Visit, to: SocketAddr) -> Result<Lease, Refusal> {
    let (permit, lease) = visit.connect(to, "modbus").await?;
    permit.pass(|_| ())?;
    lease.connected(local())?;
    Ok(lease)
}

pub(crate) async fn admitted(visit: &Visit) -> Result<Permit<Arc<Frame>>, Refusal> {
    let question = Frame::of(&Modbus { unit: 255 }, 1, &ReportServerId).unwrap();
    visit.admit(Arc::new(question), PATIENCE).await
}

/// Ask and be answered, as quickly as can be.
pub(crate) async fn ask(visit: &Visit) -> Result<(), Refusal> {
    admitted(visit).await?.pass(|_| ())?;
    visit.received(&[0; 20])?;
    visit.heard(false);
    visit.answered(Duration::from_millis(1), false)
}

/// Monitored by name, so that it may be called at once.
pub(crate) const NETWORK: &str = "10.1.0.0/26";

pub(crate) struct Plant {
    pub(crate) gate: Gate,
    pub(crate) wire: Arc<Wire>,
    pub(crate) memory: Arc<InMemory>,
}

pub(crate) fn plant(change: impl FnOnce(&mut Limits)) -> Plant {
    let mut limits = Limits::default();
    change(&mut limits);
    let (wire, memory) = (Wire::isolated(), Arc::new(InMemory::default()));
    let policy = Policy::gentle().with_limits(limits).monitor(NETWORK.parse().unwrap());
    let parts = parts(policy);
    let gate = Gate::new(Parts { wire: Arc::clone(&wire), memory: memory.clone(), ..parts });
    Plant { gate, wire, memory }
}

pub(crate) fn gentle() -> Plant {
    plant(|_| ())
}

impl Plant {
    pub(crate) async fn visit(&self, host: u8) -> Visit {
        self.gate.visit(at(host), ENOUGH).await.unwrap()
    }

    pub(crate) fn quarantine(&self, host: u8) -> Option<String> {
        let record = self.memory.recall(&otcore::Zone::default(), Device::at(at(host))).unwrap();
        record.quarantined.map(|quarantine| quarantine.why)
    }
}
