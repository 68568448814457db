//! The moments at which those who wait wake up.
//!
//! To wake the processor costs more than a packet does, and a sweep in which each device waits for a
//! moment of its own spends most of its time on that. So all wait for the same few moments. The price is
//! pace: what a refused connect gives back within a tick is taken at the next one.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

const TICK: Duration = Duration::from_millis(10);

/// Ticks like a clock, since somebody looked at it first.
#[derive(Debug, Default)]
pub(super) struct Ticks(OnceLock<Instant>);

impl Ticks {
    /// The first tick that is not before `at`.
    pub(super) fn not_before(&self, at: Instant) -> Instant {
        let first = *self.0.get_or_init(Instant::now);
        let since = at.saturating_duration_since(first).as_nanos();
        let late = u64::try_from(since % TICK.as_nanos()).unwrap_or_default();
        match Duration::from_nanos(late) {
            Duration::ZERO => at,
            late => at + TICK.saturating_sub(late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_wakes_at_the_next_tick_and_never_before() {
        let (ticks, first) = (Ticks::default(), Instant::now());
        let wakes = |micros| {
            let wakes = ticks.not_before(first + Duration::from_micros(micros));
            wakes.duration_since(first).as_micros()
        };
        assert_eq!([0, 1, 9_999].map(wakes), [0, 10_000, 10_000]);
        assert_eq!([10_000, 10_001, 3_019_000].map(wakes), [10_000, 20_000, 3_020_000]);
    }
}
