//! What may be asked of an address, and why.

use std::net::SocketAddr;

use otcore::gate::memory::DeviceMemory;
use otcore::gate::policy::{Explanation, Policy, Subject, known};
use otcore::gate::{Clock, Device, HostClock};
use otcore::protocols;

use crate::otscan::args::{Explain, Format};
use crate::otscan::{Complaint, Status, json, memory, print, select};

pub(crate) fn explain(args: &Explain) -> Result<Status, Complaint> {
    let policy = select::policy(&args.terms)?;
    let mut explanations = Vec::new();
    for protocol in protocols_of(args)? {
        for port in ports_of(&policy, protocol, args.port) {
            explanations.push(policy.explain_at(&subject(args, protocol, port), HostClock.now()));
        }
    }
    if args.format == Format::Json {
        return print(&json(&explanations)?);
    }
    let mut text = String::new();
    for explanation in &explanations {
        text.push_str(&explanation.to_string());
        text.push_str(&remembered(args, explanation)?);
    }
    print(&text)
}

fn subject<'a>(args: &'a Explain, protocol: &'a str, port: u16) -> Subject<'a> {
    let (vendor, model) = (args.vendor.as_deref(), args.model.as_deref());
    Subject { zone: args.terms.zone.as_str(), address: args.address, protocol, port, vendor, model }
}

/// The protocol asked about, or all that this build speaks.
fn protocols_of(args: &Explain) -> Result<Vec<&str>, Complaint> {
    let all = || protocols::ALL.iter().map(|probe| probe.name());
    match &args.protocol {
        None => Ok(all().collect()),
        Some(name) if protocols::by_name(name).is_some() => Ok(vec![name]),
        Some(name) => {
            let known: Vec<&str> = all().collect();
            Err(format!("unknown protocol {name:?}: this build has {}", known.join(", ")).into())
        }
    }
}

fn ports_of(policy: &Policy, protocol: &str, asked: Option<u16>) -> Vec<u16> {
    let of_policy = || policy.protocols.get(protocol).map(|settings| settings.ports.clone());
    let usual = || known(protocol).map(|known| vec![known.default_port]);
    asked.map(|port| vec![port]).or_else(of_policy).or_else(usual).unwrap_or_default()
}

/// What earlier scans have to do with it.
fn remembered(args: &Explain, explanation: &Explanation) -> Result<String, Complaint> {
    let Some(memory) = memory::known(args.terms.memory.as_deref())? else {
        return Ok(String::new());
    };
    let device = Device::at(SocketAddr::new(args.address, explanation.port));
    let record = memory.recall(&args.terms.zone, device)?;
    let mut text = String::new();
    if let Some(dark) = record.quarantined {
        text.push_str(&format!(
            "  but it is quarantined since {}: {}; a person must clear it\n",
            dark.since, dark.why
        ));
    }
    if let Some(busy) = record.cooling {
        text.push_str(&format!("  it was busy and is left alone until {}\n", busy.until));
    }
    if let Some(at) = record.visited {
        text.push_str(&format!("  it was last visited at {at}\n"));
    }
    Ok(text)
}
