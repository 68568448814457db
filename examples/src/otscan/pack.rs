//! Data packs: checked, tried, used, made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::out;
use jiff::Timestamp;
use otcore::export;
use otcore::fingerprint::Knowledge;
use otcore::model::{printable, reread};
use otcore::pack::{self, Card, Engines, Folder, Keys, Shelf, Version};
use otcore::store::InventoryStore;

use crate::otscan::args::{Draft, Format, Pack, Packs};
use crate::otscan::{Complaint, Status, json, memory, print, store};

pub(crate) fn pack(args: Pack) -> Result<Status, Complaint> {
    match args {
        Pack::Verify { signed, format } => {
            let pack = open(&signed.pack, &signed.key)?;
            print(&match format {
                Format::Json => json(pack.card())?,
                Format::Text => told(&pack),
            })
        }
        Pack::Preview { signed, store, format } => {
            preview(&signed.pack, &signed.key, &store, format)
        }
        Pack::Apply { signed } => {
            let pack = folder(&signed.key)?.put(&pack::read(&signed.pack)?, Timestamp::now())?;
            print(&format!("{} is used from now on, wherever --key is given\n", name(pack.card())))
        }
        Pack::Rollback { key } => {
            let before = folder(&key)?.roll_back(Timestamp::now())?;
            let what = before.map_or_else(built_in, |pack| name(pack.card()));
            print(&format!("{what} is used again\n"))
        }
        Pack::Draft(args) => draft(args),
    }
}

/// What is known of devices: what is compiled in, and the pack that is asked for.
pub(crate) fn knowledge(args: &Packs) -> Result<Knowledge, Complaint> {
    Ok(shelf(args)?.in_use().knowledge)
}

/// The same with the name of the pack, for whoever scans.
pub(crate) fn shelf(args: &Packs) -> Result<Shelf, Complaint> {
    let shelf = Shelf::new();
    if let Some(pack) = asked_for(args)? {
        shelf.put(pack)?;
    }
    Ok(shelf)
}

fn asked_for(args: &Packs) -> Result<Option<pack::Pack>, Complaint> {
    let Some(key) = &args.key else { return Ok(None) };
    if let Some(path) = &args.pack {
        return Ok(Some(open(path, key)?));
    }
    // A scan does not wait for a new pack: it says that there is none, and goes on.
    let applied = folder(key)?.in_use(Timestamp::now()).unwrap_or_else(|error| {
        out::notice(&format!("notice: {error}; going on with {}", built_in()));
        None
    });
    Ok(applied)
}

fn preview(path: &Path, key: &Path, stored: &Path, format: Format) -> Result<Status, Complaint> {
    let pack = open(path, key)?;
    let store = store::open(stored)?;
    let now = folder(key)?.in_use(Timestamp::now()).ok().flatten();
    let now = now.map_or_else(Knowledge::built_in, |pack| pack.knowledge().clone());
    let diff = reread(&store.inventory(&now)?, &store.inventory(pack.knowledge())?);
    print(&match format {
        Format::Json => json(&diff)?,
        Format::Text if diff.is_empty() => "nothing would be said otherwise\n".into(),
        Format::Text => export::changes(&diff, out::look()),
    })
}

fn draft(args: Draft) -> Result<Status, Complaint> {
    let this = Version::of_this_engine();
    let card = Card {
        name: args.name,
        version: args.number,
        about: args.about,
        expires: args.expires,
        engine: Engines { from: args.from.unwrap_or(this), to: args.to.unwrap_or(this) },
        parts: Vec::new(),
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&args.folder).map_err(|e| named(&args.folder, &e))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, fs::read(entry.path()).map_err(|e| named(&entry.path(), &e))?);
    }
    fs::write(&args.out, pack::draft(card, &files)?).map_err(|e| named(&args.out, &e))?;
    let out = args.out.display();
    print(&format!(
        "sign it:       minisign -Sm {out} -c \"otcore data pack\"\n\
         make the pack: cat {out}.minisig {out} > NAME.otpack\n"
    ))
}

fn open(pack: &Path, key: &Path) -> Result<pack::Pack, Complaint> {
    Ok(pack::Pack::open(&pack::read(pack)?, &keys(key)?, Timestamp::now())?)
}

fn keys(path: &Path) -> Result<Keys, Complaint> {
    let text = fs::read_to_string(path).map_err(|e| named(path, &e))?;
    Ok(Keys::parse(&text)?)
}

/// Where the pack that was applied lies.
fn folder(key: &Path) -> Result<Folder, Complaint> {
    let state = memory::state_folder().ok_or("there is no home folder for applied packs")?;
    Ok(Folder::new(state.join("pack"), keys(key)?))
}

fn told(pack: &pack::Pack) -> String {
    let Card { about, expires, engine, parts, .. } = pack.card();
    let mut text = format!("{} may be used\n", name(pack.card()));
    if !about.is_empty() {
        text += &format!("about:     {}\n", printable(about));
    }
    text += &format!("signed by: {}\nexpires:   {expires}\n", pack.signer());
    text += &format!("engines:   {} to {}\n", engine.from, engine.to);
    for part in parts {
        text += &format!("replaces:  {} with {} bytes\n", printable(&part.name), part.bytes);
    }
    text
}

fn name(card: &Card) -> String {
    format!("pack {} {}", card.name, card.version)
}

fn built_in() -> String {
    "what is compiled in".into()
}

fn named(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
