//! Polls futures in every order, or in many random ones, in virtual time.
//!
//! The futures are the engine's own. What lies between two of their waits happens at once, as it
//! does under a lock; every order of those pieces is tried.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::common::Dice;

/// What takes part.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Time passes in steps of this, and only while nobody can go on.
const STEP: Duration = Duration::from_millis(25);
/// Nobody waits longer than this for a limit: who does has missed being woken.
const LONGEST: Duration = Duration::from_secs(30);

/// Which of those who can go on does so next.
pub(crate) enum Order {
    /// Each possible order once; the choices of the one under way, and out of how many.
    Every { choices: Vec<(usize, usize)>, at: usize },
    /// Orders by chance.
    Random(Dice),
}

impl Order {
    pub(crate) fn every() -> Self {
        Self::Every { choices: Vec::new(), at: 0 }
    }

    fn choose(&mut self, among: usize) -> usize {
        match self {
            Self::Random(dice) => dice.below(among as u64) as usize,
            Self::Every { choices, at } => {
                if *at == choices.len() {
                    choices.push((0, among));
                }
                let (chosen, before) = choices[*at];
                assert_eq!(before, among, "the same order leads to the same");
                *at += 1;
                chosen
            }
        }
    }

    /// On to the next order; false if there is none.
    pub(crate) fn next(&mut self) -> bool {
        let Self::Every { choices, at } = self else { return true };
        *at = 0;
        while let Some((chosen, among)) = choices.pop() {
            if chosen + 1 < among {
                choices.push((chosen + 1, among));
                return true;
            }
        }
        false
    }
}

#[derive(Debug)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Carry out the tasks in this order, to their end. Must be called where time is virtual.
pub(crate) async fn carry_out(order: &mut Order, tasks: Vec<Task>) {
    let mut tasks: Vec<(Task, Arc<Woken>)> =
        tasks.into_iter().map(|task| (task, Arc::new(Woken(AtomicBool::new(true))))).collect();
    let mut waited = Duration::ZERO;
    while !tasks.is_empty() {
        let can_go_on = |(_, woken): &(Task, Arc<Woken>)| woken.0.load(Ordering::SeqCst);
        let ready: Vec<usize> = (0..tasks.len()).filter(|nth| can_go_on(&tasks[*nth])).collect();
        if ready.is_empty() {
            assert!(waited < LONGEST, "{} wait for ever", tasks.len());
            tokio::time::advance(STEP).await;
            waited += STEP;
            continue;
        }
        waited = Duration::ZERO;
        let nth = ready[order.choose(ready.len())];
        let (task, woken) = &mut tasks[nth];
        woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(woken));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            drop(tasks.remove(nth));
        }
    }
}

/// Here somebody else may go on.
pub(crate) async fn step() {
    let mut done = false;
    std::future::poll_fn(|context| match std::mem::replace(&mut done, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
