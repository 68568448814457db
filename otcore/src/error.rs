//! What can go wrong, for everybody who embeds the engine: one type, fixed numbers.

use crate::fingerprint::KnowledgeError;
use crate::gate::policy::PolicyError;
use crate::pack::PackError;
use crate::store::StoreError;
use crate::targets::TargetError;

/// What kind of thing went wrong. Numbers are never reused; bindings match on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum ErrorKind {
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
    /// This process is a copy of the one that works with the engine.
    Process = 8,
}

impl ErrorKind {
    /// All kinds, by number.
    pub const ALL: [Self; 8] = [
        Self::Target,
        Self::Name,
        Self::Policy,
        Self::EmptyScope,
        Self::Naming,
        Self::File,
        Self::Internal,
        Self::Process,
    ];

    /// Its name, the same in every binding and every version.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Name => "name",
            Self::Policy => "policy",
            Self::EmptyScope => "empty_scope",
            Self::Naming => "naming",
            Self::File => "file",
            Self::Internal => "internal",
            Self::Process => "process",
        }
    }

    /// Its number, the same in every binding and every version.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }
}

/// What went wrong: what happened, to what, and the way out, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

impl Error {
    /// An error of this kind with its one line of text.
    #[must_use]
    pub fn new(kind: ErrorKind, text: impl std::fmt::Display) -> Self {
        Self { kind, text: text.to_string() }
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<TargetError> for Error {
    fn from(error: TargetError) -> Self {
        Self::new(ErrorKind::Target, error)
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::new(ErrorKind::Policy, error)
    }
}

impl From<KnowledgeError> for Error {
    fn from(error: KnowledgeError) -> Self {
        Self::new(ErrorKind::File, error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(ErrorKind::File, error)
    }
}

impl From<PackError> for Error {
    fn from(error: PackError) -> Self {
        Self::new(ErrorKind::File, error)
    }
}

#[cfg(feature = "net")]
impl From<crate::net::ResolveError> for Error {
    fn from(error: crate::net::ResolveError) -> Self {
        Self::new(ErrorKind::Name, error)
    }
}

impl From<crate::model::DocumentError> for Error {
    fn from(error: crate::model::DocumentError) -> Self {
        Self::new(ErrorKind::File, error)
    }
}

impl From<crate::export::UnknownFormat> for Error {
    fn from(error: crate::export::UnknownFormat) -> Self {
        Self::new(ErrorKind::Naming, error)
    }
}

impl From<crate::model::NameError> for Error {
    fn from(error: crate::model::NameError) -> Self {
        Self::new(ErrorKind::Naming, error)
    }
}
