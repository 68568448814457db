//! Serves pretend devices on addresses of this host, for the tests that look from outside.
//!
//! Prints one JSON line with the devices once they listen, serves until standard input closes, and
//! then prints a second one with what happened to each of them.

use std::error::Error;
use std::io::Read;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use otcore::protocols;
use otcore::sim::{Action, Device, Expected, Fault, Faulty, Plant, Reply, RunningPlant, Visit};
use otcore_examples::out;
use serde_json::{Value, json};

/// Serves pretend devices until standard input closes.
#[derive(Debug, Parser)]
#[command(name = "otcore-plant", version)]
struct Args {
    /// Which devices
    #[arg(value_enum)]
    set: Set,
    /// The address of the first device
    #[arg(long, default_value = "127.20.4.11")]
    first: Ipv4Addr,
    /// How far apart their addresses are
    #[arg(long, default_value_t = 1)]
    step: u32,
    /// How many of each protocol, in the sets that have a number
    #[arg(long, default_value_t = 16)]
    count: u64,
    /// How long an ordinary device takes for an answer, in milliseconds
    #[arg(long, default_value_t = 0)]
    answer_after: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Set {
    /// One device of each kind that a scanner meets
    Demo,
    /// As many ordinary devices as asked for
    Ordinary,
    /// Devices that die at the first, second, third ... question after their first answer
    Dying,
    /// Every misbehaviour there is
    Hostile,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::notice(&format!("otcore-plant: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let plant = plant(args).addresses_from(args.first, args.step);
    let running = runtime.block_on(plant.start())?;
    say(&json!({ "devices": devices(&running) }))?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    say(&json!({ "seen": seen(&running) }))?;
    runtime.block_on(running.stop());
    Ok(())
}

fn plant(args: &Args) -> Plant {
    let mut plant = match args.set {
        Set::Demo => Plant::demo(),
        _ => Plant::new(),
    };
    for probe in protocols::ALL {
        let name = |kind: &str| Expected {
            name: format!("{}-{kind}", probe.name()),
            ..Expected::default()
        };
        let fresh = || probe.simulate();
        match args.set {
            Set::Demo => {}
            Set::Ordinary => {
                let first = Duration::from_millis(args.answer_after);
                for n in 0..args.count {
                    let slow = Faulty::new(fresh(), Fault::Slow { first, more: Duration::ZERO });
                    plant = match first.is_zero() {
                        true => plant.with(name(&n.to_string()), fresh()),
                        false => plant.with(name(&n.to_string()), slow),
                    };
                }
            }
            Set::Dying => {
                for n in 1..=args.count {
                    let dying = Faulty::new(fresh(), Fault::DarkAfter(n));
                    plant = plant.with(name(&format!("dies-after-{n}")), dying);
                }
            }
            Set::Hostile => {
                for fault in Fault::samples() {
                    let kind = format!("{fault:?}");
                    plant = plant.with(name(&kind), Faulty::new(fresh(), fault));
                }
                plant = plant.with(name("torrent"), Torrent { device: fresh() });
            }
        }
    }
    plant
}

/// Answers any question honestly, and never stops answering.
#[derive(Debug)]
struct Torrent {
    device: Box<dyn Device>,
}

/// How much a torrent sends for one question: many times what any policy takes.
const PIECES: usize = 512;
const PIECE: usize = 64 * 1024;
/// A datagram that a network carries whole.
const DATAGRAM: usize = 1400;

impl Device for Torrent {
    fn protocol(&self) -> &'static str {
        self.device.protocol()
    }

    fn takes_datagrams(&self) -> bool {
        self.device.takes_datagrams()
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let mut reply = self.device.answer(visit, received);
        if reply.consumed > 0 {
            let piece = if visit.datagram { DATAGRAM } else { PIECE };
            reply.actions.extend(std::iter::repeat_n(Action::Send(vec![0x5A; piece]), PIECES));
        }
        reply
    }
}

fn devices(plant: &RunningPlant) -> Vec<Value> {
    let devices = plant.devices().iter().map(|device| {
        json!({
            "name": device.name,
            "address": device.addr.ip(),
            "port": device.addr.port(),
            "target": device.target(),
            "expected": device.expected,
        })
    });
    devices.collect()
}

fn seen(plant: &RunningPlant) -> Vec<Value> {
    let seen = plant.devices().iter().map(|device| {
        let counters = device.counters();
        json!({
            "name": device.name,
            "address": device.addr.ip(),
            "requests": counters.requests,
            "connections": counters.connections,
            "harm": counters.harm(),
            "violations": counters.violations,
        })
    });
    seen.collect()
}

fn say(line: &Value) -> std::io::Result<()> {
    out::results(&format!("{line}\n"))
}
