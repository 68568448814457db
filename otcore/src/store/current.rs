//! From looks to what is known now, and how it came to be.

use std::net::IpAddr;

use super::error::StoreError;
use super::look::Look;
use super::{InventoryStore, Which, live};
use crate::fingerprint::{self, Knowledge};
use crate::model::{Asset, Claim, Field, Inventory, Named, Node, StateField, Zone};

pub(super) fn inventory<S: InventoryStore + ?Sized>(
    store: &S,
    which: Which,
    knowledge: &Knowledge,
) -> Result<Inventory, StoreError> {
    let mut inventory = Inventory::default();
    for place in store.places()? {
        asset(&store.looks(&place, which)?, knowledge).into_iter().for_each(|a| inventory.add(a));
    }
    Ok(inventory)
}

/// What looks at one place say.
fn asset(looks: &[Look], knowledge: &Knowledge) -> Option<Asset> {
    let mut asset = looks.iter().filter_map(live::facts).reduce(live::together)?;
    live::forget_conclusions(&mut asset);
    fingerprint::infer(knowledge, &mut asset);
    Some(asset)
}

pub(super) fn history<S: InventoryStore + ?Sized>(
    store: &S,
    knowledge: &Knowledge,
    path: &str,
    field: &str,
) -> Result<Vec<Claim>, StoreError> {
    if Field::by_name(field).is_none() && StateField::by_name(field).is_none() {
        return Err(StoreError::NoSuchField(field.to_owned()));
    }
    let (zone, address) = device(path).ok_or_else(|| StoreError::NoSuchPath(path.to_owned()))?;
    let mut history: Vec<Claim> = Vec::new();
    for place in store.places()? {
        if place.zone != zone || place.address != address {
            continue;
        }
        for look in store.looks(&place, Which::All)? {
            let asset = asset(std::slice::from_ref(&look), knowledge);
            let node = asset.as_ref().and_then(|asset| node_at(&asset.node, path));
            let Some(claim) = node.and_then(|node| best(node, field)) else { continue };
            if history.last().is_none_or(|last| last.value != claim.value) {
                history.push(claim.clone());
            }
        }
    }
    Ok(history)
}

/// What is said best about the field with this name.
fn best<'a>(node: &'a Node, field: &str) -> Option<&'a Claim> {
    let identity = Field::by_name(field).and_then(|field| node.identity.best(field));
    identity.or_else(|| StateField::by_name(field).and_then(|field| node.state.best(field)))
}

/// Zone and address at the beginning of a path.
fn device(path: &str) -> Option<(Zone, IpAddr)> {
    let mut parts = path.split('/');
    let zone = parts.next()?.parse().ok()?;
    let address = parts.next()?.parse::<IpAddr>().ok()?;
    Some((zone, address.to_canonical()))
}

fn node_at<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    if node.path() == path {
        return Some(node);
    }
    node.modules.values().chain(node.children.values()).find_map(|below| node_at(below, path))
}
