//! Why this library cannot change a device.
//!
//! Five locks stand between a probe and a write:
//!
//! 1. A question needs a [`ReadOnly`] function. The trait is sealed and [`read_only!`] alone
//!    implements it, so a write has no name and cannot be said.
//! 2. [`read_only!`] refuses, while compiling, a function that [`mod@never`] lists.
//! 3. [`Frame::of`](crate::frame::Frame::of) reads the selector back from the finished bytes.
//! 4. A transport takes only a [`Permit`](crate::gate::Permit), and only the gate makes permits.
//! 5. Sockets exist only in `net`.
//!
//! A write has no name:
//!
//! ```compile_fail,E0599
//! let _ = otcore::protocols::modbus::Function::WriteSingleCoil;
//! ```
//!
//! nobody outside can add one:
//!
//! ```compile_fail,E0603
//! struct Write;
//! impl otcore::safety::sealed::Sealed for Write {}
//! ```
//!
//! raw bytes have no way in:
//!
//! ```compile_fail,E0451
//! let _ = otcore::frame::Frame { function: "write", bytes: vec![5] };
//! ```
//!
//! and a permit cannot be made up:
//!
//! ```compile_fail,E0423
//! let _ = otcore::gate::Permit("bytes");
//! ```
mod level;
pub mod never;
mod selector;

pub use level::Level;
pub use selector::Selector;

mod sealed {
    pub trait Sealed {}
}
pub(crate) use sealed::Sealed;

/// A function that asks a device something and leaves no trace in it.
///
/// "No trace" means: no process value, no configuration, no event buffer, no counter, no lasting
/// connection.
pub trait ReadOnly: Sealed + Copy + std::fmt::Debug + Send + Sync + 'static {
    /// Everything this protocol may ask.
    const ALL: &'static [Self];
    /// What the function is and why it is safe.
    fn facts(self) -> &'static Facts;
}

/// What the manifest says of one function.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Facts {
    /// Name in journals, manifests and evidence, for example `ReadDeviceIdBasic`.
    pub name: &'static str,
    /// Every number that decides what the device will do.
    pub selector: Selector,
    /// The lowest level at which it is asked.
    pub level: Level,
    /// The largest whole request in bytes, protocol headers included.
    pub max_request: u16,
    /// How often it is asked of one unit in one conversation at most.
    pub max_count: u16,
    /// The policy key that must allow it; `None` if every policy does.
    pub consent: Option<&'static str>,
    /// Why it changes nothing.
    pub why_safe: &'static str,
    /// Where that is written: standard and clause, or the observed behaviour.
    pub source: &'static str,
}

/// Declares everything a protocol may ask, and refuses while compiling what `never` lists.
macro_rules! read_only {
    (
        never $never:path;
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$vmeta:meta])* $variant:ident {
                selector: $selector:expr,
                level: $level:ident,
                max_request: $max_request:expr,
                max_count: $max_count:expr,
                consent: $consent:expr,
                why_safe: $why:expr,
                source: $source:expr,
            },)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $crate::safety::Sealed for $name {}
        impl $crate::safety::ReadOnly for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn facts(self) -> &'static $crate::safety::Facts {
                match self { $(Self::$variant => {
                    const FACTS: $crate::safety::Facts = $crate::safety::Facts {
                        name: stringify!($variant),
                        selector: $crate::safety::Selector::of(&$selector),
                        level: $crate::safety::Level::$level,
                        max_request: $max_request,
                        max_count: $max_count,
                        consent: $consent,
                        why_safe: $why,
                        source: $source,
                    };
                    &FACTS
                })+ }
            }
        }
        const _: () = { $(assert!(
            !$crate::safety::never::lists($never, &$selector),
            concat!(stringify!($name), "::", stringify!($variant), " changes the device")
        );)+ };
    };
}
pub(crate) use read_only;
