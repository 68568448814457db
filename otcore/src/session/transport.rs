//! What carries bytes: connections and datagrams, of sockets or of a simulated plant.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::frame::Frame;
use crate::gate::journal::Close;
use crate::gate::{Call, Connection, Peer, Permit, Refusal};

/// Moves bytes over one connection, or datagrams to one peer and back.
#[async_trait]
pub trait Transport: Send {
    /// Send a question that the gate has let through.
    async fn send(&mut self, question: Permit<Arc<Frame>>) -> Result<(), LinkError>;
    /// Append what has arrived to `buf`; `0` means that the device closed. Of datagrams, append one,
    /// which is whole or cut at the end: none is empty, and none comes from anybody else.
    async fn recv(&mut self, buf: &mut Vec<u8>) -> io::Result<usize>;
    /// Take what still arrives, say goodbye, and wait for the device to do the same.
    async fn close(&mut self, manners: Manners) -> Close;
    /// Our end.
    fn local(&self) -> SocketAddr;
    /// Whether datagrams to the reply port of [`Peer`] are heard as well.
    fn hears_reply_port(&self) -> bool {
        false
    }
}

/// Opens transports: sockets, or a simulated plant.
#[async_trait]
pub trait Dialer: Send + Sync {
    /// Connect where the gate allows.
    async fn dial(&self, to: Permit<Connection>) -> Result<Box<dyn Transport>, LinkError>;
    /// Open a socket for datagrams to and from this peer alone. Nothing leaves by that.
    async fn address(&self, to: Permit<Peer>) -> Result<Box<dyn Transport>, LinkError>;
    /// Send one datagram to everybody in a network, and take what comes back until `patience` is
    /// over or `most` datagrams are in, with who sent each.
    ///
    /// A dialer that cannot do that says that it is unsupported; nobody is called then.
    async fn call(
        &self,
        _call: Permit<Call>,
        _patience: Duration,
        _most: usize,
    ) -> Result<Vec<(SocketAddr, Vec<u8>)>, LinkError> {
        Err(io::Error::from(io::ErrorKind::Unsupported).into())
    }
}

/// Why something did not leave.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The gate shut while it was on its way.
    #[error(transparent)]
    Gate(#[from] Refusal),
    /// The system refused.
    #[error("{source}")]
    Io {
        /// How many bytes had left.
        written: usize,
        /// What the system said.
        source: io::Error,
    },
}

impl From<io::Error> for LinkError {
    fn from(source: io::Error) -> Self {
        Self::Io { written: 0, source }
    }
}

/// How to close (limit L17).
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// How long to take what still arrives.
    pub drain: Duration,
    /// How many bytes of it at most.
    pub drain_bytes: usize,
    /// How long to wait for the device's goodbye.
    pub wait: Duration,
}
