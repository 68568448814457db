//! The command line for stores.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Packs, ScanFormat};

/// A store, and what is known of devices.
#[derive(Debug, Args)]
pub(crate) struct Kept {
    /// The store
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) packs: Packs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Print what is known now of every device
    Show {
        #[command(flatten)]
        kept: Kept,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = ScanFormat::Table)]
        format: ScanFormat,
    },
    /// Print how a field of a device came to be what it is
    History {
        #[command(flatten)]
        kept: Kept,
        /// The device, such as line-3/10.20.4.7, or a module or what is behind it
        path: String,
        /// The field, such as firmware
        field: String,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Read all of a store, and say whether it is whole
    Check {
        /// The store
        store: PathBuf,
    },
}
