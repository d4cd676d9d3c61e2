//! Edits that make a compose file name other secrets, and leave quoting, comments and layout as they are.

use std::fmt;

use super::check::Meant;
use super::compose::{Declaration, read};
use super::no_edit::NoEdit;
use super::patch::{StackPath, unified};
use super::references::{StackReference, name_scalar, references};
use super::splice::{Edited, WAYS};
use super::text::{ComposeText, Variables};
use crate::ids::SecretName;

/// An edit of a stack's file and variables. It prints the names of what it changes only.
#[derive(Clone, PartialEq, Eq)]
pub struct StackEdit {
    /// The edited file; the same text where variables alone change.
    pub file: ComposeText,
    /// The variables that change, with their new values.
    pub variables: Vec<(String, String)>,
    before: ComposeText,
    /// The values that the variables had, in the same order.
    values_before: Vec<String>,
}

impl StackEdit {
    /// Whether the file stays as it is.
    #[must_use]
    pub fn is_of_variables(&self) -> bool {
        self.file == self.before
    }

    /// The whole set of variables after the edit, given the one before it.
    #[must_use]
    pub fn apply_to(&self, variables: &Variables) -> Variables {
        self.variables.iter().fold(variables.clone(), |all, (name, value)| all.with(name, value))
    }

    /// The edit as text: a line for each variable, then a unified diff of the file, with one line around each change,
    /// that `git apply` and `patch -p1` take. The lines around a change may hold credentials: it is for the owner of the
    /// stack.
    #[must_use]
    pub fn patch(&self, path: &StackPath) -> String {
        let variables = self.variables.iter().zip(&self.values_before);
        let mut text: String =
            variables.map(|((name, new), old)| format!("# stack variable {name}: {old} -> {new}\n")).collect();
        text.push_str(&unified(&self.before, &self.file, path));
        text
    }
}

impl fmt::Debug for StackEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "StackEdit {{ file: {:?}, variables: {names:?} }}", self.file)
    }
}

/// The edit after which every external secret of the stack that meant the first name of a pair means the second, and
/// everything else that is deployed stays as it was. Pairs that the file does not name are passed over.
///
/// Where a name comes from a variable with a value, the variable changes, unless something else uses it; where it is the
/// default of one, the default does; where it comes through an anchor, the anchored text does, unless something else uses
/// it. The edited file has been read again to make sure.
///
/// # Errors
/// Why there is no such edit, for a person who has to write it.
pub fn rename(
    stack: &str,
    file: &str,
    variables: &Variables,
    names: &[(SecretName, SecretName)],
) -> Result<StackEdit, NoEdit> {
    let unreadable = |error: crate::Error| NoEdit::Unreadable(error.to_string());
    let before = references(stack, file, variables).map_err(unreadable)?;
    let declared = read(file).map_err(unreadable)?.secrets.map_or_else(Vec::new, |declared| declared.0);
    let wanted = before.iter().map(|reference| wanted(reference, names)).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = wanted.iter().position(Option::is_some) else { return Err(NoEdit::NotNamed) };
    let meant = Meant::new(stack, file, variables, &before, &wanted).map_err(unreadable)?;
    for way in WAYS {
        let mut edited = Edited::new(file, variables, way);
        let all = declared.iter().zip(&wanted).try_for_each(|((_, entry), to)| match to {
            Some(to) => edited.entry(entry, to),
            None => Some(()),
        });
        if let Some((text, changed)) = all.and_then(|()| edited.done())
            && meant.holds(&text, &changed)
        {
            return Ok(edit(file, variables, &text, changed));
        }
    }
    let shared = declared.iter().zip(&wanted).position(|((_, entry), to)| to.is_some() && is_shared(entry));
    let at = shared.unwrap_or(first);
    let (key, to) = (before[at].key.clone(), wanted[at].ok_or(NoEdit::NotNamed)?.clone());
    Err(if shared.is_some() { NoEdit::Shared { key, to } } else { NoEdit::Layout { key, to } })
}

/// The name that takes the place of a reference's, if one does.
fn wanted<'a>(
    reference: &StackReference,
    names: &'a [(SecretName, SecretName)],
) -> Result<Option<&'a SecretName>, NoEdit> {
    let pair = names.iter().find(|(from, to)| from.as_str() == reference.secret && from != to);
    match pair {
        Some((from, to)) if !reference.external => {
            Err(NoEdit::OwnedByStack { key: reference.key.clone(), from: from.clone(), to: to.clone() })
        }
        pair => Ok(pair.map(|(_, to)| to)),
    }
}

/// Whether an alias or a merge brings the entry, or what names the secret in it.
fn is_shared(entry: &serde_saphyr::Spanned<Option<Declaration>>) -> bool {
    let Some(declaration) = &entry.value else { return false };
    let name = name_scalar(declaration).is_some_and(|name| name.referenced != name.defined);
    let external = declaration.external.as_ref().is_some_and(|external| external.referenced != external.defined);
    entry.referenced != entry.defined || name || external
}

fn edit(file: &str, variables: &Variables, text: &str, changed: Vec<(String, String)>) -> StackEdit {
    let value = |(name, _): &(String, String)| variables.get(name).unwrap_or_default().to_owned();
    StackEdit {
        file: ComposeText::from(text),
        values_before: changed.iter().map(value).collect(),
        variables: changed,
        before: ComposeText::from(file),
    }
}
