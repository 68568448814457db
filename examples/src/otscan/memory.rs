//! Where devices are remembered from one run to the next.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::out;
use otcore::gate::memory::InFile;

use crate::otscan::Complaint;

/// The memory at `named` or at its usual place; `None`, with a notice, if that place cannot be
/// made. A file that exists must be readable: a quarantine may be in it.
pub(crate) fn open(named: Option<&Path>) -> Result<Option<InFile>, Complaint> {
    if let Some(path) = named {
        return Ok(Some(InFile::open(path)?));
    }
    let Some(path) = usual_place() else {
        out::notice("notice: there is no home folder, so nothing is remembered after this run");
        return Ok(None);
    };
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    match made.and_then(|()| InFile::open(&path)) {
        Err(error) if !path.exists() => {
            out::notice(&format!("notice: nothing is remembered after this run ({error})"));
            Ok(None)
        }
        opened => Ok(Some(opened?)),
    }
}

/// The memory if there is one; none is made at its usual place.
pub(crate) fn known(named: Option<&Path>) -> Result<Option<InFile>, Complaint> {
    match named.map(Path::to_owned).or_else(usual_place) {
        Some(path) if path.exists() => Ok(Some(InFile::open(path)?)),
        _ => Ok(None),
    }
}

/// `devices.ndjson` in the state folder of the user.
fn usual_place() -> Option<PathBuf> {
    Some(state_folder()?.join("devices.ndjson"))
}

/// Where things of the user are kept between two runs.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        folder("LOCALAPPDATA")?
    } else {
        folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?
    };
    Some(state.join("otcore"))
}
