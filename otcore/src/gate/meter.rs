//! Counts packets in a sliding window, exactly.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::CLOSING;

/// One second, and a quarter for acknowledgements that the kernel delays.
const WINDOW: Duration = Duration::from_millis(1250);

/// How long a SYN counts that nobody answered. No acknowledgement belongs to it, so nothing can be
/// delayed but itself: by the resolution of its address, which takes a moment or fails.
const UNANSWERED: Duration = Duration::from_millis(1050);

/// Packets that were sent within the last window, and packets that may leave at any moment.
///
/// A token bucket admits up to twice its rate in one window; this does not. A packet is first
/// *promised* (it may leave at any moment, so it counts in every window) and then *stamped* with
/// the time at which it left.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// When each packet will have left the window, soonest first.
    stamps: VecDeque<Instant>,
    promised: usize,
    /// Packets that end open connections: they leave only when we close.
    closing: usize,
}

/// When to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Full {
    /// At this moment enough stamps will have left the window.
    Until(Instant),
    /// When somebody keeps or gives back a promise.
    UntilReleased,
}

impl Meter {
    /// Whether `cost` more packets stay within `limit` in every window.
    pub(super) fn room(&mut self, cost: usize, limit: usize, now: Instant) -> Result<(), Full> {
        self.forget_old(now);
        // More attempts may have been answered at once than there is room to end: they wait for
        // each other to close, but not to ask, or none of them would ever be done.
        let closing = self.closing.min(most_closing(limit));
        self.fits(self.stamps.len() + self.promised + closing + cost, limit)
    }

    /// Whether the `cost` packets that close an open connection may leave now. They are counted
    /// already, and those of other connections wait for a turn of their own.
    pub(super) fn room_to_close(
        &mut self,
        cost: usize,
        limit: usize,
        now: Instant,
    ) -> Result<(), Full> {
        self.forget_old(now);
        self.fits(self.stamps.len() + self.promised + cost, limit)
    }

    /// They may: from now on they can leave at any moment, and nobody else's instead.
    pub(super) fn closes(&mut self, count: usize) {
        self.never_opened(count);
        self.promise(count);
    }

    fn fits(&self, total: usize, limit: usize) -> Result<(), Full> {
        let Some(excess) = total.checked_sub(limit).filter(|excess| *excess > 0) else {
            return Ok(());
        };
        match self.stamps.get(excess - 1) {
            Some(gone) => Err(Full::Until(*gone)),
            None => Err(Full::UntilReleased),
        }
    }

    /// The same for a connection of `cost` packets. What will end open connections may take up half
    /// of the limit: the other half is for questions, or the devices would wait for each other with
    /// open connections until their time is up.
    pub(super) fn room_for_connection(
        &mut self,
        cost: usize,
        limit: usize,
        now: Instant,
    ) -> Result<(), Full> {
        match self.closing + CLOSING > most_closing(limit) {
            true => Err(Full::UntilReleased),
            false => self.room(cost, limit, now),
        }
    }

    /// A connection is open, or will be, and `count` packets will end it.
    pub(super) fn opened(&mut self, count: usize) {
        self.closing += count;
    }

    /// It did not come about.
    pub(super) fn never_opened(&mut self, count: usize) {
        self.closing = self.closing.saturating_sub(count);
    }

    /// It is closed in a hurry: `count` packets that were to end it left now.
    pub(super) fn closed(&mut self, count: usize, now: Instant) {
        self.closing = self.closing.saturating_sub(count);
        self.count(now + WINDOW, count);
    }

    /// `count` packets may leave from now on.
    pub(super) fn promise(&mut self, count: usize) {
        self.promised += count;
    }

    /// One promised packet left now.
    pub(super) fn stamp(&mut self, now: Instant) {
        self.promised = self.promised.saturating_sub(1);
        self.count(now + WINDOW, 1);
    }

    /// The SYN that left at `left` was not answered and will not be.
    pub(super) fn unanswered(&mut self, left: Instant) {
        if let Ok(place) = self.stamps.binary_search(&(left + WINDOW)) {
            self.stamps.remove(place);
            self.count(left + UNANSWERED, 1);
        }
    }

    /// One packet left that nobody had promised, such as an extra acknowledgement.
    pub(super) fn stamp_unpromised(&mut self, now: Instant) {
        self.count(now + WINDOW, 1);
    }

    /// One promised packet will not leave.
    pub(super) fn release(&mut self) {
        self.promised = self.promised.saturating_sub(1);
    }

    /// Whether nothing is counted any more.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        self.forget_old(now);
        self.stamps.is_empty() && self.promised + self.closing == 0
    }

    /// Packets in the window that ends now, promised ones included.
    pub(super) fn load(&mut self, now: Instant) -> usize {
        self.forget_old(now);
        self.stamps.len() + self.promised + self.closing
    }

    fn count(&mut self, gone: Instant, packets: usize) {
        let place = self.stamps.partition_point(|other| *other <= gone);
        for _ in 0..packets {
            self.stamps.insert(place, gone);
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while self.stamps.front().is_some_and(|gone| *gone <= now) {
            self.stamps.pop_front();
        }
    }
}

/// How much of the limit may be kept for the end of open connections.
fn most_closing(limit: usize) -> usize {
    CLOSING.max(limit / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is asked and whenever, no window of one second holds more than the limit.
        #[test]
        fn no_window_holds_more_than_the_limit(
            asks in prop::collection::vec((1usize..4, 0u64..700, 0u64..200), 1..80),
            limit in 4usize..12,
        ) {
            let start = Instant::now();
            let mut meter = Meter::default();
            let mut now = start;
            let mut left = Vec::new();
            for (cost, pause, delay) in asks {
                now += Duration::from_millis(pause);
                while let Err(full) = meter.room(cost, limit, now) {
                    match full {
                        Full::Until(at) => {
                            prop_assert!(at > now);
                            now = at;
                        }
                        Full::UntilReleased => unreachable!("nothing stays promised here"),
                    }
                }
                meter.promise(cost);
                for _ in 0..cost {
                    meter.stamp(now);
                    left.push(now + Duration::from_millis(delay)); // the kernel may wait a little
                }
            }
            left.sort();
            for (i, first) in left.iter().enumerate() {
                let window = left[i..].iter().take_while(|at| **at < *first + Duration::from_secs(1));
                prop_assert!(window.count() <= limit);
            }
        }
    }

    #[test]
    fn a_syn_that_nobody_answered_counts_for_its_second_and_a_moment() {
        let left = Instant::now();
        let mut meter = Meter::default();
        meter.promise(2);
        meter.stamp(left);
        meter.release();
        let timeout = left + Duration::from_millis(900);
        meter.unanswered(left);
        assert_eq!(meter.room(1, 1, timeout), Err(Full::Until(left + UNANSWERED)));
        assert_eq!(meter.load(left + UNANSWERED), 0);
        meter.unanswered(left); // and not twice
        assert_eq!(meter.load(left + UNANSWERED), 0);
    }

    #[test]
    fn open_connections_never_keep_each_other_from_asking() {
        let now = Instant::now();
        let mut meter = Meter::default();
        for _ in 0..50 {
            meter.opened(CLOSING);
        }
        assert_eq!(meter.room(2, 4, now), Ok(()));
        assert_eq!(meter.room_for_connection(2, 4, now), Err(Full::UntilReleased));
    }

    #[test]
    fn a_promise_counts_until_it_is_kept_or_given_back() {
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.promise(3);
        assert_eq!(meter.room(1, 3, now), Err(Full::UntilReleased));
        meter.release();
        assert_eq!(meter.room(1, 3, now), Ok(()));
        meter.stamp(now);
        assert_eq!(meter.room(2, 3, now), Err(Full::Until(now + WINDOW)));
        assert_eq!(meter.load(now + WINDOW), 1, "the stamp is forgotten, the promise is not");
    }
}
