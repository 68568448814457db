//! What is kept in a store.

use std::path::Path;

use crate::out;
use otcore::export;
use otcore::model::printable;
use otcore::store::{InventoryStore, Sqlite};

use crate::otscan::args::{Format, Kept, ScanFormat, Store};
use crate::otscan::{Complaint, Status, json, pack, print};

pub(crate) fn store(args: &Store) -> Result<Status, Complaint> {
    match args {
        Store::Show { kept, format } => show(kept, *format),
        Store::History { kept, path, field, format } => history(kept, path, field, *format),
        Store::Check { store } => {
            open(store)?.check()?;
            print("everything is as it was written\n")
        }
    }
}

/// A store that is there: a typo makes no new one.
pub(crate) fn open(path: &Path) -> Result<Sqlite, Complaint> {
    match path.exists() {
        true => Ok(Sqlite::open(path)?),
        false => Err(format!("store {} does not exist; check its name", path.display()).into()),
    }
}

fn show(kept: &Kept, format: ScanFormat) -> Result<Status, Complaint> {
    let assets = open(&kept.store)?.inventory(&pack::knowledge(&kept.packs)?)?;
    print(&match format {
        ScanFormat::Table => export::table(&assets, out::look()),
        ScanFormat::Json => json(&assets)?,
        ScanFormat::Ndjson => export::ndjson(assets.iter())?,
        ScanFormat::Csv => export::csv(&assets),
    })
}

fn history(kept: &Kept, path: &str, field: &str, format: Format) -> Result<Status, Complaint> {
    let knowledge = pack::knowledge(&kept.packs)?;
    let claims = open(&kept.store)?.history(&knowledge, path, field)?;
    print(&match format {
        Format::Json => json(&claims)?,
        Format::Text if claims.is_empty() => "nobody has said anything about it\n".into(),
        Format::Text => {
            let line = |claim: &otcore::model::Claim| {
                let evidence = &claim.evidence;
                let (at, source) = (evidence.at, &evidence.source);
                format!("{at}  {}  (said to {source})\n", printable(&claim.value))
            };
            claims.iter().map(line).collect::<String>()
        }
    })
}
