//! Targets that stand in a file, one or more per line.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::error::shown;
use super::parse::pieces;
use super::{Target, TargetError};

/// Far more than any plant needs, and small enough to hold.
const LARGEST_FILE: u64 = 16 << 20;

pub(super) fn read(path: &Path) -> Result<Vec<Target>, TargetError> {
    let shown_path = shown(&path.to_string_lossy());
    let text = text(path).map_err(|why| TargetError::File { path: shown_path.clone(), why })?;
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut targets = Vec::new();
    for (index, line) in lines.enumerate() {
        for piece in pieces(without_comment(line)) {
            let target = piece.parse().map_err(|error| TargetError::InFile {
                path: shown_path.clone(),
                line: index + 1,
                error: Box::new(error),
            })?;
            targets.push(target);
        }
    }
    Ok(targets)
}

fn text(path: &Path) -> Result<String, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST_FILE + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(format!("it is larger than {} MiB", LARGEST_FILE >> 20));
    }
    Ok(text)
}

/// A comment starts with `#` at the beginning of a line or after white space.
fn without_comment(line: &str) -> &str {
    let starts = |&(at, _): &(usize, &str)| {
        line.get(..at)
            .is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    };
    let comment = line.match_indices('#').find(starts);
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::targets::Targets;

    /// A file that is gone when dropped.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
            let path = std::env::temp_dir().join(format!("otcore-{}-{name}", std::process::id()));
            fs::write(&path, content).unwrap();
            Self(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            fs::remove_file(&self.0).unwrap();
        }
    }

    fn texts(targets: &Targets) -> Vec<String> {
        targets.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_holds_targets_and_comments() {
        let content = "\u{feff}# line 3\r\n10.0.4.7, 10.0.5.0/24\r\n\r\n  # old\nplc # new\n";
        let file = Temporary::new("good", content);
        let expected = ["10.0.4.7", "10.0.5.0/24", "plc"];
        assert_eq!(texts(&Targets::from_file(&file.0).unwrap()), expected);
        let text = format!("10.0.0.1 @{}", file.0.display());
        assert_eq!(texts(&text.parse().unwrap())[1..], expected);
    }

    #[test]
    fn a_mistake_in_a_file_is_found_by_its_line() {
        let file = Temporary::new("bad", "10.0.4.7\n\n10.0.4.7/24\n");
        let error = Targets::from_file(&file.0).unwrap_err().to_string();
        let path = file.0.display();
        assert!(error.starts_with(&format!("{path}:3: 10.0.4.7/24 has host bits set")), "{error}");
    }

    #[test]
    fn a_file_names_no_other_file() {
        let file = Temporary::new("nested", "@/etc/hostname\n");
        let error = Targets::from_file(&file.0).unwrap_err().to_string();
        assert!(error.contains(":1: @/etc/hostname names a file, which is not allowed"), "{error}");
    }

    #[test]
    fn what_is_no_readable_text_file_is_refused_at_once() {
        let binary = Temporary::new("binary", [0xFF, 0xFE, 0]);
        assert!(Targets::from_file(&binary.0).unwrap_err().to_string().contains("UTF-8"));
        let folder = std::env::temp_dir();
        let error = Targets::from_file(&folder).unwrap_err().to_string();
        assert!(error.ends_with("it is not a regular file"), "{error}");
        let error = "@/no/such.txt".parse::<Targets>().unwrap_err().to_string();
        assert!(error.starts_with("cannot read targets from /no/such.txt: "), "{error}");
        #[cfg(unix)]
        assert!("@/dev/zero".parse::<Targets>().is_err());
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let size = usize::try_from(LARGEST_FILE).unwrap() + 1;
        let file = Temporary::new("large", vec![b'\n'; size]);
        let error = Targets::from_file(&file.0).unwrap_err().to_string();
        assert!(error.ends_with("it is larger than 16 MiB"), "{error}");
    }
}
