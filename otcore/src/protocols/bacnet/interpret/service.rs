//! Values turned into claims about how a device speaks: several answers add to the same claim.

use std::collections::BTreeMap;

use super::says::Says;
use super::{Given, Place};
use crate::model::{Asset, ServiceField};
use crate::protocol::Request;
use crate::protocols::bacnet::{
    Function, IAm, ReadBroadcastTable, ReadForeignTable, Value, WILDCARD, WhatIsNetworkNumber,
    WhoIsRouter, data,
};
use crate::wire::Reader;

const OBJECT_LIST: u32 = 76;

/// What was said of each device so far.
#[derive(Default)]
pub(super) struct Services {
    statements: BTreeMap<(Place, ServiceField), Statement>,
    lists: BTreeMap<Place, List>,
}

/// Everything that adds to one claim, in the order it was heard, and who said the last of it.
struct Statement {
    parts: Vec<String>,
    says: Says,
}

struct List {
    count: Option<u64>,
    kinds: BTreeMap<u16, u32>,
    says: Says,
}

impl Services {
    fn add(&mut self, place: &Place, field: ServiceField, part: String, says: &Says) {
        let fresh = || Statement { parts: Vec::new(), says: says.clone() };
        let statement = self.statements.entry((place.clone(), field)).or_insert_with(fresh);
        if !part.is_empty() && !statement.parts.contains(&part) {
            statement.parts.push(part);
            statement.says = says.clone();
        }
    }

    pub(super) fn i_am(&mut self, place: &Place, i_am: &IAm, says: &Says) {
        self.number(place, i_am.instance, says);
        self.longest(place, i_am.max_apdu.into(), says);
        self.segments(place, i_am.segmentation, says);
    }

    fn number(&mut self, place: &Place, instance: u32, says: &Says) {
        let number = match instance {
            WILDCARD => "device without a number".to_owned(),
            instance => format!("device {instance}"),
        };
        self.add(place, ServiceField::Unit, number, says);
    }

    fn longest(&mut self, place: &Place, bytes: u64, says: &Says) {
        let limit = format!("messages up to {bytes} bytes");
        self.add(place, ServiceField::Limits, limit, says);
    }

    fn segments(&mut self, place: &Place, value: u32, says: &Says) {
        let words = data::segmentation(value).unwrap_or_default();
        self.add(place, ServiceField::Limits, words.to_owned(), says);
    }

    pub(super) fn values(&mut self, place: &Place, values: &[Given], says: &Says) {
        for Given { property, element, value } in values {
            match (property, value) {
                (&OBJECT_LIST, value) => self.object(place, *element, value, says),
                (75, Value::Object(object)) => self.number(place, object.instance, says),
                (62, Value::Unsigned(bytes)) => self.longest(place, *bytes, says),
                (107, Value::Enumerated(way)) => self.segments(place, *way, says),
                (98, Value::Unsigned(version)) => {
                    self.add(place, ServiceField::Conformity, format!("version {version}"), says);
                }
                (139, Value::Unsigned(revision)) => {
                    let revision = format!("revision {revision}");
                    self.add(place, ServiceField::Conformity, revision, says);
                }
                (168, Value::Text(profile)) => {
                    self.add(place, ServiceField::Dialect, profile.shown(), says);
                }
                (425, Value::Unsigned(network)) if *network > 0 => {
                    self.add(place, ServiceField::Ports, format!("is on network {network}"), says);
                }
                (427, Value::Enumerated(kind)) => {
                    let kind = data::network_type(*kind).unwrap_or_default();
                    self.add(place, ServiceField::Ports, kind.to_owned(), says);
                }
                _ => {}
            }
        }
    }

    fn object(&mut self, place: &Place, element: Option<u32>, value: &Value, says: &Says) {
        let fresh = || List { count: None, kinds: BTreeMap::new(), says: says.clone() };
        let list = self.lists.entry(place.clone()).or_insert_with(fresh);
        match (element, value) {
            (Some(0), Value::Unsigned(count)) => list.count = Some(*count),
            (Some(_), Value::Object(object)) => *list.kinds.entry(object.kind).or_default() += 1,
            _ => return,
        }
        list.says = says.clone();
    }

    /// What a router or a BBMD says. What makes no sense says nothing.
    pub(super) fn table(&mut self, function: Function, body: &[u8], says: &Says) {
        let mut r = Reader::new(body);
        let (field, part) = match function {
            Function::WhoIsRouter => {
                let networks = WhoIsRouter.read(&mut r).unwrap_or_default();
                (ServiceField::Ports, listed("leads to networks", networks.iter()))
            }
            Function::WhatIsNetworkNumber => match WhatIsNetworkNumber.read(&mut r) {
                Ok(network) => (ServiceField::Ports, format!("is on network {}", network.number)),
                Err(_) => return,
            },
            Function::ReadBroadcastTable => {
                let table = ReadBroadcastTable.read(&mut r).unwrap_or_default();
                let table = table
                    .iter()
                    .map(|one| format!("{}/{}", one.at, u32::from_be_bytes(one.mask).count_ones()));
                (ServiceField::Note, listed("hands broadcasts on to", table))
            }
            Function::ReadForeignTable => {
                let table = ReadForeignTable.read(&mut r).unwrap_or_default();
                (ServiceField::Note, listed("foreign devices", table.iter().map(|one| one.at)))
            }
            _ => return,
        };
        self.add(&Place::Itself, field, part, says);
    }

    /// Claims for everything that was heard.
    pub(super) fn told(mut self, asset: &mut Asset) {
        for (place, list) in std::mem::take(&mut self.lists) {
            self.add(&place, ServiceField::Objects, list.in_words(), &list.says);
        }
        for ((place, field), Statement { parts, says }) in self.statements {
            if parts.is_empty() {
                continue;
            }
            let claim = says.claim(&parts.join(", "));
            place.node(asset, says.key.port).service(says.key).add(field, claim);
        }
    }
}

impl List {
    fn in_words(&self) -> String {
        let seen: u32 = self.kinds.values().sum();
        let kind = |(kind, times): (&u16, &u32)| format!("{times} {}", data::object_type(*kind));
        let kinds = self.kinds.iter().map(kind).collect::<Vec<_>>().join(", ");
        match self.count {
            Some(count) if seen == 0 => format!("{count} objects"),
            Some(count) if u64::from(seen) < count => {
                format!("{count} objects, the first {seen} of them: {kinds}")
            }
            Some(count) => format!("{count} objects: {kinds}"),
            None => String::new(),
        }
    }
}

/// More entries of a table are not shown.
const SHOWN: usize = 32;

fn listed(what: &str, entries: impl ExactSizeIterator<Item = impl std::fmt::Display>) -> String {
    let count = entries.len();
    let shown: Vec<String> = entries.take(SHOWN).map(|entry| entry.to_string()).collect();
    match count {
        0 => String::new(),
        count if count > SHOWN => format!("{what} {} and {} more", shown.join(", "), count - SHOWN),
        _ => format!("{what} {}", shown.join(", ")),
    }
}
