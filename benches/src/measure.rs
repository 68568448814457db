//! Timing: rounds of a fixed length, everybody in turn, and the median of what each needed.

use std::time::{Duration, Instant};

/// Somebody who can do the exchange any number of times.
pub(crate) struct Contender {
    /// Who it is.
    pub(crate) name: &'static str,
    /// What one turn does.
    pub(crate) what: &'static str,
    turns: Box<dyn FnMut(u32)>,
}

impl Contender {
    /// `turn` is the exchange; what it returns is kept from being optimised away.
    pub(crate) fn new<T>(
        name: &'static str,
        what: &'static str,
        mut turn: impl FnMut() -> T + 'static,
    ) -> Self {
        let turns = Box::new(move |times| {
            for _ in 0..times {
                std::hint::black_box(turn());
            }
        });
        Self { name, what, turns }
    }

    fn round(&mut self, times: u32) -> Duration {
        let start = Instant::now();
        (self.turns)(times);
        start.elapsed()
    }

    /// How many turns fill about `length`.
    fn fill(&mut self, length: Duration) -> u32 {
        let mut times = 1;
        while times < u32::MAX / 2 && self.round(times) < length {
            times *= 2;
        }
        times
    }
}

/// Nanoseconds per turn, for each contender one value per round.
///
/// The rounds go around the contenders, so that a machine that slows down slows all of them.
pub(crate) fn measure(
    contenders: &mut [Contender],
    rounds: usize,
    length: Duration,
) -> Vec<Vec<f64>> {
    let times: Vec<u32> = contenders.iter_mut().map(|one| one.fill(length)).collect();
    let mut results = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for ((one, times), result) in contenders.iter_mut().zip(&times).zip(&mut results) {
            result.push(one.round(*times).as_secs_f64() * 1e9 / f64::from(*times));
        }
    }
    results
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
        let spin = |length| move || std::thread::sleep(Duration::from_micros(length));
        let mut both =
            [Contender::new("short", "", spin(100)), Contender::new("long", "", spin(2000))];
        let results = measure(&mut both, 3, Duration::from_millis(2));
        assert!(median(&results[0]) * 2.0 < median(&results[1]), "{results:?}");
    }

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        assert!((median(&[3.0, 900.0, 1.0, 2.0, 3.0]) - 3.0).abs() < f64::EPSILON);
    }
}
