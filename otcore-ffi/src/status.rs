//! How a call ended, as a number.

use otcore::ErrorKind;

/// How a call ended. Numbers are never reused: 0 is success, those below 1000 are the errors of the
/// engine, those from 1000 are mistakes at this border, those from 2000 are no errors.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtcoreStatus {
    /// It worked.
    Ok = 0,
    /// A target cannot be understood.
    Target = 1,
    /// A name does not resolve.
    Name = 2,
    /// A policy is wrong.
    Policy = 3,
    /// Nothing is left to scan.
    EmptyScope = 4,
    /// A name for a zone, a source or a format is not allowed.
    Naming = 5,
    /// A file cannot be read, written or used: a journal, a memory, a store, a data pack.
    File = 6,
    /// A bug in the engine.
    Internal = 7,
    /// This process is a copy, made by fork, of the one that works with the engine.
    Process = 8,
    /// A handle is NULL, freed already, of another kind, or no handle at all.
    BadHandle = 1001,
    /// A pointer that must point somewhere is NULL or not aligned.
    BadPointer = 1002,
    /// A text is not UTF-8.
    BadText = 1003,
    /// A text is longer than 16 MiB, or a document longer than 1 GiB.
    TooLong = 1004,
    /// A bug in otcore was caught at the border.
    Panic = 1005,
    /// The events of this scan go to a callback already.
    Watched = 1006,
    /// Nothing happened yet; ask again.
    Pending = 2001,
    /// Nothing will follow.
    End = 2002,
    /// There is no such value.
    Nothing = 2003,
}

impl From<ErrorKind> for OtcoreStatus {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Target => Self::Target,
            ErrorKind::Name => Self::Name,
            ErrorKind::Policy => Self::Policy,
            ErrorKind::EmptyScope => Self::EmptyScope,
            ErrorKind::Naming => Self::Naming,
            ErrorKind::File => Self::File,
            ErrorKind::Process => Self::Process,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_keeps_its_number() {
        for kind in ErrorKind::ALL {
            assert_eq!(OtcoreStatus::from(kind) as u16, kind.number(), "{kind:?}");
        }
    }
}
