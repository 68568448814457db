//! A store in one file, which any killed program leaves whole.

mod digest;
mod layout;
mod rows;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::error::StoreError;
use super::live::Worth;
use super::look::{Look, Place};
use super::{InventoryStore, Which};

/// How long to wait for another process that writes to the same file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps looks in one SQLite file.
///
/// Looks are on the disk when [`append`](InventoryStore::append) returns. While the file is open
/// there are two more beside it, `-wal` and `-shm`, which belong to it. Several processes of one
/// host may have it open at once.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Sqlite {
    /// Open the store at `path`, or make one there that only its owner may read.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Newer`], [`StoreError::Damaged`], or
    /// [`StoreError::File`] if the file cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        touch(&path)
            .map_err(|why| StoreError::File { path: path.clone(), why: why.to_string() })?;
        layout::is_ours_or_empty(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&path, flags);
        let mut connection = opened.map_err(|error| because(&path, &error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| because(&path, &error))?;
        layout::prepare(&mut connection, &path)?;
        Ok(Self { path, connection: Mutex::new(connection) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Read everything and compare it with what was written. Takes as long as the file is large.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that does not fit.
    pub fn check(&self) -> Result<(), StoreError> {
        let whole: String = self.one("PRAGMA integrity_check(1)")?;
        if whole != "ok" {
            return Err(self.damaged(whole));
        }
        let missing: i64 = self.one("SELECT coalesce(max(id), 0) - count(*) FROM look")?;
        if missing != 0 {
            return Err(self.damaged(format!("{missing} looks are missing")));
        }
        self.places()?.iter().try_for_each(|place| self.looks(place, Which::All).map(drop))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one value that a query gives.
    fn one<T: rusqlite::types::FromSql>(&self, query: &str) -> Result<T, StoreError> {
        self.read(|connection| connection.query_row(query, (), |row| row.get(0)))
    }

    /// Read in one transaction, so that nobody writes between two queries.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let value = connection.transaction().and_then(|all| read(&all));
        value.map_err(|error| because(&self.path, &error))
    }

    fn damaged(&self, what: String) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), what }
    }
}

impl InventoryStore for Sqlite {
    fn append(&self, looks: &[Look]) -> Result<(), StoreError> {
        looks.iter().try_for_each(Look::check)?;
        let mut connection = self.connection();
        let kept = (|| {
            let all = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            looks.iter().try_for_each(|look| keep(&all, look))?;
            all.commit()
        })();
        kept.map_err(|error| because(&self.path, &error))
    }

    fn places(&self) -> Result<Vec<Place>, StoreError> {
        self.read(rows::places)
    }

    fn looks(&self, place: &Place, which: Which) -> Result<Vec<Look>, StoreError> {
        let looks = self.read(|all| rows::looks(all, place, which))?;
        Ok(looks.into_iter().map(|(_, look)| look).collect())
    }
}

/// Add a look, and let go of those that it makes needless for what is known now.
fn keep(all: &Transaction<'_>, look: &Look) -> rusqlite::Result<()> {
    let worth = Worth::of(look);
    let mut needed = !worth.is_nothing();
    for (id, other) in rows::looks(all, &look.place, Which::Live)? {
        let other = Worth::of(&other);
        if other.is_covered_by(&worth) {
            rows::let_go(all, id)?;
        }
        needed &= !worth.is_covered_by(&other);
    }
    rows::insert(all, look, needed)
}

/// Make the file, if there is none.
fn touch(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// What the database says, in our words.
fn because(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    let damaged = match error {
        rusqlite::Error::SqliteFailure(code, _) => {
            matches!(code.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        }
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => true,
        _ => false,
    };
    match damaged {
        true => StoreError::Damaged { path, what: error.to_string() },
        false => StoreError::File { path, why: error.to_string() },
    }
}
