//! The tables of a store, and how a file gets them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, TransactionBehavior};

use super::because;
use crate::store::error::StoreError;

/// `otco`: what tells a store from other SQLite files.
const APPLICATION: i32 = 0x6F74_636F;

/// No value in a store is longer, in bytes. A device's answer is at most 64 KiB; what a person or
/// another system says of one device, a few thousand claims, stays far below.
const LONGEST_VALUE: i32 = 16 << 20;

/// Each step leads from one layout to the next. Steps are never changed, only added.
const STEPS: &[&str] = &[include_str!("1.sql")];

/// Whether `path` is an empty file or a store, before anything is done with it.
///
/// # Errors
/// [`StoreError::NotAStore`] if it is anything else.
pub(super) fn is_ours_or_empty(path: &Path) -> Result<(), StoreError> {
    let in_file =
        |why: std::io::Error| StoreError::File { path: path.to_owned(), why: why.to_string() };
    let mut head = Vec::with_capacity(100);
    File::open(path).map_err(in_file)?.take(100).read_to_end(&mut head).map_err(in_file)?;
    // The first 16 bytes of an SQLite file, and bytes 68 to 71: https://sqlite.org/fileformat2.html
    let ours = head.starts_with(b"SQLite format 3\0")
        && head.get(68..72).is_some_and(|application| application == APPLICATION.to_be_bytes());
    match ours || head.is_empty() || half_made(path) {
        true => Ok(()),
        false => Err(StoreError::NotAStore { path: path.to_owned() }),
    }
}

/// Whether somebody was stopped while making the store: the journal beside it undoes that.
fn half_made(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    Path::new(&journal).exists()
}

/// Bring the file to the layout of this engine.
///
/// # Errors
/// [`StoreError::Newer`] if its layout is beyond that, [`StoreError::Damaged`] if its tables are
/// not what its layout says.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    prepare_to(STEPS, connection, path)
}

fn prepare_to(steps: &[&str], connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sql = |error: rusqlite::Error| because(path, &error);
    trust_nothing(connection).map_err(sql)?;
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    let found = layout(connection).map_err(sql)?;
    // Another database can have a journal beside it too, and then its first bytes did not count.
    let not_ours = || StoreError::NotAStore { path: path.to_owned() };
    if found > 0 && application(connection).map_err(sql)? != APPLICATION {
        return Err(not_ours());
    }
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found < known && !advance(connection, steps).map_err(sql)? {
        return Err(not_ours());
    }
    let (is, should) = (tables(connection).map_err(sql)?, expected(steps).map_err(sql)?);
    if is != should {
        let what = format!("its tables are not those of layout {known}");
        return Err(StoreError::Damaged { path: path.to_owned(), what });
    }
    // Only now: so a file that holds anything names its application from its first byte on.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(sql)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(sql)
}

/// The file may come from anybody: nothing in it is run, and no value is longer than ours.
fn trust_nothing(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    connection.pragma_update(None, "cell_size_check", true)
}

fn layout(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn application(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// All missing steps, or none; false if somebody else's tables are there.
fn advance(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<bool> {
    let all = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let found = layout(&all)?; // another process may have been faster
    if found == 0 && !tables(&all)?.is_empty() {
        return Ok(false);
    }
    for (step, number) in steps.iter().zip(1u32..).skip(usize::try_from(found).unwrap_or(0)) {
        all.execute_batch(step)?;
        all.pragma_update(None, "user_version", number)?;
    }
    all.pragma_update(None, "application_id", APPLICATION)?;
    all.commit()?;
    Ok(true)
}

/// Everything that a file is made of, in its own words.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut query = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn expected(steps: &[&str]) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut fresh = Connection::open_in_memory()?;
    advance(&mut fresh, steps)?;
    tables(&fresh)
}
