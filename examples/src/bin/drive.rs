//! Runs many scans in one process as it is told, for the tests that look from outside.
//!
//! Each line of standard input is one order, each line of standard output is what became of one.
//! All orders run at once.

use std::error::Error;
use std::fs::File;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use otcore::gate::Wire;
use otcore::gate::journal::JsonLines;
use otcore::gate::memory::InFile;
use otcore::scan::{Plan, Scan};
use otcore::{Policy, Report, Scanner, Targets};
use otcore_examples::out;
use serde::Deserialize;
use serde_json::{Value, json};

/// One scan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// What the answer calls it.
    id: String,
    /// Under which policy.
    policy: Value,
    /// Whom.
    targets: String,
    /// When it begins, milliseconds from now.
    #[serde(default)]
    begin_after_ms: u64,
    /// When it is aborted, milliseconds from its beginning.
    abort_after_ms: Option<u64>,
    /// Whether it keeps a ledger of its own instead of that of the process.
    #[serde(default)]
    own_wire: bool,
    /// Where to write everything down.
    journal: Option<PathBuf>,
    /// Where devices are remembered.
    memory: Option<PathBuf>,
    /// Where the whole report goes.
    report: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::notice(&format!("otcore-drive: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let orders: Vec<Order> = std::io::stdin()
        .lock()
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let running: Vec<_> = orders.into_iter().map(|order| tokio::spawn(obey(order))).collect();
        for order in running {
            out::results(&format!("{}\n", order.await?))?;
        }
        Ok(())
    })
}

async fn obey(order: Order) -> Value {
    let prepared = prepare(&order).map_err(|error| error.to_string());
    tokio::time::sleep(Duration::from_millis(order.begin_after_ms)).await;
    let (scanner, plan) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => return json!({ "id": order.id, "refused": why }),
    };
    let (planned, began) = (plan.devices, now());
    let (report, abort) = carry_out(scanner.start(plan), order.abort_after_ms).await;
    let failed = order.report.and_then(|path| write(&report, &path).err());
    json!({
        "id": order.id,
        "planned": planned,
        "began": began,
        "completed": report.completed,
        "stopped": report.stopped,
        "counters": report.counters,
        "abort": abort,
        "failed": failed.map(|error| error.to_string()),
    })
}

fn prepare(order: &Order) -> Result<(Scanner, Plan), Box<dyn Error>> {
    let mut builder = Scanner::builder().policy(Policy::from_json(&order.policy.to_string())?);
    if order.own_wire {
        builder = builder.wire(Wire::isolated());
    }
    if let Some(path) = &order.journal {
        builder = builder.journal(Arc::new(JsonLines::new(File::create(path)?)));
    }
    if let Some(path) = &order.memory {
        builder = builder.memory(InFile::open(path)?);
    }
    let scanner = builder.build()?;
    let plan = scanner.plan(&order.targets.parse::<Targets>()?)?;
    Ok((scanner, plan))
}

/// The report, and when an abort was called for and had returned, in seconds since 1970.
async fn carry_out(scan: Scan, abort_after_ms: Option<u64>) -> (Report, Option<[f64; 2]>) {
    let handle = scan.handle();
    let abort = abort_after_ms.map(|after| {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            let called = now();
            handle.abort();
            [called, now()]
        })
    });
    let report = scan.finish().await;
    let moments = match abort {
        Some(abort) if abort.is_finished() => abort.await.ok(),
        _ => None, // it would come after the end, and shows nothing
    };
    (report, moments)
}

fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

fn write(report: &Report, path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    Ok(std::fs::write(path, serde_json::to_vec(report)?)?)
}
