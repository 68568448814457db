//! The only sockets of the engine.
//!
//! Everything that leaves passes a [`Permit`] here; nothing else in the crate
//! can name a socket type.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod call;
mod postbox;
mod resolve;
#[cfg(feature = "sabotage")]
mod sabotage;
mod tcp;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use socket2::{Domain, Protocol, Socket, Type};

use postbox::Postboxes;
pub use resolve::{ResolveError, resolve};

#[cfg(feature = "sabotage")]
use sabotage::finished;

use crate::gate::{Call, Connection, Peer, Permit};
use crate::session::{Dialer, LinkError, Transport};

/// The kernel's own sockets; they need no rights.
#[derive(Clone, Debug, Default)]
pub struct Sockets {
    postboxes: Postboxes,
}

#[async_trait]
impl Dialer for Sockets {
    async fn dial(&self, to: Permit<Connection>) -> Result<Box<dyn Transport>, LinkError> {
        tcp::dial(to).await
    }

    async fn address(&self, to: Permit<Peer>) -> Result<Box<dyn Transport>, LinkError> {
        udp::address(to, &self.postboxes)
    }

    async fn call(
        &self,
        call: Permit<Call>,
        patience: Duration,
        most: usize,
    ) -> Result<Vec<(SocketAddr, Vec<u8>)>, LinkError> {
        call::call(call, patience, most).await
    }
}

/// The bytes as they leave: those of the frame, except under a saboteur.
#[cfg(not(feature = "sabotage"))]
fn finished(frame: &crate::frame::Frame) -> &[u8] {
    frame.bytes()
}

/// A socket that never blocks, made in one call where the system can.
fn without_blocking(domain: Domain, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return Socket::new(domain, kind.nonblocking(), Some(protocol));
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let socket = Socket::new(domain, kind, Some(protocol))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}
