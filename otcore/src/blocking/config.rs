//! Settings that are handed in as one text or one by one.

use serde::Deserialize;
use serde_json::Value;

use super::{Scanner, Settings, builder};
use crate::error::{Error, ErrorKind};

/// [`Settings`] that own their texts, for programs that keep them in a file.
///
/// ```
/// use otcore::blocking::Config;
///
/// let mut config = Config::read("zone = \"line-3\"\n[policy]\nprofile = \"careful\"")?;
/// config.set("source", Some("hub-7"))?;
/// let plan = config.scanner()?.plan("10.20.4.0/24")?;
/// assert_eq!((plan.zone.as_str(), plan.source.as_str()), ("line-3", "hub-7"));
/// # Ok::<(), otcore::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    policy: Option<String>,
    level: Option<String>,
    protocols: Vec<String>,
    zone: Option<String>,
    source: Option<String>,
    journal: Option<String>,
    capture: Option<String>,
    memory: Option<String>,
}

/// The text as it is written: the policy is a table or an object in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    policy: Option<Value>,
    level: Option<String>,
    #[serde(default)]
    protocols: Vec<String>,
    zone: Option<String>,
    source: Option<String>,
    journal: Option<String>,
    capture: Option<String>,
    memory: Option<String>,
}

impl Config {
    /// What can be set, in the order of [`Settings`].
    pub const KEYS: [&'static str; 8] =
        ["policy", "level", "protocols", "zone", "source", "journal", "capture", "memory"];

    /// Read all settings from TOML, or from JSON if the text begins with `{`. Keys are those of
    /// [`KEYS`](Self::KEYS); `policy` is a table or an object with the keys of a policy, `protocols`
    /// a list. No file is opened yet.
    ///
    /// # Errors
    /// [`ErrorKind::Policy`] for what cannot be understood, an unknown key, a wrong policy, a
    /// wrong level or protocol; [`ErrorKind::Naming`] for a wrong zone or source.
    pub fn read(text: &str) -> Result<Self, Error> {
        let written: Result<Written, String> = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(|e| e.to_string()),
            false => toml::from_str(text).map_err(|e| e.to_string()),
        };
        let written = written.map_err(|e| wrong(format!("the settings: {}", e.trim_end())))?;
        let config = Self {
            policy: written.policy.map(|policy| policy.to_string()),
            level: written.level,
            protocols: written.protocols,
            zone: written.zone,
            source: written.source,
            journal: written.journal,
            capture: written.capture,
            memory: written.memory,
        };
        config.checked()
    }

    /// Set one of [`KEYS`](Self::KEYS), or with `None` unset it. A policy is given as TOML, or as
    /// JSON if it begins with `{`, protocols by their names with spaces or commas between them.
    /// Nothing changes if it is wrong.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), Error> {
        let mut config = self.clone();
        let text = value.map(str::to_owned);
        match key {
            "policy" => config.policy = text,
            "level" => config.level = text,
            "protocols" => config.protocols = names(value.unwrap_or_default()),
            "zone" => config.zone = text,
            "source" => config.source = text,
            "journal" => config.journal = text,
            "capture" => config.capture = text,
            "memory" => config.memory = text,
            _ => {
                let known = Self::KEYS.join(", ");
                return Err(wrong(format!("no setting is called {key:?}: there are {known}")));
            }
        }
        *self = config.checked()?;
        Ok(())
    }

    /// The same, borrowed.
    #[must_use]
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            policy: self.policy.as_deref(),
            level: self.level.as_deref(),
            zone: self.zone.as_deref(),
            source: self.source.as_deref(),
            journal: self.journal.as_deref(),
            capture: self.capture.as_deref(),
            protocols: &self.protocols,
            memory: self.memory.as_deref(),
        }
    }

    /// A scanner with these settings.
    ///
    /// # Errors
    /// As for [`Scanner::new`].
    pub fn scanner(&self) -> Result<Scanner, Error> {
        Scanner::new(&self.settings())
    }

    fn checked(self) -> Result<Self, Error> {
        builder(&self.settings())?.build()?;
        Ok(self)
    }
}

fn names(text: &str) -> Vec<String> {
    let names = text.split([' ', ',']).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn wrong(text: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Policy, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOML: &str = "zone = \"line-3\"\nlevel = \"state\"\nprotocols = [\"s7\", \"modbus\"]\n\
                        [policy]\nprofile = \"careful\"\n";
    const JSON: &str = r#" {"zone": "line-3", "level": "state", "protocols": ["s7", "modbus"],
                            "policy": {"profile": "careful"}}"#;

    fn kind(result: Result<Config, Error>) -> (ErrorKind, String) {
        let error = result.unwrap_err();
        (error.kind(), error.to_string())
    }

    #[test]
    fn toml_json_and_single_settings_say_the_same() {
        let mut single = Config::default();
        for (key, value) in [
            ("zone", "line-3"),
            ("level", "state"),
            ("protocols", "s7, modbus"),
            ("policy", r#"{"profile":"careful"}"#),
        ] {
            single.set(key, Some(value)).unwrap();
        }
        assert_eq!(Config::read(TOML).unwrap(), single);
        assert_eq!(Config::read(JSON).unwrap(), single);
        let plan = single.scanner().unwrap().plan("10.0.0.7").unwrap();
        assert_eq!((plan.profile.name(), plan.zone.as_str()), ("careful", "line-3"));
        let all: Vec<_> = plan.stops.iter().flat_map(|stop| &stop.conversations).collect();
        assert_eq!(all.len(), 2, "{all:?}");
    }

    #[test]
    fn every_key_can_be_set_and_unset() {
        for key in Config::KEYS {
            let value = match key {
                "policy" => "{}",
                "level" => "state",
                "protocols" => "s7",
                _ => "some",
            };
            let mut config = Config::default();
            config.set(key, Some(value)).unwrap();
            assert_ne!(config, Config::default(), "{key}");
            config.set(key, None).unwrap();
            assert_eq!(config, Config::default(), "{key}");
        }
    }

    #[test]
    fn nothing_set_is_the_gentle_policy() {
        assert_eq!(Config::read("").unwrap(), Config::default());
        assert_eq!(Config::read("{}").unwrap(), Config::default());
        assert_eq!(
            Config::default().scanner().unwrap().plan("10.0.0.7").unwrap().source.as_str(),
            "otcore"
        );
    }

    #[test]
    fn a_mistake_names_the_key_and_changes_nothing() {
        let (wrong_kind, text) = kind(Config::read("zonne = \"a\""));
        assert_eq!(wrong_kind, ErrorKind::Policy);
        assert!(text.contains("zonne") && text.contains("`zone`"), "{text}");
        let (_, text) = kind(Config::read("{\"policy\": {\"profil\": 1}}"));
        assert!(text.contains("profil"), "{text}");
        let mut config = Config::read(TOML).unwrap();
        let before = config.clone();
        for (key, value, expected) in [
            ("zone", "a b", ErrorKind::Naming),
            ("level", "deep", ErrorKind::Policy),
            ("protocols", "modbus gopher", ErrorKind::Policy),
            ("policy", "{", ErrorKind::Policy),
            ("jurnal", "x", ErrorKind::Policy),
        ] {
            assert_eq!(config.set(key, Some(value)).unwrap_err().kind(), expected, "{key}");
            assert_eq!(config, before, "{key}");
        }
        config.set("zone", None).unwrap();
        assert_eq!(config.settings().zone, None);
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in ".*", key in "[a-z]{0,8}") {
            let _ = Config::read(&text);
            let _ = Config::read(&format!("{{{text}"));
            let _ = Config::default().set(&key, Some(&text));
        }
    }
}
