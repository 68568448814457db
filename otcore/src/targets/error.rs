//! Why a text is not a target.

use std::net::IpAddr;

use super::endpoint;

/// Why a text is not a target: every message names the offending text, then the way out.
///
/// Texts are shortened, and control characters in them escaped, so that a message can be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It looks like nothing that can be a target.
    #[error(
        "\"{text}\" is not a target: write an address (10.0.4.7), a network (10.0.4.0/24), a range \
         (10.0.4.1-20), a host name or an endpoint (modbus://10.0.4.7)"
    )]
    Unrecognised {
        /// What was written.
        text: String,
    },
    /// A number that some programs read as an IPv4 address, each in its own way.
    #[error(
        "{text} is not a plain IPv4 address: write four decimal numbers from 0 to 255 without \
         leading zeros, such as 10.0.4.7"
    )]
    OddAddress {
        /// What was written.
        text: String,
    },
    /// The address is good on one interface only.
    #[error("{text} has a zone id, which is not supported: write the address without %{zone}")]
    ZoneId {
        /// What was written.
        text: String,
        /// What follows the percent sign.
        zone: String,
    },
    /// The address of a network has bits set beyond its prefix.
    #[error("{text} has host bits set: use {network} or {address}")]
    HostBits {
        /// What was written.
        text: String,
        /// The network that contains the address.
        network: String,
        /// The address alone.
        address: IpAddr,
    },
    /// The part after the slash of a network is not a prefix length.
    #[error("{text} has no prefix length after the slash: write a number from 0 to {max}")]
    PrefixLength {
        /// What was written.
        text: String,
        /// 32 for IPv4, 128 for IPv6.
        max: u8,
    },
    /// The last address comes before the first.
    #[error("the range {first}-{last} ends before it starts: write {last}-{first}")]
    Backwards {
        /// What was written first.
        first: IpAddr,
        /// What was written last.
        last: IpAddr,
    },
    /// One range of both IPv4 and IPv6 addresses.
    #[error("the range {first}-{last} mixes IPv4 and IPv6 addresses: ask for each apart")]
    MixedVersions {
        /// What was written first.
        first: IpAddr,
        /// What was written last.
        last: IpAddr,
    },
    /// Addresses that never belong to one device.
    #[error("{text} contains {what}, which is never one device: leave it out")]
    NotOneDevice {
        /// What was written.
        text: String,
        /// Which addresses.
        what: &'static str,
    },
    /// A port without a word on what is spoken there.
    #[error("{text} has a port but no protocol: write for example {protocol}://{text}")]
    NoProtocol {
        /// What was written.
        text: String,
        /// A protocol that would fit.
        protocol: &'static str,
    },
    /// A protocol that no endpoint can have.
    #[error("{text}: unknown protocol {protocol}: use {}", endpoint::protocols())]
    UnknownProtocol {
        /// What was written.
        text: String,
        /// The protocol in it.
        protocol: String,
    },
    /// The host of an endpoint is neither an address nor a name.
    #[error(
        "{text}: \"{host}\" is not a host: write an IPv4 address, an IPv6 address in brackets, or a \
         name of letters, digits, hyphens and dots"
    )]
    BadHost {
        /// What was written.
        text: String,
        /// The host in it.
        host: String,
    },
    /// The port of an endpoint is not a port.
    #[error("{text}: \"{port}\" is not a port: write a number from 1 to 65535")]
    BadPort {
        /// What was written.
        text: String,
        /// The port in it.
        port: String,
    },
    /// An endpoint with something in it that endpoints do not have.
    #[error("{text} has a {part}: write protocol://host[:port][?option=value]")]
    Misplaced {
        /// What was written, without user name and password.
        text: String,
        /// What it has too much, for example `path`.
        part: &'static str,
    },
    /// An option that the protocol does not have.
    #[error("{text}: {protocol} has no option \"{option}\": use {allowed}")]
    UnknownOption {
        /// What was written.
        text: String,
        /// The protocol in it.
        protocol: &'static str,
        /// The option in it.
        option: String,
        /// What the protocol has.
        allowed: String,
    },
    /// An option, or one of its values, is given twice.
    #[error("{text} says {option} twice: say it once")]
    DuplicateOption {
        /// What was written.
        text: String,
        /// The option in it.
        option: String,
    },
    /// The value of an option is not a number, or too large.
    #[error("{text}: {option} cannot be \"{value}\": write a number from 0 to {max}")]
    OptionValue {
        /// What was written.
        text: String,
        /// The option in it.
        option: &'static str,
        /// Its value.
        value: String,
        /// The largest value it can have.
        max: u32,
    },
    /// A file of targets that cannot be read.
    #[error("cannot read targets from {path}: {why}")]
    File {
        /// Where the file was looked for.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A file named where none may be: in another file, or in data from elsewhere.
    #[error("{text} names a file, which is not allowed here: write the targets themselves")]
    FileNotAllowed {
        /// What was written.
        text: String,
    },
    /// Something wrong in a file of targets.
    #[error("{path}:{line}: {error}")]
    InFile {
        /// The file.
        path: String,
        /// The line in it, counted from 1.
        line: usize,
        /// What is wrong there.
        error: Box<TargetError>,
    },
    /// A name that is not waiting for its addresses.
    #[error("{name} needs no address: it was not asked for, or is already pinned for this run")]
    NotUnresolved {
        /// The name.
        name: String,
    },
    /// A name that leads nowhere.
    #[error("{name} has no address: check the name, or write the address itself")]
    NoAddress {
        /// The name.
        name: String,
    },
}

/// `text` made fit for a message: not too long, nothing in it that acts on a terminal.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut out = String::new();
    for c in text.chars().take(LONGEST) {
        if matches!(c, '\\' | '"' | '\'') {
            out.push(c);
        } else {
            out.extend(c.escape_debug());
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_text_is_short_and_does_nothing_to_a_terminal() {
        assert_eq!(shown("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(shown(r"C:\plant.txt"), r"C:\plant.txt");
        assert_eq!(shown(&"x".repeat(100_000)).chars().count(), 201);
    }
}
