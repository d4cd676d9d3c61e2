//! Programs that are run in containers.

use std::collections::BTreeMap;
use std::sync::Arc;

use swarmsecrets_core::SecretValue;

/// What a program does when it is run in a container; its exit code.
pub(crate) type Command = Arc<dyn Fn(&Called) -> i64 + Send + Sync>;

/// A program that is run in a container.
#[derive(Debug)]
pub struct Called {
    /// The program's arguments.
    pub arguments: Vec<String>,
    /// The secrets that are mounted there, by their paths.
    pub files: BTreeMap<String, SecretValue>,
}
