//! What somebody wants scanned.
//!
//! Text becomes [`Targets`] here, and nothing else: names stay names until somebody who can resolve
//! them pins them, and what may be scanned is for the policy to say.

mod endpoint;
mod error;
mod file;
mod parse;
mod range;
mod set;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use endpoint::{Endpoint, Host, OptionRule, Options, SCHEMES, Scheme};
pub use error::TargetError;
pub use range::{AddressRange, subnet_of};
pub use set::AddressSet;
pub use target::{Target, TargetKind};

/// What somebody wants scanned: addresses, networks, ranges, host names and endpoints.
///
/// ```
/// # use otcore::targets::Targets;
/// let targets: Targets = "10.0.4.0/24, 10.0.5.1-20 modbus://10.0.6.7?unit=1,2".parse()?;
/// assert_eq!(targets.addresses().to_string(), "10.0.4.0/24, 10.0.5.1-10.0.5.20, 10.0.6.7");
/// # Ok::<(), otcore::targets::TargetError>(())
/// ```
///
/// Serialised as a list of the texts. Pinned addresses are not part of it: they hold for one run.
/// Deserialised, a text never names a file, since the data may come from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Targets {
    list: Vec<Target>,
    pins: BTreeMap<String, Vec<IpAddr>>,
}

impl Targets {
    /// Read texts of one or several targets each, separated by white space or commas.
    ///
    /// `@path` stands for what is in that file. Text from another machine must therefore not come
    /// in here: deserialise it, or read each [`Target`] by itself.
    ///
    /// # Errors
    /// [`TargetError`] for the first text that is not a target.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TargetError> {
        let mut list = Vec::new();
        for piece in texts.into_iter().flat_map(parse::pieces) {
            match piece.strip_prefix('@') {
                Some(path) => list.extend(file::read(Path::new(path))?),
                None => list.push(piece.parse()?),
            }
        }
        Ok(list.into_iter().collect())
    }

    /// Read a file of one or more targets per line; `#` starts a comment.
    ///
    /// # Errors
    /// [`TargetError::File`] if it is no readable text file of at most 16 MiB,
    /// [`TargetError::InFile`] with the line of the first text that is not a target.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TargetError> {
        file::read(path.as_ref()).map(Self::from_iter)
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The targets in the order in which they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.list.iter()
    }

    /// Everything asked for whose address is known, endpoints included.
    #[must_use]
    pub fn addresses(&self) -> AddressSet {
        self.list.iter().flat_map(|target| self.ranges_of(target)).collect()
    }

    /// The addresses asked for without saying in which protocol: [`addresses`](Self::addresses)
    /// without those of endpoints that are in no network, range or name as well.
    #[must_use]
    pub fn networks(&self) -> AddressSet {
        let whole =
            self.list.iter().filter(|target| !matches!(target.kind(), TargetKind::Endpoint(_)));
        whole.flat_map(|target| self.ranges_of(target)).collect()
    }

    /// The endpoints asked for, one for each address of a pinned name.
    ///
    /// The host is still a name where it is [unresolved](Self::unresolved).
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> {
        self.list.iter().flat_map(|target| match target.kind() {
            TargetKind::Endpoint(endpoint) => self.pinned(endpoint),
            TargetKind::Range(_) | TargetKind::Name(_) => Vec::new(),
        })
    }

    /// The host names that still need an address, in lower case.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.unresolved().filter_map(Target::name).collect()
    }

    /// The targets with a host name that still needs an address.
    pub fn unresolved(&self) -> impl Iterator<Item = &Target> {
        let is_open = |name: &str| !self.pins.contains_key(name);
        self.list.iter().filter(move |target| target.name().is_some_and(is_open))
    }

    /// Put `addresses` in place of a host name, once and for all of this run.
    ///
    /// A name that later leads elsewhere changes nothing. Whether the addresses may be scanned is
    /// decided by the policy, as for any other.
    ///
    /// # Errors
    /// [`TargetError::NotUnresolved`] if `name` is not among [`names`](Self::names),
    /// [`TargetError::NoAddress`] if there are no addresses, [`TargetError::NotOneDevice`] if one of
    /// them is multicast, broadcast or unspecified. The name is then still unresolved.
    pub fn pin(&mut self, name: &str, addresses: &[IpAddr]) -> Result<(), TargetError> {
        let name = name.to_ascii_lowercase();
        if !self.names().contains(name.as_str()) {
            return Err(TargetError::NotUnresolved { name: error::shown(&name) });
        }
        if addresses.is_empty() {
            return Err(TargetError::NoAddress { name });
        }
        for &address in addresses {
            parse::one_device_each(&format!("{name} ({address})"), address.into())?;
        }
        let unique: BTreeSet<_> = addresses.iter().map(IpAddr::to_canonical).collect();
        self.pins.insert(name, unique.into_iter().collect());
        Ok(())
    }

    fn pins_of(&self, name: &str) -> &[IpAddr] {
        self.pins.get(name).map_or(&[], Vec::as_slice)
    }

    fn ranges_of(&self, target: &Target) -> Vec<AddressRange> {
        match (target.kind(), target.name()) {
            (TargetKind::Range(range), _) => vec![*range],
            (TargetKind::Endpoint(Endpoint { host: Host::Address(address), .. }), _) => {
                vec![(*address).into()]
            }
            (_, name) => self.pins_of(name.unwrap_or_default()).iter().map(|&a| a.into()).collect(),
        }
    }

    fn pinned(&self, endpoint: &Endpoint) -> Vec<Endpoint> {
        let Host::Name(name) = &endpoint.host else { return vec![endpoint.clone()] };
        match self.pins_of(name) {
            [] => vec![endpoint.clone()],
            pins => {
                let at = |&address| Endpoint { host: Host::Address(address), ..endpoint.clone() };
                pins.iter().map(at).collect()
            }
        }
    }
}

impl FromStr for Targets {
    type Err = TargetError;

    /// As [`Targets::parse`] of one text.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        Self::parse([text])
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, target) in self.list.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{target}")?;
        }
        Ok(())
    }
}

impl FromIterator<Target> for Targets {
    fn from_iter<I: IntoIterator<Item = Target>>(targets: I) -> Self {
        Self { list: targets.into_iter().collect(), pins: BTreeMap::new() }
    }
}

impl TryFrom<Vec<String>> for Targets {
    type Error = TargetError;

    /// Never reads a file.
    fn try_from(texts: Vec<String>) -> Result<Self, TargetError> {
        texts.iter().flat_map(|text| parse::pieces(text)).map(str::parse).collect()
    }
}

impl From<Targets> for Vec<String> {
    fn from(targets: Targets) -> Self {
        targets.list.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn targets(text: &str) -> Targets {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn targets_keep_the_words_in_which_they_were_asked_for() {
        let asked = targets("10.0.4.0-255,S7://PLC-3:102?rack=0\n::ffff:10.0.0.1");
        let shown: Vec<_> = asked.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.4.0-255", "S7://PLC-3:102?rack=0", "::ffff:10.0.0.1"]);
        assert_eq!(asked.to_string(), shown.join(", "));
        assert!(targets(" ,\n").is_empty());
    }

    #[test]
    fn an_endpoint_asks_for_no_other_protocol_of_its_device() {
        let asked = targets("10.0.4.0/30 s7://10.0.4.1 s7://10.0.9.9");
        assert_eq!(asked.addresses().to_string(), "10.0.4.0/30, 10.0.9.9");
        assert_eq!(asked.networks().to_string(), "10.0.4.0/30");
        assert_eq!(asked.endpoints().count(), 2);
    }

    #[test]
    fn a_name_is_pinned_once_and_then_stays() {
        let mut asked = targets("plc.plant, s7://PLC.plant?slot=2 other.plant");
        assert_eq!(asked.names(), BTreeSet::from(["plc.plant", "other.plant"]));
        assert!(asked.addresses().is_empty());
        asked.pin("PLC.plant", &[address("::ffff:10.0.0.2"), address("10.0.0.1")]).unwrap();
        assert_eq!(asked.addresses().to_string(), "10.0.0.1-10.0.0.2");
        let shown: Vec<_> = asked.endpoints().map(|endpoint| endpoint.to_string()).collect();
        assert_eq!(shown, ["s7://10.0.0.1?slot=2", "s7://10.0.0.2?slot=2"]);
        assert_eq!(asked.unresolved().map(Target::name).collect::<Vec<_>>(), [Some("other.plant")]);
        let rebound = asked.pin("plc.plant", &[address("8.8.8.8")]).unwrap_err();
        assert_eq!(
            rebound.to_string(),
            "plc.plant needs no address: it was not asked for, or is already pinned for this run"
        );
        assert!(!asked.addresses().contains(address("8.8.8.8")));
    }

    #[test]
    fn a_name_that_leads_to_no_device_stays_unresolved() {
        let mut asked = targets("modbus://plc");
        for bad in ["0.0.0.0", "224.0.0.1", "::ffff:255.255.255.255", "ff02::1", "::"] {
            let error = asked.pin("plc", &[address("10.0.0.1"), address(bad)]).unwrap_err();
            assert!(error.to_string().starts_with("plc ("), "{error}");
        }
        let error = asked.pin("plc", &[]).unwrap_err();
        assert!(error.to_string().starts_with("plc has no address"), "{error}");
        assert_eq!(asked.names(), BTreeSet::from(["plc"]));
        assert_eq!(asked.endpoints().next().unwrap().to_string(), "modbus://plc");
    }

    #[test]
    fn targets_travel_as_a_list_of_texts() {
        let asked = targets("10.0.4.0/24 modbus://10.0.4.7?unit=1,2 plc");
        let json = serde_json::to_string(&asked).unwrap();
        assert_eq!(json, r#"["10.0.4.0/24","modbus://10.0.4.7?unit=1,2","plc"]"#);
        assert_eq!(serde_json::from_str::<Targets>(&json).unwrap(), asked);
        let error = serde_json::from_str::<Targets>(r#"["10.0.4.7/24"]"#).unwrap_err();
        assert!(error.to_string().contains("use 10.0.4.0/24 or 10.0.4.7"), "{error}");
    }

    #[test]
    fn data_from_elsewhere_cannot_make_us_read_a_file() {
        let error = serde_json::from_str::<Targets>(r#"["@/etc/hostname"]"#).unwrap_err();
        assert!(error.to_string().contains("@/etc/hostname names a file"), "{error}");
        assert!("@/etc/hostname".parse::<Target>().is_err());
    }

    #[test]
    fn an_error_in_a_list_names_the_one_that_is_wrong() {
        let error = Targets::parse(["10.0.4.7 10.0.4.8", "10.0.4.300"]).unwrap_err();
        assert!(error.to_string().starts_with("10.0.4.300 is not a plain"), "{error}");
    }

    /// Any target, as text.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            (1_u32..0xE000_0000).prop_map(|n| Ipv4Addr::from(n).to_string()),
            any::<[u8; 2]>().prop_map(|[a, b]| format!("10.{a}.{b}.0/24")),
            any::<[u8; 2]>().prop_map(|[a, b]| format!("10.0.0.{}-{}", a.min(b), a.max(b))),
            any::<u64>().prop_map(|n| format!("fd00::{:x}:{:x}", n >> 48, n & 0xFFFF)),
            "[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,5})?(\\.[a-z]{1,5})?",
            (0..=255_u8, 0..=255_u8)
                .prop_filter("twice", |(a, b)| a != b)
                .prop_map(|(a, b)| format!("modbus://10.0.0.1?unit={a},{b}")),
            "s7://[a-z]{1,9}(:[1-9][0-9]{0,3})?\\?rack=[0-7]&slot=[0-9]",
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_itself(texts in prop::collection::vec(texts(), 0..6)) {
            let asked = Targets::parse(texts.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(asked.to_string().parse(), Ok(asked.clone()));
            prop_assert_eq!(texts.join(",").parse(), Ok(asked.clone()));
            let json = serde_json::to_string(&asked).unwrap();
            prop_assert_eq!(serde_json::from_str::<Targets>(&json).unwrap(), asked);
        }

        #[test]
        fn no_text_makes_the_parser_panic_or_a_message_unprintable(text in "[^@]*", more in "[-0-9a-fx.:/\\[\\]%,?=& ]{0,40}") {
            for text in [text, more] {
                let Err(error) = text.parse::<Targets>() else { continue };
                prop_assert!(!error.to_string().contains(char::is_control), "{:?}", error);
            }
        }

        #[test]
        fn an_ipv4_address_is_the_same_however_it_is_spelled(n in 1_u32..0xE000_0000) {
            let plain = Ipv4Addr::from(n);
            let (mapped, last) = (plain.to_ipv6_mapped(), plain.octets()[3]);
            let [.., high, low] = mapped.segments();
            let expected = AddressSet::from_iter([AddressRange::from(IpAddr::V4(plain))]);
            for text in [
                format!("{plain}"), format!("{plain}/32"), format!("{plain}-{plain}"),
                format!("{plain}-{last}"), format!("{mapped}"), format!("{mapped}/128"),
                format!("::ffff:{high:x}:{low:X}"), format!("0:0:0:0:0:ffff:{high:04x}:{low:04x}"),
                format!("modbus://{plain}"), format!("modbus://[{mapped}]:502"),
                format!("{plain}-{mapped}"),
            ] {
                prop_assert_eq!(targets(&text).addresses(), expected.clone(), "{}", text);
            }
        }

        #[test]
        fn an_ipv6_address_is_the_same_however_it_is_spelled(n in 1_u128 << 112..0xFF00 << 112) {
            let plain = Ipv6Addr::from(n);
            let full: Vec<_> = plain.segments().iter().map(|part| format!("{part:04X}")).collect();
            let full = full.join(":");
            let expected = AddressSet::from_iter([AddressRange::from(IpAddr::V6(plain))]);
            for text in [
                format!("{plain}"), full.clone(), format!("{plain}/128"), format!("{full}-{plain}"),
                format!("s7://[{full}]"),
            ] {
                prop_assert_eq!(targets(&text).addresses(), expected.clone(), "{}", text);
            }
        }
    }
}
