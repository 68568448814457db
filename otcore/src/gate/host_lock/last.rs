//! What a lock file says of a device: whether somebody is there, and else when somebody was.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::time::{Duration, SystemTime};

/// How many bytes it takes.
pub(super) const LEN: u64 = 8;

/// The last connection to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// Nobody has been there that anybody remembers.
    Never,
    /// Somebody is there; if nobody has the lock, it was killed in the middle, and its system may still be
    /// ending the connection.
    Now,
    /// In milliseconds since 1970.
    At(u64),
}

impl Last {
    /// A moment ago.
    pub(super) fn just_now() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self::of(millis(since_1970.unwrap_or_default()))
    }

    /// How much of `gap` is left; a clock that was set back counts as just now.
    pub(super) fn rest(self, gap: Duration) -> Duration {
        let at = match self {
            Self::Never => return Duration::ZERO,
            Self::Now => return gap,
            Self::At(millis) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
        };
        let age = at.and_then(|at| SystemTime::now().duration_since(at).ok());
        gap.saturating_sub(age.unwrap_or_default())
    }

    /// What stands in `file` at this place; nothing does beyond its end.
    pub(super) fn read(mut file: &File, at: u64) -> io::Result<Self> {
        let mut bytes = u64::MIN.to_le_bytes();
        file.seek(SeekFrom::Start(at))?;
        match file.read_exact(&mut bytes) {
            Ok(()) => Ok(Self::of(u64::from_le_bytes(bytes))),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Self::Never),
            Err(error) => Err(error),
        }
    }

    pub(super) fn write(self, mut file: &File, at: u64) -> io::Result<()> {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&self.number().to_le_bytes())
    }

    fn of(number: u64) -> Self {
        match number {
            0 => Self::Never,
            u64::MAX => Self::Now,
            millis => Self::At(millis),
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Never => 0,
            Self::Now => u64::MAX,
            Self::At(millis) => millis,
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_secs(2);

    #[test]
    fn who_was_there_a_while_ago_leaves_the_rest_of_the_gap() {
        let ago = |seconds: u64| match Last::just_now() {
            Last::At(now) => Last::At(now - 1000 * seconds).rest(GAP),
            other => panic!("{other:?}"),
        };
        assert_eq!(Last::Never.rest(GAP), Duration::ZERO);
        assert_eq!(Last::Now.rest(GAP), GAP, "killed, who knows when");
        assert!(ago(0) > GAP / 2 && ago(1) < GAP && ago(1) > Duration::ZERO);
        assert_eq!(ago(3), Duration::ZERO);
        assert_eq!(Last::At(u64::MAX - 1).rest(GAP), GAP, "the clock was set back");
    }

    #[test]
    fn each_place_of_a_file_says_what_was_written_there_and_nothing_beyond_its_end() {
        let path = std::env::temp_dir().join(format!("otcore-last-{}", std::process::id()));
        let mut options = File::options();
        let file = options.create(true).truncate(true).read(true).write(true).open(&path).unwrap();
        assert_eq!(Last::read(&file, 8).unwrap(), Last::Never, "the file is empty");
        for last in [Last::At(7), Last::Now, Last::Never, Last::just_now()] {
            last.write(&file, 8).unwrap();
            assert_eq!(Last::read(&file, 8).unwrap(), last);
        }
        assert_eq!(Last::read(&file, 0).unwrap(), Last::Never, "its neighbour");
        assert_eq!(Last::read(&file, 16).unwrap(), Last::Never);
        std::fs::remove_file(path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_not_taken_for_nobody() {
        let folder = File::open(std::env::temp_dir()).unwrap();
        assert_eq!(Last::read(&folder, 0).unwrap_err().kind(), ErrorKind::IsADirectory);
    }
}
