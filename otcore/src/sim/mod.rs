//! A pretend plant, for demonstrations and tests: the other side of the wire.
//!
//! A [`Device`] is one pretend device, without sockets and without a clock; the folder of each
//! protocol has one. [`Faulty`] makes any of them misbehave. A [`Station`] carries one and counts
//! what happened to it. A [`Plant`] is many of them, served on loopback or used in process.
//!
//! The devices read requests with their own eyes: they share no code with the scanner's codecs,
//! and whatever is malformed or changes a device ends up in [`RunningPlant::violations`].
//!
//! ```no_run
//! # async fn demo() -> std::io::Result<()> {
//! let plant = otcore::sim::Plant::demo().own_addresses(50502).start().await?;
//! for device in plant.devices() {
//!     println!("{:<28} {}", device.target(), device.expected.description);
//! }
//! // scan them here
//! assert!(plant.harm().is_empty());
//! plant.stop().await;
//! # Ok(())
//! # }
//! ```

mod demo;
mod device;
mod fault;
mod plant;
mod server;
mod station;
mod substation;

pub use device::{Action, Device, Greeting, Heard, Reply, Visit};
pub use fault::{Ending, Fault, Faulty};
pub use plant::{Expected, Member, Plant, Running, RunningPlant, Truth};
pub use station::{Counters, Logged, Station};
