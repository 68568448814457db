//! Looks as rows.

use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::digest;
use crate::model::{Exchange, HexBytes, Transport};
use crate::store::Which;
use crate::store::look::{Look, Place};

/// Every place, in order.
pub(super) fn places(connection: &Connection) -> Result<Vec<Place>> {
    let mut query = connection.prepare_cached("SELECT zone, address, port FROM place")?;
    let rows = query.query_map((), |row| {
        let port = row.get::<_, u16>(2)?;
        let port = (port != 0).then_some(port);
        Ok(Place { zone: parsed(row, 0)?, address: parsed(row, 1)?, port })
    })?;
    let mut places = rows.collect::<Result<Vec<_>>>()?;
    places.sort();
    Ok(places)
}

/// Looks at `place` with their numbers, by time.
pub(super) fn looks(
    connection: &Connection,
    place: &Place,
    which: Which,
) -> Result<Vec<(i64, Look)>> {
    let Some(id) = place_id(connection, place)? else { return Ok(Vec::new()) };
    let sql = match which {
        Which::All => "SELECT id, at, digest FROM look WHERE place = ?1 ORDER BY at, id",
        Which::Live => {
            "SELECT id, at, digest FROM look WHERE place = ?1 AND live = 1 ORDER BY at, id"
        }
    };
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map([id], |row| Ok((row.get(0)?, time(row, 1)?, row.get(2)?)))?;
    rows.map(|row| look(connection, place, row?)).collect()
}

fn look(
    connection: &Connection,
    place: &Place,
    (id, at, digest): (i64, Timestamp, i64),
) -> Result<(i64, Look)> {
    let mut look = Look::new(place.clone(), at);
    look.exchanges = exchanges(connection, id, place)?;
    let words = words(connection, id)?;
    for (kind, body) in &words {
        match kind.as_str() {
            "outcome" => look.outcomes.push(read(body)?),
            "claims" => look.claims.push(read(body)?),
            _ => {} // there are no others in this layout
        }
    }
    match digest::of(&look, bodies(&words))? == digest {
        true => Ok((id, look)),
        false => Err(spoiled(&format!("look {id} at {place} is not what was written"))),
    }
}

/// Add a look.
pub(super) fn insert(connection: &Connection, look: &Look, live: bool) -> Result<()> {
    let place = match place_id(connection, &look.place)? {
        Some(id) => id,
        None => new_place(connection, &look.place)?,
    };
    let outcomes = look.outcomes.iter().map(|outcome| Ok(("outcome".to_owned(), json(outcome)?)));
    let claims = look.claims.iter().map(|claims| Ok(("claims".to_owned(), json(claims)?)));
    let words: Words = outcomes.chain(claims).collect::<Result<_>>()?;
    let sql = "INSERT INTO look (place, at, live, digest) VALUES (?1, ?2, ?3, ?4)";
    let row = params![place, nanoseconds(look.at)?, live, digest::of(look, bodies(&words))?];
    let id = connection.prepare_cached(sql)?.insert(row)?;
    for (number, exchange) in (0i64..).zip(&look.exchanges) {
        insert_exchange(connection, (id, number), exchange)?;
    }
    for (number, (kind, body)) in (0i64..).zip(&words) {
        let sql = "INSERT INTO word (look, number, kind, body) VALUES (?1, ?2, ?3, ?4)";
        connection.prepare_cached(sql)?.execute(params![id, number, kind, body])?;
    }
    Ok(())
}

/// The look is not needed any more for what is known now.
pub(super) fn let_go(connection: &Connection, look: i64) -> Result<()> {
    connection.prepare_cached("UPDATE look SET live = 0 WHERE id = ?1")?.execute([look]).map(drop)
}

fn insert_exchange(connection: &Connection, key: (i64, i64), exchange: &Exchange) -> Result<()> {
    let question = match question_id(connection, exchange)? {
        Some(id) => id,
        None => new_question(connection, exchange)?,
    };
    let sql = "INSERT INTO exchange (look, number, question, at, micros, request, response) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (at, micros) = (nanoseconds(exchange.at)?, micros(exchange));
    let (request, response) = (exchange.request.as_ref(), exchange.response.as_ref());
    let row = params![key.0, key.1, question, at, micros, request, response];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

fn exchanges(connection: &Connection, look: i64, place: &Place) -> Result<Vec<Exchange>> {
    let sql = "SELECT source, protocol, port, transport, function, request, response, at, micros \
               FROM exchange JOIN question ON question.id = exchange.question \
               WHERE look = ?1 ORDER BY number";
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map([look], |row| {
        Ok(Exchange {
            zone: place.zone.clone(),
            address: place.address,
            source: parsed(row, 0)?,
            protocol: row.get(1)?,
            port: row.get(2)?,
            transport: transport(row.get_ref(3)?.as_str()?)?,
            function: row.get(4)?,
            request: HexBytes::from(row.get::<_, Vec<u8>>(5)?),
            response: HexBytes::from(row.get::<_, Vec<u8>>(6)?),
            at: time(row, 7)?,
            rtt_micros: row.get::<_, i64>(8)?.unsigned_abs(),
        })
    })?;
    rows.collect()
}

/// The kind of each word of a look, and its JSON, in order.
type Words = Vec<(String, String)>;

fn words(connection: &Connection, look: i64) -> Result<Words> {
    let sql = "SELECT kind, body FROM word WHERE look = ?1 ORDER BY number";
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map([look], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn bodies(words: &Words) -> impl Iterator<Item = &str> {
    words.iter().map(|(_, body)| body.as_str())
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|e| spoiled(&e.to_string()))
}

fn place_id(connection: &Connection, place: &Place) -> Result<Option<i64>> {
    let sql = "SELECT id FROM place WHERE zone = ?1 AND address = ?2 AND port = ?3";
    let key = (place.zone.as_str(), place.address.to_string(), place.port.unwrap_or(0));
    connection.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()
}

fn new_place(connection: &Connection, place: &Place) -> Result<i64> {
    let sql = "INSERT INTO place (zone, address, port) VALUES (?1, ?2, ?3)";
    let key = (place.zone.as_str(), place.address.to_string(), place.port.unwrap_or(0));
    connection.prepare_cached(sql)?.insert(key)
}

fn question_id(connection: &Connection, exchange: &Exchange) -> Result<Option<i64>> {
    let sql = "SELECT id FROM question WHERE source = ?1 AND protocol = ?2 AND port = ?3 \
               AND transport = ?4 AND function = ?5";
    connection.prepare_cached(sql)?.query_row(question(exchange), |row| row.get(0)).optional()
}

fn new_question(connection: &Connection, exchange: &Exchange) -> Result<i64> {
    let sql = "INSERT INTO question (source, protocol, port, transport, function) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.insert(question(exchange))
}

/// Who asked what, where and over what.
pub(super) fn question(e: &Exchange) -> (&str, &str, u16, &str, &str) {
    (e.source.as_str(), &e.protocol, e.port, e.transport.name(), &e.function)
}

pub(super) fn micros(exchange: &Exchange) -> i64 {
    i64::try_from(exchange.rtt_micros).unwrap_or(i64::MAX)
}

pub(super) fn nanoseconds(at: Timestamp) -> Result<i64> {
    i64::try_from(at.as_nanosecond()).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    let at = i128::from(row.get::<_, i64>(column)?);
    Timestamp::from_nanosecond(at).map_err(|e| spoiled(&e.to_string()))
}

fn transport(name: &str) -> Result<Transport> {
    let known = [Transport::Tcp, Transport::Udp].into_iter().find(|known| known.name() == name);
    known.ok_or_else(|| spoiled("a transport is unknown"))
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|_| spoiled("a name or an address cannot be read"))
}

fn spoiled(what: &str) -> rusqlite::Error {
    let what = FromSqlError::Other(what.into());
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::layout;

    #[test]
    fn what_another_engine_would_write_in_another_way_is_not_damaged() {
        let mut connection = Connection::open_in_memory().unwrap();
        layout::prepare(&mut connection, "".as_ref()).unwrap();
        let zone = crate::model::Zone::default();
        let place = Place::at(&zone, "10.0.0.7".parse().unwrap(), 502);
        let look = Look::new(place.clone(), Timestamp::UNIX_EPOCH);
        insert(&connection, &look, true).unwrap();
        let body = r#"{"later": 1, "zone": "default", "address": "10.0.0.7", "protocol": "modbus",
            "port": 502, "outcome": "silent", "packets": 4, "connections": 1, "requests": 0,
            "bytes_out": 0, "bytes_in": 0, "millis": 7}"#;
        let words = [("outcome".to_owned(), body.to_owned())].to_vec();
        let digest = digest::of(&look, bodies(&words)).unwrap();
        let sql = "INSERT INTO word (look, number, kind, body) VALUES (1, 0, 'outcome', ?1)";
        connection.execute(sql, [body]).unwrap();
        connection.execute_batch("DROP TRIGGER look_is_as_it_was").unwrap();
        connection.execute("UPDATE look SET digest = ?1", [digest]).unwrap();
        let found = looks(&connection, &place, Which::All).unwrap();
        assert_eq!(found[0].1.outcomes[0].protocol, "modbus");
        connection.execute("UPDATE look SET digest = ?1", [digest ^ 1]).unwrap();
        assert!(looks(&connection, &place, Which::All).is_err());
    }
}
