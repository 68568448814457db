//! The only sockets of the engine.
//!
//! Everything that leaves passes a [`Permit`](crate::gate::Permit) here; nothing else in the crate
//! can name a socket type.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod resolve;
#[cfg(feature = "sabotage")]
mod sabotage;
mod tcp;

pub use resolve::{ResolveError, resolve};
pub use tcp::TcpDialer;
