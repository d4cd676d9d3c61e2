//! Databases that hold what swarmsecrets writes down: the way there, and what their servers say.

mod failure;
mod link;
mod session;
mod url;

use swarmsecrets_core::{Error, ErrorKind};

pub(crate) use self::failure::Failed;
pub(crate) use self::link::Link;
pub(crate) use self::session::Session;

/// What a database is for: which tables it must have, and how messages call them.
#[derive(Clone, Copy)]
pub(crate) struct Purpose {
    /// What is kept there, in words.
    pub(crate) what: &'static str,
    /// The kind of its errors.
    pub(crate) kind: ErrorKind,
    /// A table that is there once all are.
    pub(crate) table: &'static str,
    /// The statements that make the tables.
    pub(crate) schema: &'static str,
}

impl Purpose {
    pub(crate) fn error(self, text: String) -> Error {
        Error::new(self.kind, text)
    }
}
