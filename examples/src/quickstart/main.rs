//! Starts a pretend plant on this computer, scans it, shows what was found and checks that it is
//! true: `cargo run --release --example quickstart`.

mod compare;

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::process::ExitCode;

use otcore::gate::journal::JsonLines;
use otcore::gate::policy::{Rule, Then, When};
use otcore::sim::{Plant, RunningPlant};
use otcore::{Level, Policy, Report, Scanner, Targets, export};
use otcore_examples::live::Live;
use otcore_examples::out;

const INVENTORY: &str = "inventory.json";
const JOURNAL: &str = "journal.ndjson";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            out::notice(&format!("quickstart: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Whether the scan found what is true and did no harm.
async fn run() -> Result<bool, Box<dyn Error>> {
    let plant = start_plant().await?;
    let devices = plant.devices().len();
    say(&format!(
        "A pretend plant of {devices} devices runs on this computer now: some behave, some do not.\n\
         otcore plans a scan, carries it out as gently as in a real plant, and nothing leaves this \
         computer.\n"
    ))?;
    let report = scan(&plant).await?;
    fs::write(INVENTORY, serde_json::to_string_pretty(&report.assets)? + "\n").map_err(
        |error| format!("{INVENTORY} cannot be written here ({error}): start in another folder"),
    )?;
    say(&export::table(&report, out::look()))?;
    let verdict = compare::compare(&plant, &report);
    say(&format!("\n{verdict}"))?;
    say(&format!("\n{INVENTORY} holds what was found, {JOURNAL} every byte sent and received.\n"))?;
    plant.stop().await;
    Ok(verdict.is_good())
}

/// What otcore is about: plan, look at the plan, carry it out, take the report.
async fn scan(plant: &RunningPlant) -> Result<Report, Box<dyn Error>> {
    let journal = File::create(JOURNAL).map_err(|error| {
        format!("{JOURNAL} cannot be written here ({error}): start in another folder")
    })?;
    let scanner = Scanner::builder()
        .policy(policy(plant))
        .zone("pretend".parse()?)
        .source("quickstart".parse()?)
        .journal(JsonLines::new(journal))
        .build()?;
    let endpoints: Vec<String> = plant.devices().iter().map(otcore::sim::Running::target).collect();
    let targets = Targets::parse(endpoints.iter().map(String::as_str))?;

    let plan = scanner.plan(&targets)?; // nothing is sent
    say(&format!("{plan}\n"))?;
    let mut live = Live::new(&plan, true);
    let mut scan = scanner.start(plan);
    while let Some(event) = scan.next().await {
        live.take(&event);
    }
    live.end();
    Ok(scan.finish().await)
}

/// Gentle, and asked as deep as there is something to see: what is behind the gateway, and the two
/// dialects that a policy has to allow.
fn policy(plant: &RunningPlant) -> Policy {
    let policy = Policy::gentle()
        .protocol("modbus", |modbus| modbus.level(Level::Structure).allow("umas").allow("sunspec"));
    let Some(gateway) = plant.device("serial-gateway") else { return policy };
    policy.rule(Rule {
        name: "units on the serial line".into(),
        when: When {
            network: Some(gateway.addr.ip().into()),
            port: Some(gateway.addr.port()),
            ..When::default()
        },
        then: Then { units: Some(vec![1, 2, 3, 17]), ..Then::default() },
    })
}

/// On addresses of their own if the system has them, and on the first port that is free.
async fn start_plant() -> io::Result<RunningPlant> {
    for port in 50502..50512 {
        match Plant::demo().own_addresses(port).start().await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            started => return started,
        }
    }
    Plant::demo().start().await
}

/// Nobody has to read to the end.
fn say(text: &str) -> io::Result<()> {
    match out::results(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}
