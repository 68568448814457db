//! An inventory of many devices in every form that it can be handed on in: time, memory, size.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use otcore::blocking::{Plant, Scanner, Settings};
use otcore::export::Format;
use otcore::{Asset, Document, sim};
use rustix::time::ClockId;
use serde::{Deserialize, Serialize};

use crate::measure::worked;
use crate::python::{Environment, run};
use crate::report::{Export, Written};

/// What is found in the place of each pretend device's own address and serial number.
const SERIALS: [&str; 4] = ["serial_number", "order_number", "device_name", "uuid"];
/// Forms that Python writes as well, and how many devices it is given: more take too much memory or
/// too long.
const PYTHON: [(Format, Environment, u32); 3] = [
    (Format::Csv, Environment::Peers, u32::MAX),
    (Format::Ndjson, Environment::Peers, 20_000),
    (Format::Cyclonedx, Environment::Peers, 2_000),
];

/// Devices as a scan finds them, as JSON.
type Templates = Vec<serde_json::Value>;

/// What one process says of one form.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    count: usize,
    seconds: f64,
    /// KiB beyond what there was before.
    grown: u64,
    #[serde(default)]
    who: String,
}

/// Every form but the questions and answers, which are written as the lines of devices are.
pub(crate) fn measured(
    devices: u32,
    tell: impl Fn(&Export),
) -> Result<Vec<Export>, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("otcore-exports-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("templates"), serde_json::to_string(&templates()?)?)?;
    let mut exports = Vec::new();
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Observations) {
        let export = one(format, devices, &folder)?;
        tell(&export);
        exports.push(export);
    }
    fs::remove_dir_all(folder)?;
    Ok(exports)
}

fn one(format: Format, devices: u32, folder: &Path) -> Result<Export, Box<dyn Error>> {
    let out = folder.join("out");
    let output = Command::new(std::env::current_exe()?)
        .args(["write-export", format.name(), &devices.to_string()])
        .args([&folder.join("templates"), &out])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let said: Said = serde_json::from_slice(&output.stdout)?;
    let size = fs::metadata(&out)?.len();
    let mut rows = vec![written("otcore".to_owned(), &said)];
    let mut skipped = Vec::new();
    if let Some((_, environment, most)) = PYTHON.iter().find(|(known, ..)| *known == format) {
        let again = folder.join("again");
        let arguments = [format.name().into(), out.into(), again.into(), most.to_string().into()];
        match run(*environment, "exports.py", arguments) {
            Ok(value) => {
                let said: Said = serde_json::from_value(value)?;
                rows.push(written(said.who.clone(), &said));
            }
            Err(why) => skipped.push(format!("Python: {why}")),
        }
    }
    Ok(Export { format: format.name(), bytes: size, rows, skipped })
}

fn written(who: String, said: &Said) -> Written {
    Written { who, count: said.count, seconds: said.seconds, grown_kib: said.grown }
}

fn templates() -> Result<Templates, Box<dyn Error>> {
    let plant = Plant::serve(sim::Plant::of_all_protocols(), 0)?;
    let targets: Vec<String> = plant.devices().iter().map(sim::Running::target).collect();
    let report = Scanner::new(&Settings::default())?.start(&targets.join(" "))?.finish()?;
    let known = report.assets.iter().filter(|asset| asset.is_identified());
    Ok(known.map(serde_json::to_value).collect::<Result<_, _>>()?)
}

/// So many devices: each is one of the templates, at an address of its own and with a serial number
/// of its own.
fn inventory(devices: u32, templates: &Templates) -> Result<Document, Box<dyn Error>> {
    let mut document = Document::default();
    for (number, template) in (0..devices).zip(templates.iter().cycle()) {
        let mut asset = template.clone();
        let address = asset.pointer("/addresses/0").and_then(|at| at.as_str()).unwrap_or_default();
        let [_, a, b, c] = number.to_be_bytes();
        let (old, new) = (address.to_owned(), format!("10.{a}.{b}.{c}"));
        for field in SERIALS {
            if let Some(value) = asset.pointer_mut(&format!("/identity/{field}/value")) {
                *value = format!("{}-{number}", value.as_str().unwrap_or_default()).into();
            }
        }
        let text = asset.to_string().replace(&old, &new);
        document.assets.add(serde_json::from_str::<Asset>(&text)?);
    }
    Ok(document)
}

/// The process that writes one form: its name, how many devices, the templates, where to.
pub(crate) fn write(mut arguments: impl Iterator<Item = String>) -> Result<Said, Box<dyn Error>> {
    let mut next = || arguments.next().ok_or("it takes four arguments");
    let (format, devices) = (next()?.parse::<Format>()?, next()?.parse()?);
    let templates = serde_json::from_str(&fs::read_to_string(next()?)?)?;
    let document = inventory(devices, &templates)?;
    let before = memory("VmRSS:")?;
    fs::write("/proc/self/clear_refs", "5")?; // the most memory so far is forgotten
    let began = worked(ClockId::ProcessCPUTime);
    let mut out = BufWriter::new(File::create(next()?)?);
    format.write_to(&document, &mut out)?;
    out.flush()?;
    let seconds = (worked(ClockId::ProcessCPUTime) - began).as_secs_f64();
    let grown = memory("VmHWM:")?.saturating_sub(before);
    Ok(Said { count: document.assets.len(), seconds, grown, who: String::new() })
}

/// Of this process, in KiB.
fn memory(field: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).ok_or("not in the status")?;
    Ok(line.split_whitespace().nth(1).ok_or("without a number")?.parse()?)
}
