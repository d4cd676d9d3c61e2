//! Who approves what needs an approval, as the policy says.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::document::ApprovalEntry;
use super::systems::{System, SystemEntry};
use crate::duration::parse_duration;
use crate::ids::quoted;
use crate::keys::{Keyring, PublicKey};

/// How long a change request is valid unless something else is said.
pub const USUALLY_VALID: Duration = Duration::from_secs(30 * 60);
/// How long one can be valid at most.
pub const LONGEST_VALID: Duration = Duration::from_secs(24 * 3600);

/// Who approves, and where requests and decisions lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvals {
    /// The folder for change requests and the decisions on them.
    pub folder: String,
    /// The folder in which used approvals are remembered.
    pub state: String,
    /// How many different people must approve.
    pub people: u32,
    /// How long a request is valid.
    pub valid_for: Duration,
    /// The keys and the accounts that may approve.
    pub keyring: Keyring,
    /// The ways to those who approve, beside the folder, by their names.
    pub systems: Vec<System>,
}

impl Approvals {
    /// # Errors
    /// Where and why no request could be approved like this.
    pub(super) fn new(
        entry: ApprovalEntry,
        systems: BTreeMap<String, Spanned<SystemEntry>>,
    ) -> Result<Self, (Range<usize>, String)> {
        let mut keyring = Keyring::new();
        let at = entry.approvers.as_ref().map_or_else(|| entry.folder.span(), Spanned::span);
        for approver in entry.approvers.map(Spanned::into_inner).unwrap_or_default() {
            let key: PublicKey = approver
                .key
                .get_ref()
                .parse()
                .map_err(|e: crate::Error| (approver.key.span(), e.message().to_owned()))?;
            let added = keyring.add(approver.identity.get_ref(), key);
            added.map_err(|e| (approver.identity.span(), e.message().to_owned()))?;
        }
        let systems = systems.into_iter().map(|(name, entry)| System::new(name, entry, &mut keyring));
        let systems = systems.collect::<Result<Vec<_>, _>>()?;
        let people = entry.people.as_ref().map_or(1, |people| *people.get_ref());
        let there = keyring.people();
        if people == 0 || u64::from(people) > there as u64 {
            let at = entry.people.as_ref().map_or(at, Spanned::span);
            return Err((
                at,
                format!(
                    "{people} people must approve, and {there} have a key or an account: no request could be approved"
                ),
            ));
        }
        let valid_for = match &entry.valid_for {
            None => USUALLY_VALID,
            Some(text) => {
                let time = parse_duration(text.get_ref()).map_err(|why| (text.span(), why))?;
                if time.is_zero() || time > LONGEST_VALID {
                    return Err((text.span(), "a request is valid for some time, and for 24h at most".into()));
                }
                time
            }
        };
        let absolute = |text: Spanned<String>| match text.get_ref().starts_with('/') {
            true => Ok(text.into_inner()),
            false => {
                let why =
                    format!("{} is no absolute path: it must mean the same folder for all", quoted(text.get_ref()));
                Err((text.span(), why))
            }
        };
        Ok(Self { folder: absolute(entry.folder)?, state: absolute(entry.state)?, people, valid_for, keyring, systems })
    }
}
