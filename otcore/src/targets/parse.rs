//! From text to addresses, ranges and names, refusing every spelling that hides an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

use super::endpoint::{Host, likely_protocol};
use super::error::shown;
use super::range::{like, number};
use super::{AddressRange, TargetError, TargetKind};

/// Reads an address, a network or a range: `10.0.4.7`, `10.0.4.0/24`, `10.0.4.1-10.0.4.20` or
/// `10.0.4.1-20`.
impl FromStr for AddressRange {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        range(text)?.ok_or_else(|| TargetError::Unrecognised { text: shown(text) })
    }
}

/// What one target asks for.
pub(super) fn kind(text: &str) -> Result<TargetKind, TargetError> {
    if text.contains("://") {
        return text.parse().map(TargetKind::Endpoint);
    }
    if let Some(range) = range(text)? {
        return one_device_each(text, range).map(TargetKind::Range);
    }
    if let Some(name) = name(text) {
        return Ok(TargetKind::Name(name));
    }
    Err(without_protocol(text).unwrap_or_else(|| TargetError::Unrecognised { text: shown(text) }))
}

/// The host of the endpoint `text`; `None` if it is neither an address nor a name.
pub(super) fn host(text: &str, host: &str) -> Result<Option<Host>, TargetError> {
    match address(host)? {
        Some(address) => {
            one_device_each(text, address.into())?;
            Ok(Some(Host::Address(address)))
        }
        None => Ok(name(host).map(Host::Name)),
    }
}

/// Refuse a range with addresses in it that never belong to one device.
pub(super) fn one_device_each(
    text: &str,
    range: AddressRange,
) -> Result<AddressRange, TargetError> {
    let table: [(IpAddr, u128, &str); 5] = [
        (Ipv4Addr::UNSPECIFIED.into(), 0, "the unspecified address 0.0.0.0"),
        (Ipv4Addr::new(224, 0, 0, 0).into(), 0x0FFF_FFFF, "multicast addresses (224.0.0.0/4)"),
        (Ipv4Addr::BROADCAST.into(), 0, "the broadcast address 255.255.255.255"),
        (Ipv6Addr::UNSPECIFIED.into(), 0, "the unspecified address ::"),
        (
            Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0).into(),
            u128::MAX >> 8,
            "multicast addresses (ff00::/8)",
        ),
    ];
    for (first, span, what) in table {
        let last = like(first, number(first) + span);
        if range.first() <= last && first <= range.last() {
            return Err(TargetError::NotOneDevice { text: shown(text), what });
        }
    }
    Ok(range)
}

/// A number in plain decimal: no sign, no leading zero, no other base.
pub(super) fn decimal(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if plain && !leading_zero { text.parse().ok() } else { None }
}

/// The single targets in `text`, which are separated by white space or commas.
///
/// A comma before more values of an option separates nothing: `modbus://10.0.4.7?unit=1,2`.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().flat_map(|mut rest| {
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(',');
            let (piece, left) = rest.split_at(piece_end(rest));
            rest = left;
            (!piece.is_empty()).then_some(piece)
        })
    })
}

fn piece_end(text: &str) -> usize {
    let mut commas = text.match_indices(',').map(|(at, _)| at);
    let separates = |&at: &usize| {
        let (before, after) = text.split_at(at);
        !(before.contains("://") && before.contains('?') && continues(after))
    };
    commas.find(separates).unwrap_or(text.len())
}

/// Whether what follows a comma is one more value of an option.
fn continues(after: &str) -> bool {
    let value = after.strip_prefix(',').unwrap_or(after);
    let rest = value.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < value.len() && (rest.is_empty() || rest.starts_with([',', '&']))
}

fn range(text: &str) -> Result<Option<AddressRange>, TargetError> {
    if let Some((base, prefix)) = text.split_once('/') {
        return address(base)?.map(|base| network(text, base, prefix)).transpose();
    }
    // A name may have hyphens too: only an address in front makes it a range.
    if let Some((first, last)) = text.split_once('-')
        && let Ok(first) = first.parse::<IpAddr>()
    {
        return from_to(text, first.to_canonical(), last).map(Some);
    }
    Ok(address(text)?.map(AddressRange::from))
}

/// `last` is an address, or the last number of one.
fn from_to(text: &str, first: IpAddr, last: &str) -> Result<AddressRange, TargetError> {
    if let (IpAddr::V4(first), Some(Ok(last))) = (first, decimal(last).map(u8::try_from)) {
        let [a, b, c, _] = first.octets();
        return AddressRange::new(first.into(), Ipv4Addr::new(a, b, c, last).into());
    }
    let last = address(last)?.ok_or_else(|| TargetError::Unrecognised { text: shown(text) })?;
    AddressRange::new(first, last)
}

/// `base` is the canonical form of what stands before the slash in `text`.
fn network(text: &str, base: IpAddr, prefix: &str) -> Result<AddressRange, TargetError> {
    // In ::ffff:10.0.4.0/120 the prefix counts 96 bits that are not part of the IPv4 address.
    let (max, disguise) = match (base, text.contains(':')) {
        (IpAddr::V4(_), false) => (32, 0),
        (IpAddr::V4(_), true) => (128, 96),
        (IpAddr::V6(_), _) => (128, 0),
    };
    let length = decimal(prefix)
        .and_then(|length| u8::try_from(length).ok())
        .filter(|length| (disguise..=max).contains(length))
        .ok_or_else(|| TargetError::PrefixLength { text: shown(text), max })?;
    let net = IpNet::new(base, length - disguise)
        .map_err(|_| TargetError::PrefixLength { text: shown(text), max })?;
    if net.network() != base {
        let network = net.trunc().to_string();
        return Err(TargetError::HostBits { text: shown(text), network, address: base });
    }
    AddressRange::try_from(net)
}

/// A plain address in canonical form; `None` for what is none, an error for a hidden one.
fn address(text: &str) -> Result<Option<IpAddr>, TargetError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Some(address.to_canonical()));
    }
    if let Some((address, zone)) = text.split_once('%')
        && address.parse::<IpAddr>().is_ok()
    {
        return Err(TargetError::ZoneId { text: shown(text), zone: shown(zone) });
    }
    if is_odd_address(text) {
        return Err(TargetError::OddAddress { text: shown(text) });
    }
    Ok(None)
}

/// Whether some program somewhere would read `text` as an IPv4 address, or a range of them.
///
/// The C library takes one to four numbers, each decimal, octal or hexadecimal. A name can
/// therefore not end in a number; the URL standard draws the line in the same place.
fn is_odd_address(text: &str) -> bool {
    let last_label = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    is_number(last_label) || text.split(['.', '-']).all(is_number)
}

fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// A host name in lower case: RFC 1123 clause 2.1, lengths as in RFC 1035 clause 2.3.4.
pub(super) fn name(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = text.len() <= 253 && text.split('.').all(is_label) && !is_odd_address(text);
    is_name.then(|| text.to_ascii_lowercase())
}

/// The error for `10.0.4.7:502`.
fn without_protocol(text: &str) -> Option<TargetError> {
    let (host, port) = text.rsplit_once(':')?;
    let port = decimal(port)?;
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = bracketed.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
        || host.parse::<Ipv4Addr>().is_ok()
        || name(host).is_some();
    let protocol = likely_protocol(port);
    is_host.then(|| TargetError::NoProtocol { text: shown(text), protocol })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown_range(text: &str) -> String {
        text.parse::<AddressRange>().unwrap().to_string()
    }

    fn refused(text: &str) -> String {
        kind(text).unwrap_err().to_string()
    }

    #[test]
    fn addresses_networks_and_ranges_are_read() {
        let table = [
            ("10.0.4.7", "10.0.4.7"),
            ("10.0.4.0/24", "10.0.4.0/24"),
            ("10.0.4.7/32", "10.0.4.7"),
            ("10.0.4.1-10.0.4.20", "10.0.4.1-10.0.4.20"),
            ("10.0.4.1-20", "10.0.4.1-10.0.4.20"),
            ("10.0.4.0-255", "10.0.4.0/24"),
            ("FD00::1", "fd00::1"),
            ("fd00::/120", "fd00::/120"),
            ("fd00::1-fd00::9", "fd00::1-fd00::9"),
            ("::ffff:10.0.4.7", "10.0.4.7"),
            ("::ffff:a00:400/120", "10.0.4.0/24"),
            ("::ffff:10.0.4.1-::ffff:10.0.4.3", "10.0.4.1-10.0.4.3"),
        ];
        for (text, expected) in table {
            assert_eq!(shown_range(text), expected, "{text}");
        }
    }

    #[test]
    fn host_bits_suggest_both_ways_out() {
        assert_eq!(
            refused("10.0.4.7/24"),
            "10.0.4.7/24 has host bits set: use 10.0.4.0/24 or 10.0.4.7"
        );
        assert_eq!(
            refused("::ffff:10.0.4.7/120"),
            "::ffff:10.0.4.7/120 has host bits set: use 10.0.4.0/24 or 10.0.4.7"
        );
        assert!(refused("fd00::1/64").ends_with("use fd00::/64 or fd00::1"));
    }

    #[test]
    fn spellings_that_hide_an_address_are_neither_addresses_nor_names() {
        for text in [
            "0x7f.1",
            "0x7f000001",
            "0X7F.0.0.0x1",
            "010.0.0.1",
            "10.0.0.01",
            "127.1",
            "127.0.1",
            "2130706433",
            "017700000001",
            "0x",
            "1.0x",
            "10.0.0.256",
            "10.0.0.1.5",
            "10.0.0.1.",
            "plc.1",
            "10",
            "10-20",
            "0x7f.1-5",
            "127.1-127.9",
            "010.0.0.1-010.0.0.9",
            "10.0.0.1-010.0.0.9",
            "10.0.0.1-0x9",
            "10.0.0.1-010",
            "10.0.0.1-256",
            "10.0/16",
            "0x7f.1/32",
            "010.0.0.0/8",
            "fd00::1-20",
        ] {
            let error = kind(text).unwrap_err();
            assert!(matches!(error, TargetError::OddAddress { .. }), "{text}: {error}");
        }
        assert_eq!(
            refused("0x7f.1"),
            "0x7f.1 is not a plain IPv4 address: write four decimal numbers from 0 to 255 without \
             leading zeros, such as 10.0.4.7"
        );
    }

    #[test]
    fn addresses_that_are_never_one_device_are_refused_even_inside_a_network() {
        for (text, what) in [
            ("0.0.0.0", "unspecified address 0.0.0.0"),
            ("0.0.0.0/0", "unspecified address 0.0.0.0"),
            ("::", "unspecified address ::"),
            ("::/64", "IPv4 and IPv6"),
            ("::-::1", "unspecified address ::"),
            ("224.0.0.1", "multicast addresses (224.0.0.0/4)"),
            ("223.0.0.0-240.0.0.0", "multicast addresses"),
            ("::ffff:239.1.1.1", "multicast addresses (224.0.0.0/4)"),
            ("255.255.255.255", "broadcast address 255.255.255.255"),
            ("255.255.255.0/24", "broadcast address 255.255.255.255"),
            ("ff02::1", "multicast addresses (ff00::/8)"),
            ("fe00::/7", "multicast addresses (ff00::/8)"),
        ] {
            assert!(refused(text).contains(what), "{text}: {}", refused(text));
        }
        assert!(kind("240.0.0.1").is_ok());
        assert!(kind("0.0.0.1").is_ok());
    }

    #[test]
    fn other_mistakes_name_the_way_out() {
        for (text, words) in [
            ("10.0.4.0/33", "write a number from 0 to 32"),
            ("10.0.4.0/255.255.255.0", "write a number from 0 to 32"),
            ("10.0.4.0/024", "write a number from 0 to 32"),
            ("10.0.4.0/", "write a number from 0 to 32"),
            ("fd00::/129", "write a number from 0 to 128"),
            ("::ffff:0.0.0.0/95", "write a number from 0 to 128"),
            ("10.0.4.20-10", "ends before it starts: write 10.0.4.10-10.0.4.20"),
            ("10.0.4.20-fd00::1", "mixes IPv4 and IPv6"),
            ("fe80::1%eth0", "write the address without %eth0"),
            ("fe80::1%eth0/64", "write the address without %eth0"),
            ("10.0.4.7:502", "write for example modbus://10.0.4.7:502"),
            ("[fd00::1]:102", "write for example s7://[fd00::1]:102"),
            ("plc-3:9999", "write for example modbus://plc-3:9999"),
            ("", "\"\" is not a target"),
            ("plc_3", "\"plc_3\" is not a target"),
            ("-", "\"-\" is not a target"),
            ("plc/24", "\"plc/24\" is not a target"),
            ("１０.0.4.7x", "is not a target"),
            ("fd00:::1", "is not a target"),
            ("10.0.0.1-x", "\"10.0.0.1-x\" is not a target"),
        ] {
            assert!(refused(text).contains(words), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn names_are_those_of_rfc_1123() {
        for text in ["plc", "3-axis", "PLC-3.Plant.example", "1.a", "a.0xg", "10.0.0.1-x"] {
            assert_eq!(name(text), Some(text.to_ascii_lowercase()), "{text}");
        }
        let long = "a".repeat(64);
        for text in ["", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "plc.é", "a b", &long] {
            assert_eq!(name(text), None, "{text}");
        }
        assert_eq!(name(&["a"; 128].join(".")), None, "longer than 253");
    }

    #[test]
    fn a_comma_in_a_list_of_units_separates_no_targets() {
        let text = ",10.0.4.1, modbus://10.0.4.7?unit=1,2,17,10.0.4.8,s7://h?rack=0&slot=2,x,1";
        let expected = [
            "10.0.4.1",
            "modbus://10.0.4.7?unit=1,2,17",
            "10.0.4.8",
            "s7://h?rack=0&slot=2",
            "x",
            "1",
        ];
        assert_eq!(pieces(text).collect::<Vec<_>>(), expected);
        assert_eq!(pieces(" \t\n,, ,").count(), 0);
    }

    proptest! {
        #[test]
        fn no_spelling_of_the_c_library_hides_an_address(bits: u32, how in 0..6_u8) {
            let [a, b, c, d] = bits.to_be_bytes();
            let text = match how {
                0 => format!("{bits}"),
                1 => format!("{bits:#x}"),
                2 => format!("0{a:o}.{b}.{c}.{d}"),
                3 => format!("{a}.{b}.{c}.{d:#x}"),
                4 => format!("{a}.{}", bits & 0xFF_FFFF),
                _ => format!("{a}.{b}.{}", bits & 0xFFFF),
            };
            let refused = kind(&text);
            prop_assert!(matches!(refused, Err(TargetError::OddAddress { .. })), "{}", text);
        }

        #[test]
        fn a_range_reads_back_as_itself(first: u128, len: u128, mask in 0..=127_u32, v4: bool) {
            let model: IpAddr = if v4 { [1, 1, 1, 1].into() } else { Ipv6Addr::LOCALHOST.into() };
            let (first, len) = (first >> if v4 { 97 } else { 0 }, len >> mask);
            let range = AddressRange::new(
                like(model, first),
                like(model, first.saturating_add(len)),
            );
            if let Ok(range) = range {
                prop_assert_eq!(range.to_string().parse(), Ok(range));
            }
        }
    }
}
