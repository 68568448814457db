//! Devices that change their ways.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use otcore::sim::{Action, Device, Fault, Faulty, Greeting, Reply, Visit};

/// Behaves for a while, then has a fault.
#[derive(Debug)]
pub(crate) struct Later<D> {
    honest: Arc<D>,
    after: u64,
    faulty: Faulty<Arc<D>>,
    asked: AtomicU64,
    told: Told,
}

/// The questions that a device has answered honestly so far, with every byte of its answers.
pub(crate) type Told = Arc<Mutex<Vec<(Vec<u8>, Vec<u8>)>>>;

impl<D: Device> Later<D> {
    /// It answers `after` requests, then has the fault. It is one device all along, whatever state it
    /// keeps of a connection.
    pub(crate) fn new(device: D, after: u64, fault: Fault) -> Self {
        let honest = Arc::new(device);
        let faulty = Faulty::new(Arc::clone(&honest), fault);
        Self { honest, after, faulty, asked: AtomicU64::new(0), told: Told::default() }
    }

    /// What it has said while it behaved; it grows as the device is asked.
    pub(crate) fn told(&self) -> Told {
        Arc::clone(&self.told)
    }

    fn note(&self, received: &[u8], reply: &Reply) {
        let mut answer = Vec::new();
        for action in &reply.actions {
            match action {
                Action::Send(bytes) => answer.extend_from_slice(bytes),
                Action::Wait(_) => {}
                _ => return, // who hangs up as well, or answers elsewhere, may not be heard
            }
        }
        if let Some(request) = received.get(..reply.consumed).filter(|_| !answer.is_empty()) {
            self.told.lock().unwrap().push((request.to_vec(), answer));
        }
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
                self.note(received, &reply);
                reply
            }
            false => self.faulty.answer(visit, received),
        }
    }
}

/// An honest device; whatever it says is changed on the way.
pub(crate) struct Changed<F> {
    device: Box<dyn Device>,
    change: F,
}

impl<F: Fn(Visit, &mut Vec<u8>)> Changed<F> {
    pub(crate) fn new(device: Box<dyn Device>, change: F) -> Self {
        Self { device, change }
    }
}

impl<F> std::fmt::Debug for Changed<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Changed").field(&self.device).finish()
    }
}

impl<F: Fn(Visit, &mut Vec<u8>) + Send + Sync> Device for Changed<F> {
    fn protocol(&self) -> &'static str {
        self.device.protocol()
    }
    fn connect(&self, visit: Visit) -> Greeting {
        self.device.connect(visit)
    }
    fn takes_datagrams(&self) -> bool {
        self.device.takes_datagrams()
    }
    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let mut reply = self.device.answer(visit, received);
        for action in &mut reply.actions {
            if let Action::Send(bytes) = action {
                (self.change)(visit, bytes);
            }
        }
        reply
    }
}
