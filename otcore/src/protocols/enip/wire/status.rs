//! The status word of the Identity object.
//!
//! ODVA, volume 1, clause 5A-2.2.1.5; what a Logix controller adds, as observed in a ControlLogix
//! rack (0x3060 remote run, 0x3070 remote program).

/// The status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

/// What a Logix controller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It runs its program.
    Run,
    /// It does not.
    Program,
    /// It stopped for a major fault.
    Faulted,
    /// Its firmware is being updated.
    Updating,
}

/// Where the key switch of a Logix controller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySwitch {
    /// RUN.
    Run,
    /// PROG.
    Program,
    /// REM.
    Remote,
}

impl Mode {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "Run",
            Self::Program => "Program",
            Self::Faulted => "Fault",
            Self::Updating => "Updating",
        }
    }
}

impl KeySwitch {
    /// What is printed at the position.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "RUN",
            Self::Program => "PROG",
            Self::Remote => "REM",
        }
    }
}

/// Bits 8 to 11, the mildest first.
const FAULTS: [&str; 4] = [
    "minor recoverable fault",
    "minor unrecoverable fault",
    "major recoverable fault",
    "major unrecoverable fault",
];

impl Status {
    /// Whether somebody holds the device as its owner.
    #[must_use]
    pub const fn is_owned(self) -> bool {
        self.0 & 0x0001 != 0
    }

    /// Whether it has been configured to something else than it left the factory with.
    #[must_use]
    pub const fn is_configured(self) -> bool {
        self.0 & 0x0004 != 0
    }

    /// The four kinds of fault that are reported, the mildest first.
    pub fn faults(self) -> impl Iterator<Item = &'static str> {
        let bits = (8..).zip(FAULTS);
        bits.filter(move |(bit, _)| self.0 >> bit & 1 != 0).map(|(_, fault)| fault)
    }

    /// Bits 4 to 7 in words; `None` if they say nothing, or what only the vendor knows.
    #[must_use]
    pub const fn extended(self) -> Option<&'static str> {
        match self.0 >> 4 & 0xF {
            1 => Some("firmware update under way"),
            2 => Some("an I/O connection is faulted"),
            3 => Some("no I/O connections"),
            4 => Some("stored configuration is bad"),
            5 => Some("major fault"),
            6 => Some("an I/O connection runs"),
            7 => Some("all I/O connections are idle"),
            _ => None,
        }
    }

    /// What a Logix controller does.
    #[must_use]
    pub const fn mode(self) -> Option<Mode> {
        match self.0 >> 4 & 0xF {
            1 => Some(Mode::Updating),
            5 => Some(Mode::Faulted),
            6 => Some(Mode::Run),
            7 => Some(Mode::Program),
            _ => None,
        }
    }

    /// Where the key switch of a Logix controller stands.
    #[must_use]
    pub const fn key_switch(self) -> Option<KeySwitch> {
        match self.0 >> 12 & 3 {
            1 => Some(KeySwitch::Run),
            2 => Some(KeySwitch::Program),
            3 => Some(KeySwitch::Remote),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_in_remote_run_with_a_minor_fault() {
        let status = Status(0x3160);
        assert_eq!(status.mode(), Some(Mode::Run));
        assert_eq!(status.key_switch(), Some(KeySwitch::Remote));
        assert_eq!(status.faults().collect::<Vec<_>>(), ["minor recoverable fault"]);
        assert!(!status.is_owned() && !status.is_configured());
    }

    #[test]
    fn every_fault_has_its_bit() {
        let all: Vec<_> = Status(0x0F05).faults().collect();
        assert_eq!(all, FAULTS);
        assert!(Status(0x0F05).is_owned() && Status(0x0F05).is_configured());
        assert_eq!(Status(0x0030).extended(), Some("no I/O connections"));
        assert_eq!(Status(0x0000).mode(), None);
    }
}
