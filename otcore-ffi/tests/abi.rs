//! What programs were compiled against stays: `abi.txt` lists it, and only a new version may change
//! a line of it.
#![allow(clippy::unwrap_used)] // a test says what went wrong by stopping

use std::path::Path;

/// Every declaration of the header, one a line and sorted, without comments.
fn declared(header: &str) -> Vec<String> {
    let mut code = String::new();
    for piece in header.split("/*") {
        code.push_str(piece.split_once("*/").map_or(piece, |(_, after)| after));
    }
    let lines = code.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let code = lines.filter(|line| *line != "extern \"C\" {").collect::<Vec<_>>().join(" ");
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => {
                let line = code[start..at].split_whitespace().collect::<Vec<_>>().join(" ");
                found.extend(numbers(&line).unwrap_or_else(|| vec![line]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.sort();
    found
}

/// Each number of an enumeration by itself, as another may be added.
fn numbers(line: &str) -> Option<Vec<String>> {
    let (numbers, name) = line.strip_prefix("typedef enum {")?.split_once('}')?;
    let numbers = numbers.split(',').map(str::trim).filter(|number| !number.is_empty());
    Some(numbers.map(|number| format!("enum{name} {number}")).collect())
}

/// The versions that keep the interface: `0.1`, later `1`.
fn series() -> String {
    let [major, minor] = [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")];
    if major == "0" { format!("0.{minor}") } else { major.to_owned() }
}

#[test]
fn the_interface_changes_only_with_the_version() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = std::fs::read_to_string(home.join("include/otcore.h")).unwrap();
    let fresh = declared(&header);
    assert!(fresh.is_sorted_by(|one, next| one < next), "something is declared twice");
    let path = home.join("abi.txt");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let mut kept = kept.lines();
    let version = kept.next().unwrap_or_default().trim_start_matches("otcore ").to_owned();
    let kept: Vec<_> = kept.map(str::to_owned).collect();
    let gone: Vec<_> = kept.iter().filter(|line| !fresh.contains(line)).collect();
    assert!(
        gone.is_empty() || version != series(),
        "programs were compiled against this, so it may change with another version than {version} \
         only: {gone:#?}"
    );
    if std::env::var_os("OTCORE_WRITE_HEADER").is_some() {
        let text = format!("otcore {}\n{}\n", series(), fresh.join("\n"));
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert_eq!(version, series(), "write abi.txt anew: scripts/header");
    assert_eq!(kept, fresh, "something is new; write abi.txt anew: scripts/header");
}

#[test]
fn a_changed_function_struct_or_number_is_seen() {
    let header = "/* a; */ typedef enum { A = 1, /** b; */ B = 2, } E;\n#ifdef X\nextern \"C\" {\n\
                  E f(int a,\n  int b);\n}";
    assert_eq!(declared(header), ["E f(int a, int b)", "enum E A = 1", "enum E B = 2"]);
}
