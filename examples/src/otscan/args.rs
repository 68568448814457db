//! The command line.

mod pack;
mod store;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use otcore::{Level, Source, Zone};
pub(crate) use pack::{Draft, Pack, Packs};
pub(crate) use store::{Kept, Store};

/// Tells what is on an OT network, read-only and gently.
///
/// Results go to standard output, everything else to standard error. Exit status: 0 completed,
/// 1 completed with devices not identified or with differences, 2 bad usage or input, 3 aborted,
/// 4 harm suspected.
#[derive(Debug, Parser)]
#[command(name = "otscan", version, disable_help_subcommand = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan, and print what was found
    Scan(Scan),
    /// Print what a scan would send at most, without sending anything
    Plan(Plan),
    /// Print everything that this build can send
    Manifest(Manifest),
    /// Print what may be asked of an address, and which rule of the policy decides
    Explain(Explain),
    /// Print what differs between two reports or inventories; status 1 if anything does
    Diff(Diff),
    /// Write a report to read: one page of HTML, or a table
    Report(ReportOf),
    /// Write results in another form
    Export(Export),
    /// Print everything that is known of an address, with the bytes that it stands on
    Inspect(Inspect),
    /// Decode stored questions and answers again, without sending anything
    Redecode(Redecode),
    /// Show or clear devices that are left alone because they went dark
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Look at what is kept in a store, without sending anything
    #[command(subcommand)]
    Store(Store),
    /// Check, try, use or make a data pack, without sending anything
    #[command(subcommand)]
    Pack(Pack),
}

/// What to scan, and under which policy.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// 10.20.4.0/24, 10.20.4.1-20, plc-7, modbus://10.20.4.7:502?unit=5, or @FILE with such targets
    #[arg(value_name = "TARGET", required = true)]
    pub(crate) targets: Vec<String>,
    #[command(flatten)]
    pub(crate) terms: Terms,
    /// Use this protocol only; may be given several times
    #[arg(long = "protocol", value_name = "P")]
    pub(crate) protocols: Vec<String>,
    /// Who looks, stamped on everything found
    #[arg(long, default_value = "otcore")]
    pub(crate) source: Source,
}

/// Under which policy, in which zone.
#[derive(Debug, Args)]
pub(crate) struct Terms {
    /// Policy file, .toml or .json; the gentle policy if none is given
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Monitor this network too; may be given several times
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub(crate) monitor: Vec<IpNet>,
    /// Never touch this network; may be given several times
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub(crate) exclude: Vec<IpNet>,
    /// How deep to ask, in all protocols: detect, identify, structure or state. Rules of the policy
    /// still decide for the devices they match
    #[arg(long, value_name = "L")]
    pub(crate) level: Option<Level>,
    /// The network that the addresses live in
    #[arg(long, value_name = "Z", default_value = "default")]
    pub(crate) zone: Zone,
    /// Where quarantine and last visits are remembered; devices.ndjson in the state folder of the
    /// user if none is given
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = ScanFormat::Table)]
    pub(crate) format: ScanFormat,
    /// Write everything sent and received to this file, one JSON object a line, after what is there
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// The same as a capture (pcapng)
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    /// Keep everything seen in this store, which is made if it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) packs: Packs,
    /// Do not show how far the scan is
    #[arg(long)]
    pub(crate) no_progress: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Manifest {
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The address asked about
    #[arg(value_parser = address)]
    pub(crate) address: IpAddr,
    #[command(flatten)]
    pub(crate) terms: Terms,
    /// In this protocol only
    #[arg(long, value_name = "P")]
    pub(crate) protocol: Option<String>,
    /// On this port instead of those of the policy
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// As if this were known to be its vendor
    #[arg(long)]
    pub(crate) vendor: Option<String>,
    /// As if this were known to be its model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Stored results.
#[derive(Debug, Args)]
pub(crate) struct Stored {
    /// Reports or inventories as JSON, or lines of assets or exchanges; several are put together
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// What was known before
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,
    /// What is known later; only what this scan asked can be gone
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,
    /// Recognise a device that moved from one zone to another
    #[arg(long)]
    pub(crate) across_zones: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ReportOf {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// How it is written
    #[arg(long, value_enum, default_value_t = ReportFormat::Html)]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// json, ndjson, observations, csv, cyclonedx, coverage, coverage-csv or html
    #[arg(long, value_name = "F")]
    pub(crate) format: otcore::export::Format,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A report or an inventory as JSON, or lines of assets or exchanges
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The address; all devices in a table if none is given
    #[arg(value_parser = address)]
    pub(crate) address: Option<IpAddr>,
    /// Only in this zone
    #[arg(long, value_name = "Z")]
    pub(crate) zone: Option<Zone>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Redecode {
    #[command(flatten)]
    pub(crate) stored: Stored,
    #[command(flatten)]
    pub(crate) packs: Packs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Html,
    Table,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// Print the devices that are left alone, since when and why
    List {
        /// The file in which they are remembered
        #[arg(long, value_name = "FILE")]
        memory: Option<PathBuf>,
    },
    /// Allow a device to be asked again, after somebody has looked at it
    Clear {
        /// Its address
        #[arg(value_parser = address)]
        address: IpAddr,
        /// The file in which it is remembered
        #[arg(long, value_name = "FILE")]
        memory: Option<PathBuf>,
        /// The network that its address lives in
        #[arg(long, value_name = "Z", default_value = "default")]
        zone: Zone,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    Table,
    Json,
    Ndjson,
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Stricter than the parser of `ipnet`, which takes 010.0.0.0/8: others read that as octal.
fn network(text: &str) -> Result<IpNet, String> {
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|_| digits)?;
        IpNet::new(address.parse().ok()?, length).ok()
    });
    let expected = "write a network such as 10.20.0.0/16; one address ends in /32 or /128";
    parsed.ok_or_else(|| expected.to_owned())
}

fn address(text: &str) -> Result<IpAddr, String> {
    let parsed = text.parse::<IpAddr>().map(|address| address.to_canonical());
    parsed.map_err(|_| "write an address such as 10.20.4.7 or fd00::7".to_owned())
}

/// What is wrong with a command line, in one line.
pub(crate) fn complaint(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let told = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = told.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let line = told.fold(String::new(), |line, next| match line.as_str() {
        "" => next.to_owned(),
        before if before.ends_with(':') => format!("{line} {next}"),
        _ => format!("{line}; {next}"),
    });
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line}; --help shows what can be said")
}
