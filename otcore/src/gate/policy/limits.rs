//! How much may be done: every limit with its defaults, hard range and reason, in one table.

use serde::Serialize;

use super::{PolicyError, Profile};

/// Everything there is to know about one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LimitFacts {
    /// The key in policies and the field of [`Limits`].
    pub key: &'static str,
    /// The row of the safety table that argues for it, for example `L5`.
    pub number: &'static str,
    /// What it is counted for.
    pub per: Per,
    /// What is counted.
    pub unit: &'static str,
    /// The value of the profile `gentle`.
    pub gentle: u64,
    /// The value of the profile `careful`: about half as intrusive.
    pub careful: u64,
    /// The least that can be set.
    pub min: u64,
    /// The most that can be set.
    pub max: u64,
    /// Which of the two ends is the hard cap.
    pub bound: Bound,
    /// Why it exists.
    pub reason: &'static str,
}

/// What a limit is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// One device.
    Device,
    /// One serial gateway and the units behind it.
    Gateway,
    /// One /24 of IPv4 or one /64 of IPv6.
    Subnet,
    /// One scan.
    Scan,
    /// Everything this process does.
    Process,
}

/// Which way a limit becomes bolder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Never more than this; the largest allowed value is the hard cap.
    AtMost,
    /// Never less than this; the smallest allowed value is the hard floor.
    AtLeast,
}

impl LimitFacts {
    /// The value a profile starts from.
    #[must_use]
    pub const fn value(&self, profile: Profile) -> u64 {
        match (profile, self.bound) {
            (Profile::Gentle, _) => self.gentle,
            (Profile::Careful, _) => self.careful,
            (Profile::Lab, Bound::AtMost) => self.max,
            (Profile::Lab, Bound::AtLeast) => self.min,
        }
    }

    /// Whether this value may be set.
    ///
    /// # Errors
    /// Names the key, the value and the allowed range.
    pub fn check(&self, value: u64) -> Result<(), PolicyError> {
        let (key, min, max) = (self.key.to_owned(), self.min, self.max);
        if (min..=max).contains(&value) {
            return Ok(());
        }
        Err(PolicyError::OutOfRange { key, value: value.to_string(), min, max })
    }
}

/// Declares [`Limits`] and [`TABLE`] in one place.
macro_rules! limits {
    ($($key:ident: $number:literal, $per:ident $unit:literal,
       gentle $gentle:literal, careful $careful:literal, $bound:ident $min:literal..=$max:literal,
       $reason:literal;)+) => {
        /// How much may be done. Every field has one row in [`TABLE`].
        ///
        /// Times end in `_ms` (milliseconds) or `_s` (seconds).
        ///
        /// ```
        /// use otcore::gate::policy::Limits;
        ///
        /// let slow_line = Limits { device_packets_per_s: 5, ..Limits::default() };
        /// assert!(slow_line.check().is_ok());
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct Limits {
            $(#[doc = concat!(
                $reason, ". ", $unit, ": ", $gentle, ", allowed ", $min, " to ", $max,
                " (", $number, ")."
            )]
            pub $key: u32,)+
        }

        /// Every limit, in the order of the safety table. The documentation, the errors and the
        /// three profiles come from here.
        pub const TABLE: &[LimitFacts] = &[$(LimitFacts {
            key: stringify!($key),
            number: $number,
            per: Per::$per,
            unit: $unit,
            gentle: $gentle,
            careful: $careful,
            min: $min,
            max: $max,
            bound: Bound::$bound,
            reason: $reason,
        },)+];

        impl Limits {
            /// The value of the limit with this key; `None` if there is none.
            #[must_use]
            pub fn value(&self, key: &str) -> Option<u64> {
                match key {
                    $(stringify!($key) => Some(u64::from(self.$key)),)+
                    _ => None,
                }
            }

            fn put(&mut self, facts: &LimitFacts, value: u64) {
                match facts.key {
                    $(stringify!($key) => {
                        self.$key = u32::try_from(value).unwrap_or(u32::MAX);
                    })+
                    _ => {}
                }
            }
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($key: $gentle,)+ }
            }
        }
    };
}

impl Limits {
    /// The limits a profile starts from. `gentle` is the default; `lab` is every limit at its hard
    /// cap, and only a build with the feature `lab` accepts a policy of that profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let mut limits = Self::default();
        for facts in TABLE {
            limits.put(facts, facts.value(profile));
        }
        limits
    }

    /// Sets the limit with this key.
    ///
    /// # Errors
    /// If there is no such limit or the value is outside its range.
    pub fn set(&mut self, key: &str, value: u64) -> Result<(), PolicyError> {
        let facts = facts(key)?;
        facts.check(value)?;
        self.put(facts, value);
        Ok(())
    }

    /// Whether every limit is in its range and none contradicts another.
    ///
    /// # Errors
    /// The first limit that is not.
    pub fn check(&self) -> Result<(), PolicyError> {
        for facts in TABLE {
            facts.check(self.value(facts.key).unwrap_or_default())?;
        }
        let (gateway, device) = (self.gateway_response_timeout_ms, self.response_timeout_ms);
        if gateway < device {
            let why = format!(
                "must not be shorter than response_timeout_ms ({device}), because the serial line \
                 behind a gateway answers later"
            );
            return Err(PolicyError::contradiction("gateway_response_timeout_ms", &gateway, why));
        }
        self.check_time_for_a_question()?;
        self.check_room_for_a_connection()
    }

    /// A device would be connected to and left again without a question.
    fn check_time_for_a_question(&self) -> Result<(), PolicyError> {
        let needed = self.connect_timeout_ms + self.gateway_response_timeout_ms;
        if self.device_time_s.saturating_mul(1_000) > needed {
            return Ok(());
        }
        let why = format!(
            "a connection and one answer may take {needed} ms by connect_timeout_ms and \
             gateway_response_timeout_ms; raise the one or lower the others"
        );
        Err(PolicyError::contradiction("device_time_s", &self.device_time_s, why))
    }

    /// A rate below what one connection attempt may take would wait for ever.
    fn check_room_for_a_connection(&self) -> Result<(), PolicyError> {
        let timeout = self.connect_timeout_ms;
        let needed = timeout.div_ceil(1_000) + 3; // a SYN each second, ACK, FIN, ACK
        for key in ["device_packets_per_s", "subnet_packets_per_s", "process_packets_per_s"] {
            let rate = self.value(key).unwrap_or_default();
            if rate < needed.into() {
                let why = format!(
                    "a connection with connect_timeout_ms = {timeout} may take {needed} packets; \
                     raise the one or lower the other"
                );
                return Err(PolicyError::contradiction(key, &rate, why));
            }
        }
        Ok(())
    }
}

/// The row of the limit with this key.
pub(super) fn facts(key: &str) -> Result<&'static LimitFacts, PolicyError> {
    let row = TABLE.iter().find(|facts| facts.key == key);
    row.ok_or_else(|| {
        let known: Vec<&str> = TABLE.iter().map(|facts| facts.key).collect();
        PolicyError::unknown_key(key, &known)
    })
}

limits! {
    connections_per_device: "L1", Device "connections at a time",
        gentle 1, careful 1, AtMost 1..=1,
        "A second connection can push the operator's station out of a small connection table";
    other_process_s: "L1", Device "s",
        gentle 300, careful 300, AtMost 1..=3_600,
        "Another process of this host that is with a device is waited for, but not for ever: it may hang";
    connections_per_scan: "L2", Device "connections",
        gentle 3, careful 2, AtMost 1..=6,
        "Repeated connecting wears out modules that are slow to free a connection";
    connection_gap_ms: "L2", Device "ms",
        gentle 2_000, careful 4_000, AtLeast 250..=3_600_000,
        "A device gets time to free its last connection before the next one";
    revisit_after_s: "L3", Device "s",
        gentle 3_600, careful 7_200, AtLeast 60..=31_536_000,
        "Polling for an inventory every few seconds has made modules fault";
    outstanding_requests: "L4", Device "requests at a time",
        gentle 1, careful 1, AtMost 1..=1,
        "Small stacks answer one question after the other";
    device_packets_per_s: "L5", Device "packets in any second",
        gentle 10, careful 5, AtMost 4..=20,
        "Every packet costs a controller time of its cycle; the kernel's own packets count";
    request_gap_ms: "L6", Device "ms",
        gentle 250, careful 500, AtLeast 50..=60_000,
        "A controller needs time for its own work between two questions";
    request_gap_rtts: "L6", Device "round trips",
        gentle 4, careful 8, AtLeast 1..=100,
        "A device that answers slowly is asked slowly";
    subnet_packets_per_s: "L7", Subnet "packets in any second",
        gentle 30, careful 15, AtMost 4..=100,
        "Devices of one line share switches, uplinks and often one slow gateway";
    subnet_devices: "L7", Subnet "devices at a time",
        gentle 8, careful 4, AtMost 1..=32,
        "If something goes wrong, it goes wrong for few devices of a line";
    process_packets_per_s: "L8", Process "packets in any second",
        gentle 200, careful 100, AtMost 4..=1_000,
        "Routers and firewalls of a plant are sized for its own traffic";
    parallel_devices: "L8", Process "devices at a time",
        gentle 256, careful 128, AtMost 1..=1_024,
        "Bounds memory and the states held in firewalls";
    subnet_new_addresses_per_s: "L9", Subnet "addresses",
        gentle 4, careful 2, AtMost 1..=16,
        "Each address that nobody owns costs the whole subnet three broadcasts, behind routers too";
    subnet_unresolved: "L9", Subnet "addresses at a time",
        gentle 4, careful 2, AtMost 1..=16,
        "Addresses still being looked for cause a broadcast each second";
    broadcasts_per_scan: "L10", Scan "broadcasts",
        gentle 0, careful 0, AtMost 0..=6,
        "A broadcast interrupts every device at once, and all of them answer at once";
    instances_per_broadcast: "L11", Scan "device numbers",
        gentle 1_000, careful 100, AtMost 1..=4_194_304,
        "The first call is for few devices; where few answer the next is for more, where many do for \
         fewer";
    broadcast_gap_ms: "L10", Scan "ms",
        gentle 10_000, careful 20_000, AtLeast 1_000..=600_000,
        "Everybody who heard a broadcast has answered, and rested, before the next one";
    bus_duty_percent: "L12", Gateway "% of the serial line's time",
        gentle 5, careful 2, AtMost 1..=20,
        "While a question is on the serial line, the plant's own polling waits";
    dead_units_in_a_row: "L12", Gateway "units",
        gentle 3, careful 1, AtMost 1..=10,
        "A unit that is not there blocks the serial line for the gateway's whole timeout";
    missing_unit_ms: "L12", Gateway "ms",
        gentle 1_000, careful 1_000, AtLeast 500..=10_000,
        "A gateway that says nothing of a unit is taken to have looked for it that long on its line, \
         which then rests as after any other work";
    units_per_gateway: "L12", Gateway "units",
        gentle 16, careful 8, AtMost 1..=247,
        "Bounds how long a gateway is kept busy in one scan";
    link_addresses: "L12", Device "link addresses",
        gentle 4, careful 2, AtMost 0..=16,
        "Where nobody names its outstations the likeliest link addresses are called, one after the \
         other; on a radio or a serial line every call to nobody costs its time";
    slot_gap_ms: "L12", Gateway "ms",
        gentle 1_000, careful 2_000, AtLeast 1_000..=60_000,
        "A backplane carries the plant's own traffic, so its slots are asked one a second at most";
    connect_timeout_ms: "L13", Device "ms",
        gentle 900, careful 900, AtMost 100..=5_000,
        "Below one second the kernel sends a single SYN; every further second can add one";
    response_timeout_ms: "L14", Device "ms",
        gentle 3_000, careful 3_000, AtMost 200..=10_000,
        "An answer may be slow, a connection must not be held for nothing";
    gateway_response_timeout_ms: "L14", Gateway "ms",
        gentle 5_000, careful 5_000, AtMost 200..=10_000,
        "Longer than the gateway's own timeout, so that its answer comes before the next question";
    udp_retries: "L15", Device "retries in a conversation",
        gentle 1, careful 0, AtMost 0..=1,
        "A datagram can get lost; a device in trouble must not be asked again and again";
    udp_retry_gap_ms: "L15", Device "ms",
        gentle 2_000, careful 4_000, AtLeast 2_000..=60_000,
        "A late answer gets the chance to arrive before the question is repeated";
    device_time_s: "L16", Device "s",
        gentle 60, careful 60, AtMost 1..=300,
        "A device that never finishes must not be kept busy";
    device_bytes: "L16", Device "bytes accepted",
        gentle 262_144, careful 131_072, AtMost 1_024..=1_048_576,
        "An identity is small; more than this is a fault or an attack";
    unasked_bytes: "L16", Device "bytes",
        gentle 2_048, careful 1_024, AtMost 0..=4_096,
        "A device that talks on between two questions is flooding; every piece costs a packet";
    drain_ms: "L17", Device "ms",
        gentle 200, careful 200, AtMost 0..=1_000,
        "Unread data at the close makes the kernel reset the connection instead of ending it";
    drain_bytes: "L17", Device "bytes",
        gentle 65_536, careful 65_536, AtMost 0..=65_536,
        "Reading what is left before the close ends somewhere";
    close_wait_ms: "L17", Device "ms",
        gentle 2_000, careful 2_000, AtMost 0..=5_000,
        "Waiting for the device's own close frees the entry in its connection table";
    request_bytes: "L18", Device "bytes",
        gentle 300, careful 300, AtMost 64..=600,
        "A request fits one segment, so that no stack has to put pieces together";
    ports_per_device: "L19", Device "ports",
        gentle 12, careful 6, AtMost 1..=32,
        "Only ports of enabled protocols are tried; this is no port scan";
    requests_per_conversation: "L16", Device "requests",
        gentle 12, careful 6, AtMost 1..=64,
        "An identity takes a handful of questions; a dialogue that needs more is going wrong";
    slow_rtt_factor: "back-off", Device "times the first round trip",
        gentle 3, careful 2, AtMost 2..=10,
        "Answers that take this much longer are a sign of load, and the device is left alone for the rest of the scan";
    slow_rtt_extra_ms: "back-off", Device "ms",
        gentle 250, careful 125, AtMost 10..=2_000,
        "Answers that come this much later are a sign of load, and the device is left alone for the rest of the scan";
    busy_cool_down_s: "back-off", Device "s",
        gentle 3_600, careful 7_200, AtLeast 60..=86_400,
        "How long a protocol is left alone on a device that said it is busy; doubles each time";
    dark_per_subnet: "back-off", Subnet "devices fallen silent",
        gentle 2, careful 1, AtMost 1..=2,
        "Two devices that fall silent after a question are no coincidence: the scan ends. Where \
         they had granted no more than a shared transport, its protocol does";
    dark_per_run: "back-off", Scan "devices fallen silent",
        gentle 3, careful 1, AtMost 1..=3,
        "Three devices that fall silent after a question are no coincidence: the scan ends. Where \
         they had granted no more than a shared transport, its protocol does";
    unreachable_per_subnet: "back-off", Subnet "addresses",
        gentle 5, careful 2, AtMost 1..=5,
        "A router that keeps refusing wants us to stop";
    more_answers_ms: "L14", Device "ms",
        gentle 1_000, careful 1_000, AtMost 0..=10_000,
        "Several devices behind one address answer a call one after the other";
    answers_per_call: "L11", Device "answers",
        gentle 50, careful 25, AtMost 1..=250,
        "More answers than this to one call flood routers and small stacks; a narrower range is \
         called then";
    late_answers: "L14", Device "answers",
        gentle 16, careful 8, AtMost 1..=64,
        "Answers to an earlier question are skipped, but not without end";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cap_holds_and_one_beyond_it_names_key_value_and_range() {
        for row in TABLE {
            let mut limits = Limits::default();
            assert_eq!(limits.set(row.key, row.min), Ok(()), "{}", row.key);
            assert_eq!(limits.value(row.key), Some(row.min));
            assert_eq!(limits.set(row.key, row.max), Ok(()), "{}", row.key);
            assert_eq!(limits.value(row.key), Some(row.max));
            for wrong in [Some(row.max + 1), row.min.checked_sub(1)].into_iter().flatten() {
                let text = limits.set(row.key, wrong).unwrap_err().to_string();
                let range = format!("allowed is {} to {}", row.min, row.max);
                assert!(text.starts_with(&format!("{} = {wrong}: ", row.key)), "{text}");
                assert!(text.ends_with(&range), "{text}");
            }
        }
    }

    #[test]
    fn the_hard_caps_are_those_of_the_safety_table() {
        let caps = [
            ("connections_per_device", 1),
            ("connections_per_scan", 6),
            ("revisit_after_s", 60),
            ("outstanding_requests", 1),
            ("device_packets_per_s", 20),
            ("request_gap_ms", 50),
            ("subnet_packets_per_s", 100),
            ("process_packets_per_s", 1_000),
            ("subnet_new_addresses_per_s", 16),
            ("broadcasts_per_scan", 6),
            ("bus_duty_percent", 20),
            ("connect_timeout_ms", 5_000),
            ("response_timeout_ms", 10_000),
            ("udp_retries", 1),
            ("udp_retry_gap_ms", 2_000),
            ("device_time_s", 300),
            ("device_bytes", 1_048_576),
            ("request_bytes", 600),
            ("ports_per_device", 32),
        ];
        let lab = Limits::of(Profile::Lab);
        for (key, cap) in caps {
            assert_eq!(lab.value(key), Some(cap), "{key}");
        }
    }

    #[test]
    fn time_for_a_device_that_is_no_time_for_a_question_is_refused() {
        let mut limits = Limits { device_time_s: 6, ..Limits::default() };
        assert_eq!(limits.check(), Ok(()));
        limits.device_time_s = 5;
        let text = limits.check().unwrap_err().to_string();
        assert!(text.contains("device_time_s") && text.contains("5900 ms"), "{text}");
    }

    #[test]
    fn every_profile_is_valid_and_careful_is_never_bolder_than_gentle() {
        assert_eq!(Limits::of(Profile::Gentle), Limits::default());
        for profile in Profile::ALL {
            assert_eq!(Limits::of(profile).check(), Ok(()), "{profile}");
        }
        for row in TABLE {
            match row.bound {
                Bound::AtMost => assert!(row.careful <= row.gentle, "{}", row.key),
                Bound::AtLeast => assert!(row.careful >= row.gentle, "{}", row.key),
            }
        }
    }

    #[test]
    fn a_rate_that_no_connection_fits_into_is_refused() {
        let limits = Limits { connect_timeout_ms: 3_000, ..Limits::default() };
        assert_eq!(limits.check(), Ok(()));
        let text = Limits { device_packets_per_s: 5, ..limits }.check().unwrap_err().to_string();
        let expected = "device_packets_per_s = 5: a connection with connect_timeout_ms = 3000 may \
                        take 6 packets; raise the one or lower the other";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_gateway_gets_at_least_the_time_of_a_device() {
        let limits = Limits { gateway_response_timeout_ms: 2_999, ..Limits::default() };
        let text = limits.check().unwrap_err().to_string();
        assert!(text.starts_with("gateway_response_timeout_ms = 2999: must not be"), "{text}");
        assert!(text.contains("response_timeout_ms (3000)"), "{text}");
    }

    #[test]
    fn a_device_has_more_time_than_a_connection_and_a_question_may_take() {
        let mut limits = Limits { connect_timeout_ms: 1_000, ..Limits::default() };
        limits.gateway_response_timeout_ms = 5_000;
        limits.device_time_s = 6;
        assert!(limits.check().is_err());
        limits.device_time_s = 7;
        assert_eq!(limits.check(), Ok(()));
    }
}
