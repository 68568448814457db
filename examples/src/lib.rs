//! What the quick start and otscan share: how a running scan is shown, and how text gets out.

pub mod live;
pub mod out;
