//! What a pretend device is, in any protocol: bytes in, behaviour out.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::safety::Selector;

/// A pretend device: how it answers, and how it misbehaves.
///
/// It owns no socket and no clock and never sleeps: the time is handed in and delays are handed
/// out, so that one device serves on loopback and in virtual time alike.
pub trait Device: Debug + Send + Sync {
    /// Lower-case name of the protocol it speaks, as in targets.
    fn protocol(&self) -> &'static str;

    /// Somebody connects.
    fn connect(&self, _visit: Visit) -> Greeting {
        Greeting::Accept
    }

    /// Whether it also listens for datagrams at its port.
    fn takes_datagrams(&self) -> bool {
        false
    }

    /// Somebody sent `received`: everything on this connection that was not consumed before, or one
    /// datagram.
    fn answer(&self, visit: Visit, received: &[u8]) -> Reply;
}

/// Who is there, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// Number of the connection, never used twice.
    pub connection: u64,
    /// How many other connections are open.
    pub others: usize,
    /// Time since the plant started.
    pub now: Duration,
    /// What was received is one datagram, and nobody is connected.
    pub datagram: bool,
}

/// What a device does when somebody connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Takes the connection and waits to be asked.
    Accept,
    /// Takes the connection and speaks first.
    Banner(Vec<u8>),
    /// Has no room: the connection ends at once.
    Refuse,
}

/// What a device makes of the bytes it received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// How many bytes are dealt with. None means: no whole request yet.
    pub consumed: usize,
    /// The request, as the device's own eyes read it.
    pub heard: Option<Heard>,
    /// What the device does now, in this order.
    pub actions: Vec<Action>,
    /// What must never have been sent: writes, malformed requests.
    pub alarms: Vec<String>,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The unit, slot or address inside the device that was asked.
    pub unit: u32,
    /// Every number that decides what the device does.
    pub selector: Selector,
}

/// One thing a device does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends these bytes in one piece.
    Send(Vec<u8>),
    /// Sends these bytes as a datagram to this port of whoever asked, rather than to the port that
    /// was asked from.
    SendToPort(u16, Vec<u8>),
    /// Does nothing for this long.
    Wait(Duration),
    /// Closes the connection politely.
    Close,
    /// Breaks the connection off.
    Reset,
    /// Dies at once: never says anything again on any connection, not even what is on its way.
    GoDark,
}

/// The same device in two hands.
impl<D: Device + ?Sized> Device for Arc<D> {
    fn protocol(&self) -> &'static str {
        (**self).protocol()
    }

    fn connect(&self, visit: Visit) -> Greeting {
        (**self).connect(visit)
    }

    fn takes_datagrams(&self) -> bool {
        (**self).takes_datagrams()
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        (**self).answer(visit, received)
    }
}

impl<D: Device + ?Sized> Device for Box<D> {
    fn protocol(&self) -> &'static str {
        (**self).protocol()
    }

    fn connect(&self, visit: Visit) -> Greeting {
        (**self).connect(visit)
    }

    fn takes_datagrams(&self) -> bool {
        (**self).takes_datagrams()
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        (**self).answer(visit, received)
    }
}
