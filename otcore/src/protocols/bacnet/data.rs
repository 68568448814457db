//! Numbers that ASHRAE gave out, and what they stand for.
//!
//! Vendors are a table of facts, generated into `data/`: only rows that a source with a permissive
//! licence has. The short enumerations are of ASHRAE 135, clause 21.

/// The tables, by the names of their files.
pub(super) const TABLES: [(&str, &str); 1] =
    [("bacnet-vendors.csv", include_str!("data/vendors.csv"))];

/// What a device says of itself: `BACnetDeviceStatus`.
pub(super) const fn system_status(value: u32) -> Option<&'static str> {
    Some(match value {
        0 => "operational",
        1 => "operational, read only",
        2 => "download required",
        3 => "download in progress",
        4 => "non-operational",
        5 => "backup in progress",
        _ => return None,
    })
}

/// Why it last started: `BACnetRestartReason`.
pub(super) const fn restart_reason(value: u32) -> Option<&'static str> {
    Some(match value {
        0 => "unknown",
        1 => "cold start",
        2 => "warm start",
        3 => "power lost",
        4 => "power off",
        5 => "hardware watchdog",
        6 => "software watchdog",
        7 => "suspended",
        8 => "activated changes",
        _ => return None,
    })
}

/// Which ways of segmented messages a device knows: `BACnetSegmentation`.
pub(super) const fn segmentation(value: u32) -> Option<&'static str> {
    Some(match value {
        0 => "segments both ways",
        1 => "segments what it sends",
        2 => "takes segments",
        3 => "no segments",
        _ => return None,
    })
}

/// What a network port leads to: `BACnetNetworkType`.
pub(super) const fn network_type(value: u32) -> Option<&'static str> {
    Some(match value {
        0 => "Ethernet",
        1 => "ARCNET",
        2 => "MS/TP",
        3 => "point to point",
        4 => "LonTalk",
        5 => "BACnet/IP",
        6 => "Zigbee",
        7 => "virtual",
        9 => "BACnet/IPv6",
        10 => "serial",
        11 => "BACnet/SC",
        _ => return None,
    })
}

/// The kinds of objects that there are: `BACnetObjectType`.
pub(super) fn object_type(value: u16) -> String {
    const NAMES: [&str; 65] = [
        "analog-input",
        "analog-output",
        "analog-value",
        "binary-input",
        "binary-output",
        "binary-value",
        "calendar",
        "command",
        "device",
        "event-enrollment",
        "file",
        "group",
        "loop",
        "multi-state-input",
        "multi-state-output",
        "notification-class",
        "program",
        "schedule",
        "averaging",
        "multi-state-value",
        "trend-log",
        "life-safety-point",
        "life-safety-zone",
        "accumulator",
        "pulse-converter",
        "event-log",
        "global-group",
        "trend-log-multiple",
        "load-control",
        "structured-view",
        "access-door",
        "timer",
        "access-credential",
        "access-point",
        "access-rights",
        "access-user",
        "access-zone",
        "credential-data-input",
        "network-security",
        "bitstring-value",
        "characterstring-value",
        "date-pattern-value",
        "date-value",
        "datetime-pattern-value",
        "datetime-value",
        "integer-value",
        "large-analog-value",
        "octetstring-value",
        "positive-integer-value",
        "time-pattern-value",
        "time-value",
        "notification-forwarder",
        "alert-enrollment",
        "channel",
        "lighting-output",
        "binary-lighting-output",
        "network-port",
        "elevator-group",
        "escalator",
        "lift",
        "staging",
        "audit-log",
        "audit-reporter",
        "color",
        "color-temperature",
    ];
    let known = NAMES.get(usize::from(value)).map(|name| (*name).to_owned());
    known.unwrap_or_else(|| format!("object type {value}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn known_numbers_have_their_names() {
        assert_eq!(system_status(4), Some("non-operational"));
        assert_eq!(
            (object_type(56), object_type(64)),
            ("network-port".into(), "color-temperature".into())
        );
        assert_eq!(object_type(1023), "object type 1023");
    }

    /// How many there are is of ASHRAE 135, clause 21; what is not in it has no name here.
    #[test]
    fn the_short_lists_have_a_name_for_each_number_of_the_standard_and_for_no_other() {
        let named = |name: fn(u32) -> Option<&'static str>| {
            let names: Vec<_> = (0..100).filter_map(name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
            names.len()
        };
        assert_eq!(named(system_status), 6);
        assert_eq!(named(restart_reason), 9);
        assert_eq!(named(segmentation), 4);
        assert_eq!(named(network_type), 11);
    }

    #[test]
    fn every_number_stands_once_and_has_a_name() {
        let mut keys = BTreeSet::new();
        for row in include_str!("data/vendors.csv").lines().skip(1) {
            let (key, name) = row.split_once(',').unwrap();
            assert!(keys.insert(key) && key.parse::<u16>().is_ok(), "{row}");
            assert!(!name.is_empty() && !name.starts_with('"'), "{row}");
        }
        assert!(keys.len() > 1_500);
    }
}
