//! A table of facts: one row for each number or name that somebody gave out.

use std::collections::HashMap;

use super::glob::Glob;
use crate::model::{Claim, Confidence, Facts, Field, Named};

/// Rows that say what follows from the values of some fields.
///
/// The first line names the columns. `vendor_id?` must be what the row says; `vendor_id?cip:` too,
/// after `cip:`. `vendor=` says the same in other words, so it is as sure as what was asked. Any other
/// column is a conclusion. The last column takes the rest of the line, commas and all; an empty value
/// says nothing; lines that begin with `#` are remarks.
///
/// Among the rows that match, the most exact decides: no wildcards, then a pattern, then the
/// longest beginning.
#[derive(Debug)]
pub(super) struct Table {
    name: String,
    asked: Vec<Field>,
    said: Vec<Column>,
    rows: Vec<Row>,
    exact: HashMap<String, usize>,
    /// Rows with wildcards, the most exact first.
    patterns: Vec<(Vec<Glob>, usize)>,
}

/// What a row says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) field: Field,
    /// It says what was asked in other words.
    pub(super) rewords: bool,
}

#[derive(Debug)]
struct Row {
    id: String,
    confidence: Confidence,
    values: Vec<String>,
}

/// A row that matches, and on what.
pub(super) struct Match<'a> {
    /// `<table>/<what the row asks for>`.
    pub(super) rule: &'a str,
    /// The claim that was looked at first.
    pub(super) basis: &'a Claim,
    /// How sure a conclusion is: less, if a beginning or a pattern was enough.
    pub(super) confidence: Confidence,
    columns: std::iter::Zip<std::slice::Iter<'a, Column>, std::slice::Iter<'a, String>>,
}

impl<'a> Match<'a> {
    /// What the row says, without what is empty.
    pub(super) fn says(self) -> impl Iterator<Item = (Column, &'a str)> {
        self.columns.map(|(column, value)| (*column, value.as_str())).filter(|(_, v)| !v.is_empty())
    }
}

impl Table {
    /// Read the table `name`.
    ///
    /// # Errors
    /// The number of the line, from 1, and what is wrong there.
    pub(super) fn read(name: &str, text: &str) -> Result<Self, (usize, String)> {
        let mut lines = (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let (number, header) = lines.next().ok_or((1, "there is no line of columns".to_owned()))?;
        let Header { asked, said } = Header::read(header).map_err(|why| (number, why))?;
        let mut table = Self {
            name: name.to_owned(),
            asked: asked.iter().map(|(field, _)| *field).collect(),
            said,
            rows: Vec::new(),
            exact: HashMap::new(),
            patterns: Vec::new(),
        };
        for (number, line) in lines {
            table.add(&asked, line).map_err(|why| (number, why))?;
        }
        table.patterns.sort_by_key(|(globs, _)| globs.iter().map(Glob::rank).max());
        Ok(table)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it says in other words what one field says.
    fn rewords(&self) -> bool {
        self.asked.len() == 1 && self.said.iter().any(|column| column.rewords)
    }

    /// The rows for what is known: for the best claims, and for every claim if the table says the
    /// same in other words.
    pub(super) fn matches<'a>(&'a self, identity: &'a Facts<Field>) -> Vec<Match<'a>> {
        match self.asked.as_slice() {
            [field] if self.rewords() => {
                let claims = identity.claims(*field);
                claims.filter_map(|claim| self.find(claim, &[&claim.value])).collect()
            }
            asked => {
                let best: Option<Vec<&Claim>> = asked.iter().map(|f| identity.best(*f)).collect();
                let best = best.unwrap_or_default();
                let values: Vec<&str> = best.iter().map(|claim| claim.value.as_str()).collect();
                best.first().and_then(|basis| self.find(basis, &values)).into_iter().collect()
            }
        }
    }

    /// What the table says instead of `value`, if it says one thing of one field.
    pub(super) fn look_up(&self, value: &str) -> Option<&str> {
        let row = self.row(&[value])?;
        row.values.first().map(String::as_str)
    }

    fn find<'a>(&'a self, basis: &'a Claim, values: &[&str]) -> Option<Match<'a>> {
        let row = self.row(values)?;
        let columns = self.said.iter().zip(&row.values);
        Some(Match { rule: &row.id, basis, confidence: row.confidence, columns })
    }

    fn row(&self, values: &[&str]) -> Option<&Row> {
        let folded = self.asked.iter().zip(values).map(|(field, value)| fold(*field, value));
        let folded: Vec<String> = folded.collect();
        let fits = |(globs, _): &&(Vec<Glob>, usize)| {
            globs.iter().zip(&folded).all(|(glob, value)| glob.matches(value))
        };
        let row = self.exact.get(&folded.join("\n"));
        let row = row.or_else(|| self.patterns.iter().find(fits).map(|(_, row)| row));
        row.and_then(|row| self.rows.get(*row))
    }

    fn add(&mut self, asked: &[(Field, String)], line: &str) -> Result<(), String> {
        let mut cells = line.splitn(asked.len() + self.said.len(), ',').map(str::trim);
        let keys: Vec<&str> = cells.by_ref().take(asked.len()).collect();
        let mut values: Vec<String> = cells.map(str::to_owned).collect();
        let least = self.said.len().min(1);
        if keys.len() < asked.len() || keys.contains(&"") || values.len() < least {
            return Err(format!("a row has {} columns", asked.len() + self.said.len()));
        }
        values.resize(self.said.len(), String::new());
        let row = self.rows.len();
        let id = format!("{}/{}", self.name, keys.join(","));
        let wild = keys.iter().any(|key| Glob::is_wild(key));
        let keys = asked.iter().zip(keys).map(|((field, before), key)| match Glob::is_wild(key) {
            true => format!("{before}{key}").to_lowercase(),
            false => fold(*field, &format!("{before}{key}")),
        });
        if wild {
            let globs: Result<Vec<Glob>, String> = keys.map(|key| Glob::read(&key)).collect();
            self.patterns.push((globs?, row));
        } else if let Some(known) = self.exact.insert(keys.collect::<Vec<_>>().join("\n"), row) {
            // Two spellings of one name may be the same after all, but not say two things.
            if self.rows.get(known).is_some_and(|known| known.values != values) {
                return Err("the same is asked for in two rows".to_owned());
            }
        }
        let confidence = if wild { Confidence::Likely } else { Confidence::Inferred };
        self.rows.push(Row { id, confidence, values });
        Ok(())
    }
}

/// What the first line says.
struct Header {
    /// A field, and what is written before the value in the table.
    asked: Vec<(Field, String)>,
    said: Vec<Column>,
}

impl Header {
    fn read(line: &str) -> Result<Self, String> {
        let (mut asked, mut said) = (Vec::new(), Vec::new());
        let field = |name: &str| Field::by_name(name).ok_or(format!("there is no field {name:?}"));
        for cell in line.split(',').map(str::trim) {
            if let Some((name, before)) = cell.split_once('?') {
                asked.push((field(name)?, before.to_owned()));
            } else {
                let name = cell.trim_end_matches('=');
                said.push(Column { field: field(name)?, rewords: name != cell });
            }
        }
        match asked.is_empty() || said.is_empty() {
            true => Err("a table asks for at least one field and says at least one".to_owned()),
            false => Ok(Self { asked, said }),
        }
    }
}

fn fold(field: Field, value: &str) -> String {
    field.folded(value).to_lowercase()
}
