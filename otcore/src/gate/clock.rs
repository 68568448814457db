//! What time it is: handed in, so that tests and simulations decide.

use std::fmt;

use jiff::Timestamp;

/// Tells the time of day for evidence, journals and maintenance windows.
///
/// Pacing and timeouts never use it; they run on tokio's monotonic clock, which tests can pause.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The clock of this host.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that starts at a given moment and moves with tokio's time, paused or not.
#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    epoch: Timestamp,
    started: tokio::time::Instant,
}

impl RunClock {
    /// It is `epoch` now.
    #[must_use]
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self { epoch, started: tokio::time::Instant::now() }
    }
}

impl Clock for RunClock {
    fn now(&self) -> Timestamp {
        self.epoch.checked_add(self.started.elapsed()).unwrap_or(Timestamp::MAX)
    }
}
