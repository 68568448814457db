//! Counts packets in a sliding window, exactly.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::cargo::CLOSING;

/// What may still hold a packet back after it was stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing: it left in the same moment, or had left before.
    Not,
    /// The resolution of its address, which takes a moment or fails.
    ByResolution,
    /// The kernel, which may wait before it acknowledges (RFC 1122, 4.2.3.2; Linux, Windows and
    /// macOS wait a fifth of a second at most), or the device, which may close its side late.
    AsAcknowledgement,
}

impl Held {
    /// How long it counts: its own second from the moment at which it left at the latest.
    const fn counts(self) -> Duration {
        Duration::from_millis(match self {
            // The clock of whoever counts along, and a thread that loses its processor.
            Self::Not => 1010,
            Self::ByResolution => 1050,
            Self::AsAcknowledgement => 1250,
        })
    }
}

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

    /// It is closed in a hurry: one packet that was to end it left now, and one acknowledges what the
    /// device says to that.
    pub(super) fn closed(&mut self, now: Instant) {
        self.closing = self.closing.saturating_sub(CLOSING);
        self.count(now + Held::Not.counts(), 1);
        self.count(now + Held::AsAcknowledgement.counts(), CLOSING - 1);
    }

    /// `count` packets may leave from now on.
    pub(super) fn promise(&mut self, count: usize) {
        self.promised += count;
    }

    /// One promised packet leaves now, or as soon as nothing holds it back.
    pub(super) fn stamp(&mut self, held: Held, now: Instant) {
        self.promised = self.promised.saturating_sub(1);
        self.count(now + held.counts(), 1);
    }

    /// One packet left that nobody had promised, such as an extra acknowledgement.
    pub(super) fn stamp_unpromised(&mut self, now: Instant) {
        self.count(now + Held::AsAcknowledgement.counts(), 1);
    }

    /// `count` promised packets will not leave.
    pub(super) fn release(&mut self, count: usize) {
        self.promised = self.promised.saturating_sub(count);
    }

    /// Whether nothing is counted any more; gives back the memory of what was.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        self.forget_old(now);
        if self.stamps.is_empty() {
            self.stamps.shrink_to_fit();
        }
        self.stamps.is_empty() && self.promised + self.closing == 0
    }

    /// Packets in the window that ends now, promised ones included.
    pub(super) fn load(&mut self, now: Instant) -> usize {
        self.forget_old(now);
        self.stamps.len() + self.promised + self.closing
    }

    fn count(&mut self, gone: Instant, packets: usize) {
        let place = match self.stamps.back() {
            Some(last) if *last > gone => self.stamps.partition_point(|other| *other <= gone),
            _ => self.stamps.len(), // as most do
        };
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

    /// How long any packet counts.
    const LONGEST: Duration = Held::AsAcknowledgement.counts();

    /// How many milliseconds each may be held back.
    const HELD: [(Held, u64); 3] =
        [(Held::Not, 0), (Held::ByResolution, 50), (Held::AsAcknowledgement, 250)];

    proptest! {
        /// Whatever is asked and whenever, no window of one second holds more than the limit.
        #[test]
        fn no_window_holds_more_than_the_limit(
            asks in prop::collection::vec((1usize..4, 0u64..700, 0usize..3, 0u64..200), 1..80),
            limit in 4usize..12,
        ) {
            let start = Instant::now();
            let mut meter = Meter::default();
            let mut now = start;
            let mut left = Vec::new();
            for (cost, pause, held, delay) in asks {
                let (held, most) = HELD[held];
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
                    meter.stamp(held, now);
                    left.push(now + Duration::from_millis(delay.min(most)));
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
        meter.release(1);
        assert_eq!(meter.room(1, 3, now), Ok(()));
        meter.stamp(Held::ByResolution, now);
        let gone = now + Held::ByResolution.counts();
        assert_eq!(meter.room(2, 3, now), Err(Full::Until(gone)));
        assert_eq!(meter.load(gone), 1, "the stamp is forgotten, the promise is not");
    }

    #[test]
    fn there_is_room_up_to_the_limit_and_not_for_one_packet_more() {
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.promise(3);
        assert_eq!(meter.room(1, 4, now), Ok(()));
        assert_eq!(meter.room(2, 4, now), Err(Full::UntilReleased));
        assert_eq!(meter.room_to_close(1, 4, now), Ok(()));
        assert_eq!(meter.room_to_close(2, 4, now), Err(Full::UntilReleased));
        meter.opened(1);
        assert_eq!(meter.room(1, 4, now), Err(Full::UntilReleased), "its end has to fit as well");
        assert_eq!(meter.room_to_close(1, 4, now), Ok(()), "the end of another does not count");
    }

    #[test]
    fn the_wait_is_until_just_so_many_packets_are_out_of_the_window() {
        let start = Instant::now();
        let mut meter = Meter::default();
        for second in [2, 0, 1] {
            meter.stamp_unpromised(start + Duration::from_millis(second));
        }
        let now = start + Duration::from_millis(3);
        let gone = |millis| Err(Full::Until(start + LONGEST + Duration::from_millis(millis)));
        assert_eq!(meter.room(1, 3, now), gone(0));
        assert_eq!(meter.room(2, 3, now), gone(1));
        assert_eq!(meter.room(3, 3, now), gone(2));
        assert_eq!(meter.room_to_close(2, 3, now), gone(1));
        assert_eq!(
            meter.room(4, 3, now),
            Err(Full::UntilReleased),
            "never, without a larger limit"
        );
    }

    #[test]
    fn everything_counts_until_it_has_left_the_window() {
        let now = Instant::now();
        let mut meter = Meter::default();
        assert!(meter.is_idle(now));
        meter.promise(2);
        assert!(!meter.is_idle(now) && meter.load(now) == 2);
        meter.stamp(Held::AsAcknowledgement, now);
        meter.opened(CLOSING);
        meter.stamp_unpromised(now);
        assert_eq!(meter.load(now), 1 + 2 + CLOSING);
        meter.release(1);
        meter.closed(now);
        assert_eq!(meter.load(now), 2 + CLOSING, "what was to come has been");
        assert!(!meter.is_idle(now));
        assert!(meter.is_idle(now + LONGEST) && meter.load(now + LONGEST) == 0);
        meter.opened(CLOSING);
        assert!(!meter.is_idle(now + LONGEST), "something is open still");
        meter.never_opened(CLOSING);
        assert!(meter.is_idle(now + LONGEST));
    }

    #[test]
    fn the_end_of_connections_takes_half_of_the_limit_and_no_more() {
        let now = Instant::now();
        let mut meter = Meter::default();
        assert_eq!(meter.room_for_connection(2, 3, now), Ok(()), "one is always possible");
        meter.opened(4);
        assert_eq!(meter.room_for_connection(2, 12, now), Ok(()));
        meter.opened(1);
        assert_eq!(meter.room_for_connection(2, 12, now), Err(Full::UntilReleased));
        assert_eq!(meter.room(2, 12, now), Ok(()), "those who are in may ask");
        meter.closes(CLOSING);
        assert_eq!(meter.room_for_connection(2, 12, now), Ok(()));
        assert_eq!(meter.load(now), 3 + CLOSING, "the end of that one leaves at any moment");
    }
}
