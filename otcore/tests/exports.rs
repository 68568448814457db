//! What is handed on: valid by its official schema, readable by others, inert whatever a device says.
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use otcore::blocking::read;
use otcore::export::{self, Format, Look};
use otcore::model::{
    Claim, Confidence, Evidence, Field, HexBytes, InterfaceField, Joining, Method, Outcome,
    OutcomeRecord, REPORT_SCHEMA, ServiceField, ServiceKey, StateField, Transport,
};
use otcore::{Asset, Document, scan};
use proptest::prelude::*;
use serde_json::{Value, json};

fn claim(text: &str) -> Claim {
    let evidence = Evidence {
        at: "2026-03-01T08:00:00Z".parse().unwrap(),
        source: "gateway-7".parse().unwrap(),
        method: Method::Import,
        protocol: text.to_owned(),
        port: 502,
        function: text.to_owned(),
        rule: Some(text.to_owned()),
        request: HexBytes::from(vec![1]),
        response: HexBytes::from(text.as_bytes().to_vec()),
    };
    let (confidence, evidence) = (Confidence::Reported, Arc::new(evidence));
    Claim { confidence, evidence, value: text.to_owned() }
}

/// A plant in which everything that can be text is this text.
fn all_of(text: &str) -> Document {
    all_at(7, text)
}

fn all_at(last: u8, text: &str) -> Document {
    let zone = "line-3".parse().unwrap();
    let mut asset = Asset::new(zone, [10, 0, 4, last].into());
    let protocol = || text.to_owned();
    let key = ServiceKey { protocol: protocol(), transport: Transport::Tcp, port: 502 };
    asset.node.service(key).add(ServiceField::Note, claim(text));
    for field in [Field::Vendor, Field::Model, Field::Firmware, Field::SerialNumber] {
        asset.node.identity.add(field, claim(text));
        asset.node.identity.add(field, claim(&format!("{text} too")));
        asset.module("s7", 102, &format!("0/{text}")).identity.add(field, claim(text));
        asset.child("modbus", 502, text).identity.add(field, claim(text));
    }
    asset.node.state.add(StateField::OperatingMode, claim(text));
    let interface = asset.node.interfaces.entry(text.to_owned()).or_default();
    interface.add(InterfaceField::HostName, claim(text));
    let (zone, at) = (asset.zone().clone(), [10, 0, 4, last].into());
    let mut record = OutcomeRecord::new(zone, at, text, 502, Outcome::WentDark);
    record.detail = Some(text.to_owned());
    let mut document = Document::default();
    document.assets.add(asset);
    document.outcomes.push(record);
    document
}

/// What must never be in anything that a person opens. Written without the table of the engine.
fn acts(text: &str) -> Option<char> {
    let marks = "\u{ad}\u{61c}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\
                 \u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}";
    let is_control = |c: char| c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c);
    text.chars().find(|c| (is_control(*c) && *c != '\n') || marks.contains(*c))
}

fn every_text(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| every_text(item, see)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            see(name);
            every_text(value, see);
        }),
        _ => {}
    }
}

/// Every tag of a page, without what is in it.
fn tags(page: &str) -> Vec<String> {
    let tag = |piece: &str| {
        let inside = piece.split('>').next().unwrap();
        let without_values: Vec<&str> = inside.split('"').step_by(2).collect();
        without_values.join("\"")
    };
    page.split('<').skip(1).map(tag).collect()
}

const TAGS: &[&str] = &[
    "!DOCTYPE", "a", "article", "b", "bdi", "body", "br", "details", "div", "footer", "h1", "h2",
    "h3", "h4", "head", "header", "html", "i", "li", "line", "main", "meta", "p", "rect", "span",
    "style", "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul",
];
const ATTRIBUTES: &[&str] = &[
    "aria-label",
    "charset",
    "class",
    "content",
    "height",
    "href",
    "html",
    "http-equiv",
    "id",
    "lang",
    "name",
    "role",
    "rx",
    "style",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

fn is_inert(page: &str) -> Result<(), String> {
    for tag in tags(page) {
        let mut parts =
            tag.trim_start_matches('/').split([' ', '/']).filter(|part| !part.is_empty());
        let name = parts.next().unwrap_or_default();
        if !TAGS.contains(&name) {
            return Err(format!("an element <{tag}>"));
        }
        for attribute in parts {
            let attribute = attribute.split('=').next().unwrap();
            if !ATTRIBUTES.contains(&attribute.trim_matches('"'))
                && !attribute.trim_matches('"').is_empty()
            {
                return Err(format!("an attribute {attribute} of <{tag}>"));
            }
        }
    }
    match acts(page) {
        Some(c) => Err(format!("{c:?}")),
        None => Ok(()),
    }
}

/// Text as somebody would send who wants harm, and any other.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("</td><script>alert(1)</script>".to_owned()),
        Just("\"><img src=x onerror=alert(1)>".to_owned()),
        Just("' onmouseover='alert(1)".to_owned()),
        Just("<!--<style>*{display:none}</style>".to_owned()),
        Just("&lt;b&gt;&#x3c;".to_owned()),
        Just("=cmd|' /C calc'!A0".to_owned()),
        Just("a;=1+1;\"=2".to_owned()),
        Just("\u{202e}gnp.exe\u{2066}".to_owned()),
        Just("\u{1b}]0;owned\u{7}\r\nforged".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\u{2028}\u{feff}\u{e0041}".to_owned()),
        r#"[-=+@<>&"';,\t\r\n\u{0}-\u{9f}\u{200b}-\u{202e}\u{2066}-\u{2069} a-z]{1,40}"#,
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_becomes_markup_acts_on_a_terminal_or_leaves_its_cell(text in hostile()) {
        let document = all_of(&text);
        let page = export::html(&document);
        prop_assert!(is_inert(&page).is_ok(), "{:?}", is_inert(&page));
        for sheet in [export::csv(&document), export::coverage_csv(&document.assets)] {
            prop_assert_eq!(acts(&sheet.replace("\r\n", "\n")), None);
        }
        prop_assert_eq!(acts(&export::table(&document, Look::default())), None);
        let diff = scan::compare(&all_of("plain"), &document, Joining::default());
        prop_assert_eq!(acts(&export::changes(&diff, Look::default())), None);
        for bill in [
            export::cyclonedx(&document).unwrap(),
            Format::Coverage.write(&document).unwrap(),
        ] {
            let mut bad = None;
            every_text(&serde_json::from_str(&bill).unwrap(), &mut |text| bad = bad.or(acts(text)));
            prop_assert_eq!(bad, None);
        }
    }

    #[test]
    fn what_is_for_programs_says_exactly_what_was_said(text in "[^/\u{0}]{1,20}") {
        let mut document = all_of(&text);
        document.outcomes.clear();
        for format in [Format::Json, Format::Ndjson] {
            let written = format.write(&document).unwrap();
            prop_assert_eq!(&read(&written).unwrap().assets, &document.assets);
        }
        let lines = Format::Ndjson.write(&document).unwrap();
        prop_assert_eq!(lines.matches('\n').count(), 1);
    }
}

#[test]
fn megabytes_of_name_stay_out_of_what_people_read() {
    let document = all_of(&"<\u{202e}=x\u{1b}".repeat(150_000));
    for format in [Format::Html, Format::Coverage, Format::CoverageCsv, Format::Cyclonedx] {
        let text = format.write(&document).unwrap();
        assert!(text.len() < 200_000, "{format}: {} bytes", text.len());
    }
    let diff = scan::compare(&all_of("plain"), &document, Joining::default());
    assert!(export::changes(&diff, Look::default()).len() < 100_000);
    assert!(export::csv(&document).len() > 1_000_000, "a sheet says everything");
}

#[test]
fn the_page_loads_nothing_and_forbids_it() {
    let page = export::html(&all_of("Brakkenholt"));
    assert!(page.contains("default-src 'none'"));
    for word in
        ["<script", "javascript:", "http://", "https://", "url(", "@import", " src=", "<link"]
    {
        assert!(!page.contains(word), "{word}");
    }
    let anchors = page.split("href=\"").skip(1).all(|rest| rest.starts_with("#device-"));
    assert!(anchors, "a link leads off the page");
}

/// The pretend plant as a scan at the deepest level finds it, racks included.
async fn scanned() -> (otcore::Report, Document) {
    use otcore::{Level, Policy, Scanner, Targets};
    let plant = otcore::sim::Plant::demo().own_addresses(50523).start().await.unwrap();
    let targets: Vec<String> = plant
        .devices()
        .iter()
        .filter(|device| {
            ["serial-gateway", "hostile", "m340"].contains(&device.name.as_str())
                || device.addr.port() != 502
        })
        .map(otcore::sim::Running::target)
        .filter(|target| target.starts_with("enip") || target.contains("127.20.4.1"))
        .collect();
    let policy = Policy::gentle()
        .protocol("modbus", |modbus| modbus.level(Level::State).allow("umas").unit(1).unit(17))
        .protocol("enip", |enip| enip.level(Level::State).allow("backplane"));
    let scanner = Scanner::builder().policy(policy).build().unwrap();
    let targets = Targets::parse(targets.iter().map(String::as_str)).unwrap();
    let report = scanner.start(scanner.plan(&targets).unwrap()).finish().await;
    let document = Document::read(&serde_json::to_string(&report).unwrap()).unwrap();
    (report, document)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_read_from_its_file_exports_like_the_report_itself() {
    let (report, document) = scanned().await;
    assert_eq!(document.assets, report.assets);
    assert_eq!(export::csv(&report), export::csv(&document));
    assert_eq!(export::html(&report), export::html(&document));
    assert_eq!(export::cyclonedx(&report).unwrap(), export::cyclonedx(&document).unwrap());
    assert_eq!(
        Format::Observations.write(&document).unwrap(),
        export::ndjson(&report.exchanges).unwrap()
    );
    assert!(export::html(&document).contains("<svg class=\"rack\""), "the rack is drawn");

    let mut schema: Value = serde_json::from_str(REPORT_SCHEMA).unwrap();
    let definitions = schema["$defs"].take();
    let inventory =
        json!({"type": "array", "items": {"$ref": "#/$defs/asset"}, "$defs": definitions});
    let written = serde_json::from_str(&Format::Json.write(&document).unwrap()).unwrap();
    assert!(jsonschema::validator_for(&inventory).unwrap().is_valid(&written));

    if let Some(bill) = seen("cyclonedx", "scanned.json", &export::cyclonedx(&document).unwrap()) {
        let types = bill["types"].as_array().unwrap();
        assert!(types.contains(&json!("device")) && types.contains(&json!("firmware")));
        let nested = bill["components"].as_array().unwrap().iter().any(|component| {
            let parts = component["components"].as_array();
            parts.is_some_and(|parts| parts.iter().any(|part| part["type"] == "device"))
        });
        assert!(nested, "modules are nested in their device");
    }
}

/// What a reader that is not ours sees in a text; `None`, said aloud, where there is none.
fn seen(kind: &str, name: &str, text: &str) -> Option<Value> {
    let Some(python) = std::env::var_os("OTCORE_PEERS_PYTHON") else {
        eprintln!("\nSKIPPED: no OTCORE_PEERS_PYTHON, so nobody else reads the exports\n");
        return None;
    };
    let probe =
        Command::new(&python).args(["-c", "import cyclonedx, jsonschema"]).output().unwrap();
    if kind == "cyclonedx" && !probe.status.success() {
        eprintln!(
            "\nSKIPPED: cyclonedx-python-lib is not installed, so the bill is not validated\n"
        );
        return None;
    }
    let folder = std::env::temp_dir().join(format!("otcore-exports-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/readers.py");
    let output = Command::new(python).arg(script).arg(kind).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    let _ = std::fs::remove_dir(folder);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kind}: {complaint}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

const NASTY: [&str; 6] = [
    "</td><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "a\";=1+1;\n\"",
    "\u{202e}gnp.exe\u{0}",
    "ümläut, 三菱電機",
];

#[test]
fn the_official_schema_of_cyclonedx_accepts_the_bill_whatever_is_in_it() {
    let mut all = Document::default();
    for (text, last) in NASTY.iter().zip(1..) {
        all.merge(all_at(last, text));
    }
    let bill = export::cyclonedx(&all).unwrap();
    let Some(seen_in_it) = seen("cyclonedx", "bill.json", &bill) else { return };
    assert!(seen_in_it["types"].as_array().unwrap().len() >= 4 * NASTY.len());
    seen("cyclonedx", "empty.json", &export::cyclonedx(&Document::default()).unwrap());
}

#[test]
fn another_reader_finds_the_same_cells_and_no_formula() {
    for (at, text) in NASTY.iter().enumerate() {
        let document = all_of(text);
        for sheet in [export::csv(&document), export::coverage_csv(&document.assets)] {
            let Some(seen) = seen("csv", &format!("sheet-{at}.csv"), &sheet) else { return };
            let rows = seen["rows"].as_array().unwrap();
            let columns = rows[0].as_array().unwrap().len();
            for row in rows {
                let cells = row.as_array().unwrap();
                assert_eq!(cells.len(), columns, "{text:?}");
                let formula =
                    |cell: &Value| cell.as_str().unwrap().starts_with(['=', '+', '-', '@']);
                assert!(!cells.iter().any(formula), "{text:?}: {cells:?}");
            }
        }
    }
}

#[test]
fn a_spreadsheet_program_takes_nothing_that_a_device_says_for_a_formula() {
    if Command::new("ssconvert").arg("--version").output().is_err() {
        eprintln!("\nSKIPPED: no ssconvert (of Gnumeric), so no spreadsheet opens the sheets\n");
        return;
    }
    let control = "name\r\n=1+1\r\n";
    let Some(opened) = seen("spreadsheet", "control.csv", control) else { return };
    assert_eq!(opened["formulas"], json!(["=1+1"]), "it would notice");
    let more = [
        "=1+1",
        "=HYPERLINK(\"x\")",
        "@SUM(1+1)",
        "+1+1",
        "-2+3",
        "\t=1+1",
        " =1+1",
        "\r\n=1+1",
        "\"=1+1\"",
        "\u{ff1d}1+1",
    ];
    let mut all = Document::default();
    for (text, last) in NASTY.iter().chain(&more).zip(1..) {
        all.merge(all_at(last, text));
    }
    for sheet in [export::csv(&all), export::coverage_csv(&all.assets)] {
        let opened = seen("spreadsheet", "opened.csv", &sheet).unwrap();
        assert_eq!(opened["formulas"], json!([]));
        let texts = opened["texts"].as_array().unwrap();
        assert!(texts.contains(&json!("=cmd|' /C calc'!A0")), "what was said is there, as text");
    }
}

#[test]
fn another_parser_finds_no_script_in_the_page_and_the_text_as_it_was_said() {
    for (at, text) in NASTY.iter().enumerate() {
        let page = export::html(&all_of(text));
        let Some(seen) = seen("html", &format!("page-{at}.html"), &page) else { return };
        let has = |what: &str, name: &str| seen[what].as_array().unwrap().contains(&json!(name));
        for tag in ["script", "img", "iframe", "object", "link", "form", "base"] {
            assert!(!has("tags", tag), "{text:?}: <{tag}>");
        }
        let attributes = seen["attributes"].as_array().unwrap();
        let acting = |name: &&Value| name.as_str().unwrap().starts_with("on");
        assert_eq!(attributes.iter().find(acting), None, "{text:?}");
        assert_eq!(seen["links"], json!(["#"]), "{text:?}: links lead to this page only");
        let shown = otcore::model::printable(text);
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(seen["text"].as_str().unwrap()).contains(&flat(&shown)), "{text:?}");
    }
}
