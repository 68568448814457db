//! Who drives the runtime of a scan: a quick reader himself, otherwise the thread of the scan.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use crate::error::{Error, ErrorKind};

/// So soon the thread of the scan looks whether a reader still drives, and does so itself if none
/// has since it looked last: a device that answers meanwhile is heard a little later, and no
/// connection stays open for long because a reader went away.
const GRACE: Duration = Duration::from_millis(15);

/// Whoever has driven for long is looked after less often: each look wakes a processor.
const TRUST: Duration = Duration::from_millis(60);

/// A runtime of one thread, which is handed from one to the other: a thread that has to be woken
/// for every event takes longer than the scan itself.
#[derive(Debug)]
pub(super) struct Drive {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    runtime: Runtime,
    /// Whether a reader drives.
    taken: AtomicBool,
    /// Whether one has since the thread of the scan looked last.
    was_taken: AtomicBool,
    over: AtomicBool,
    /// Told whenever a reader wants to drive, and when it is over.
    changed: Notify,
}

impl Drive {
    /// A runtime, and the thread called `name` that drives it until this is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the system gives no thread.
    pub(super) fn start(name: &str) -> Result<Self, Error> {
        let failed = |e| Error::new(ErrorKind::Internal, format!("no thread for {name}: {e}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let shared = Arc::new(Shared {
            runtime,
            taken: AtomicBool::new(false),
            was_taken: AtomicBool::new(false),
            over: AtomicBool::new(false),
            changed: Notify::new(),
        });
        let kept = Arc::clone(&shared);
        let keeper = thread::Builder::new().name(name.to_owned());
        let keeper = keeper.spawn(move || kept.keep()).map_err(failed)?;
        Ok(Self { shared, keeper: Some(keeper) })
    }

    /// Do this in the runtime, while the thread that calls drives it. One at a time may.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        let _taken = self.shared.take();
        self.shared.runtime.block_on(work)
    }

    /// Do this, which waits for nothing, in the runtime, whoever drives it.
    pub(super) fn inside<T>(&self, work: impl FnOnce() -> T) -> T {
        let _inside = self.shared.runtime.enter();
        work()
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.shared.over.store(true, SeqCst);
        self.shared.changed.notify_one();
        if let Some(keeper) = self.keeper.take() {
            keeper.thread().unpark();
            let _ = keeper.join(); // it does nothing that could break down
        }
    }
}

impl Shared {
    /// Drive whenever nobody else does.
    fn keep(&self) {
        let mut grace = GRACE;
        while !self.over.load(SeqCst) {
            let recently = self.was_taken.swap(false, SeqCst);
            if recently || self.taken.load(SeqCst) {
                thread::park_timeout(grace);
                grace = TRUST.min(grace * 2);
            } else {
                self.runtime.block_on(self.wanted());
                grace = GRACE;
            }
        }
    }

    /// Until a reader wants to drive, or nobody has to any more.
    async fn wanted(&self) {
        while !self.taken.load(SeqCst) && !self.over.load(SeqCst) {
            self.changed.notified().await;
        }
    }

    fn take(&self) -> Taken<'_> {
        self.taken.store(true, SeqCst);
        self.was_taken.store(true, SeqCst);
        self.changed.notify_one();
        Taken(self)
    }
}

/// Somebody drives until this is dropped.
struct Taken<'a>(&'a Shared);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.taken.store(false, SeqCst);
    }
}
