//! What otscan does with stores and data packs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Cursor;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use minisign::KeyPair;
use otcore::sim::{Plant, RunningPlant};
use serde_json::Value;

const RULES: &str = r#"
[[rule]]
id = "modbus/of-a-pack"
reference = "made up for this test"
when = { vendor = { starts_with = "Brakkenholt" } }
then = { device_class = "named by the pack" }
examples = []
"#;

/// A folder of its own for each test, gone when the test ends; otscan keeps its state there.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("otscan-packs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }

    /// Run otscan here, without holding up the pretend plant.
    async fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otscan"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null());
        command.env("XDG_STATE_HOME", &self.0).env("LOCALAPPDATA", &self.0);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Its results, when it ended well and had nothing else to say.
    async fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{args:?}: {err}");
        assert_eq!(err, "", "{args:?}");
        out
    }

    /// Its results, when it may have noticed that more is read now.
    async fn redecoded(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {err}");
        assert!(err.is_empty() || err.starts_with("notice: more or something else"), "{err}");
        text(&output.stdout)
    }

    /// Its one line of complaint.
    async fn complaint(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
        err
    }

    /// Draft a pack with otscan and sign it as its output says, but without that program.
    async fn pack(&self, name: &str, number: &str, signer: &KeyPair) {
        std::fs::create_dir_all(self.0.join("files")).unwrap();
        self.write("files/modbus.toml", RULES);
        let args = ["pack", "draft", "files", "--name", "plant-names", "--number", number];
        let args = [&args[..], &["--expires", "2120-01-01T00:00:00Z", "--out", "draft"]].concat();
        assert!(self.ok(&args).await.contains("minisign -Sm draft -c \"otcore data pack\""));
        let draft = std::fs::read(self.0.join("draft")).unwrap();
        let comment = Some("otcore data pack");
        let data = Cursor::new(&draft);
        let signature = minisign::sign(Some(&signer.pk), &signer.sk, data, None, comment).unwrap();
        self.write(name, [signature.to_string().as_bytes(), &draft].concat());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn demo() -> RunningPlant {
    Plant::demo().start().await.unwrap()
}

fn signer(folder: &Folder, key: &str) -> KeyPair {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    folder.write(key, pair.pk.to_box().unwrap().to_string());
    pair
}

fn drive(plant: &RunningPlant) -> String {
    plant.device("drive").unwrap().target()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_says_what_the_scan_said_and_grows_with_each() {
    let (folder, plant) = (Folder::new("store"), demo().await);
    let target = drive(&plant);
    let scan = ["scan", &target, "--store", "p.otcore", "--format", "json", "--no-progress"];
    let report = json(&folder.ok(&scan).await);
    let show = ["store", "show", "p.otcore", "--format", "json"];
    assert_eq!(json(&folder.ok(&show).await), report["assets"]);
    let path = report["assets"][0]["path"].as_str().unwrap().to_owned();
    let second = json(&folder.ok(&scan).await);
    assert_eq!(json(&folder.ok(&show).await), second["assets"], "the newest of what is said");
    assert!(folder.ok(&["store", "show", "p.otcore"]).await.contains("Brakkenholt Drives"));
    let history = ["store", "history", "p.otcore", &path, "vendor"];
    let told = folder.ok(&history).await;
    assert_eq!(told.lines().count(), 1, "it has always said the same: {told}");
    assert!(told.contains("Brakkenholt Drives  (said to otcore)"), "{told}");
    assert!(folder.ok(&["store", "check", "p.otcore"]).await.contains("as it was written"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_store_is_told_before_anything_is_sent() {
    let (folder, plant) = (Folder::new("wrong"), demo().await);
    let target = drive(&plant);
    folder.write("notes.txt", "shopping list\n");
    let scan = |store| ["scan", &target, "--store", store];
    assert!(folder.complaint(&scan("notes.txt")).await.contains("is no store"));
    assert!(folder.complaint(&scan("missing/p.otcore")).await.contains("missing/p.otcore"));
    assert!(folder.complaint(&["store", "show", "typo.otcore"]).await.contains("does not exist"));
    assert_eq!(plant.device("drive").unwrap().counters().connections, 0);
    folder.ok(&["scan", &target, "--store", "p.otcore", "--no-progress"]).await;
    let history = |path, field| ["store", "history", "p.otcore", path, field];
    assert!(folder.complaint(&history("default", "vendor")).await.contains("is no path"));
    assert!(folder.complaint(&history("default/127.0.0.1", "vendr")).await.contains("vendr"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_verified_tried_applied_used_and_rolled_back() {
    let (folder, plant) = (Folder::new("life"), demo().await);
    let target = drive(&plant);
    let signer = signer(&folder, "our.pub");
    folder.pack("one.otpack", "1", &signer).await;
    let signed = ["one.otpack", "--key", "our.pub"];
    let verify = folder.ok(&[&["pack", "verify"], &signed[..]].concat()).await;
    assert!(verify.starts_with("pack plant-names 1 may be used\n"), "{verify}");
    assert!(verify.contains("modbus.toml"), "{verify}");

    folder.ok(&["scan", &target, "--store", "p.otcore", "--no-progress"]).await;
    let preview = [&["pack", "preview"], &signed[..], &["--store", "p.otcore"]].concat();
    let told = folder.ok(&preview).await;
    assert!(told.contains("CHANGED (1)"), "{told}");
    let change = "-> \"named by the pack\"  [concluded by rule modbus/of-a-pack from modbus/";
    assert!(told.contains("identity.device_class: ") && told.contains(change), "{told}");
    let inspect = [&["pack", "inspect"], &signed[..], &["--store", "p.otcore"]].concat();
    assert_eq!(folder.ok(&inspect).await, told);

    folder.ok(&[&["pack", "apply"], &signed[..]].concat()).await;
    assert_eq!(folder.ok(&preview).await, "nothing would be said otherwise\n");
    let class = |report: String| {
        let class = &json(&report)["assets"][0]["identity"]["device_class"]["value"];
        class.as_str().unwrap_or_default().to_owned()
    };
    let scan = ["scan", &target, "--format", "json", "--no-progress"];
    let with_key = [&scan[..], &["--key", "our.pub"]].concat();
    assert_eq!(class(folder.ok(&with_key).await), "named by the pack");
    assert_ne!(class(folder.ok(&scan).await), "named by the pack", "not unless it is asked for");
    let named = [&with_key[..], &["--pack", "one.otpack"]].concat();
    let report = folder.ok(&named).await;
    assert_eq!(json(&report)["data_pack"]["name"], "plant-names");
    assert_eq!(class(report), "named by the pack");
    let plain = folder.ok(&scan).await;
    assert_eq!(json(&plain)["data_pack"], Value::Null);
    folder.write("plain.json", plain);
    let again = |assets: String| json(&assets)[0]["identity"]["device_class"]["value"].clone();
    let redecode = ["redecode", "plain.json"];
    assert_ne!(again(folder.redecoded(&redecode).await), "named by the pack");
    let redecode = [&redecode[..], &["--key", "our.pub", "--pack", "one.otpack"]].concat();
    assert_eq!(again(folder.redecoded(&redecode).await), "named by the pack");

    let again = folder.complaint(&[&["pack", "apply"], &signed[..]].concat()).await;
    assert!(again.contains("is not newer than 1"), "{again}");
    let back = folder.ok(&["pack", "rollback", "--key", "our.pub"]).await;
    assert_eq!(back, "what is compiled in is used again\n");
    assert_ne!(class(folder.ok(&with_key).await), "named by the pack");
    let nothing = folder.complaint(&["pack", "rollback", "--key", "our.pub"]).await;
    assert!(nothing.contains("nothing to roll back to"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_changed_or_from_a_stranger_is_refused_with_the_reason() {
    let (folder, plant) = (Folder::new("refused"), demo().await);
    let target = drive(&plant);
    let (ours, _) = (signer(&folder, "our.pub"), signer(&folder, "other.pub"));
    folder.pack("one.otpack", "1", &ours).await;
    let mut changed = std::fs::read(folder.0.join("one.otpack")).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    folder.write("changed.otpack", changed);
    let cases: &[(&[&str], &str)] = &[
        (&["pack", "verify", "changed.otpack", "--key", "our.pub"], "tampered"),
        (&["pack", "verify", "one.otpack", "--key", "other.pub"], "not trusted"),
        (&["pack", "verify", "one.otpack", "--key", "files/modbus.toml"], "no minisign public key"),
        (&["pack", "verify", "missing.otpack", "--key", "our.pub"], "missing.otpack"),
        (&["pack", "apply", "changed.otpack", "--key", "our.pub"], "tampered"),
        (&["pack", "preview", "one.otpack", "--key", "our.pub", "--store", "x"], "does not exist"),
        (&["scan", &target, "--key", "our.pub", "--pack", "changed.otpack"], "tampered"),
        (&["scan", &target, "--pack", "one.otpack"], "--key"),
    ];
    for (args, words) in cases {
        let told = folder.complaint(args).await;
        assert!(told.contains(words), "{args:?}: {told}");
    }
    assert_eq!(plant.device("drive").unwrap().counters().connections, 0);
    // A pack that was applied and turned bad is no reason not to scan.
    folder.ok(&["pack", "apply", "one.otpack", "--key", "our.pub"]).await;
    let output = folder.run(&["scan", &target, "--key", "other.pub", "--no-progress"]).await;
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stderr);
    assert!(told.starts_with("notice: ") && told.contains("not trusted"), "{told}");
}
