//! Devices that change their ways.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use otcore::sim::{Device, Fault, Faulty, Greeting, Reply, Visit};

/// Behaves for a while, then has a fault.
#[derive(Debug)]
pub(crate) struct Later<D> {
    honest: Arc<D>,
    after: u64,
    faulty: Faulty<Arc<D>>,
    asked: AtomicU64,
}

impl<D: Device> Later<D> {
    /// It answers `after` requests, then has the fault. It is one device all along, whatever state it
    /// keeps of a connection.
    pub(crate) fn new(device: D, after: u64, fault: Fault) -> Self {
        let honest = Arc::new(device);
        let faulty = Faulty::new(Arc::clone(&honest), fault);
        Self { honest, after, faulty, asked: AtomicU64::new(0) }
    }
}

impl<D: Device> Device for Later<D> {
    fn protocol(&self) -> &'static str {
        self.honest.protocol()
    }
    fn connect(&self, visit: Visit) -> Greeting {
        self.honest.connect(visit)
    }
    fn takes_datagrams(&self) -> bool {
        self.honest.takes_datagrams()
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
