//! One at a time, and nobody waits longer than he said.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Until when somebody waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// This long from now; one that cannot be reckoned never comes.
    pub(super) fn after(patience: Duration) -> Self {
        Self(Instant::now().checked_add(patience))
    }

    /// How long until then.
    pub(super) fn left(self) -> Duration {
        let left = |then: Instant| then.saturating_duration_since(Instant::now());
        self.0.map_or(Duration::MAX, left)
    }
}

/// A value that changes, and those who wait for it.
#[derive(Debug, Default)]
pub(super) struct Watched<T> {
    held: Mutex<Held<T>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Held<T> {
    value: T,
    /// How many wait: telling nobody takes its time too.
    waiting: usize,
}

impl<T> Watched<T> {
    /// Look at it, or change it, which everybody who waits is told.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        let mut held = self.lock();
        let seen = look(&mut held.value);
        if held.waiting > 0 {
            self.changed.notify_all();
        }
        seen
    }

    /// Wait until `ready`, then do `act` before anybody else looks. `None` if that takes too long.
    pub(super) fn when<R>(
        &self,
        deadline: Deadline,
        ready: impl Fn(&T) -> bool,
        act: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        let mut held = self.lock();
        while !ready(&held.value) {
            let left = deadline.left();
            if left.is_zero() {
                return None;
            }
            held.waiting += 1;
            let waited = self.changed.wait_timeout(held, left);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
            held.waiting -= 1;
        }
        Some(act(&mut held.value))
    }

    fn lock(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives turns: whoever holds a [`Turn`] is alone until it is dropped.
#[derive(Debug, Default)]
pub(super) struct Turns(Watched<bool>);

/// Somebody's turn.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Wait for a turn.
    pub(super) fn take(&self, deadline: Deadline) -> Option<Turn<'_>> {
        self.0.when(deadline, |taken| !taken, |taken| *taken = true).map(|()| Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.0.with(|taken| *taken = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_when_it_is_dropped_and_nobody_waits_longer_than_he_said() {
        let turns = Turns::default();
        let now = || Deadline::after(Duration::ZERO);
        let turn = turns.take(now()).unwrap();
        assert!(turns.take(now()).is_none());
        assert!(turns.take(Deadline::after(Duration::from_millis(20))).is_none());
        std::thread::scope(|scope| {
            let other = scope.spawn(|| turns.take(Deadline::after(Duration::MAX)).is_some());
            drop(turn);
            assert!(other.join().unwrap());
        });
        assert!(turns.take(now()).is_some());
    }
}
