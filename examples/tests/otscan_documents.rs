//! The commands in the documents run as they stand there, at the pretend plant.
#![cfg(unix)] // they are written for a shell
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use minisign::KeyPair;
use otcore::blocking::Plant;

/// A folder with what the documents take for granted.
struct Folder(PathBuf);

impl Folder {
    fn new(page: &str) -> Self {
        let name = format!("otscan-documents-{}-{}", page.replace('/', "-"), std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.write("plant.toml", "profile = \"careful\"\n");
        folder
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn run(&self, command: &str) -> Output {
        let otscan = Path::new(env!("CARGO_BIN_EXE_otscan")).parent().unwrap();
        let path = format!("{}:{}", otscan.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&self.0).stdin(Stdio::null());
        shell.env("PATH", path).env("XDG_STATE_HOME", &self.0).output().unwrap()
    }

    /// A data pack and the key it is signed with.
    fn pack(&self) {
        let signer = KeyPair::generate_unencrypted_keypair().unwrap();
        self.write("vendor.pub", signer.pk.to_box().unwrap().to_string());
        fs::create_dir_all(self.0.join("files")).unwrap();
        self.write("files/modbus.toml", "");
        self.good(
            "otscan pack draft files --name plant-names --number 12 \
             --expires 2120-01-01T00:00:00Z --out draft",
        );
        let draft = fs::read(self.0.join("draft")).unwrap();
        let comment = Some("otcore data pack");
        let data = Cursor::new(&draft);
        let signature = minisign::sign(Some(&signer.pk), &signer.sk, data, None, comment).unwrap();
        self.write("names-12.otpack", [signature.to_string().as_bytes(), &draft].concat());
    }

    /// Completed, with or without devices that have no name and differences.
    fn good(&self, command: &str) {
        let output = self.run(command);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command}\n{complaint}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The commands of a page, without those that it says are not run.
fn commands(page: &str) -> Vec<String> {
    let text = fs::read_to_string(project().join(page)).unwrap();
    let (mut commands, mut in_block, mut before) = (Vec::new(), false, "");
    for line in text.lines() {
        if line.starts_with("```") {
            let shell = matches!(line, "```sh" | "```console");
            in_block = !in_block && shell && !before.starts_with("<!-- not run: ");
        } else if in_block {
            commands.push(line.strip_prefix("$ ").unwrap_or(line).to_owned());
        }
        before = line;
    }
    commands.retain(|line| line.starts_with("otscan "));
    commands
}

/// The addresses of the documents become those of pretend devices.
fn at_the_plant(command: &str, plant: &Plant) -> String {
    let at = |name: &str| plant.devices().iter().find(|device| device.name == name).unwrap();
    let (device, gateway) = (at("compact-plc"), at("serial-gateway"));
    let command = command.replace("10.20.4.0/24", &device.target());
    let command = command.replace("10.20.4.7:502", &gateway.addr.to_string());
    command.replace("10.20.4.7", &device.addr.ip().to_string())
}

fn run_all(page: &str) -> usize {
    let folder = Folder::new(page);
    let plant = Plant::start(0).unwrap();
    let at_plant = |command: &str| at_the_plant(command, &plant);
    folder.good(&at_plant("otscan scan 10.20.4.0/24 --format json > friday.json"));
    folder.good(&at_plant("otscan scan 10.20.4.0/24 --format json > monday.json"));
    folder.good(&at_plant("otscan scan 10.20.4.0/24 --store plant.otcore"));
    folder.pack();
    let commands = commands(page);
    for command in &commands {
        let command = at_plant(command);
        assert!(!command.contains("10.20.4.0"), "{command}");
        folder.good(&command);
    }
    assert_eq!(plant.harm(), Vec::<String>::new());
    commands.len()
}

#[test]
fn the_commands_of_the_readme_run() {
    run_all("README.md");
}

#[test]
fn the_commands_of_the_guide_run() {
    let pages = fs::read_dir(project().join("docs")).unwrap();
    let names = pages.map(|page| page.unwrap().file_name().into_string().unwrap());
    let pages = names.map(|name| format!("docs/{name}")).filter(|page| !commands(page).is_empty());
    // Side by side, for they mostly wait.
    let ran: usize = std::thread::scope(|scope| {
        let running: Vec<_> = pages.map(|page| scope.spawn(move || run_all(&page))).collect();
        running.into_iter().map(|page| page.join().unwrap()).sum()
    });
    assert!(ran >= 15, "{ran} commands");
}

/// What the README shows is the end of what the quick start prints.
#[test]
fn the_quick_start_of_the_readme_runs() {
    let folder = Folder::new("quickstart");
    let tests = std::env::current_exe().unwrap();
    let quickstart = tests.parent().unwrap().with_file_name("examples").join("quickstart");
    let output = Command::new(quickstart).current_dir(&folder.0).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let shown: Vec<&str> = readme.lines().filter(|line| line.starts_with("✓ ")).collect();
    assert_eq!(shown.len(), 2);
    for line in shown {
        assert!(said.contains(line), "{line}\n{said}");
    }
}
