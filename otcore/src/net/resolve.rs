//! Names become addresses once, before the plan, and stay what they became.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use crate::targets::{TargetError, Targets};

/// A name does not lead to an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nobody knows the name.
    #[error("{name} does not resolve ({source}): check the spelling or give its address")]
    Unknown {
        /// The name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It leads to an address that is no single device.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// It resolves to nothing.
    #[error("{0} resolves to no address: give its address")]
    Empty(String),
}

/// Pin every name in `targets` to the addresses that the system's resolver gives now.
///
/// This asks the host's resolver, which may send DNS queries to the host's own name servers; with
/// addresses only, it does nothing. Reverse names are never looked up.
///
/// # Errors
/// [`ResolveError`] for the first name that leads nowhere.
pub fn resolve(targets: &mut Targets) -> Result<(), ResolveError> {
    let names: Vec<String> = targets.names().into_iter().map(str::to_owned).collect();
    for name in names {
        let found = (name.as_str(), 0_u16).to_socket_addrs();
        let found = found.map_err(|source| ResolveError::Unknown { name: name.clone(), source })?;
        let mut addresses: Vec<IpAddr> = found.map(|found| found.ip().to_canonical()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            return Err(ResolveError::Empty(name));
        }
        targets.pin(&name, &addresses)?;
    }
    Ok(())
}
