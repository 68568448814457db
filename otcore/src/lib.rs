//! otcore tells a plant what is on its network (vendor, model, order number, serial, firmware, run
//! state, the modules in each rack, the devices behind each gateway) without ever disturbing it.
//!
//! ```text
//!    otcore-py   otcore-ffi          know blocking, model, error: nothing else
//!         \        /
//!         blocking -> scan           owns the runtime / the only spawn
//!                       |
//!          protocols/*--+-> session -> gate -> frame -> protocol -> safety
//!              |                        |                    +-> wire
//!              |                        +-> targets, model
//!              +-> model <- export                  net -> session, gate   (the only sockets)
//!                        <- fingerprint <- store, pack
//! ```
//!
//! Lower layers never import higher ones; `tests/architecture.rs` holds that as a table.
//! The life of a question, and why a write cannot be one: [`safety`].
//! What this build can send: [`manifest()`].

#[cfg(feature = "net")]
pub mod blocking;
mod error;
pub mod export;
pub mod fingerprint;
pub mod frame;
pub mod gate;
mod manifest;
pub mod model;
#[cfg(feature = "net")]
pub mod net;
pub mod pack;
pub mod protocol;
pub mod protocols;
pub mod safety;
#[cfg(feature = "net")]
pub mod scan;
pub mod session;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
pub mod store;
pub mod targets;
pub mod wire;

pub use error::{Error, ErrorKind};
pub use fingerprint::Knowledge;
pub use gate::policy::Policy;
pub use manifest::{Entry, Manifest, manifest};
pub use model::{Asset, Diff, Document, Inventory, Outcome, Source, Zone};
#[cfg(feature = "net")]
pub use net::resolve;
pub use pack::{Pack, Shelf};
pub use safety::Level;
#[cfg(feature = "net")]
pub use scan::{Event, Plan, Progress, Report, Scan, Scanner};
pub use store::InventoryStore;
pub use targets::Targets;

/// The documents, so that the code in them is compiled and run.
#[cfg(all(doctest, feature = "sim"))]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../docs/start-hub.md")]
#[doc = include_str!("../../docs/policy.md")]
#[doc = include_str!("../../docs/fingerprint.md")]
#[doc = include_str!("../../docs/store.md")]
#[doc = include_str!("../../docs/packs.md")]
struct Documents;
