//! The documents say what the code does: generated ones are current, examples are read, links lead
//! somewhere, and every test that a promise leans on exists.
//!
//! `UPDATE_GOLDEN=1 cargo test -p otcore --test documents` writes the generated ones anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

use std::fs;
use std::path::{Path, PathBuf};

use otcore::blocking::{self, Config};
use otcore::gate::policy::{Policy, Subject};
use otcore::{Knowledge, Level, manifest};

/// Every page: those of the guide, and those at the root.
fn pages() -> Vec<String> {
    let inside = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(project().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}{name}")).collect()
    };
    let mut pages = [inside("./"), inside("docs/")].concat();
    pages.sort();
    pages
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn is_generated(path: &str, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(project().join(path), text).unwrap();
    }
    let way_out = "UPDATE_GOLDEN=1 cargo test -p otcore --test documents";
    assert!(read(path) == text, "{path} is not what this build says; write it anew with {way_out}");
}

#[test]
fn the_manifest_in_the_documents_is_that_of_this_build() {
    let head = "# What this build can send\n\n\
        Generated from the code, by hand never changed. A change that lets the engine send more \
        shows here.\n\n\
        Each function: its name, its selector (every number that decides what a device does), the \
        lowest level at\nwhich it is asked, how often in one conversation and how many bytes, why \
        it is safe, and where that is written.\n\n";
    let text = manifest().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    is_generated("docs/manifest.md", &format!("{head}```text\n{}\n```\n", lines.join("\n")));
}

#[test]
fn the_policy_reference_in_the_documents_is_that_of_this_build() {
    let head = "# Policy reference\n\n\
        Generated from the code, by hand never changed. What the words mean: \
        [policy.md](policy.md).\n\n\
        *Allowed* is what a policy may set; the bold end is the hard cap, which no policy can \
        pass.\n\n";
    is_generated("docs/policy-reference.md", &format!("{head}{}", Policy::reference()));
}

fn example(name: &str) -> Policy {
    let path = project().join("examples/policies").join(name);
    Policy::from_file(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn modbus_at(address: &str) -> Subject<'static> {
    let address = address.parse().unwrap();
    let (vendor, model) = (None, None);
    Subject { zone: "line-3", address, protocol: "modbus", port: 502, vendor, model }
}

#[test]
fn every_example_policy_is_read_and_has_a_test_here() {
    let mut names: Vec<String> = fs::read_dir(project().join("examples/policies"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["gentle.toml", "night-window.toml", "serial-gateway.toml", "substation.toml"]
    );
    names.iter().for_each(|name| drop(example(name)));
}

#[test]
fn the_gentle_example_is_exactly_the_default() {
    assert_eq!(example("gentle.toml"), Policy::gentle());
}

#[test]
fn the_gateway_example_asks_its_three_units_and_leaves_presses_and_safety_alone() {
    let policy = example("serial-gateway.toml");
    let gateway = policy.decide(&modbus_at("10.20.4.10"));
    assert_eq!((gateway.level, gateway.units), (Level::Structure, vec![1, 2, 17]));
    let other = policy.decide(&modbus_at("10.20.4.11"));
    assert_eq!((other.permitted, other.level, other.units), (true, Level::Identify, vec![]));
    for spared in ["10.20.4.70", "10.20.4.203", "10.20.5.1"] {
        assert!(!policy.decide(&modbus_at(spared)).permitted, "{spared}");
    }
}

#[test]
fn the_night_example_is_open_at_night_on_working_days_only() {
    let policy = example("night-window.toml");
    let is_open = |time: &str| policy.is_open(time.parse().unwrap());
    assert!(is_open("2026-03-02T23:00:00+01:00"), "Monday night");
    assert!(is_open("2026-03-03T04:29:59+01:00"), "its last second");
    assert!(!is_open("2026-03-03T12:00:00+01:00"), "Tuesday noon");
    assert!(!is_open("2026-03-07T23:00:00+01:00"), "Saturday night");
    assert!(policy.decide(&modbus_at("10.20.4.7")).consents.contains("umas"));
}

#[test]
fn the_substation_example_connects_to_those_alone_that_have_room_for_two() {
    let policy = example("substation.toml");
    let dnp3_at = |address: &str| Subject {
        zone: "",
        address: address.parse().unwrap(),
        protocol: "dnp3",
        port: 20000,
        vendor: None,
        model: None,
    };
    let (rtu, relay) =
        (policy.decide(&dnp3_at("10.30.12.7")), policy.decide(&dnp3_at("10.30.12.70")));
    assert_eq!((rtu.outstations.as_slice(), rtu.master), (&[10][..], Some(1)));
    assert!(rtu.consents.contains("datagrams") && !rtu.consents.contains("connect"));
    assert!(relay.consents.contains("connect"));
    assert!(!policy.decide(&dnp3_at("10.31.12.70")).permitted);
}

/// Everything between `](` and `)`, without code blocks.
fn links(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let parts: Vec<String> = prose.join("").split("](").skip(1).map(str::to_owned).collect();
    parts.iter().filter_map(|part| part.split_once(')')).map(|(link, _)| link.to_owned()).collect()
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    for document in pages() {
        let folder = project().join(&document).parent().unwrap().to_owned();
        for link in links(&read(&document)).iter().filter(|link| !link.contains("://")) {
            let file = link.split('#').next().unwrap_or_default();
            assert!(file.is_empty() || folder.join(file).exists(), "{document}: {link}");
        }
    }
}

/// `` `src/gate/meter.rs::no_window_holds_more_than_the_limit` `` names a test of the engine.
fn tests_named_in(text: &str) -> Vec<(&str, &str)> {
    let code = text.split('`').skip(1).step_by(2);
    let named = code.filter_map(|code| code.split_once(".rs::"));
    named.filter(|(file, _)| *file != "file").collect() // how they are written, not one of them
}

#[test]
fn every_test_that_a_document_leans_on_exists() {
    let mut count = 0;
    for document in pages() {
        for (file, test) in tests_named_in(&read(&document)) {
            let source = read(&format!("otcore/{file}.rs"));
            assert!(source.contains(&format!("fn {test}(")), "{document}: {file}.rs::{test}");
            count += 1;
        }
    }
    assert!(count > 10, "the promises lean on {count} tests");
}

#[test]
fn every_page_of_the_guide_is_in_its_summary_once() {
    let summary = read("docs/SUMMARY.md");
    let listed = links(&summary);
    for page in pages().iter().filter(|page| *page != "docs/SUMMARY.md") {
        let link = match page.strip_prefix("docs/") {
            Some(name) => name.to_owned(),
            None if page == "./README.md" => continue, // the front page of the repository
            None => page.replacen("./", "../", 1),
        };
        assert_eq!(listed.iter().filter(|listed| **listed == link).count(), 1, "{page}");
    }
}

#[test]
fn every_protocol_has_a_page() {
    for probe in otcore::protocols::ALL {
        let page = read(&format!("docs/{}.md", probe.name()));
        for part in ["Order of questions", "Why this is safe", "What it brings", "Limits of"] {
            assert!(page.contains(&format!("\n## {part}")), "{}: {part}", probe.name());
        }
    }
}

/// `docs/safety-case.md` and `docs/risks.md` say the numbers of the default policy in words.
#[test]
fn the_figures_of_the_safety_case_are_those_of_the_default_policy() {
    let limits = Policy::gentle().limits;
    let (device, subnet) = (limits.device_packets_per_s, limits.subnet_packets_per_s);
    let all = limits.process_packets_per_s;
    let packets =
        format!("at most {device} a second to a device, {subnet} to its network, {all} in all");
    assert!(read("docs/safety-case.md").contains(&packets), "{packets}");
    assert_eq!((limits.connections_per_scan, limits.connection_gap_ms), (3, 2000));
    assert_eq!((limits.revisit_after_s, limits.bus_duty_percent), (3600, 5));
    assert_eq!((limits.dark_per_subnet, limits.dark_per_run), (2, 3));
    assert_eq!((limits.subnet_new_addresses_per_s, limits.request_bytes), (4, 300));
}

#[test]
fn the_complaints_that_the_page_of_policies_shows_are_those_of_this_build() {
    let page = read("docs/policy.md");
    for wrong in ["device_packet_per_s = 5", "device_packets_per_s = 50"] {
        let error = blocking::policy(&format!("[limits]\n{wrong}\n")).unwrap_err();
        assert!(page.contains(&format!("\n{error}\n")), "{error}");
    }
}

/// A piece of a page in a fence.
struct Block {
    /// Page and line, for people.
    place: String,
    /// What stands behind the fence.
    language: String,
    /// What the line before says of it: `not run: reason`, or `quoted from path`, as a remark.
    remark: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let text = read(page);
    let lines: Vec<&str> = text.lines().collect();
    let mut fences =
        lines.iter().enumerate().filter(|(_, line)| line.starts_with("```")).map(|(at, _)| at);
    let mut blocks = Vec::new();
    while let (Some(opens), Some(closes)) = (fences.next(), fences.next()) {
        let before = opens.checked_sub(1).map_or("", |at| lines[at]);
        let remark = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        blocks.push(Block {
            place: format!("{page}:{}", opens + 1),
            language: lines[opens].trim_start_matches('`').to_owned(),
            remark: remark.unwrap_or_default().to_owned(),
            text: lines[opens + 1..closes].join("\n") + "\n",
        });
    }
    blocks
}

fn all_blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks(page)).collect()
}

/// Who runs it: this crate's doctests, `otcore-py/tests/test_documents.py`, `scripts/lib/c.sh`,
/// `examples/tests/otscan_documents.rs`, and the tests below. Output (`text`) is nobody's.
#[test]
fn every_block_of_code_in_a_document_is_run_or_says_why_not() {
    let compiled = read("otcore/src/lib.rs");
    for block in all_blocks() {
        let (place, _) = block.place.split_once(':').unwrap();
        let is_run = match block.language.as_str() {
            _ if block.remark.starts_with("not run: ") => true,
            _ if block.remark.starts_with("quoted from ") => true, // see below
            "rust" | "rust,no_run" => compiled
                .contains(&format!("include_str!(\"../../{}\")", place.trim_start_matches("./"))),
            "python" | "c" | "text" => true,
            "sh" | "console" => commands(&block.text).all(|line| {
                line.starts_with("otscan ") || line == "cargo run --release --example quickstart"
            }),
            "toml" | "csv" => data(&block).is_some(),
            _ => false,
        };
        assert!(is_run, "{}: nobody runs this block of {:?}", block.place, block.language);
    }
}

#[test]
fn every_block_that_is_quoted_stands_in_its_file() {
    let mut count = 0;
    for block in all_blocks() {
        if let Some(path) = block.remark.strip_prefix("quoted from ") {
            assert!(read(path).contains(&block.text), "{}: not in {path} any more", block.place);
            count += 1;
        }
    }
    assert!(count >= 6, "{count}");
}

fn commands(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(|line| line.strip_prefix("$ ").unwrap_or(line));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What reads a block of data: settings of the bindings, rules, a table.
fn data(block: &Block) -> Option<Result<(), String>> {
    let knowledge = |name: &str| {
        let files = [(name.to_owned(), block.text.clone().into_bytes())].into();
        Knowledge::from_files(&files).map(drop).map_err(|error| error.to_string())
    };
    let begins = |with: &str| block.text.starts_with(with);
    match block.language.as_str() {
        "toml" if begins("zone = ") => {
            Some(Config::read(&block.text).map(drop).map_err(|error| error.to_string()))
        }
        "toml" if begins("profile = ") => {
            Some(blocking::policy(&block.text).map(drop).map_err(|error| error.to_string()))
        }
        "toml" if begins("[[rule]]") => Some(knowledge("devices.toml")),
        "csv" => Some(knowledge("products.csv")),
        _ => None,
    }
}

#[test]
fn every_block_of_data_in_a_document_is_good() {
    let mut count = 0;
    for block in all_blocks() {
        if let Some(result) = data(&block) {
            assert_eq!(result, Ok(()), "{}", block.place);
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}
