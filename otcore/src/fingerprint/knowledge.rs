//! Everything that is known of devices in general, in one value.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::makers::Makers;
use super::rule::{self, Rule, RuleError};
use super::table::Table;
use crate::protocols;

/// A file of knowledge may be this long, in bytes: three times all that IEEE has registered.
pub const MOST_BYTES: usize = 8 << 20;

/// Everything that is known of devices in general: rules and tables, read once, then only looked at.
///
/// It is cheap to clone. It decides what things are called and never what is sent.
#[derive(Clone, Debug, Default)]
pub struct Knowledge(Known);

#[derive(Clone, Debug, Default)]
enum Known {
    /// Read when somebody looks at it first: a sweep in which nobody answers never does.
    #[default]
    BuiltIn,
    Here(Arc<Parts>),
}

/// A test holds that it parses.
static BUILT_IN: LazyLock<Parts> =
    LazyLock::new(|| Parts::of(&Knowledge::files()).unwrap_or_default());

#[derive(Debug, Default)]
struct Parts {
    rules: Vec<Rule>,
    tables: Vec<Table>,
    makers: Makers,
}

/// The table that says how vendors are called.
const VENDORS: &str = "vendors";
/// To whom hardware addresses were given: too many rows for a table.
const MAKERS: &str = "oui";
/// What belongs to no single protocol; protocols bring their own.
const GENERAL: [(&str, &str); 7] = [
    ("cpe-orders.csv", include_str!("data/cpe-orders.csv")),
    ("cpe.csv", include_str!("data/cpe.csv")),
    ("devices.toml", include_str!("data/devices.toml")),
    ("oui.csv", include_str!("data/oui.csv")),
    ("products.csv", include_str!("data/products.csv")),
    ("siemens.csv", include_str!("data/siemens.csv")),
    ("vendors.csv", include_str!("data/vendors.csv")),
];

/// A file of knowledge cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KnowledgeError {
    /// Nothing built in is called like this.
    #[error("{name:?} is no file of knowledge: there are {}", known.join(", "))]
    Unknown {
        /// What it is called.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// It is too long.
    #[error("{name}: {bytes} bytes are more than {MOST_BYTES}")]
    TooLong {
        /// Which file.
        name: String,
        /// How long it is.
        bytes: usize,
    },
    /// It is not UTF-8.
    #[error("{name}: is not UTF-8 text")]
    NotText {
        /// Which file.
        name: String,
    },
    /// A table cannot be read.
    #[error("{name}, line {line}: {why}")]
    Table {
        /// Which file.
        name: String,
        /// Where, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// Its rules do not parse.
    #[error(transparent)]
    Rules(#[from] RuleError),
}

impl Knowledge {
    /// What is compiled in. It is read when it is first looked at.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// What is compiled in, with whole files of it replaced by `files`, which are named like those
    /// of [`Knowledge::files`].
    ///
    /// # Errors
    /// [`KnowledgeError`] that names the file and says what is wrong with it.
    pub fn from_files(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, KnowledgeError> {
        let mut texts = Self::files();
        for (name, bytes) in files {
            let Some(text) = texts.get_mut(name) else {
                let known = texts.into_keys().collect();
                return Err(KnowledgeError::Unknown { name: name.clone(), known });
            };
            if bytes.len() > MOST_BYTES {
                return Err(KnowledgeError::TooLong { name: name.clone(), bytes: bytes.len() });
            }
            let not_text = |_| KnowledgeError::NotText { name: name.clone() };
            *text = std::str::from_utf8(bytes).map_err(not_text)?;
        }
        Ok(Self(Known::Here(Arc::new(Parts::of(&texts)?))))
    }

    /// Nothing but these rules.
    #[must_use]
    pub fn of_rules(rules: Vec<Rule>) -> Self {
        Self(Known::Here(Arc::new(Parts { rules, ..Parts::default() })))
    }

    /// The files that are compiled in, by name: `NAME.toml` are rules, `NAME.csv` are tables.
    #[must_use]
    pub fn files() -> BTreeMap<String, &'static str> {
        let rules =
            protocols::ALL.iter().map(|probe| (format!("{}.toml", probe.name()), probe.rules()));
        let tables = protocols::ALL.iter().flat_map(|probe| probe.tables());
        let tables = tables.chain(&GENERAL).map(|(name, text)| ((*name).to_owned(), *text));
        rules.chain(tables).collect()
    }

    /// All rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.parts().rules
    }

    /// The one name of the vendor that somebody calls `name`; `None` if nobody is known by it.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&str> {
        self.parts().tables.iter().find(|table| table.name() == VENDORS)?.look_up(name)
    }

    fn parts(&self) -> &Parts {
        match &self.0 {
            Known::BuiltIn => &BUILT_IN,
            Known::Here(parts) => parts,
        }
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.parts().tables
    }

    pub(super) fn makers(&self) -> &Makers {
        &self.parts().makers
    }
}

impl Parts {
    fn of(files: &BTreeMap<String, &str>) -> Result<Self, KnowledgeError> {
        let mut parts = Self::default();
        for (name, text) in files {
            parts.read(name, text)?;
        }
        Ok(parts)
    }

    fn read(&mut self, name: &str, text: &str) -> Result<(), KnowledgeError> {
        let wrong = |(line, why)| KnowledgeError::Table { name: name.to_owned(), line, why };
        match name.rsplit_once('.') {
            Some((topic, "toml")) => self.rules.extend(rule::parse(topic, text)?),
            Some((MAKERS, _)) => self.makers = Makers::read(MAKERS, text).map_err(wrong)?,
            Some((topic, _)) => self.tables.push(Table::read(topic, text).map_err(wrong)?),
            None => {}
        }
        Ok(())
    }
}
