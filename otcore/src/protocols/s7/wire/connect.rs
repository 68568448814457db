//! The connection request, and the answer to Setup Communication.

use super::{Function, S7};
use crate::protocol::Request;
use crate::wire::{Reader, WireError, Writer};

/// As what we ask for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any communication partner.
    Basic,
    /// An operator station.
    Operator,
    /// A programming device; the policy must consent.
    Programmer,
}

/// Where the module sits that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    rack: u8,
    slot: u8,
}

impl Place {
    /// Rack 0 to 7 and slot 0 to 31; `None` beyond.
    #[must_use]
    pub const fn new(rack: u8, slot: u8) -> Option<Self> {
        if rack < 8 && slot < 32 { Some(Self { rack, slot }) } else { None }
    }

    /// The second byte of the address that is called.
    #[must_use]
    pub(in crate::protocols::s7) const fn from_byte(byte: u8) -> Self {
        Self { rack: byte >> 5, slot: byte & 0x1F }
    }

    const fn byte(self) -> u8 {
        (self.rack << 5) | self.slot
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.rack, self.slot)
    }
}

/// Ask for a connection to one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect {
    /// As what.
    pub kind: Kind,
    /// To which module.
    pub place: Place,
}

impl Request<S7> for Connect {
    type Reply = ();

    fn function(&self) -> Function {
        match self.kind {
            Kind::Basic => Function::ConnectBasic,
            Kind::Operator => Function::ConnectOperator,
            Kind::Programmer => Function::ConnectProgrammer,
        }
    }

    fn write(&self, body: &mut Writer) {
        body.u8(self.place.byte());
    }

    /// That there is a connection is all that matters: sizes are agreed on by Setup Communication.
    fn read(&self, _: &mut Reader<'_>) -> Result<(), WireError> {
        Ok(())
    }
}

/// What we take in one message. Siemens' own clients of the S7-300 ask for no more.
pub(super) const PDU: u16 = 240;

/// Agree on the size of messages, one question at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupCommunication;

/// What the device agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The longest message in bytes.
    pub pdu: u16,
}

impl Request<S7> for SetupCommunication {
    type Reply = Setup;

    fn function(&self) -> Function {
        Function::SetupCommunication
    }

    fn write(&self, body: &mut Writer) {
        body.u8(0).u16_be(1).u16_be(1).u16_be(PDU);
    }

    fn read(&self, body: &mut Reader<'_>) -> Result<Setup, WireError> {
        body.take(1, "reserved")?;
        body.take(4, "parallel jobs")?;
        Ok(Setup { pdu: body.u16_be("pdu size")? })
    }
}
