//! Devices that change their ways.

use std::sync::atomic::{AtomicU64, Ordering};

use otcore::sim::{Device, Fault, Faulty, Greeting, Reply, Visit};

/// Behaves for a while, then has a fault.
#[derive(Debug)]
pub(crate) struct Later<D> {
    honest: D,
    after: u64,
    faulty: Faulty<D>,
    asked: AtomicU64,
}

impl<D: Device> Later<D> {
    /// Two of the same device: one answers `after` requests, the other has the fault.
    pub(crate) fn new(make: impl Fn() -> D, after: u64, fault: Fault) -> Self {
        let faulty = Faulty::new(make(), fault);
        Self { honest: make(), after, faulty, asked: AtomicU64::new(0) }
    }
}

impl<D: Device> Device for Later<D> {
    fn protocol(&self) -> &'static str {
        self.honest.protocol()
    }
    fn connect(&self, visit: Visit) -> Greeting {
        self.honest.connect(visit)
    }
    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        match self.asked.load(Ordering::Relaxed) < self.after {
            true => {
                let reply = self.honest.answer(visit, received);
                self.asked.fetch_add(u64::from(reply.consumed > 0), Ordering::Relaxed);
                reply
            }
            false => self.faulty.answer(visit, received),
        }
    }
}
