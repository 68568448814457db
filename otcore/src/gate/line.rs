//! Who stands in line for the pace of the whole process, in one scan.
//!
//! Only the first waits for packets to leave the window: if all did, all would wake up for each. Whoever
//! is sent out takes memory, so nobody else is while the line is long.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard, Notify};

/// A line as long as this always has somebody who can go as soon as there is room.
const LINE: usize = 32;

/// How many conversations could begin but for the packets of the whole process.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: AtomicUsize,
    moved: Notify,
    first: Mutex<()>,
}

/// Whoever is first in line, until it goes.
pub(super) struct First<'a> {
    _turn: MutexGuard<'a, ()>,
    _place: Place<'a>,
}

/// One of those who wait.
struct Place<'a>(&'a Line);

impl Line {
    /// Whether so many wait that nobody else needs to be sent out.
    #[cfg(any(test, feature = "net"))] // whoever sends out visits asks
    pub(super) fn is_long(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= LINE
    }

    /// Wait until there may be no line any more.
    #[cfg(any(test, feature = "net"))] // whoever sends out visits asks
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Stand in line until everybody who came before has gone.
    pub(super) async fn first(&self) -> First<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(self);
        First { _turn: self.first.lock().await, _place: place }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::Relaxed) <= LINE {
            self.0.moved.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn waits(for_it: impl Future) -> bool {
        timeout(Duration::from_secs(1), for_it).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_is_long_until_somebody_goes_and_tells_so() {
        let line = Line::default();
        assert!(!line.is_long(), "nobody waits yet");
        let first = line.first().await;
        let mut others: Vec<_> = (1..LINE).map(|_| Box::pin(line.first())).collect();
        for other in &mut others {
            assert!(waits(other).await);
        }
        assert!(line.is_long());
        assert!(waits(line.moved()).await, "nobody has gone");
        drop(first);
        line.moved().await;
        assert!(!line.is_long());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_first_goes_first_and_whoever_leaves_holds_nobody_up() {
        let line = Line::default();
        let first = line.first().await;
        let (mut second, mut third) = (Box::pin(line.first()), Box::pin(line.first()));
        assert!(waits(&mut second).await && waits(&mut third).await);
        drop(first);
        assert!(waits(&mut third).await, "it is the turn of the second");
        drop(second);
        assert!(!waits(third).await);
    }
}
