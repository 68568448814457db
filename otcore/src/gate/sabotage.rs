//! Switches that break one promise each, so that the test of that promise is seen to turn red.
//!
//! They exist only in builds with the feature `sabotage`, which is for the tests of this repository
//! alone: everywhere else [`Saboteur::is_at_work`] is the constant `false`.

/// Who breaks which promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "sabotage"), allow(dead_code))]
pub(crate) enum Saboteur {
    /// 1: also connects to an address that nobody asked for.
    Scope,
    /// 2: opens a second connection beside the first.
    SecondConnection,
    /// 3: waits for nothing.
    Pace,
    /// 4: turns every question into a write.
    Write,
    /// 5: connects and says nothing.
    Empty,
    /// 6: goes on after an abort.
    Abort,
    /// 7: asks again after a silence.
    SecondPacket,
    /// 8: takes whatever a device sends, for as long as it sends.
    Flood,
    /// 9: forgets what a claim stands on.
    Evidence,
    /// 10: leaves questions out of the journal.
    Journal,
}

impl Saboteur {
    #[cfg(feature = "sabotage")]
    const fn name(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::SecondConnection => "second-connection",
            Self::Pace => "pace",
            Self::Write => "write",
            Self::Empty => "empty",
            Self::Abort => "abort",
            Self::SecondPacket => "second-packet",
            Self::Flood => "flood",
            Self::Evidence => "evidence",
            Self::Journal => "journal",
        }
    }

    /// Whether `OTCORE_SABOTEUR` names this one.
    #[cfg(feature = "sabotage")]
    pub(crate) fn is_at_work(self) -> bool {
        std::env::var("OTCORE_SABOTEUR").is_ok_and(|name| name == self.name())
    }

    /// Never.
    #[cfg(not(feature = "sabotage"))]
    pub(crate) const fn is_at_work(self) -> bool {
        false
    }
}
