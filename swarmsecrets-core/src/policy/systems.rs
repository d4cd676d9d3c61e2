//! The ways to those who approve, beside the folder: systems whose accounts are known.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::ids::quoted;
use crate::keys::Keyring;

/// A way to those who approve.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemEntry {
    /// What it is.
    pub kind: KindWord,
    /// Whose the accounts there are: each account, as the system identifies it to programs, with the name of the approver.
    /// Decisions that are read back there count for these alone.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub identities: BTreeMap<String, Spanned<String>>,
}

/// What a way to those who approve is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum KindWord {
    /// An approver that the program hands over which embeds swarmsecrets.
    Program,
}

/// A way to those who approve, beside the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Its name in the policy.
    pub name: String,
    /// What it is, with its settings.
    pub kind: SystemKind,
}

/// What a way to those who approve is, with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SystemKind {
    /// An approver that the program hands over which embeds swarmsecrets.
    Program,
}

impl System {
    /// Puts its accounts into the keyring.
    ///
    /// # Errors
    /// Where and why it could not be used.
    pub(super) fn new(
        name: String,
        entry: Spanned<SystemEntry>,
        keyring: &mut Keyring,
    ) -> Result<Self, (Range<usize>, String)> {
        let at = entry.span();
        if !is_system_name(&name) {
            let why = format!(
                "{} cannot be the name of an approver: 1 to 64 lower-case letters, digits, `-` and `_`",
                quoted(&name)
            );
            return Err((at, why));
        }
        let entry = entry.into_inner();
        for (account, identity) in entry.identities {
            let added = keyring.add_account(identity.get_ref(), &name, &account);
            added.map_err(|e| (identity.span(), e.message().to_owned()))?;
        }
        let kind = match entry.kind {
            KindWord::Program => SystemKind::Program,
        };
        Ok(Self { name, kind })
    }
}

/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// Whether a way to those who approve can be called so: names stand in policies, messages and audit trails.
pub(crate) fn is_system_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)
}
