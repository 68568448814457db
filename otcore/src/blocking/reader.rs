//! Reads the events of a scan: who comes back at once drives it, who takes his time is woken.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

use super::Next;
use super::drive::Drive;
use super::turns::Deadline;
use crate::scan::{Report, Scan};

/// Who comes back sooner than this is quick enough to drive a scan: so long a device that answers
/// may have to wait between two events.
const QUICK: Duration = Duration::from_millis(4);

/// A scan, and when its reader was here.
#[derive(Debug)]
pub(super) struct Reader {
    scan: Scan,
    left: Instant,
    /// Rings when the reader, or an earlier one, has waited long enough.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Reader {
    pub(super) fn of(scan: Scan) -> Self {
        Self { scan, left: Instant::now(), alarm: None }
    }

    /// The next event, if it comes by then.
    pub(super) fn next(&mut self, drive: &Drive, deadline: Deadline) -> Next {
        let next = match self.poll(Waker::noop()) {
            Poll::Ready(next) => next,
            Poll::Pending => match deadline.left() {
                Duration::ZERO => Next::Pending,
                left if self.is_quick() => drive.block_on(self.within(left)),
                _ => self.wait(deadline),
            },
        };
        self.left = Instant::now();
        next
    }

    /// Wait for the end and take what was found.
    pub(super) fn finish(self, drive: &Drive) -> Report {
        drive.block_on(self.scan.finish())
    }

    fn is_quick(&self) -> bool {
        self.left.elapsed() < QUICK
    }

    /// Wait while the same thread drives.
    async fn within(&mut self, patience: Duration) -> Next {
        let Some(until) = Instant::now().checked_add(patience) else {
            return self.scan.next().await.into();
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until.into())));
        loop {
            // Setting it takes longer than an event: one that rings earlier will do until it rings.
            if alarm.is_elapsed() || alarm.deadline() > until.into() {
                alarm.as_mut().reset(until.into());
            }
            tokio::select! {
                biased;
                event = self.scan.next() => return event.into(),
                () = alarm.as_mut() => if Instant::now() >= until { return Next::Pending },
            }
        }
    }

    /// Wait while somebody else drives.
    fn wait(&mut self, deadline: Deadline) -> Next {
        let waker = Waker::from(Arc::new(Sleeper(thread::current())));
        loop {
            if let Poll::Ready(next) = self.poll(&waker) {
                return next;
            }
            match deadline.left() {
                Duration::ZERO => return Next::Pending,
                left => thread::park_timeout(left),
            }
        }
    }

    fn poll(&mut self, waker: &Waker) -> Poll<Next> {
        self.scan.poll_next(&mut Context::from_waker(waker)).map(Next::from)
    }
}

/// A thread that waits for an event.
struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io;
    use std::sync::Mutex;

    use super::*;
    use crate::blocking::{Plant, Scan};
    use crate::gate::journal::{Entry, Journal};
    use crate::{Scanner, Targets};

    const LONG: Duration = Duration::from_secs(60);

    /// The names of the threads that ask; that of a test is the name of the test.
    #[derive(Clone, Default)]
    struct Asking(Arc<Mutex<BTreeSet<String>>>);

    impl Journal for Asking {
        fn record(&self, _: &Entry) -> io::Result<()> {
            let name = thread::current().name().unwrap_or_default().to_owned();
            self.0.lock().unwrap().insert(name);
            Ok(())
        }
    }

    fn scan(plant: &Plant, names: &[&str]) -> (Scan, Asking) {
        let devices = plant.devices().iter().filter(|device| names.contains(&&*device.name));
        let targets: Vec<_> = devices.map(crate::sim::Running::target).collect();
        let asking = Asking::default();
        let scanner = Scanner::builder().journal(asking.clone()).build().unwrap();
        let plan = scanner.plan(&targets.join(" ").parse::<Targets>().unwrap()).unwrap();
        (Scan::start(&scanner, plan).unwrap(), asking)
    }

    /// Only looks, until the end.
    fn look_on(scan: &Scan) -> usize {
        let began = Instant::now();
        let mut events = 0;
        loop {
            match scan.next(Duration::ZERO) {
                Next::Event(_) => events += 1,
                Next::Pending => thread::sleep(Duration::from_millis(5)),
                Next::End => return events,
            }
            assert!(began.elapsed() < LONG, "nobody drives");
        }
    }

    #[test]
    fn who_comes_back_at_once_drives() {
        let plant = Plant::start(0).unwrap();
        let (scan, asking) = scan(&plant, &["compact-plc", "drive", "slow"]);
        while !matches!(scan.next(LONG), Next::End) {}
        let asking = asking.0.lock().unwrap();
        assert!(asking.contains(thread::current().name().unwrap()), "{asking:?}");
    }

    #[test]
    fn who_only_looks_never_drives_and_the_scan_goes_on() {
        let plant = Plant::start(0).unwrap();
        let (scan, asking) = scan(&plant, &["compact-plc", "drive"]);
        assert!(look_on(&scan) > 6);
        assert_eq!(*asking.0.lock().unwrap(), BTreeSet::from(["otcore".to_owned()]));
    }

    #[test]
    fn a_scan_goes_on_when_its_reader_went_away() {
        let plant = Plant::start(0).unwrap();
        let (scan, asking) = scan(&plant, &["compact-plc", "drive", "slow"]);
        let me = thread::current().name().unwrap().to_owned();
        while !asking.0.lock().unwrap().contains(&me) {
            assert!(matches!(scan.next(LONG), Next::Event(_)), "it never drove");
        }
        asking.0.lock().unwrap().clear();
        look_on(&scan);
        assert_eq!(*asking.0.lock().unwrap(), BTreeSet::from(["otcore".to_owned()]));
    }
}
