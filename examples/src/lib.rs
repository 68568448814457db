//! What programs share: otscan itself, how a running scan is shown, and how text gets out.

pub mod live;
pub mod otscan;
pub mod out;
