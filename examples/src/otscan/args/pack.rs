//! The command line for data packs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use otcore::pack::Version;

use super::Format;

/// Which data packs are used.
#[derive(Debug, Args)]
pub(crate) struct Packs {
    /// Use data packs signed by a key in this file: public keys of minisign, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Use this data pack; the one that was applied if none is given
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) pack: Option<PathBuf>,
}

/// A pack and the keys that are trusted.
#[derive(Debug, Args)]
pub(crate) struct Signed {
    /// The data pack
    pub(crate) pack: PathBuf,
    /// Whose packs are trusted: public keys of minisign, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Pack {
    /// Say whether a pack may be used, and what it says of itself
    Verify {
        #[command(flatten)]
        signed: Signed,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print what the inventory in a store would say otherwise with this pack
    #[command(visible_alias = "inspect")]
    Preview {
        #[command(flatten)]
        signed: Signed,
        /// The store
        #[arg(long, value_name = "FILE")]
        store: PathBuf,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Use a pack from now on, wherever --key is given
    Apply {
        #[command(flatten)]
        signed: Signed,
    },
    /// Use again what was in use before the pack that was applied last
    Rollback {
        /// Whose packs are trusted: public keys of minisign, one a line
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Make what is to be signed of a pack with the files of a folder
    Draft(Draft),
}

#[derive(Debug, Args)]
pub(crate) struct Draft {
    /// The folder with the files, named like those that they replace
    pub(crate) folder: PathBuf,
    /// What the pack is called
    #[arg(long)]
    pub(crate) name: String,
    /// Counts up with each pack of this name
    #[arg(long, value_name = "N")]
    pub(crate) number: u64,
    /// From when on it is not loaded any more, such as 2027-06-30T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Timestamp,
    /// What it brings, in a line
    #[arg(long, default_value = "")]
    pub(crate) about: String,
    /// The oldest engine that it is for; this one if none is given
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<Version>,
    /// The newest engine that it is for; this one if none is given
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Version>,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
