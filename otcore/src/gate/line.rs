//! Who stands in line for the pace of the whole process.
//!
//! Whoever is sent out takes memory, so nobody else is while there is a line.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A line as long as this always has somebody who can go as soon as there is room.
const LINE: usize = 32;

/// How many conversations could begin but for the packets of the whole process.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: AtomicUsize,
    moved: Notify,
}

/// Somebody who may stand in line.
pub(super) struct Standing<'a> {
    line: &'a Line,
    waits: bool,
}

impl Line {
    /// Whether so many wait that nobody else needs to be sent out.
    pub(super) fn is_long(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= LINE
    }

    /// Wait until there may be no line any more.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    pub(super) fn come(&self) -> Standing<'_> {
        Standing { line: self, waits: false }
    }
}

impl Standing<'_> {
    pub(super) fn waits(&mut self, waits: bool) {
        if std::mem::replace(&mut self.waits, waits) == waits {
            return;
        }
        if waits {
            self.line.waiting.fetch_add(1, Ordering::Relaxed);
        } else if self.line.waiting.fetch_sub(1, Ordering::Relaxed) <= LINE {
            self.line.moved.notify_one();
        }
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.waits(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_is_long_until_somebody_goes_and_tells_so() {
        let line = Line::default();
        let mut standing: Vec<_> = (0..LINE).map(|_| line.come()).collect();
        assert!(!line.is_long(), "nobody waits yet");
        standing.iter_mut().for_each(|one| one.waits(true));
        assert!(line.is_long());
        let told = tokio::time::timeout(std::time::Duration::from_secs(1), line.moved());
        assert!(told.await.is_err(), "nobody has gone");
        standing.pop();
        line.moved().await;
        assert!(!line.is_long());
    }
}
