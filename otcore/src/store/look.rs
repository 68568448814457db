//! One look at one device: what was asked, what came back, what else somebody said of it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;

use super::error::StoreError;
use crate::model::{Asset, Exchange, OutcomeRecord, Zone};

/// Where a device is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The network it lives in.
    pub zone: Zone,
    /// Its address.
    pub address: IpAddr,
    /// On loopback every port is a device of its own; `None` anywhere else.
    pub port: Option<u16>,
}

impl Place {
    /// The device that is found at this port of this address.
    #[must_use]
    pub fn at(zone: &Zone, address: IpAddr, port: u16) -> Self {
        let address = address.to_canonical();
        let port = address.is_loopback().then_some(port);
        Self { zone: zone.clone(), address, port }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.zone, self.address)?;
        self.port.map_or(Ok(()), |port| write!(f, " port {port}"))
    }
}

/// What one visit to one device brought, or what another system or a person said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Where.
    pub place: Place,
    /// When it began. Kept to the nanosecond, for the years 1678 to 2261.
    pub at: Timestamp,
    /// Every question and answer.
    pub exchanges: Vec<Exchange>,
    /// How each conversation ended.
    pub outcomes: Vec<OutcomeRecord>,
    /// Claims that come from no exchange: of another system, of a person.
    pub claims: Vec<Asset>,
}

impl Look {
    /// A look that has brought nothing yet.
    #[must_use]
    pub fn new(place: Place, at: Timestamp) -> Self {
        Self { place, at, exchanges: Vec::new(), outcomes: Vec::new(), claims: Vec::new() }
    }

    /// The looks of one run that began at `at`: one for each device.
    pub fn each(
        at: Timestamp,
        exchanges: impl IntoIterator<Item = Exchange>,
        outcomes: impl IntoIterator<Item = OutcomeRecord>,
    ) -> Vec<Self> {
        let mut looks: BTreeMap<Place, Self> = BTreeMap::new();
        for exchange in exchanges {
            let place = Place::at(&exchange.zone, exchange.address, exchange.port);
            let look = looks.entry(place.clone()).or_insert_with(|| Self::new(place, at));
            look.exchanges.push(exchange);
        }
        for outcome in outcomes {
            let place = Place::at(&outcome.zone, outcome.address, outcome.port);
            let look = looks.entry(place.clone()).or_insert_with(|| Self::new(place, at));
            look.outcomes.push(outcome);
        }
        looks.into_values().collect()
    }

    /// What another system or a person says of a device.
    #[must_use]
    pub fn said(at: Timestamp, asset: Asset) -> Option<Self> {
        let address = asset.addresses().next()?;
        let place = Place { zone: asset.zone().clone(), address, port: None };
        Some(Self { claims: vec![asset], ..Self::new(place, at) })
    }

    /// # Errors
    /// [`StoreError::Misplaced`] if anything in it was seen elsewhere.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let misplaced =
            |what: String| StoreError::Misplaced { place: self.place.to_string(), what };
        let here = |zone: &Zone, address: IpAddr, port: u16| {
            *zone == self.place.zone
                && address.to_canonical() == self.place.address
                && self.place.port.is_none_or(|own| own == port)
        };
        for exchange in &self.exchanges {
            if !here(&exchange.zone, exchange.address, exchange.port) {
                return Err(misplaced(format!("an exchange with {}", exchange.address)));
            }
        }
        for outcome in &self.outcomes {
            if !here(&outcome.zone, outcome.address, outcome.port) {
                return Err(misplaced(format!("an outcome at {}", outcome.address)));
            }
        }
        let own = format!("{}/{}", self.place.zone, self.place.address);
        match self.claims.iter().find(|asset| asset.path() != own) {
            Some(asset) => Err(misplaced(format!("claims about {}", asset.path()))),
            None => Ok(()),
        }
    }
}
