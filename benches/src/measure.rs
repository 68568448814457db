//! Timing: short rounds, everybody in turn, in processor time of this thread.
//!
//! Processor time does not grow while somebody else has the processor. What does change, its speed
//! and what the others leave of its caches, changes for everybody of a round alike, so each is
//! compared with the first of its own round.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Somebody who can do the work any number of times.
pub(crate) struct Contender {
    /// Who it is.
    pub(crate) name: String,
    /// What one turn does.
    pub(crate) what: &'static str,
    turns: Box<dyn FnMut(u32)>,
}

/// What somebody needed.
#[derive(Debug)]
pub(crate) struct Timed {
    /// Nanoseconds per turn, the median of all rounds.
    pub(crate) nanoseconds: f64,
    /// By what the first contender needed, the median of all rounds.
    pub(crate) ratio: f64,
}

impl Contender {
    /// `turn` is the work; what it returns is kept from being optimised away.
    pub(crate) fn new<T>(
        name: &str,
        what: &'static str,
        mut turn: impl FnMut() -> T + 'static,
    ) -> Self {
        let turns = Box::new(move |times| {
            for _ in 0..times {
                std::hint::black_box(turn());
            }
        });
        Self { name: name.to_owned(), what, turns }
    }

    fn round(&mut self, times: u32) -> f64 {
        let start = worked(ClockId::ThreadCPUTime);
        (self.turns)(times);
        (worked(ClockId::ThreadCPUTime) - start).as_secs_f64()
    }

    /// How many turns fill about `length`.
    fn fill(&mut self, length: Duration) -> u32 {
        let mut times = 1;
        while times < u32::MAX / 2 && self.round(times) < length.as_secs_f64() {
            times *= 2;
        }
        times
    }
}

/// Processor time used until now.
pub(crate) fn worked(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// What each contender needs, the first being what all are compared with.
pub(crate) fn measure(contenders: &mut [Contender], rounds: usize, length: Duration) -> Vec<Timed> {
    let times: Vec<u32> = contenders.iter_mut().map(|one| one.fill(length)).collect();
    let mut results = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for ((one, times), result) in contenders.iter_mut().zip(&times).zip(&mut results) {
            result.push(one.round(*times) * 1e9 / f64::from(*times));
        }
    }
    let first = results.first().cloned().unwrap_or_default();
    let timed = |result: Vec<f64>| {
        let ratios: Vec<f64> = result.iter().zip(&first).map(|(own, first)| own / first).collect();
        Timed { nanoseconds: median(&result), ratio: median(&ratios) }
    };
    results.into_iter().map(timed).collect()
}

/// The middle value, or 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_takes_longer_shows_a_larger_number() {
        let count = |to: u64| move || (0..to).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        let mut both =
            [Contender::new("short", "", count(1_000)), Contender::new("long", "", count(20_000))];
        let results = measure(&mut both, 5, Duration::from_millis(2));
        assert!(results[0].nanoseconds * 2.0 < results[1].nanoseconds, "{results:?}");
        assert!(results[1].ratio > 2.0, "{results:?}");
    }

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        assert!((median(&[3.0, 900.0, 1.0, 2.0, 3.0]) - 3.0).abs() < f64::EPSILON);
    }
}
