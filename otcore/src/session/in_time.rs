//! How long something may take, for whom the system stops meanwhile too.

use std::pin::pin;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

/// A clock that goes off later than this was not looked at for a while: the system had stopped this
/// process, or was too busy to let it run.
const LATE: Duration = Duration::from_millis(50);

/// What `awaited` gives within `patience`. A process that was stopped meanwhile is told that the time
/// is up before it is told what has arrived (Linux interrupts the wait for sockets when it goes on),
/// so it looks once more.
pub(super) async fn in_time<T>(
    patience: Duration,
    awaited: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let until = Instant::now() + patience;
    let mut awaited = pin!(awaited);
    match timeout_at(until, awaited.as_mut()).await {
        Err(_) if until.elapsed() > LATE => timeout(LATE, awaited).await,
        in_time => in_time,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;
    use tokio::task::{JoinHandle, yield_now};
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn waiting(for_it: &Arc<Notify>) -> JoinHandle<bool> {
        let it = Arc::clone(for_it);
        tokio::spawn(async move { in_time(SECOND, it.notified()).await.is_ok() })
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_slept_hears_what_came_meanwhile_though_the_clock_is_told_first() {
        let answer = Arc::new(Notify::new());
        let waiting = waiting(&answer);
        yield_now().await;
        advance(5 * SECOND).await;
        yield_now().await;
        answer.notify_one();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_awake_waits_no_longer_than_he_said() {
        let answer = Arc::new(Notify::new());
        let began = Instant::now();
        assert!(!waiting(&answer).await.unwrap());
        assert!(began.elapsed() <= SECOND + Duration::from_millis(1), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_slept_does_not_wait_for_long_either() {
        let answer = Arc::new(Notify::new());
        let waiting = waiting(&answer);
        yield_now().await;
        advance(5 * SECOND).await;
        let awake = Instant::now();
        assert!(!waiting.await.unwrap());
        assert!(awake.elapsed() <= 2 * LATE, "{:?}", awake.elapsed());
    }
}
