//! Devices that are left alone until a person has looked at them.

use std::path::Path;

use otcore::gate::memory::{DeviceMemory, InFile, Record};

use crate::otscan::args::Quarantine;
use crate::otscan::{Complaint, Status, memory, print};

pub(crate) fn quarantine(args: Quarantine) -> Result<Status, Complaint> {
    match args {
        Quarantine::List { memory } => {
            let all = match open(memory.as_deref())? {
                Some(memory) => memory.all()?,
                None => Vec::new(),
            };
            let lines: Vec<String> = all
                .iter()
                .filter_map(|(zone, device, record)| {
                    Some(format!("{zone}  {device:<24}  {}\n", why(record)?))
                })
                .collect();
            print(&if lines.is_empty() {
                "no device is quarantined\n".into()
            } else {
                lines.concat()
            })
        }
        Quarantine::Clear { address, memory, zone } => {
            let cleared = match open(memory.as_deref())? {
                Some(memory) => memory.clear(&zone, address)?,
                None => 0,
            };
            match cleared {
                0 => Err(format!(
                    "{address} in zone {zone} is not quarantined; `otscan quarantine list` shows \
                     who is"
                )
                .into()),
                _ => print(&format!("{address} in zone {zone} may be asked again\n")),
            }
        }
    }
}

fn open(named: Option<&Path>) -> Result<Option<InFile>, Complaint> {
    match named {
        Some(path) if !path.exists() => {
            Err(format!("device memory {} does not exist; check its name", path.display()).into())
        }
        named => memory::known(named),
    }
}

fn why(record: &Record) -> Option<String> {
    let dark =
        record.quarantined.as_ref().map(|dark| format!("since {}  {}", dark.since, dark.why));
    let busy = record.cooling.as_ref().map(|busy| format!("busy, left alone until {}", busy.until));
    dark.or(busy)
}
