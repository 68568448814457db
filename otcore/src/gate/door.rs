//! Whether anything may leave at all: open, paused or shut.
//!
//! A send happens while the door is held open; shutting it waits for the sends that are inside
//! (microseconds, they never block) and lets no further one begin. So whoever called
//! [`Door::shut`] knows, when it returns, that nothing leaves any more.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::task::Poll;

use tokio::sync::Notify;

use super::refusal::{Refusal, StopReason};
use super::sabotage::Saboteur;

#[derive(Debug)]
pub(super) struct Door {
    shut: RwLock<Option<StopReason>>,
    journal_failed: AtomicBool,
    sign: Mutex<Sign>,
    /// Wakes whoever waits in the order they came. A watch channel wakes in a random order, and then
    /// the same seed would not send the same after a pause.
    turned: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Open,
    Paused,
    Shut,
    /// Shut, and somebody waits for the end.
    Asked,
}

impl Door {
    pub(super) fn open() -> Self {
        let (journal_failed, sign) = (AtomicBool::new(false), Mutex::new(Sign::Open));
        Self { shut: RwLock::new(None), journal_failed, sign, turned: Notify::new() }
    }

    /// Nothing leaves once this returns. The first reason stays.
    pub(super) fn shut(&self, why: StopReason) {
        if Saboteur::Abort.is_at_work() && why == StopReason::Asked {
            return;
        }
        let mut shut = self.shut.write().unwrap_or_else(PoisonError::into_inner);
        shut.get_or_insert(why);
        drop(shut);
        let shut = if why == StopReason::Asked { Sign::Asked } else { Sign::Shut };
        self.turn(|sign| sign.max(shut));
    }

    /// The journal failed, perhaps while a send is inside the door: let nothing more in.
    pub(super) fn shut_for_journal(&self) {
        self.journal_failed.store(true, Ordering::SeqCst);
        self.turn(|sign| sign.max(Sign::Shut));
    }

    /// Start no new conversation until [`Door::resume`].
    pub(super) fn pause(&self) {
        self.turn(|sign| if sign == Sign::Open { Sign::Paused } else { sign });
    }

    pub(super) fn resume(&self) {
        self.turn(|sign| if sign == Sign::Paused { Sign::Open } else { sign });
    }

    fn turn(&self, change: impl FnOnce(Sign) -> Sign) {
        let mut sign = self.sign.lock().unwrap_or_else(PoisonError::into_inner);
        *sign = change(*sign);
        drop(sign);
        self.turned.notify_waiters();
    }

    fn sign(&self) -> Sign {
        *self.sign.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn until(&self, is_so: impl Fn(Sign) -> bool) {
        loop {
            let turned = self.turned.notified(); // also of a turn before anybody waits for it
            if is_so(self.sign()) {
                return;
            }
            turned.await;
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.sign() == Sign::Paused
    }

    pub(super) fn stopped(&self) -> Option<StopReason> {
        let shut = *self.shut.read().unwrap_or_else(PoisonError::into_inner);
        shut.or_else(|| self.journal_stop())
    }

    fn journal_stop(&self) -> Option<StopReason> {
        self.journal_failed.load(Ordering::SeqCst).then_some(StopReason::JournalFailed)
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        match self.stopped() {
            None => Ok(()),
            Some(why) => Err(Refusal::Stopped(why)),
        }
    }

    /// Run `send` unless the door is shut; shutting waits until it is through.
    pub(super) fn pass<R>(&self, send: impl FnOnce() -> R) -> Result<R, Refusal> {
        let shut = self.shut.read().unwrap_or_else(PoisonError::into_inner);
        match shut.or_else(|| self.journal_stop()) {
            None => Ok(send()),
            Some(why) => Err(Refusal::Stopped(why)),
        }
    }

    /// Wait until the door is not paused; an error if it is shut.
    pub(super) async fn unpaused(&self) -> Result<(), Refusal> {
        self.until(|sign| sign != Sign::Paused).await;
        self.check()
    }

    /// `work`, or the reason why the door was shut before it was done.
    pub(super) async fn unless_shut<T>(&self, work: impl Future<Output = T>) -> Result<T, Refusal> {
        self.unless(Sign::Shut, work).await
    }

    /// `work`, also behind a door that was shut for another reason than that somebody asked to.
    pub(super) async fn unless_asked<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Refusal> {
        self.unless(Sign::Asked, work).await
    }

    /// Large work is pinned before it comes here: each call that it is handed to would make room for it.
    async fn unless<T>(&self, least: Sign, work: impl Future<Output = T>) -> Result<T, Refusal> {
        let why = || Err(Refusal::Stopped(self.stopped().unwrap_or(StopReason::Asked)));
        let (mut work, mut shut) = (pin!(work), pin!(self.until(|sign| sign >= least)));
        poll_fn(|context| {
            if self.sign() >= least {
                return Poll::Ready(why());
            }
            match work.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Ok(done)),
                // Most work is done at once, and then nobody has to wait for the door.
                Poll::Pending => shut.as_mut().poll(context).map(|()| why()),
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_shut_nothing_passes_and_the_first_reason_stays() {
        let door = Door::open();
        assert_eq!(door.pass(|| 1), Ok(1));
        door.shut(StopReason::HarmSuspected);
        door.shut(StopReason::Asked);
        assert_eq!(door.pass(|| 1), Err(Refusal::Stopped(StopReason::HarmSuspected)));
        door.resume();
        assert!(door.check().is_err(), "a shut door cannot be resumed");
    }

    #[tokio::test]
    async fn shutting_ends_whatever_waits() {
        let door = Door::open();
        let wait = door.unless_shut(std::future::pending::<()>());
        let (ended, ()) = tokio::join!(wait, async { door.shut(StopReason::Asked) });
        assert_eq!(ended, Err(Refusal::Stopped(StopReason::Asked)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_only_when_somebody_asks_goes_on_behind_a_door_that_was_shut_for_harm() {
        let door = Door::open();
        let mut goodbye = pin!(door.unless_asked(std::future::pending::<()>()));
        let mut goes_on = async || {
            let a_while = std::time::Duration::from_secs(60);
            tokio::time::timeout(a_while, goodbye.as_mut()).await
        };
        door.shut(StopReason::HarmSuspected);
        assert!(goes_on().await.is_err());
        door.shut(StopReason::Asked);
        assert_eq!(goes_on().await, Ok(Err(Refusal::Stopped(StopReason::HarmSuspected))));
    }
}
