//! The outstations of a pretend substation. They are a plant of their own, since nobody asks them
//! unless a policy says so.

use super::device::Device;
use super::plant::{Expected, Plant, Truth};
use crate::protocols::dnp3::sim::{self as dnp3, Server, Shape};

impl Plant {
    /// Eight DNP3 outstations, or several at one address. What each says is told to a master of link
    /// address 1 that calls it by its own.
    #[must_use]
    pub fn substation() -> Self {
        let mut plant = Self::new();
        for (expected, device) in outstations() {
            plant = plant.with(expected, device);
        }
        plant
    }
}

type Entry = (Expected, Box<dyn Device>);

fn outstations() -> Vec<Entry> {
    let rtu = [("vendor", "Tarnwick Automation"), ("model", "TW-RTU 40"), ("device_class", "rtu")];
    let recloser = [("vendor", "Brakkenholt Drives"), ("serial_number", "RC-90210")];
    let serial = [("vendor", "Quillmere Networks"), ("model", "QR-2 RTU")];
    vec![
        outstation("rtu", "says everything of itself", named(&rtu), dnp3::full()),
        outstation("recloser", "gives attributes one by one", named(&recloser), dnp3::partial()),
        outstation("old-rtu", "knows no attributes", nameless(), dnp3::bare()),
        outstation("serial-rtu", "behind a serial line", named(&serial), dnp3::behind_serial()),
        outstation("concentrator", "three at one address", named(&[]), dnp3::concentrator()),
        outstation("one-master", "has room for one master", named(&rtu), dnp3::one_master()),
        outstation("long-rtu", "more than one answer holds", named(&rtu), dnp3::fragmented()),
        outstation("restarted-rtu", "waits for its master", nameless(), dnp3::waiting()),
    ]
}

fn named(identity: &[(&str, &str)]) -> Truth {
    Truth::new("Identified", identity)
}

fn nameless() -> Truth {
    Truth::new("PresentNoIdentity", &[])
}

fn outstation(name: &str, description: &str, found: Truth, shape: Shape) -> Entry {
    let expected = Expected {
        name: name.into(),
        description: description.into(),
        found,
        ..Expected::default()
    };
    (expected, Box::new(Server::new(shape)))
}
