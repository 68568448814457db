//! Shows how far a running scan is, on standard error: a bar in a terminal, a few lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use otcore::model::Outcome;
use otcore::{Event, Plan, Progress};

use crate::out;

const BAR: &str = "{spinner:.cyan} {bar:24.cyan/black.bright} {pos:>3}/{len} {wide_msg}";

/// Shows how far a scan is.
#[derive(Debug)]
pub struct Live {
    way: Way,
    progress: Progress,
    identified: u64,
    latest: String,
}

#[derive(Debug)]
enum Way {
    Bar(ProgressBar),
    /// The next percentage worth a line.
    Lines(u64),
    Quiet,
}

impl Live {
    /// For a scan of this plan; shows nothing if it is not `wanted`.
    #[must_use]
    pub fn new(plan: &Plan, wanted: bool) -> Self {
        let planned = u64::try_from(plan.devices).unwrap_or(u64::MAX);
        let way = match (wanted, console::Term::stderr().is_term()) {
            (false, _) => Way::Quiet,
            (true, true) => Way::Bar(bar(planned)),
            (true, false) => Way::Lines(1),
        };
        let mut progress = Progress::default();
        progress.planned = planned;
        Self { way, progress, identified: 0, latest: String::new() }
    }

    /// Take in what happened.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Outcome(record) => {
                self.identified += u64::from(record.outcome == Outcome::Identified);
                if record.outcome != Outcome::Identified {
                    self.latest = format!("{} {}", record.address, record.outcome);
                }
            }
            Event::Asset(asset) => {
                let address = asset.addresses().next().map(|address| address.to_string());
                let headline = asset.node.headline();
                if !headline.is_empty() {
                    self.latest = format!("{} {headline}", address.unwrap_or_default());
                }
            }
            Event::Progress(progress) => self.advance(*progress),
            _ => {}
        }
    }

    /// A line above the bar.
    pub fn notice(&self, line: &str) {
        match &self.way {
            Way::Bar(bar) => bar.suspend(|| out::notice(line)),
            Way::Lines(_) | Way::Quiet => out::notice(line),
        }
    }

    /// Take the bar away.
    pub fn end(self) {
        if let Way::Bar(bar) = self.way {
            bar.finish_and_clear();
        }
    }

    fn advance(&mut self, progress: Progress) {
        self.progress = progress;
        let Progress { done, planned, packets, .. } = progress;
        let identified = self.identified;
        match &mut self.way {
            Way::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(format!(
                    "devices, {identified} identified, {packets} packets · {}",
                    self.latest
                ));
            }
            Way::Lines(next) if progress.percent() >= *next => {
                out::notice(&format!(
                    "{:>3} %  {done} of {planned} devices, {identified} identified, \
                     {packets} packets",
                    progress.percent()
                ));
                *next = (progress.percent() / 20 + 1) * 20;
            }
            Way::Lines(_) | Way::Quiet => {}
        }
    }
}

fn bar(planned: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(planned), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(BAR) {
        bar.set_style(style.progress_chars("━━━"));
    }
    bar.set_message("devices");
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
