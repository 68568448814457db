//! Policies as text, and what they decide: nothing is sent.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Scanner;
use crate::error::{Error, ErrorKind};
use crate::gate::policy::{Explanation, Policy, Subject, known};

/// The policy that a text says: JSON if it begins with `{`, TOML otherwise.
///
/// ```
/// let policy = otcore::blocking::policy("profile = \"careful\"")?;
/// assert_eq!(policy.profile.name(), "careful");
/// # Ok::<(), otcore::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Policy`] names the first key that is wrong.
pub fn policy(text: &str) -> Result<Policy, Error> {
    let read = match text.trim_start().starts_with('{') {
        true => Policy::from_json(text),
        false => Policy::from_toml(text),
    };
    read.map_err(|error| match looks_like_a_name(text) {
        true => {
            let why = format!("{error}; if this is the name of a file, its content is wanted");
            Error::new(ErrorKind::Policy, why)
        }
        false => error.into(),
    })
}

/// Nothing that a policy is made of is in it.
fn looks_like_a_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && !text.contains(['\n', '=', '{', '[', '#'])
}

/// What a policy lets be asked of an address in a protocol now, and why.
///
/// `port` is the usual one of the policy if none is given.
///
/// ```
/// use otcore::blocking::explain;
/// use otcore::Policy;
///
/// let told = explain(&Policy::gentle(), "default", "10.0.4.7", "modbus", None)?;
/// assert!(told.decision.permitted);
/// # Ok::<(), otcore::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Target`] if the address or the protocol is none.
pub fn explain(
    policy: &Policy,
    zone: &str,
    address: &str,
    protocol: &str,
    port: Option<u16>,
) -> Result<Explanation, Error> {
    let is_none = |what: String| Error::new(ErrorKind::Target, what);
    let address: IpAddr =
        address.parse().map_err(|_| is_none(format!("{address:?} is no address")))?;
    let usual = known(protocol).map(|known| known.default_port);
    let usual = usual.ok_or_else(|| is_none(format!("unknown protocol {protocol:?}")))?;
    let of_policy = policy.protocols.get(protocol).and_then(|settings| settings.ports.first());
    let port = port.or(of_policy.copied()).unwrap_or(usual);
    let address = address.to_canonical();
    let subject = Subject { zone, address, protocol, port, vendor: None, model: None };
    Ok(policy.explain_at(&subject, Timestamp::now()))
}

impl Scanner {
    /// What this scanner may ask of an address in a protocol now, and why: as [`explain`].
    ///
    /// # Errors
    /// As for [`explain`].
    pub fn explain(
        &self,
        address: &str,
        protocol: &str,
        port: Option<u16>,
    ) -> Result<Explanation, Error> {
        explain(self.policy(), self.0.zone().as_str(), address, protocol, port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_or_protocol_is_named() {
        let told = |address, protocol| {
            let gentle = Policy::gentle();
            explain(&gentle, "default", address, protocol, None).unwrap_err().to_string()
        };
        assert!(told("10.0.4.300", "modbus").contains("10.0.4.300"));
        assert!(told("10.0.4.3", "gopher").contains("gopher"));
    }

    #[test]
    fn the_port_is_that_of_the_policy() {
        let policy = policy("[protocols.modbus]\nports = [1503]\n").unwrap();
        let told = explain(&policy, "default", "10.0.4.3", "modbus", None).unwrap();
        assert_eq!(told.port, 1503);
    }
}
