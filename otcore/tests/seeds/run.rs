//! Carries out a seed: starts its scans, lets happen what happens, keeps what was seen.

use std::time::Duration;

use otcore::scan::{Plan, Report};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::case::{Case, Happening};
use crate::common::{Setting, parse};

/// What a seed led to.
pub(crate) struct Seen {
    pub(crate) case: Case,
    pub(crate) setting: Setting,
    /// One for each scan, those of the second round included. Without a report if it was dropped.
    pub(crate) scans: Vec<(Plan, Option<Report>)>,
    /// Periods in which nothing may leave but the end of connections.
    pub(crate) quiet: Vec<Quiet>,
    /// Periods in which no conversation may begin.
    pub(crate) paused: Vec<Quiet>,
    /// How long the scans of the first round took after they were stopped.
    pub(crate) stopping: Option<Duration>,
    /// They were not done by then.
    pub(crate) late: Option<Duration>,
    /// How long all of it took, in the time of the plant.
    pub(crate) took: Duration,
}

/// A period: from an abort, say, or the end of every scan, to the next scan. Ranges of the journal
/// and the capture.
pub(crate) struct Quiet {
    pub(crate) journal: std::ops::Range<usize>,
    pub(crate) capture: std::ops::Range<usize>,
}

impl Quiet {
    fn between(from: (usize, usize), to: (usize, usize)) -> Self {
        Self { journal: from.0..to.0, capture: from.1..to.1 }
    }
}

/// Carry out what the seed stands for.
pub(crate) async fn run(seed: u64) -> Seen {
    carry_out(Case::of(seed), seed).await
}

/// Carry out a case; `seed` chooses the tags of its questions.
pub(crate) async fn carry_out(case: Case, seed: u64) -> Seen {
    let mut setting = Setting::new(case.network.clone()).with_policy(case.policy.clone());
    setting.seed = seed;
    let began = Instant::now();
    let mut seen = Seen {
        case,
        setting,
        scans: Vec::new(),
        quiet: Vec::new(),
        paused: Vec::new(),
        stopping: None,
        late: None,
        took: Duration::ZERO,
    };
    let happening = seen.case.happening;
    seen.round(happening).await;
    if let Some(later) = seen.case.again {
        sleep(later).await;
        seen.round(Happening::Nothing).await;
    }
    seen.took = began.elapsed();
    seen
}

impl Seen {
    /// All scans at once.
    async fn round(&mut self, happening: Happening) {
        let (mut plans, mut handles, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
        for (nth, targets) in self.case.scans.clone().iter().enumerate() {
            if nth > 0 {
                sleep(self.case.apart).await;
            }
            let scanner = self.setting.scanner();
            let Ok(plan) = scanner.plan(&parse(targets)) else { continue };
            let scan = scanner.start(plan.clone());
            plans.push(plan);
            handles.push(scan.handle());
            tasks.push(tokio::spawn(scan.finish()));
        }
        match happening {
            Happening::Nothing => {}
            Happening::Abort(at) => sleep(at).await,
            Happening::Dropped(at) => {
                sleep(at).await;
                tasks.iter().for_each(JoinHandle::abort);
            }
            Happening::Pause(at, time) | Happening::PauseThenAbort(at, time) => {
                sleep(at).await;
                handles.iter().for_each(otcore::scan::Handle::pause);
                let from = self.now();
                sleep(time).await;
                self.paused.push(Quiet::between(from, self.now()));
            }
        }
        let mut from = self.now();
        match happening {
            Happening::Abort(_) | Happening::PauseThenAbort(..) => {
                handles.iter().for_each(otcore::scan::Handle::abort);
            }
            Happening::Pause(..) => handles.iter().for_each(otcore::scan::Handle::resume),
            Happening::Nothing | Happening::Dropped(_) => {}
        }
        let began = Instant::now();
        // They wait for each other, so none takes longer than all of them one after another.
        let longest = Duration::from_secs(plans.iter().map(|plan| plan.seconds_at_most).sum());
        let mut reports = Vec::new();
        for mut task in tasks {
            let left = longest.saturating_sub(began.elapsed());
            let report = match timeout(left, &mut task).await {
                Ok(report) => report,
                Err(_) => {
                    self.late = Some(longest);
                    task.abort(); // whatever holds it, what left is looked at
                    task.await
                }
            };
            reports.push(match report {
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                report => report.ok(), // or it was dropped
            });
        }
        if happening.ends() {
            self.stopping = Some(began.elapsed());
        }
        if !matches!(happening, Happening::Abort(_) | Happening::PauseThenAbort(..)) {
            from = self.now();
        }
        sleep(Duration::from_secs(60)).await;
        self.quiet.push(Quiet::between(from, self.now()));
        self.scans.extend(plans.into_iter().zip(reports));
    }

    fn now(&self) -> (usize, usize) {
        (self.setting.journal.count(), self.setting.network.packets() as usize)
    }
}
