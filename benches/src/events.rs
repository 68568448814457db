//! The events of one and the same scan, read from Rust, Python and C: processor time of the whole
//! process, from the start of the scan to its last event.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use otcore::model::Field;
use otcore::protocols;
use otcore::scan::Event;
use otcore::sim::{Expected, Plant, Running, RunningPlant};
use otcore::{Policy, Scanner, Targets};
use rustix::time::ClockId;
use serde::{Deserialize, Serialize};

use crate::measure::{median, worked};
use crate::python::Environment;
use crate::report::{Events, Reader};

/// Spoken by the devices.
const PROTOCOLS: [&str; 3] = ["modbus", "enip", "bacnet"];
/// Where they live: 32 in each network of 256 addresses.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 30, 0, 1);
const STEP: u32 = 8;
/// As fast as any policy may be, so that the measurement ends.
const POLICY: &str = "[limits]\nprocess_packets_per_s = 1000\nsubnet_packets_per_s = 100\n\
                      subnet_devices = 32\nparallel_devices = 1024\nsubnet_new_addresses_per_s = 16\n";

/// What one reader says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Read {
    events: u64,
    assets: u64,
    names: u64,
    /// Processor time.
    seconds: f64,
}

/// The same scan so many times in each language, in turn.
pub(crate) fn measured(devices: u32, rounds: usize) -> Result<Events, Box<dyn Error>> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let plant = runtime.block_on(plant(devices).start())?;
    let folder = std::env::temp_dir().join(format!("otcore-benches-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let readers = readers(&folder, &plant)?;
    let mut results: Vec<Vec<Read>> = vec![Vec::new(); readers.len()];
    for _ in 0..rounds {
        for (reader, results) in readers.iter().zip(&mut results) {
            results.push(reader.read()?);
        }
    }
    runtime.block_on(plant.stop());
    fs::remove_dir_all(folder)?;
    told(devices, rounds, &readers, &results)
}

fn told(
    devices: u32,
    rounds: usize,
    readers: &[Program],
    results: &[Vec<Read>],
) -> Result<Events, Box<dyn Error>> {
    let first = results.first().and_then(|reads| reads.first()).ok_or("nothing was read")?;
    let same = |read: &Read| (read.events, read.assets, read.names);
    for (reader, reads) in readers.iter().zip(results) {
        if let Some(other) = reads.iter().find(|read| same(read) != same(first)) {
            return Err(format!("{} read {other:?}, not {first:?}", reader.who).into());
        }
    }
    let seconds =
        |reads: &[Read]| median(&reads.iter().map(|read| read.seconds).collect::<Vec<_>>());
    let base = results.first().map_or(1.0, |reads| seconds(reads));
    let rows = readers.iter().zip(results).map(|(reader, reads)| Reader {
        who: reader.who,
        seconds: seconds(reads),
        ratio: seconds(reads) / base,
    });
    Ok(Events { devices, events: first.events, rounds, rows: rows.collect() })
}

fn plant(devices: u32) -> Plant {
    let mut plant = Plant::new();
    for (number, name) in (0..devices).zip(PROTOCOLS.iter().cycle()) {
        if let Some(probe) = protocols::by_name(name) {
            let expected = Expected { name: format!("{name}-{number}"), ..Expected::default() };
            plant = plant.with(expected, probe.simulate());
        }
    }
    plant.addresses_from(FIRST, STEP)
}

/// A program that reads the events, with its arguments.
struct Program {
    who: &'static str,
    command: PathBuf,
    before: Vec<OsString>,
    files: [PathBuf; 2],
    modules: Option<PathBuf>,
}

impl Program {
    fn read(&self) -> Result<Read, Box<dyn Error>> {
        let mut command = Command::new(&self.command);
        command.args(&self.before).args(&self.files);
        if let Some(modules) = &self.modules {
            command.env("PYTHONPATH", modules);
        }
        let output = command.output()?;
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout)?),
            false => {
                Err(format!("{}: {}", self.who, String::from_utf8_lossy(&output.stderr)).into())
            }
        }
    }
}

fn readers(folder: &Path, plant: &RunningPlant) -> Result<Vec<Program>, Box<dyn Error>> {
    let files = [folder.join("policy.toml"), folder.join("targets")];
    let targets: Vec<String> = plant.devices().iter().map(Running::target).collect();
    fs::write(&files[0], POLICY)?;
    fs::write(&files[1], targets.join(" "))?;
    let own = std::env::current_exe()?;
    let built = own.parent().ok_or("this program is nowhere")?;
    let program = |who, command: PathBuf, before: Vec<OsString>, modules| Program {
        who,
        command,
        before,
        files: files.clone(),
        modules,
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("events.py");
    Ok(vec![
        program("Rust", own.clone(), vec!["read-events".into()], None),
        program(
            "Python",
            Environment::Tools.interpreter(),
            vec![script.into()],
            Some(python_package(folder, built)?),
        ),
        program("C", c_program(folder, built)?, Vec::new(), None),
    ])
}

/// The Python package as it is installed: its Python half, and the module beside it.
fn python_package(folder: &Path, built: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let (modules, package) = (folder.join("python"), folder.join("python/otcore"));
    fs::create_dir_all(&package)?;
    for file in fs::read_dir(project().join("otcore-py/python/otcore"))? {
        let path = file?.path();
        if let (Some(name), true) = (path.file_name(), path.is_file()) {
            fs::copy(&path, package.join(name))?;
        }
    }
    fs::copy(built.join("lib_native.so"), package.join("_native.abi3.so"))?;
    Ok(modules)
}

fn c_program(folder: &Path, built: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let program = folder.join("events");
    let compiled = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("events.c"))
        .arg("-o")
        .arg(&program)
        .arg("-I")
        .arg(project().join("otcore-ffi/include"))
        .arg(built.join("libotcore_ffi.a"))
        .args(["-lm", "-lpthread", "-ldl"])
        .status()?;
    compiled.success().then_some(program).ok_or_else(|| "events.c cannot be compiled".into())
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The reader in Rust: the arguments are the same two files.
pub(crate) fn read(mut files: impl Iterator<Item = String>) -> Result<Read, Box<dyn Error>> {
    let mut text = || files.next().map(fs::read_to_string).ok_or("it takes two files");
    let (policy, targets) = (text()??, text()??);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let scanner = Scanner::builder().policy(Policy::from_toml(&policy)?).build()?;
        let mut read = Read { events: 0, assets: 0, names: 0, seconds: 0.0 };
        let began = worked(ClockId::ProcessCPUTime);
        let mut scan = scanner.start(scanner.plan(&targets.parse::<Targets>()?)?);
        while let Some(event) = scan.next().await {
            read.events += 1;
            if let Event::Asset(asset) = event {
                let known = |field| asset.node.identity.value(field).is_some();
                let fields = [Field::Vendor, Field::Model, Field::Firmware];
                read.assets += 1;
                read.names += u64::from(!std::hint::black_box(asset.path()).is_empty());
                read.names += fields.into_iter().map(|field| u64::from(known(field))).sum::<u64>();
            }
        }
        read.seconds = (worked(ClockId::ProcessCPUTime) - began).as_secs_f64();
        Ok(read)
    })
}
