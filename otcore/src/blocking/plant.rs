//! The pretend plant for callers without a runtime.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use super::process::Home;
use crate::error::{Error, ErrorKind};
use crate::sim::{self, Running, RunningPlant};

/// A pretend plant on loopback, served by a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Plant {
    home: Home,
    served: Arc<Served>,
}

#[derive(Debug)]
struct Served {
    running: RunningPlant, // dropped before the runtime that serves it
    _runtime: Runtime,
}

impl Plant {
    /// Start the demonstration plant: see [`serve`](Self::serve).
    ///
    /// # Errors
    /// As for [`serve`](Self::serve).
    pub fn start(port: u16) -> Result<Self, Error> {
        Self::serve(sim::Plant::demo(), port)
    }

    /// Start a plant: each device has its own address, 127.20.4.11 onwards, and listens at `port`,
    /// or at any free port if that is 0.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if a port is in use, [`ErrorKind::Internal`] if the system gives no
    /// thread.
    pub fn serve(plant: sim::Plant, port: u16) -> Result<Self, Error> {
        let (home, runtime) = (Home::plain(), runtime()?);
        let running = runtime.block_on(plant.own_addresses(port).start());
        let running = running.map_err(|e| Error::new(ErrorKind::File, e))?;
        Ok(Self { home, served: Arc::new(Served { running, _runtime: runtime }) })
    }

    /// Every device, with where it is and what is true of it.
    #[must_use]
    pub fn devices(&self) -> &[Running] {
        self.served.running.devices()
    }

    /// What must never have been sent to any device: writes, malformed requests.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.served.running.violations()
    }

    /// Everything that would have hurt a real plant, violations included.
    #[must_use]
    pub fn harm(&self) -> Vec<String> {
        self.served.running.harm()
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        self.home.keep_elsewhere(&self.served);
    }
}

fn runtime() -> Result<Runtime, Error> {
    let mut builder = Builder::new_multi_thread();
    let built = builder.worker_threads(1).thread_name("otcore-plant").enable_all().build();
    built.map_err(|e| Error::new(ErrorKind::Internal, format!("no thread for the plant: {e}")))
}
