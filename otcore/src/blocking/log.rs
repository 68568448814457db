//! Lines about what a scan does, for the log of the program around it.

use std::fmt;
use std::sync::Arc;

use crate::model::{Outcome, OutcomeRecord, printable};
use crate::scan::Event;

/// How much a line matters. Numbers are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Severity {
    /// A person should look: a device went dark.
    Warning = 1,
    /// A scan begins, pauses, ends.
    Info = 2,
    /// How each conversation ended.
    Debug = 3,
}

/// Where the lines go. The default is nowhere.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Tell>>);

type Tell = dyn Fn(Severity, &str) + Send + Sync;

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Log").field(&self.0.is_some()).finish()
    }
}

impl Log {
    /// Lines, safe to show, go to `tell`, which any thread may call, several at a time.
    #[must_use]
    pub fn to(tell: impl Fn(Severity, &str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(super) fn tell(&self, severity: Severity, line: impl FnOnce() -> String) {
        if let Some(tell) = &self.0 {
            tell(severity, &printable(&line()));
        }
    }

    /// The line about an event, if it has one.
    pub(super) fn event(&self, event: &Event) {
        match event {
            Event::Outcome(record) if record.outcome == Outcome::WentDark => {
                self.tell(Severity::Warning, || in_words(record));
            }
            Event::Outcome(record) => self.tell(Severity::Debug, || in_words(record)),
            Event::Skipped(skipped) => self.tell(Severity::Info, || {
                format!("{} is not visited: {}", skipped.what, skipped.reason)
            }),
            Event::Finished { stopped: None } => {
                self.tell(Severity::Info, || "scan ends".to_owned());
            }
            Event::Finished { stopped: Some(why) } => {
                self.tell(Severity::Warning, || format!("scan ends: {}", why.in_words()));
            }
            _ => {}
        }
    }
}

fn in_words(record: &OutcomeRecord) -> String {
    let OutcomeRecord { address, protocol, port, outcome, detail, .. } = record;
    let detail = detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{address} {protocol}/{port} {outcome}{detail}")
}
