//! What routers and those that hand broadcasts on know: ASHRAE 135, clause 6.4 and annex J.2.

use super::address::IpPlace;
use super::{Bacnet, Function};
use crate::protocol::Request;
use crate::wire::{Reader, WireError, Writer};

/// Which networks a router leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhoIsRouter;

impl Request<Bacnet> for WhoIsRouter {
    type Reply = Vec<u16>;

    fn function(&self) -> Function {
        Function::WhoIsRouter
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<Vec<u16>, WireError> {
        let mut networks = Vec::new();
        while body.left() > 0 {
            networks.push(body.u16_be("network")?);
        }
        Ok(networks)
    }
}

/// Which network a device is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhatIsNetworkNumber;

/// The number of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkNumber {
    /// The number.
    pub number: u16,
    /// Somebody configured it, rather than a neighbour having told it.
    pub is_configured: bool,
}

impl Request<Bacnet> for WhatIsNetworkNumber {
    type Reply = NetworkNumber;

    fn function(&self) -> Function {
        Function::WhatIsNetworkNumber
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<NetworkNumber, WireError> {
        let number = body.u16_be("network")?;
        Ok(NetworkNumber { number, is_configured: body.u8("origin of the number")? == 1 })
    }
}

/// To which networks a device hands broadcasts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadBroadcastTable;

/// One entry of a broadcast distribution table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Who does the same there.
    pub at: IpPlace,
    /// Which part of its address is the network's.
    pub mask: [u8; 4],
}

impl Request<Bacnet> for ReadBroadcastTable {
    type Reply = Vec<Distribution>;

    fn function(&self) -> Function {
        Function::ReadBroadcastTable
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<Vec<Distribution>, WireError> {
        let mut found = Vec::new();
        while body.left() > 0 {
            let at = IpPlace::read(body, "address")?;
            found.push(Distribution { at, mask: body.array("mask")? });
        }
        Ok(found)
    }
}

/// Who from elsewhere has registered for broadcasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadForeignTable;

/// One entry of a foreign device table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreigner {
    /// Who.
    pub at: IpPlace,
    /// For how long, in seconds.
    pub seconds: u16,
    /// How much of it is left, in seconds.
    pub left: u16,
}

impl Request<Bacnet> for ReadForeignTable {
    type Reply = Vec<Foreigner>;

    fn function(&self) -> Function {
        Function::ReadForeignTable
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<Vec<Foreigner>, WireError> {
        let mut found = Vec::new();
        while body.left() > 0 {
            let at = IpPlace::read(body, "address")?;
            let seconds = body.u16_be("time to live")?;
            found.push(Foreigner { at, seconds, left: body.u16_be("time left")? });
        }
        Ok(found)
    }
}
