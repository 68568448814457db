//! Single values out of a text of JSON, for programs without a reader of their own.

use std::sync::OnceLock;

use serde_json::Value;

/// What a text of JSON says, read when it is first asked for.
///
/// ```
/// use otcore::blocking::Tree;
///
/// let (tree, json) = (Tree::default(), r#"{"assets": [{"path": "a/10.0.0.7"}]}"#);
/// assert_eq!(tree.value(json, "/assets/0/path").as_deref(), Some("a/10.0.0.7"));
/// assert_eq!(tree.count(json, "/assets"), 1);
/// ```
#[derive(Debug, Default)]
pub struct Tree(OnceLock<Value>);

impl Tree {
    /// The value that `pointer` (RFC 6901) leads to: a text as it is, anything else as JSON.
    /// `None` if there is none, or it is `null`. Always hand in the same `json`.
    #[must_use]
    pub fn value(&self, json: &str, pointer: &str) -> Option<String> {
        match self.at(json, pointer)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// How many values the list or object has that `pointer` leads to; 0 if there is none.
    #[must_use]
    pub fn count(&self, json: &str, pointer: &str) -> usize {
        match self.at(json, pointer) {
            Some(Value::Array(list)) => list.len(),
            Some(Value::Object(object)) => object.len(),
            _ => 0,
        }
    }

    fn at(&self, json: &str, pointer: &str) -> Option<&Value> {
        let whole = self.0.get_or_init(|| serde_json::from_str(json).unwrap_or_default());
        whole.pointer(pointer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"a/b": {"c": ["x", 7, null, {"d": true}]}}"#;

    #[test]
    fn a_text_comes_as_it_is_and_the_rest_as_json() {
        let tree = Tree::default();
        let value = |pointer| tree.value(JSON, pointer);
        assert_eq!(value("/a~1b/c/0").as_deref(), Some("x"));
        assert_eq!(value("/a~1b/c/1").as_deref(), Some("7"));
        assert_eq!(value("/a~1b/c/3").as_deref(), Some(r#"{"d":true}"#));
        assert_eq!(value("").unwrap().replace(' ', ""), JSON.replace(' ', ""));
    }

    #[test]
    fn what_is_not_there_is_none_and_counts_nothing() {
        let tree = Tree::default();
        for pointer in ["a", "/x", "/a~1b/c/2", "/a~1b/c/4", "/a~1b/c/-1", "/a~1b/c/00"] {
            assert_eq!(tree.value(JSON, pointer), None, "{pointer}");
            assert_eq!(tree.count(JSON, pointer), 0, "{pointer}");
        }
        assert_eq!(tree.count(JSON, "/a~1b/c"), 4);
        assert_eq!(tree.count(JSON, ""), 1);
        assert_eq!(Tree::default().value("no json", ""), None);
    }
}
