//! Devices of which it is known what they are, named from what they say of themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)] // a test says what went wrong by stopping

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use otcore::fingerprint::{Knowledge, KnowledgeError, infer};
use otcore::model::{
    Asset, Claim, Confidence, Evidence, Field, FindingKind, InterfaceField, Method, Named,
};
use otcore::{Inventory, Source, Zone};
use proptest::prelude::*;
use serde::Deserialize;

/// A device of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    protocol: String,
    /// Where it is written what the device says.
    origin: String,
    says: BTreeMap<Field, String>,
    is: BTreeMap<Field, String>,
    #[serde(default)]
    findings: BTreeSet<FindingKind>,
    #[serde(default)]
    disputed: BTreeSet<Field>,
}

impl Device {
    fn all() -> Vec<Self> {
        #[derive(Deserialize)]
        struct Table {
            device: Vec<Device>,
        }
        toml::from_str::<Table>(include_str!("devices.toml")).unwrap().device
    }

    fn is_real(&self) -> bool {
        !self.origin.starts_with("made up: ")
    }

    fn named_by(&self, knowledge: &Knowledge) -> Asset {
        let mut asset = nobody();
        for (field, value) in &self.says {
            asset.node.identity.report(*field, said(&self.protocol, value));
        }
        infer(knowledge, &mut asset);
        asset
    }
}

fn nobody() -> Asset {
    Asset::new(Zone::default(), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)))
}

fn said(protocol: &str, value: &str) -> Claim {
    let evidence = Evidence {
        at: "2026-05-04T08:00:00Z".parse().unwrap(),
        source: Source::default(),
        method: Method::Active,
        protocol: protocol.to_owned(),
        port: 1,
        function: "Example".to_owned(),
        rule: None,
        request: Vec::new().into(),
        response: Vec::new().into(),
    };
    Claim { confidence: Confidence::Reported, evidence: evidence.into(), value: value.to_owned() }
}

/// The kinds of places where it can be written what a device says: see the head of the table.
const ORIGINS: [&str; 5] = ["capture", "document", "advisory", "export", "source"];

/// What must be right or not there at all.
const NAMES: [Field; 8] = [
    Field::Vendor,
    Field::Model,
    Field::OrderNumber,
    Field::ProductName,
    Field::DeviceClass,
    Field::SerialNumber,
    Field::CpeHardware,
    Field::CpeFirmware,
];
#[test]
fn every_device_of_the_table_is_what_it_is_and_none_is_called_something_else() {
    let (knowledge, mut wrong) = (Knowledge::built_in(), Vec::new());
    for device in Device::all() {
        let asset = device.named_by(&knowledge);
        let identity = &asset.node.identity;
        for field in NAMES {
            let expected = device.is.get(&field).or_else(|| device.says.get(&field));
            let found = identity.value(field);
            if found != expected.map(String::as_str) {
                wrong.push(format!("{}: {field:?} {found:?}, not {expected:?}", device.origin));
            }
        }
        let disputed: BTreeSet<Field> =
            identity.fields().filter(|field| identity.is_disputed(*field)).collect();
        let findings: BTreeSet<FindingKind> =
            asset.node.findings.iter().map(|finding| finding.kind).collect();
        if (&disputed, &findings) != (&device.disputed, &device.findings) {
            wrong.push(format!("{}: {disputed:?} {:?}", device.origin, asset.node.findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What Siemens' names say of a thing: the word, its family and its kind.
const WORDS: [(&str, &str, &str); 24] = [
    ("S7-200 SMART CPU", "SIMATIC S7-200 SMART", "plc"),
    ("S7-300 CPU", "SIMATIC S7-300", "plc"),
    ("S7-400 CPU", "SIMATIC S7-400", "plc"),
    ("S7-1200 CPU", "SIMATIC S7-1200", "plc"),
    ("S7-1500 CPU", "SIMATIC S7-1500", "plc"),
    ("SP", "SIMATIC ET 200SP", "plc"),
    ("ET 200S ", "SIMATIC ET 200S", "plc"),
    ("pro", "SIMATIC ET 200pro", "plc"),
    ("PRO", "SIMATIC ET 200pro", "plc"),
    ("WinAC", "SIMATIC software controller", "plc"),
    ("LOGO! ", "LOGO!", "plc"),
    ("CP 12", "SIMATIC S7-1200", "communication module"),
    ("CP 34", "SIMATIC S7-300", "communication module"),
    ("CP 44", "SIMATIC S7-400", "communication module"),
    ("CP 15", "SIMATIC S7-1500", "communication module"),
    ("SP-1", "SIMATIC ET 200SP", "communication module"),
    ("TIM 15", "SIMATIC S7-1500", "communication module"),
    ("SCALANCE X", "SCALANCE X", "switch"),
    ("SCALANCE S", "SCALANCE S", "firewall"),
    ("SCALANCE M", "SCALANCE M", "router"),
    ("SCALANCE W", "SCALANCE W", "access point"),
    ("SIMATIC HMI", "SIMATIC HMI", "hmi"),
    ("PAC", "SENTRON PAC", "power meter"),
    ("RUGGEDCOM RM", "RUGGEDCOM", "router"),
];

/// The names are from advisories, and the table that is tested is from the catalogue.
#[test]
fn no_order_number_of_the_advisories_is_called_otherwise_than_its_maker_calls_it() {
    let (knowledge, mut wrong, mut named) = (Knowledge::built_in(), Vec::new(), [0; 3]);
    let text = include_str!("order_numbers.csv");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [number, _, name] = line.splitn(3, ',').collect::<Vec<_>>()[..] else { panic!() };
        let mut asset = nobody();
        asset.node.identity.report(Field::OrderNumber, said("s7", number));
        infer(&knowledge, &mut asset);
        let value = |field| asset.node.identity.value(field);
        let (model, family) = (value(Field::Model), value(Field::ProductName));
        let class = value(Field::DeviceClass);
        let says = |family: Option<&str>, class: Option<&str>| {
            let mut words = WORDS.iter().filter(|(word, ..)| name.contains(word));
            words.any(|(_, of, kind)| {
                family.is_none_or(|family| family == *of)
                    && class.is_none_or(|class| class == *kind)
            }) || (class.is_none() && family.is_none_or(|family| name.contains(family)))
        };
        let model_is_wrong = model.is_some_and(|model| !name.contains(model));
        if model_is_wrong
            || !says(family, class)
            || value(Field::Vendor).is_some_and(|vendor| vendor != "Siemens")
        {
            wrong.push(format!("{line}: {model:?} {family:?} {class:?}"));
        }
        let all = [model, family, class];
        named.iter_mut().zip(all).for_each(|(count, value)| *count += usize::from(value.is_some()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{named:?} of {} have a model, a family and a kind", text.lines().count());
    assert!(named[0] >= 90 && named[1] >= 500 && named[2] >= 450, "{named:?}");
}

#[test]
fn the_table_holds_at_least_sixty_devices_over_five_protocols_each_with_its_origin() {
    let devices: Vec<Device> = Device::all().into_iter().filter(Device::is_real).collect();
    assert!(devices.len() >= 60, "{}", devices.len());
    let mut protocols: BTreeMap<&str, usize> = BTreeMap::new();
    for device in &devices {
        *protocols.entry(&device.protocol).or_default() += 1;
        let (kind, place) = device.origin.split_once(": ").unwrap_or_default();
        assert!(ORIGINS.contains(&kind), "{}", device.origin);
        assert!(place.contains("https://") || place.contains("http://"), "{}", device.origin);
    }
    assert_eq!(
        protocols.keys().copied().collect::<Vec<_>>(),
        ["bacnet", "dnp3", "enip", "modbus", "s7"]
    );
    assert!(protocols.values().all(|devices| *devices >= 10), "{protocols:?}");
}

#[test]
fn every_conclusion_names_the_rule_that_drew_it_and_the_bytes_it_stands_on() {
    let knowledge = Knowledge::built_in();
    for device in Device::all() {
        let asset = device.named_by(&knowledge);
        for field in asset.node.identity.fields() {
            for claim in asset.node.identity.claims(field) {
                let by_device = device.says.get(&field) == Some(&claim.value);
                assert!(by_device || claim.evidence.rule.is_some(), "{field:?} {claim:?}");
                assert_eq!(claim.evidence.protocol, device.protocol);
            }
        }
        for finding in &asset.node.findings {
            assert!(finding.evidence.rule.is_some(), "{finding:?}");
        }
    }
    let m340 = Device::all().remove(0).named_by(&knowledge);
    let json = serde_json::to_value(&m340).unwrap();
    let class = &json["identity"]["product_name"];
    assert_eq!(class["value"], "Modicon M340");
    assert_eq!(class["evidence"]["rule"], "products/Schneider Electric,BMX P34*");
    assert_eq!(class["confidence"], "likely");
}

#[test]
fn the_most_exact_row_decides() {
    let knowledge = Knowledge::built_in();
    let by = |number: &str| {
        let mut asset = nobody();
        asset.node.identity.add(Field::OrderNumber, said("s7", number));
        infer(&knowledge, &mut asset);
        let class = asset.node.identity.best(Field::DeviceClass).unwrap();
        class.evidence.rule.clone().unwrap()
    };
    assert_eq!(by("6ES7 214-1AF40-0XB0"), "siemens/Siemens,6ES7 214-1AF4#*");
    assert_eq!(by("6ES7 214-1AG40-0XB0"), "siemens/Siemens,6ES7 214-1A@4#*");
    assert_eq!(by("6ES7 315-2EH14-0AB0"), "siemens/Siemens,6ES7 315-2EH1#*");
    assert_eq!(by("6ES7 315-9ZZ99-0AB0"), "siemens/Siemens,6ES7 31*");
}

#[test]
fn the_name_of_the_maker_is_one_name_and_what_was_said_is_kept() {
    let knowledge = Knowledge::built_in();
    let mut asset = nobody();
    asset.node.identity.add(Field::Vendor, said("modbus", "SCHNEIDER ELECTRIC INDUSTRIES S.A.S."));
    infer(&knowledge, &mut asset);
    let identity = &asset.node.identity;
    assert_eq!(identity.value(Field::Vendor), Some("Schneider Electric"));
    assert!(!identity.is_disputed(Field::Vendor), "it was only said in other words");
    let values: Vec<&str> = identity.claims(Field::Vendor).map(|c| c.value.as_str()).collect();
    assert_eq!(values, ["SCHNEIDER ELECTRIC INDUSTRIES S.A.S.", "Schneider Electric"]);
    assert_eq!(identity.best(Field::Vendor).unwrap().confidence, Confidence::Reported);
}

#[test]
fn a_name_that_only_looks_like_that_of_a_known_maker_stays_as_it_is() {
    let knowledge = Knowledge::built_in();
    for name in [
        "Siemensstadt Pumpen",
        "Nokia Siemens Networks",
        "Fujitsu Siemens Computers",
        "Siemens Healthcare Diagnostics",
        "Abbott Laboratories",
        "Rockwell Collins",
        "Schneider",
        "Schneider Elektronik GmbH",
        "Uwe Schneider GmbH",
        "Square Deal Inc.",
        "Omron Healthcare Co., Ltd.",
        "Emerson Network Power Co., Ltd.",
        "Geberit",
        "Delta",
        "Parker",
        "Select Controls",
        "Mitsubishi Heavy Industries, Ltd.",
        "",
        "*",
    ] {
        assert_eq!(knowledge.vendor(name), None, "{name}");
    }
}

#[test]
fn the_same_version_in_another_spelling_is_no_dispute_and_another_version_is_one() {
    let mut asset = nobody();
    asset.node.identity.add(Field::Firmware, said("modbus", "v2.70"));
    asset.node.identity.add(Field::Firmware, said("enip", "2.70"));
    assert!(!asset.node.identity.is_disputed(Field::Firmware));
    asset.node.identity.add(Field::Firmware, said("s7", "2.7"));
    assert!(asset.node.identity.is_disputed(Field::Firmware));
}

#[test]
fn a_gateway_that_speaks_for_another_makers_device_is_told() {
    let mut asset = nobody();
    asset.node.identity.add(Field::Vendor, said("modbus", "Schneider Electric"));
    asset.node.identity.add(Field::VendorId, said("enip", "cip:1"));
    infer(&Knowledge::built_in(), &mut asset);
    assert!(asset.node.identity.is_disputed(Field::Vendor));
    let [finding] = &asset.node.findings.iter().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(finding.kind, FindingKind::SpeaksForAnother);
    for part in ["Schneider Electric in modbus", "Rockwell Automation in enip"] {
        assert!(finding.reason.contains(part), "{}", finding.reason);
    }
}

#[test]
fn one_controller_over_s7_its_web_page_and_snmp_is_one_asset_and_in_two_zones_it_is_two() {
    let heard = [
        ("s7", "gateway-7", Method::Active, Field::OrderNumber, "6ES7 315-2EH14-0AB0"),
        ("http", "crawler", Method::Import, Field::Description, "SIMATIC 300 (CPU 315-2 PN/DP)"),
        ("snmp", "switch-watch", Method::Passive, Field::Vendor, "Siemens, Industrial"),
        ("snmp", "switch-watch", Method::Passive, Field::Location, "hall 2"),
    ];
    let mut inventory = Inventory::default();
    for zone in ["line-3", "line-4"] {
        for (protocol, source, method, field, value) in heard {
            let mut seen = Asset::new(zone.parse().unwrap(), IpAddr::from([10, 0, 0, 7]));
            let Claim { confidence, evidence, value } = said(protocol, value);
            let source = source.parse().unwrap();
            let evidence = Evidence { source, method, ..(*evidence).clone() };
            seen.node.identity.add(field, Claim { confidence, evidence: evidence.into(), value });
            inventory.add(seen);
        }
    }
    assert_eq!(inventory.len(), 2, "one in each zone");
    for asset in inventory.iter() {
        let mut asset = asset.clone();
        infer(&Knowledge::built_in(), &mut asset);
        let identity = &asset.node.identity;
        let protocols: BTreeSet<&str> =
            identity.all().map(|claim| claim.evidence.protocol.as_str()).collect();
        assert_eq!(protocols, BTreeSet::from(["http", "s7", "snmp"]), "what each said is kept");
        assert_eq!(identity.value(Field::Vendor), Some("Siemens"));
        assert_eq!(identity.value(Field::Model), Some("CPU 315-2 PN/DP"));
        assert_eq!(identity.value(Field::Location), Some("hall 2"));
        assert!(!identity.is_disputed(Field::Vendor) && asset.node.findings.is_empty());
    }
}

#[test]
fn a_clone_with_the_order_number_of_another_maker_is_told() {
    let mut asset = nobody();
    asset.node.identity.add(Field::Vendor, said("s7", "Yaskawa Europe GmbH"));
    asset.node.identity.add(Field::OrderNumber, said("s7", "6ES7 315-2AG10-0AB0"));
    infer(&Knowledge::built_in(), &mut asset);
    let [finding] = &asset.node.findings.iter().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(finding.kind, FindingKind::CopiedIdentity);
    assert_eq!(
        finding.reason,
        "it says that it is of Yaskawa, but what it says of itself \"6ES7 315-2AG10-0AB0\" is of Siemens"
    );
    assert_eq!(asset.node.identity.value(Field::Vendor), Some("Yaskawa"), "its word stands");
}

#[test]
fn a_hardware_address_of_another_maker_is_told_unless_he_sells_parts() {
    let found = |vendor: &str, mac: &str| {
        let mut asset = nobody();
        asset.node.identity.add(Field::Vendor, said("enip", vendor));
        let interface = asset.node.interfaces.entry("1".to_owned()).or_default();
        interface.add(InterfaceField::Mac, said("enip", mac));
        infer(&Knowledge::built_in(), &mut asset);
        let maker = asset.node.interfaces["1"].value(InterfaceField::Maker).map(str::to_owned);
        (maker, asset.node.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>())
    };
    let rockwell = Some("Rockwell Automation".to_owned());
    assert_eq!(found("Allen-Bradley", "00:00:bc:01:02:03"), (rockwell.clone(), vec![]));
    let foreign = vec![FindingKind::ForeignHardwareAddress];
    assert_eq!(found("Siemens AG", "00:00:BC:01:02:03"), (rockwell.clone(), foreign));
    assert_eq!(found("Siemens AG", "00-02-a2-01-02-03"), (Some("Hilscher".to_owned()), vec![]));
    assert_eq!(found("Nobody Knows", "00:00:bc:01:02:03"), (rockwell, vec![]));
    assert_eq!(found("Siemens AG", "02:00:00:01:02:03"), (None, vec![]));
}

#[test]
fn a_whole_file_is_replaced_and_the_others_stay() {
    let text = "vendor?,vendor=\nsiemens,Sjemens\n";
    let files = BTreeMap::from([("vendors.csv".to_owned(), text.as_bytes().to_vec())]);
    let knowledge = Knowledge::from_files(&files).unwrap();
    assert_eq!(knowledge.vendor("SIEMENS AG"), Some("Sjemens"));
    assert_eq!(knowledge.vendor("Schneider Electric"), None);
    assert_eq!(knowledge.rules().len(), Knowledge::built_in().rules().len());
    assert_eq!(Knowledge::built_in().vendor("SIEMENS AG"), Some("Siemens"));
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_what_is_wrong() {
    let error = |name: &str, bytes: &[u8]| {
        let files = BTreeMap::from([(name.to_owned(), bytes.to_vec())]);
        Knowledge::from_files(&files).unwrap_err().to_string()
    };
    let unknown = error("nobody.csv", b"");
    assert!(unknown.starts_with("\"nobody.csv\" is no file of knowledge: there are "), "{unknown}");
    assert!(unknown.contains("cip-vendors.csv") && unknown.contains("s7.toml"), "{unknown}");
    assert_eq!(error("oui.csv", b"\xff"), "oui.csv: is not UTF-8 text");
    assert_eq!(
        error("vendors.csv", b"# remark\nvendor?,vendor=\nsie*mens,Siemens\n"),
        "vendors.csv, line 3: \"sie*mens\": a * stands at the end only"
    );
    assert_eq!(
        error("cpe.csv", b"modle?,vendor\n"),
        "cpe.csv, line 1: there is no field \"modle\""
    );
    assert_eq!(
        error("vendors.csv", b"vendor?,vendor=\na,A\na,B\n"),
        "vendors.csv, line 3: the same is asked for in two rows"
    );
    assert!(error("s7.toml", b"[[rule]]\nid = 1").starts_with("s7.toml: "));
    let long = vec![b'#'; otcore::fingerprint::MOST_BYTES + 1];
    let files = BTreeMap::from([("oui.csv".to_owned(), long)]);
    let error = Knowledge::from_files(&files).unwrap_err();
    assert!(matches!(error, KnowledgeError::TooLong { .. }), "{error}");
}

#[test]
fn what_is_built_in_parses_and_stays_small() {
    let files = Knowledge::files();
    assert!(Knowledge::from_files(&BTreeMap::new()).is_ok());
    assert!(!Knowledge::built_in().rules().is_empty());
    assert_eq!(
        Knowledge::built_in().vendor("Rockwell Automation/Allen-Bradley"),
        Some("Rockwell Automation")
    );
    let bytes: usize = files.values().map(|text| text.len()).sum();
    println!("{bytes} bytes in {} files", files.len());
    assert!(bytes < 192 << 10, "{bytes}");
}

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        r"\PC{0,40}",
        r"[\x00-\x1f\u{202e}*#@?,/\\{}%]{0,20}",
        "(6ES7 |6es7)[0-9]{3}-[0-9A-Z]{5}-[0-9A-Z]{4}",
        "[0-9a]{3,300}",
        prop::sample::select(vec![
            "Siemens",
            "Schneider Electric",
            "cip:1",
            "cip:14",
            "54",
            "BMX P34 2020",
            "CPU 1214C",
            "88111222",
            "SNAP7-SERVER",
            "1756-L61",
            "V2.70",
            "VIPA",
            "6ES7 315-2EH14-0AB0",
            "ABB",
        ])
        .prop_map(str::to_owned),
    ]
}

fn asset() -> impl Strategy<Value = Asset> {
    let claim = (prop::sample::select(Field::ALL.to_vec()), anything(), any::<bool>());
    (prop::collection::vec(claim, 0..8), anything()).prop_map(|(claims, mac)| {
        let mut asset = nobody();
        for (field, value, is_modbus) in claims {
            let protocol = if is_modbus { "modbus" } else { "enip" };
            asset.node.identity.report(field, said(protocol, &value));
        }
        let interface = asset.node.interfaces.entry("1".to_owned()).or_default();
        interface.add(InterfaceField::Mac, said("enip", &mac));
        asset
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn concluding_twice_changes_nothing_and_nothing_that_was_said_is_lost(asset in asset()) {
        let knowledge = Knowledge::built_in();
        let mut once = asset.clone();
        infer(&knowledge, &mut once);
        let mut twice = once.clone();
        infer(&knowledge, &mut twice);
        prop_assert_eq!(&twice, &once);
        for field in asset.node.identity.fields() {
            for claim in asset.node.identity.claims(field) {
                prop_assert!(once.node.identity.claims(field).any(|kept| kept == claim));
            }
        }
        let json = serde_json::to_string(&once).unwrap();
        prop_assert_eq!(serde_json::from_str::<Asset>(&json).unwrap(), once);
    }

    #[test]
    fn what_is_concluded_first_and_what_is_heard_first_makes_no_difference(a in asset(), b in asset()) {
        let knowledge = Knowledge::built_in();
        let mut joined = a.clone();
        joined.merge(b.clone()).unwrap();
        infer(&knowledge, &mut joined);
        let mut other = b;
        other.merge(a).unwrap();
        infer(&knowledge, &mut other);
        prop_assert_eq!(joined, other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_file_of_anything_is_an_error_or_knowledge(
        name in prop::sample::select(Knowledge::files().into_keys().collect::<Vec<_>>()),
        text in r"(vendor|model|mac|order_number|[?=,*#@]|\n|[a-z0-9]{1,4}|\[\[rule\]\]){0,30}",
    ) {
        let files = BTreeMap::from([(name, text.into_bytes())]);
        if let Ok(knowledge) = Knowledge::from_files(&files) {
            let _ = Device::all().remove(0).named_by(&knowledge);
        }
    }
}
