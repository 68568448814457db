//! Which process the engine works in: a copy of it, as `fork` makes one, has none of its threads.

use std::mem;
use std::process;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, ErrorKind};

/// The process that scans. Its copies do not: locks may be held in them by threads that are not
/// there, and each copy would keep to the limits of the policy by itself only.
static FIRST: OnceLock<u32> = OnceLock::new();

/// The process in which something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home(u32);

impl Home {
    /// This process, if it is the one that scans.
    pub(super) fn here() -> Result<Self, Error> {
        let home = Self(*FIRST.get_or_init(process::id));
        home.check().map(|()| home)
    }

    /// This process, whether it scans or not.
    pub(super) fn plain() -> Self {
        Self(process::id())
    }

    /// Whether this is still the same process.
    pub(super) fn check(self) -> Result<(), Error> {
        match self.0 == process::id() {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Process,
                format!(
                    "this process is a copy of process {}, which has scanned: start a new process \
                     instead of a copy",
                    self.0
                ),
            )),
        }
    }

    /// In a copy, never drop what waits for threads that are not there.
    pub(super) fn keep_elsewhere<T>(self, shared: &Arc<T>) {
        if self.check().is_err() {
            mem::forget(Arc::clone(shared));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_is_told_what_to_do_instead() {
        assert_eq!(Home::here().unwrap(), Home::plain());
        let error = Home(0).check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Process);
        assert!(error.to_string().contains("start a new process"), "{error}");
    }

    #[test]
    fn what_belongs_to_another_process_is_never_dropped() {
        let (ours, theirs) = (Arc::new(()), Arc::new(()));
        Home::plain().keep_elsewhere(&ours);
        Home(0).keep_elsewhere(&theirs);
        assert_eq!((Arc::strong_count(&ours), Arc::strong_count(&theirs)), (1, 2));
    }
}
