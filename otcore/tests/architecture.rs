//! Who may import whom. The table is the architecture.
#![allow(clippy::unwrap_used)] // a test says what went wrong by stopping

use std::fs;
use std::path::{Path, PathBuf};

/// File or folder under `src`, and the modules of the crate that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wire.rs", &[]),
    ("safety", &[]),
    ("model", &[]),
    ("targets", &[]),
    ("protocol.rs", &["safety", "wire"]),
    ("frame.rs", &["protocol", "safety", "wire"]),
    ("gate/policy", &["gate", "safety", "targets"]),
    ("gate", &["frame", "model", "safety", "targets"]),
    ("session.rs", &["frame", "gate", "model", "protocol", "safety", "targets", "wire"]),
    ("session", &["frame", "gate", "model", "protocol", "safety", "targets", "wire"]),
    ("protocols", &["gate", "model", "protocol", "safety", "session", "sim", "wire"]),
    ("fingerprint", &["model", "protocols"]),
    ("export", &["model"]),
    ("store", &["fingerprint", "model"]),
    ("pack", &["fingerprint", "model"]),
    ("manifest.rs", &["model", "protocols", "safety"]),
    ("net", &["frame", "gate", "session", "targets"]),
    ("sim", &["protocols", "safety"]),
    (
        "scan",
        &[
            "error",
            "export",
            "fingerprint",
            "gate",
            "model",
            "net",
            "pack",
            "protocols",
            "safety",
            "session",
            "store",
            "targets",
            "wire",
        ],
    ),
];

/// Words that no protocol folder may contain: there is no way around the gate.
const NOT_IN_PROTOCOLS: &[&str] =
    &["tokio", "std::net", "socket2", "net::", "Gate::", "Permit", ".unwrap()", "unsafe"];

/// Words that only some files may contain: `(word, those files, why)`.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    (
        "spawn(",
        &["blocking/drive.rs", "blocking/shared.rs", "scan/engine.rs", "sim/server.rs"],
        "only the engine has tasks, and a scan and pushed events a thread each",
    ),
    (
        "runtime::",
        &["blocking.rs", "blocking/drive.rs", "blocking/plant.rs"],
        "only the blocking form has a runtime",
    ),
    (
        "sleep",
        &[
            "blocking/reader.rs", // the patience of who reads events
            "gate/host_lock.rs",
            "gate/memory/in_file.rs", // while another process writes a line
            "gate/pace.rs",
            "gate/visit/admit.rs",
            "gate/visit/call.rs",
            "net/tcp.rs", // waits for the rest of an answer
            "sim/server.rs",
        ],
        "only the gate paces",
    ),
    ("TcpStream", &["net/tcp.rs", "sim/server.rs"], "sockets live in net"),
    ("TcpListener", &["sim/server.rs"], "the engine never listens"),
    (
        "UdpSocket",
        &["net/call.rs", "net/postbox.rs", "net/udp.rs", "sim/server.rs"],
        "sockets live in net",
    ),
    ("pyo3", &[], "the core knows no binding"),
    ("extern \"C\"", &[], "the core knows no binding"),
    ("println!", &[], "a library prints nothing"),
];

/// Files without tests may be this long; a reader holds no more.
const LONGEST: usize = 470;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.flat_map(|path| files(&path)).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found.sort();
    found
}

/// The lines of a file before its tests, without comments.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    if text.starts_with("//! Only for tests") || path.ends_with("testing.rs") {
        return Vec::new();
    }
    let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().enumerate().map(|(i, line)| (i + 1, line));
    lines
        .map(|(i, line)| (i, line.split("//").next().unwrap_or_default().to_owned()))
        .filter(|(_, line)| !line.trim().is_empty())
        .collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(source()).unwrap().to_string_lossy().replace('\\', "/")
}

#[test]
fn imports_point_downwards() {
    for (module, allowed) in MAY_USE {
        for file in files(&source().join(module)) {
            let name = relative(&file);
            if *module == "gate" && name.starts_with("gate/policy") {
                continue;
            }
            for (number, line) in code(&file) {
                for used in line.split("crate::").skip(1).filter(|_| !line.contains("$crate")) {
                    let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
                    let used: String = used.chars().take_while(is_name).collect();
                    let own = module.trim_end_matches(".rs").split('/').next().unwrap();
                    let fine = used.is_empty() || used == own || allowed.contains(&used.as_str());
                    assert!(fine, "{name}:{number}: {module} must not use {used}");
                }
            }
        }
    }
}

#[test]
fn every_module_stands_in_the_table() {
    let above = ["lib.rs", "error.rs", "blocking.rs", "blocking"];
    for entry in fs::read_dir(source()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let listed = MAY_USE.iter().any(|(module, _)| *module == name);
        assert!(listed || above.contains(&name.as_str()), "{name} has no place in the table");
    }
}

#[test]
fn protocols_have_no_way_around_the_gate() {
    for file in files(&source().join("protocols")) {
        for (number, line) in code(&file) {
            // `Bacnet::` is no `net::`.
            let begins = |at| !line[..at].ends_with(char::is_alphanumeric);
            let names = |word: &&&str| line.match_indices(**word).any(|(at, _)| begins(at));
            let word = NOT_IN_PROTOCOLS.iter().find(names);
            assert_eq!(word, None, "{}:{number}", relative(&file));
        }
    }
}

#[test]
fn what_is_special_happens_in_one_place() {
    for file in files(&source()) {
        let name = relative(&file);
        for (number, line) in code(&file) {
            for (word, places, why) in ONLY_IN {
                let fine = !line.contains(word) || places.contains(&name.as_str());
                assert!(fine, "{name}:{number} has {word:?}: {why}");
            }
        }
    }
}

#[test]
fn every_protocol_has_the_same_five_files() {
    for entry in fs::read_dir(source().join("protocols")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() {
            for file in ["mod.rs", "wire.rs", "probe.rs", "sim.rs", "rules.toml"] {
                assert!(folder.join(file).is_file(), "{} has no {file}", folder.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for file in files(&source()) {
        let text = fs::read_to_string(&file).unwrap();
        let name = relative(&file);
        assert!(text.starts_with("//!"), "{name} does not say what it is for");
        let lines = text.split("\n#[cfg(test)]\nmod tests").next().unwrap().lines().count();
        assert!(lines <= LONGEST, "{name} has {lines} lines without its tests");
    }
}
