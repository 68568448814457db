//! Stored results: compared, reported, handed on, decoded again. Nothing is sent.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::out;
use otcore::blocking::read;
use otcore::model::{Document, Joining, LARGEST_DOCUMENT};
use otcore::{export, scan};

use crate::otscan::args::{Diff, Export, Format, Redecode, ReportFormat, ReportOf, Stored};
use crate::otscan::{Complaint, Status, json, pack, print, printed};

pub(crate) fn diff(args: &Diff) -> Result<Status, Complaint> {
    let mut joining = Joining::default();
    joining.across_zones = args.across_zones;
    let (before, after) = (document(&args.before)?, document(&args.after)?);
    let diff = scan::compare(&before, &after, joining);
    print(&match args.format {
        Format::Text => export::changes(&diff, out::look()),
        Format::Json => json(&diff)?,
    })?;
    if after.asked.is_empty() {
        out::notice("notice: the later file does not say who was asked, so nothing can be gone");
    }
    Ok(if diff.is_empty() { Status::Completed } else { Status::NotAllIdentified })
}

pub(crate) fn report(args: &ReportOf) -> Result<Status, Complaint> {
    let document = together(&args.stored.files)?;
    let text = match args.format {
        ReportFormat::Html => export::html(&document),
        ReportFormat::Table if args.stored.out.is_some() => {
            export::table(&document, export::Look::default())
        }
        ReportFormat::Table => export::table(&document, out::look()),
    };
    write(&args.stored, &text)
}

pub(crate) fn export(args: &Export) -> Result<Status, Complaint> {
    let document = together(&args.stored.files)?;
    let mut out = BufWriter::new(place(&args.stored)?);
    let written = args.format.write_to(&document, &mut out).and_then(|()| out.flush());
    let Some(path) = &args.stored.out else { return printed(written) };
    written.map_err(|error| cannot_be_written(path, &error))?;
    Ok(Status::Completed)
}

pub(crate) fn redecode(args: &Redecode) -> Result<Status, Complaint> {
    let document = together(&args.stored.files)?;
    if document.exchanges.is_empty() {
        return Err("there are no questions and answers in it to decode".into());
    }
    let assets = scan::redecode(&pack::knowledge(&args.packs)?, &document.exchanges);
    if assets != document.assets {
        out::notice("notice: more or something else is read in them than is stored");
    }
    write(&args.stored, &json(&assets)?)
}

/// What a file says.
pub(crate) fn document(path: &Path) -> Result<Document, Complaint> {
    let shown = path.display();
    let cannot = |error| format!("{shown} cannot be read ({error}): name a file of results");
    let size = fs::metadata(path).map_err(cannot)?.len();
    if size > u64::try_from(LARGEST_DOCUMENT)? {
        return Err(format!("{shown} has {size} bytes, which is too much at once: split it").into());
    }
    let text = fs::read_to_string(path).map_err(cannot)?;
    read(&text).map_err(|error| format!("{shown}: {error}").into())
}

/// What several files say together.
fn together(paths: &[PathBuf]) -> Result<Document, Complaint> {
    let mut all = Document::default();
    for path in paths {
        all.merge(document(path)?);
    }
    Ok(all)
}

fn write(stored: &Stored, text: &str) -> Result<Status, Complaint> {
    let Some(path) = &stored.out else { return print(text) };
    let mut out = place(stored)?;
    out.write_all(text.as_bytes()).map_err(|error| cannot_be_written(path, &error))?;
    Ok(Status::Completed)
}

/// Where results go: a file, or standard output.
fn place(stored: &Stored) -> Result<Box<dyn Write>, Complaint> {
    let Some(path) = &stored.out else { return Ok(Box::new(io::stdout().lock())) };
    if stored.files.contains(path) {
        return Err(
            format!("{} is one of the files to read: name another one", path.display()).into()
        );
    }
    let file = File::create(path).map_err(|error| cannot_be_written(path, &error))?;
    Ok(Box::new(file))
}

fn cannot_be_written(path: &Path, error: &io::Error) -> Complaint {
    format!("{} cannot be written ({error}): name another file", path.display()).into()
}
