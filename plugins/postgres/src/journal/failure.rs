//! What goes wrong with journals.

use swarmsecrets_core::{Error, ErrorKind};

use crate::database::Purpose;

/// Journals, as databases and messages know them.
pub(super) const PURPOSE: Purpose =
    Purpose { what: "journal", kind: ErrorKind::Journal, table: "swarmsecrets.entry", schema: super::SCHEMA };

pub(super) fn journal(text: String) -> Error {
    PURPOSE.error(text)
}
