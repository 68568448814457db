//! Files that journals and captures go on in from one run to the next.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// What a file holds, and how it begins.
pub(super) enum Kind {
    /// JSON lines of [`Entry`](super::journal::Entry).
    Journal,
    /// pcapng.
    Capture,
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Capture => "capture",
        }
    }

    fn beginning(&self) -> &'static [u8] {
        match self {
            Self::Journal => b"{\"at\":",
            Self::Capture => &SECTION_HEADER,
        }
    }
}

/// Open the file at `path` to add to it, or make it. What a power cut or a full disk left half written
/// at its end is cut off: what follows could not be read.
///
/// # Errors
/// If it cannot be read and written, or holds something else: it stays as it is then.
pub(super) fn open(path: &Path, kind: &Kind) -> io::Result<File> {
    let what = kind.name();
    let told = |error: io::Error| {
        io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
    };
    let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(told)?;
    mend(&file, kind).map_err(told)?;
    Ok(file)
}

fn mend(file: &File, kind: &Kind) -> io::Result<()> {
    let whole = file.metadata()?;
    if !whole.is_file() || whole.len() == 0 {
        return Ok(()); // a pipe and the like keep nothing
    }
    let mut start = Vec::new();
    file.take(kind.beginning().len() as u64).read_to_end(&mut start)?;
    if start != kind.beginning() {
        let why = format!("it exists and is no {}: name another file", kind.name());
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let sound = match kind {
        Kind::Journal => whole_lines(file, whole.len())?,
        Kind::Capture => whole_blocks(file, whole.len())?,
    };
    if sound < whole.len() { file.set_len(sound) } else { Ok(()) }
}

/// How far the lines reach that have an end.
fn whole_lines(mut file: &File, len: u64) -> io::Result<u64> {
    const PIECE: u64 = 64 << 10;
    let mut end = len;
    while end > 0 {
        let begin = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(begin))?;
        file.take(end - begin).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// Type of the block that begins a section, the same in both byte orders.
const SECTION_HEADER: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

/// How far the blocks reach that are whole: each begins with its type and its length, and a section
/// with its byte order behind them.
fn whole_blocks(mut file: &File, len: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut blocks = BufReader::new(file);
    let (mut at, mut little) = (0, true);
    loop {
        let mut head = [0; 12];
        if len - at < head.len() as u64 {
            return Ok(at);
        }
        blocks.read_exact(&mut head)?;
        let [kind, length, order] = head.as_chunks::<4>().0 else { return Ok(at) };
        let damaged = || {
            let why = format!("it is damaged at byte {at}: name another file");
            io::Error::new(io::ErrorKind::InvalidData, why)
        };
        if *kind == SECTION_HEADER {
            little = match *order {
                [0x4D, 0x3C, 0x2B, 0x1A] => true,
                [0x1A, 0x2B, 0x3C, 0x4D] => false,
                _ => return Err(damaged()),
            };
        }
        let length = if little { u32::from_le_bytes(*length) } else { u32::from_be_bytes(*length) };
        if length < 12 || !length.is_multiple_of(4) {
            return Err(damaged());
        }
        if len - at < u64::from(length) {
            return Ok(at);
        }
        blocks.seek_relative(i64::from(length) - 12)?;
        at += u64::from(length);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::Pcapng;
    use super::super::journal::{Entry, Journal, JsonLines, What};
    use super::*;
    use crate::model::Zone;

    fn entry() -> Entry {
        Entry {
            at: Timestamp::UNIX_EPOCH,
            zone: Zone::default(),
            device: "192.0.2.7:502".parse().unwrap(),
            protocol: "modbus".to_owned(),
            connection: 1,
            what: What::Connected { local: "192.0.2.1:40000".parse().unwrap() },
        }
    }

    fn write(path: &Path, kind: &Kind) -> io::Result<()> {
        let journal: Box<dyn Journal> = match kind {
            Kind::Journal => Box::new(JsonLines::append_to(path)?),
            Kind::Capture => Box::new(Pcapng::append_to(path)?),
        };
        journal.record(&entry())
    }

    #[test]
    fn whatever_is_cut_off_makes_way_for_what_follows() {
        let path = std::env::temp_dir().join(format!("otcore-append-{}", std::process::id()));
        for kind in [Kind::Journal, Kind::Capture] {
            write(&path, &kind).unwrap();
            let once = std::fs::read(&path).unwrap();
            write(&path, &kind).unwrap();
            let twice = std::fs::read(&path).unwrap();
            assert_eq!(twice, [once.clone(), once.clone()].concat(), "added, and nothing cut");
            for cut in once.len()..twice.len() {
                std::fs::write(&path, twice.get(..cut).unwrap()).unwrap();
                write(&path, &kind).unwrap();
                let after = std::fs::read(&path).unwrap();
                assert!(
                    after.starts_with(&once) && after.ends_with(&once),
                    "{} {cut}",
                    kind.name()
                );
                let len = u64::try_from(after.len()).unwrap();
                let file = File::open(&path).unwrap();
                let sound = match kind {
                    Kind::Journal => whole_lines(&file, len),
                    Kind::Capture => whole_blocks(&file, len),
                };
                assert_eq!(sound.unwrap(), len, "{} {cut}", kind.name());
            }
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_file_that_holds_something_else_stays_as_it_is() {
        let path = std::env::temp_dir().join(format!("otcore-other-{}", std::process::id()));
        let others: [&[u8]; 5] =
            [b"name,vendor\n", b"{\"assets\":[]}", b"{", b"\x0A\x0D", b"SQLite format 3\0"];
        for other in others {
            std::fs::write(&path, other).unwrap();
            for kind in [Kind::Journal, Kind::Capture] {
                let error = write(&path, &kind).unwrap_err().to_string();
                assert!(error.contains("name another file"), "{error}");
                assert_eq!(std::fs::read(&path).unwrap(), other);
            }
        }
        let damaged = [&SECTION_HEADER[..], &[1, 0, 0, 0], &[0; 20]].concat();
        std::fs::write(&path, &damaged).unwrap();
        let error = write(&path, &Kind::Capture).unwrap_err().to_string();
        assert!(error.contains("damaged at byte 0"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), damaged);
        std::fs::remove_file(&path).unwrap();
    }
}
