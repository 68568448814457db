//! A policy text as a tree whose every complaint names the full path of the key.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::PolicyError;

/// Any value, read without forgiving a key that stands there twice.
///
/// JSON readers usually keep the last of two; a list of exclusions must not vanish like that.
pub(super) struct Tree(pub(super) Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Self)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Tree(value))) = entries.next_entry::<String, Tree>()? {
            if map.insert(key.clone(), value).is_some() {
                return Err(de::Error::custom(format!("duplicate key `{key}`")));
            }
        }
        Ok(map.into())
    }
}

/// One value and the path that leads to it.
pub(super) struct Node<'a> {
    pub(super) path: String,
    pub(super) value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { path: String::new(), value }
    }

    /// A table with no other keys than these.
    pub(super) fn table(self, keys: &[&str]) -> Result<Table<'a>, PolicyError> {
        let table = self.any_table()?;
        let stranger = table.map.keys().find(|key| !keys.contains(&key.as_str()));
        match stranger {
            Some(key) => Err(PolicyError::unknown_key(key, keys).under(&table.path)),
            None => Ok(table),
        }
    }

    /// A table with any keys.
    pub(super) fn any_table(self) -> Result<Table<'a>, PolicyError> {
        match self.value {
            Value::Object(map) => Ok(Table { path: self.path, map }),
            _ => Err(self.unreadable("a table")),
        }
    }

    pub(super) fn list(self) -> Result<Vec<Self>, PolicyError> {
        let Value::Array(items) = self.value else { return Err(self.unreadable("a list")) };
        let nodes = items.iter().enumerate().map(|(i, value)| {
            let path = format!("{}[{i}]", self.path);
            Node { path, value }
        });
        Ok(nodes.collect())
    }

    pub(super) fn texts(self) -> Result<Vec<String>, PolicyError> {
        self.list()?.into_iter().map(|item| item.text().map(str::to_owned)).collect()
    }

    pub(super) fn text(self) -> Result<&'a str, PolicyError> {
        self.value.as_str().ok_or_else(|| self.unreadable("text in quotes"))
    }

    pub(super) fn flag(self) -> Result<bool, PolicyError> {
        self.value.as_bool().ok_or_else(|| self.unreadable("true or false"))
    }

    /// A whole number that fits `T`, whose range is `min..=max`.
    pub(super) fn number<T: TryFrom<u64>>(self, min: u64, max: u64) -> Result<T, PolicyError> {
        if !self.value.is_i64() && !self.value.is_u64() {
            return Err(self.unreadable("a whole number"));
        }
        let in_range = self.value.as_u64().filter(|number| (min..=max).contains(number));
        let fitting = in_range.and_then(|number| T::try_from(number).ok());
        let (key, value) = (self.path, self.value.to_string());
        fitting.ok_or(PolicyError::OutOfRange { key, value, min, max })
    }

    pub(super) fn unreadable(self, expected: &str) -> PolicyError {
        let (key, value) = (self.path, self.value.to_string());
        PolicyError::Unreadable { key, value, expected: expected.to_owned() }
    }
}

/// A table and the path that leads to it.
pub(super) struct Table<'a> {
    pub(super) path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Table<'a> {
    /// The value behind a key, if it is there.
    pub(super) fn at(&self, key: &str) -> Option<Node<'a>> {
        self.map.get(key).map(|value| Node { path: self.below(key), value })
    }

    /// What `read` makes of the value behind a key, if it is there.
    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(Node<'a>) -> Result<T, PolicyError>,
    ) -> Result<Option<T>, PolicyError> {
        self.at(key).map(read).transpose()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        let node = |key: &str, value| Node { path: self.below(key), value };
        self.map.iter().map(move |(key, value)| (key.as_str(), node(key, value)))
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}
