//! A scan that many threads share: nobody waits longer than he said, and events can be pushed.

use std::fmt;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, ThreadId, current};
use std::time::Duration;

use super::log::{Log, Severity};
use super::turns::{Deadline, Turns, Watched};
use super::{Next, Scan, Scanner};
use crate::error::{Error, ErrorKind};
use crate::scan::{Event, Progress, Report};

/// How long the thread that pushes events waits before it looks whether it should stop.
const SLICE: Duration = Duration::from_millis(100);

/// A [`Scan`] for programs that wait in several threads, or want events pushed.
///
/// ```no_run
/// use std::time::Duration;
/// use otcore::blocking::{Log, Scanner, Settings, SharedScan};
///
/// let scanner = Scanner::new(&Settings::default())?;
/// let scan = SharedScan::start(&scanner, "10.20.4.0/24", Log::default())?;
/// scan.watch(|event| println!("{event:?}"))?;
/// match scan.finish(Duration::from_secs(60))? {
///     Some(report) => println!("{} devices", report.assets.len()),
///     None => scan.abort(),
/// }
/// # Ok::<(), otcore::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedScan(Arc<Inner>);

struct Inner {
    scan: Scan,
    log: Log,
    turns: Turns,
    watch: Watched<Watch>,
    status: Watched<Status>,
}

#[derive(Default)]
struct Watch {
    /// The thread that pushes events, while there is one.
    thread: Option<ThreadId>,
    /// The same, for whoever waits until it is gone.
    whole: Option<JoinHandle<()>>,
    begun: bool,
    unwanted: bool,
}

/// How far a scan is, as of the last event that somebody read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Devices and packets.
    pub progress: Progress,
    /// Whether no new conversation is started.
    pub paused: bool,
    /// Whether every event was read, so that the report can be had at once.
    pub over: bool,
}

impl fmt::Debug for SharedScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedScan").field(&self.0.scan).finish()
    }
}

impl SharedScan {
    /// Plan, and carry the plan out. Lines about it go to `log`, each in the thread of the call
    /// that notices.
    ///
    /// # Errors
    /// As for [`Scanner::start`].
    pub fn start(scanner: &Scanner, targets: &str, log: Log) -> Result<Self, Error> {
        let plan = scanner.plan(targets)?;
        let (devices, packets) = (plan.devices, plan.bounds.packets);
        log.tell(Severity::Info, || {
            format!("scan of {devices} devices begins, with at most {packets} packets")
        });
        let planned = u64::try_from(devices).unwrap_or(u64::MAX);
        let status = Watched::<Status>::default();
        status.with(|status| status.progress.planned = planned);
        Ok(Self(Arc::new(Inner {
            scan: Scan::start(&scanner.0, plan)?,
            log,
            turns: Turns::default(),
            watch: Watched::default(),
            status,
        })))
    }

    /// Wait at most `patience` for the next event. Events have one reader at a time; waiting for
    /// the turn counts as well. If events are pushed, this never gives one.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Next {
        match self.is_watched() {
            true => Next::End,
            false => self.0.next(Deadline::after(patience)),
        }
    }

    /// Push every event to `tell`, in a thread of its own that is called `otcore-events`, then
    /// `None` once as the last. Only one `tell` is in progress at a time. A slow one slows the scan
    /// down. It may call anything here. False if events are pushed already.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the system gives no thread.
    pub fn watch(&self, tell: impl FnMut(Option<&Event>) + Send + 'static) -> Result<bool, Error> {
        let inner = Arc::clone(&self.0);
        self.0.watch.with(|watch| {
            if watch.begun {
                return Ok(false);
            }
            let named = Builder::new().name("otcore-events".to_owned());
            let thread = named.spawn(move || inner.push(tell));
            let thread = thread.map_err(|e| Error::new(ErrorKind::Internal, e))?;
            (watch.begun, watch.thread) = (true, Some(thread.thread().id()));
            watch.whole = Some(thread);
            Ok(true)
        })
    }

    /// Whether events are pushed.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.0.watch.with(|watch| watch.begun)
    }

    /// How far it is, without waiting.
    #[must_use]
    pub fn status(&self) -> Status {
        let paused = self.0.scan.handle().is_paused();
        self.0.status.with(|status| Status { paused, ..*status })
    }

    /// Start no new conversation; those under way finish within their budget.
    pub fn pause(&self) {
        self.0.scan.handle().pause();
        self.0.log.tell(Severity::Info, || "paused".to_owned());
    }

    /// Go on.
    pub fn resume(&self) {
        self.0.scan.handle().resume();
        self.0.log.tell(Severity::Info, || "goes on".to_owned());
    }

    /// No SYN and no payload leaves once this returns. What was found stays.
    pub fn abort(&self) {
        self.0.scan.abort();
        self.0.log.tell(Severity::Info, || "aborted".to_owned());
    }

    /// Wait at most `patience` for the end and take what was found, or `None` if it is not over.
    /// Every further call gives the same. Events that nobody reads meanwhile are dropped; pushed
    /// ones are all pushed first, unless this is called by who is told of them.
    ///
    /// # Errors
    /// As for [`Scan::finish`].
    ///
    /// # Panics
    /// If the engine did.
    pub fn finish(&self, patience: Duration) -> Result<Option<Arc<Report>>, Error> {
        let deadline = Deadline::after(patience);
        let Some(()) = self.0.pushed(deadline) else { return Ok(None) };
        loop {
            match self.0.next(deadline) {
                Next::Event(_) => {}
                Next::Pending => return Ok(None),
                Next::End => break,
            }
        }
        let Some(_turn) = self.0.turns.take(deadline) else { return Ok(None) };
        self.0.scan.finish().map(Some)
    }

    /// Abort, and push no further event once this returns: the thread that did is gone, with all
    /// that it was given. Called by who is told of events, that call is the last; called by who is
    /// told a line, no event follows. Lines end too, but for one that another thread is being told.
    pub fn retire(&self) {
        if self.0.scan.home.check().is_err() {
            return; // in a copy of the process nobody pushes, and nobody can be waited for
        }
        self.0.scan.abort();
        let me = current().id();
        let thread = self.0.watch.with(|watch| {
            watch.unwanted = true;
            watch.whole.take_if(|thread| thread.thread().id() != me)
        });
        let _ = self.0.pushed(Deadline::after(Duration::MAX));
        let _ = thread.map(JoinHandle::join); // if it broke down, that was told there
    }
}

impl Inner {
    fn next(&self, deadline: Deadline) -> Next {
        let Some(turn) = self.turns.take(deadline) else { return Next::Pending };
        let next = self.scan.next(deadline.left());
        self.status.with(|status| match &next {
            Next::Event(Event::Progress(progress)) => status.progress = *progress,
            Next::End => status.over = true,
            _ => {}
        });
        drop(turn); // the log may want to read events itself
        if let Next::Event(event) = &next
            && !self.is_unwanted()
        {
            self.log.event(event);
        }
        next
    }

    fn is_unwanted(&self) -> bool {
        self.watch.with(|watch| watch.unwanted)
    }

    fn push(&self, mut tell: impl FnMut(Option<&Event>)) {
        let _end = Pushing(self);
        // The first look waits for `watch` to write down which thread this is.
        while !self.is_unwanted() {
            match self.next(Deadline::after(SLICE)) {
                _ if self.is_unwanted() => {} // who was told a line of it wants no more
                Next::Event(event) => tell(Some(&event)),
                Next::Pending => {}
                Next::End => return tell(None),
            }
        }
    }

    /// Wait until nothing is pushed any more. Who is told of events does not wait for himself.
    fn pushed(&self, deadline: Deadline) -> Option<()> {
        let me = current().id();
        self.watch.when(deadline, |watch| watch.thread.is_none_or(|thread| thread == me), |_| ())
    }
}

/// However pushing ends, those who wait for its end are told.
struct Pushing<'a>(&'a Inner);

impl Drop for Pushing<'_> {
    fn drop(&mut self) {
        self.0.watch.with(|watch| watch.thread = None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::blocking::{Plant, Settings};

    const LONG: Duration = Duration::from_secs(60);

    fn scan(plant: &Plant, names: &[&str]) -> SharedScan {
        let devices = plant.devices().iter().filter(|device| names.contains(&&*device.name));
        let targets: Vec<_> = devices.map(crate::sim::Running::target).collect();
        let scanner = Scanner::new(&Settings::default()).unwrap();
        SharedScan::start(&scanner, &targets.join(" "), Log::default()).unwrap()
    }

    #[test]
    fn nobody_waits_longer_than_he_said_even_for_somebody_elses_turn() {
        let plant = Plant::start(0).unwrap();
        let scan = scan(&plant, &["slow"]);
        scan.pause();
        std::thread::scope(|scope| {
            scope.spawn(|| while !matches!(scan.next(LONG), Next::End) {});
            std::thread::sleep(Duration::from_millis(100));
            let began = Instant::now();
            assert!(matches!(scan.next(Duration::from_millis(20)), Next::Pending));
            assert!(scan.finish(Duration::from_millis(20)).unwrap().is_none());
            assert!(began.elapsed() < Duration::from_secs(5));
            assert!(scan.status().paused && !scan.status().over);
            scan.abort();
        });
        assert!(scan.status().over);
        assert!(!scan.finish(Duration::ZERO).unwrap().unwrap().completed);
    }

    #[test]
    fn pushed_events_all_come_before_the_report_and_end_with_none() {
        let plant = Plant::start(0).unwrap();
        let scan = scan(&plant, &["compact-plc", "drive"]);
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = Arc::clone(&told);
        scan.watch(move |event| {
            let name = current().name().map(str::to_owned);
            telling.lock().unwrap().push((event.cloned(), name));
        })
        .unwrap();
        assert!(!scan.watch(|_| ()).unwrap());
        assert!(matches!(scan.next(Duration::ZERO), Next::End));
        let report = scan.finish(LONG).unwrap().unwrap();
        let told = told.lock().unwrap();
        let assets = told.iter().filter(|(event, _)| matches!(event, Some(Event::Asset(_))));
        assert_eq!(assets.count(), report.assets.len());
        assert!(told.last().unwrap().0.is_none());
        assert!(told.iter().all(|(_, thread)| thread.as_deref() == Some("otcore-events")));
        assert_eq!(scan.status().progress.done, 2);
    }

    #[test]
    fn no_event_is_pushed_once_retire_returned() {
        let plant = Plant::start(0).unwrap();
        let scan = scan(&plant, &["compact-plc", "slow"]);
        let told = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&told);
        scan.watch(move |_| {
            std::thread::sleep(Duration::from_millis(20));
            counting.fetch_add(1, Ordering::SeqCst);
        })
        .unwrap();
        std::thread::sleep(Duration::from_millis(30));
        scan.retire();
        let then = told.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(told.load(Ordering::SeqCst), then);
    }

    /// Takes its time to go.
    struct Slow(Arc<AtomicUsize>);

    impl Drop for Slow {
        fn drop(&mut self) {
            std::thread::sleep(Duration::from_millis(50));
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_tells_of_events_is_gone_once_retire_returned() {
        let plant = Plant::start(0).unwrap();
        let scan = scan(&plant, &["slow"]);
        let gone = Arc::new(AtomicUsize::new(0));
        let slow = Slow(Arc::clone(&gone));
        scan.watch(move |_| assert_eq!(slow.0.load(Ordering::SeqCst), 0)).unwrap();
        scan.retire();
        assert_eq!(gone.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn who_is_told_of_events_may_call_anything() {
        let plant = Plant::start(0).unwrap();
        let scan = scan(&plant, &["compact-plc"]);
        let (own, (done, finished)) = (scan.clone(), std::sync::mpsc::channel());
        scan.watch(move |event| {
            if event.is_some() {
                own.abort();
                let report = own.finish(LONG).unwrap().unwrap();
                own.retire();
                done.send(report.completed).unwrap();
            }
        })
        .unwrap();
        assert!(!finished.recv_timeout(LONG).unwrap());
        assert!(finished.recv_timeout(LONG).is_err()); // its end, as that call was the last
    }
}
