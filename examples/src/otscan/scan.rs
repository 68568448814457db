//! A scan, from its plan to its results.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::live::Live;
use crate::out;
use otcore::gate::journal::{Journal, Journals, JsonLines};
use otcore::gate::{Device, Pcapng};
use otcore::model::Outcome;
use otcore::store::{InventoryStore, Sqlite};
use otcore::{Event, Plan, Report, Scanner, export};

use crate::otscan::args::{self, ScanFormat};
use crate::otscan::stop::Stop;
use crate::otscan::{Complaint, Status, json, memory, pack, print, select};

pub(crate) fn scan(args: &args::Scan) -> Result<Status, Complaint> {
    let store = args.store.as_ref().map(Sqlite::open).transpose()?;
    let shelf = Arc::new(pack::shelf(&args.packs)?);
    let builder = select::scanner(&args.selection)?.shelf(shelf);
    let builder = builder.journal(Journals(journals(args)?));
    let scanner = match memory::open(args.selection.terms.memory.as_deref())? {
        Some(memory) => builder.memory(memory).build()?,
        None => builder.build()?,
    };
    let plan = scanner.plan(&select::targets(&args.selection)?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(carry_out(&scanner, plan, !args.no_progress))?;
    tell_beside(args, &report);
    let kept = store.map_or(Ok(()), |store| store.append(&report.looks()));
    print(&text(args.format, &report)?)?;
    kept.map_err(|error| format!("nothing of this scan was kept: {error}"))?;
    Ok(status(&report))
}

/// Everything that is written while the scan runs; opened before anything is sent.
fn journals(args: &args::Scan) -> Result<Vec<Box<dyn Journal>>, Complaint> {
    if args.journal.is_some() && args.journal == args.pcap {
        return Err("--journal and --pcap name the same file: name two".into());
    }
    let mut journals: Vec<Box<dyn Journal>> = Vec::new();
    if let Some(path) = &args.journal {
        journals.push(Box::new(JsonLines::append_to(path)?));
    }
    if let Some(path) = &args.pcap {
        journals.push(Box::new(Pcapng::append_to(path)?));
    }
    Ok(journals)
}

async fn carry_out(scanner: &Scanner, plan: Plan, progress: bool) -> Result<Report, Complaint> {
    let mut stop = Stop::watch()?;
    let mut live = Live::new(&plan, progress);
    if progress {
        plan.to_string().lines().take(2).for_each(|line| live.notice(line));
    }
    let mut scan = scanner.start(plan);
    let mut stopping = false;
    loop {
        tokio::select! {
            event = scan.next() => match event {
                Some(Event::Finished { .. }) | None => break,
                Some(event) => live.take(&event),
            },
            () = stop.asked() => {
                if stopping {
                    // Nothing more is sent since the first time; this is about waiting.
                    std::process::exit(i32::from(Status::Aborted as u8));
                }
                scan.abort();
                live.notice("stopping: nothing more is sent; once more ends at once");
                stopping = true;
            }
        }
    }
    live.end();
    Ok(scan.finish().await)
}

/// What a person should know besides the results.
fn tell_beside(args: &args::Scan, report: &Report) {
    if matches!(args.format, ScanFormat::Csv | ScanFormat::Ndjson) {
        for skipped in &report.skipped {
            out::notice(&format!("not visited: {}: {}", skipped.what, skipped.reason));
        }
    }
    if let Some(why) = report.stopped.filter(|_| args.format != ScanFormat::Table) {
        out::notice(&format!("otscan: {}", why.in_words()));
    }
    for record in &report.outcomes {
        let address = record.address;
        if record.outcome == Outcome::WentDark && !address.is_loopback() {
            out::notice(&format!(
                "{address} went dark: look at it, then `otscan quarantine clear {address} --zone {}`",
                record.zone
            ));
        }
    }
}

fn text(format: ScanFormat, report: &Report) -> Result<String, Complaint> {
    Ok(match format {
        ScanFormat::Table => export::table(report, out::look()),
        ScanFormat::Json => json(report)?,
        ScanFormat::Ndjson => export::ndjson(report.assets.iter())?,
        ScanFormat::Csv => export::csv(report),
    })
}

/// The worst that can be said of it.
fn status(report: &Report) -> Status {
    if report.harm_suspected() {
        Status::HarmSuspected
    } else if !report.completed {
        Status::Aborted
    } else if all_identified(report) {
        Status::Completed
    } else {
        Status::NotAllIdentified
    }
}

/// Whether every device that answered or was named said who it is, in any of its protocols.
fn all_identified(report: &Report) -> bool {
    let mut devices: BTreeMap<Device, bool> = BTreeMap::new();
    for record in &report.outcomes {
        let device = Device::at(SocketAddr::new(record.address, record.port));
        *devices.entry(device).or_default() |= record.outcome == Outcome::Identified;
    }
    devices.into_values().all(|identified| identified)
}
