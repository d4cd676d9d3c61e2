//! Edits that make a compose file name another secret, and leave quoting, comments and layout as they are.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde_saphyr::Spanned;

use super::compose::{Declaration, External, place, read};
use super::interpolation::{Operator, Part, Variable, interpolate, parts};
use super::references::{name_scalar, references};
use super::text::{ComposeText, Variables};
use crate::ids::SecretName;

/// An edit of a stack, for people to look at and send. It prints the names of what it changes only.
#[derive(Clone, PartialEq, Eq)]
pub struct StackEdit {
    /// The edited file; the same text where a variable alone changes.
    pub file: ComposeText,
    /// The variables that change, with their new values.
    pub variables: Vec<(String, String)>,
    /// The changes as text: a line for each variable, and a unified diff of the file with one line around each change.
    pub diff: String,
}

impl StackEdit {
    /// All variables of the stack, with those that change.
    #[must_use]
    pub fn all_variables(&self, before: &Variables) -> Variables {
        self.variables.iter().fold(before.clone(), |all, (name, value)| all.with(name, value))
    }
}

impl fmt::Debug for StackEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "StackEdit {{ file: {:?}, variables: {names:?} }}", self.file)
    }
}

/// The edit after which every external secret that meant `from` means `to`, and every other name stays.
///
/// Where the name comes from a variable with a value, the variable changes; where it is the default of one, the default
/// does. None if nothing names `from`, or if no such edit is found: then a person has to write it. The edited file has
/// been read again to make sure.
#[must_use]
pub fn rename(file: &str, variables: &Variables, from: &SecretName, to: &SecretName) -> Option<StackEdit> {
    let mut edit = Edit { file, variables, to: to.as_str(), splices: BTreeMap::new(), changed: Vec::new() };
    let meant = references("", file, variables).ok()?;
    let declared = read(file).ok()?.secrets?.0;
    for (reference, (_, entry)) in meant.iter().zip(&declared) {
        if reference.external && reference.secret == from.as_str() {
            edit.entry(entry)?;
        }
    }
    let (edited, changed) = edit.done()?;
    let after = changed.iter().fold(variables.clone(), |all, (name, value)| all.with(name, value));
    let now = references("", &edited, &after).ok()?;
    let same_keys = now.len() == meant.len();
    let as_meant = meant.iter().zip(&now).all(|(was, is)| {
        let moved = was.external && was.secret == from.as_str();
        let expected = if moved { to.as_str() } else { was.secret.as_str() };
        was.key == is.key && was.external == is.external && is.secret == expected
    });
    let diff = diff(file, &edited, variables, &changed);
    (same_keys && as_meant).then(|| StackEdit { file: ComposeText::from(edited.as_str()), variables: changed, diff })
}

struct Edit<'a> {
    file: &'a str,
    variables: &'a Variables,
    to: &'a str,
    /// Ranges of the file, by their starts, and what comes in their place.
    splices: BTreeMap<usize, (usize, String)>,
    changed: Vec<(String, String)>,
}

impl Edit<'_> {
    fn entry(&mut self, entry: &Spanned<Option<Declaration>>) -> Option<()> {
        let declaration = entry.value.as_ref()?;
        match name_scalar(declaration) {
            Some(scalar) => self.scalar(scalar),
            // An alias or a merge shares its text with other entries: adding a name there would name them all.
            None if entry.referenced != entry.defined => None,
            None => {
                let map = place(&entry.defined, self.file)?;
                let external = declaration.external.as_ref()?;
                let shared = external.referenced != external.defined;
                match &external.value {
                    External::Flag(_) if !shared => self.add_name(map, place(&external.defined, self.file)?),
                    _ => None,
                }
            }
        }
    }

    /// A name that is written out, or comes from a variable in whole or in part.
    fn scalar(&mut self, scalar: &Spanned<String>) -> Option<()> {
        let range = place(&scalar.defined, self.file)?;
        let text = &scalar.value;
        let all = parts(text).ok()?;
        let mut found = all.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Literal(_) => None,
        });
        match (found.next(), found.next()) {
            (Some(variable), None) if self.set_variable(text, variable).is_some() => Some(()),
            (Some(variable), None) if self.set_default(text, variable, &range).is_some() => Some(()),
            _ => {
                let new = written(&self.file[range.clone()], self.to);
                self.splice(range, new);
                Some(())
            }
        }
    }

    /// Changes the variable that a name comes from, if it has a value. One that is part of a name may mean something else
    /// in other places, so then it must stand in the file only once.
    fn set_variable(&mut self, text: &str, variable: &Variable) -> Option<()> {
        let name = &text[variable.name.clone()];
        self.variables.get(name).filter(|value| !value.is_empty())?;
        if matches!(variable.otherwise, Some((Operator::Alternative(_), _))) {
            return None;
        }
        let around = |range: Range<usize>| interpolate(&text[range], self.variables).ok();
        let (before, behind) = (around(0..variable.whole.start)?, around(variable.whole.end..text.len())?);
        let value = self.to.strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?.to_owned();
        let whole = before.is_empty() && behind.is_empty();
        if value.is_empty() || !(whole || mentions(self.file, name) == 1) {
            return None;
        }
        let change = (name.to_owned(), value);
        if !self.changed.contains(&change) {
            self.changed.push(change);
        }
        Some(())
    }

    /// Changes the default of the variable that is a whole name.
    fn set_default(&mut self, text: &str, variable: &Variable, scalar: &Range<usize>) -> Option<()> {
        let default = |variable: &Variable| match &variable.otherwise {
            Some((Operator::Default(_), range)) => Some(range.clone()),
            _ => None,
        };
        default(variable).filter(|_| variable.whole == (0..text.len()))?;
        // The same expression in the text of the file, where it may stand in quotes.
        let raw = &self.file[scalar.clone()];
        let range = parts(raw).ok()?.into_iter().find_map(|part| match part {
            Part::Variable(found) if raw[found.whole.clone()] == *text => default(&found),
            _ => None,
        })?;
        self.splice(scalar.start + range.start..scalar.start + range.end, self.to.to_owned());
        Some(())
    }

    /// Where the key itself was the name, a `name` stands beside `external` from now on.
    fn add_name(&mut self, map: Range<usize>, external: Range<usize>) -> Option<()> {
        let name = written("", self.to);
        if self.file[map].starts_with('{') {
            self.splice(external.end..external.end, format!(", name: {name}"));
            return Some(());
        }
        let line_start = self.file[..external.start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.file[line_start..].split('\n').next()?;
        let content = line.trim_start_matches(' ');
        if !content.trim_start_matches(['"', '\'']).starts_with("external") {
            return None;
        }
        let indent = &line[..line.len() - content.len()];
        let (ending, length) = if line.ends_with('\r') { ("\r\n", line.len() - 1) } else { ("\n", line.len()) };
        let end = line_start + length;
        self.splice(end..end, format!("{ending}{indent}name: {name}"));
        Some(())
    }

    fn splice(&mut self, range: Range<usize>, new: String) {
        self.splices.insert(range.start, (range.end, new));
    }

    /// The edited file and the changed variables; none if nothing changed.
    fn done(self) -> Option<(String, Vec<(String, String)>)> {
        if self.splices.is_empty() && self.changed.is_empty() {
            return None;
        }
        let (mut edited, mut done) = (String::with_capacity(self.file.len() + 64), 0);
        for (start, (end, new)) in self.splices {
            edited.push_str(self.file.get(done..start)?);
            edited.push_str(&new);
            done = end;
        }
        edited.push_str(self.file.get(done..)?);
        Some((edited, self.changed))
    }
}

/// How often a variable stands in the file.
fn mentions(file: &str, name: &str) -> usize {
    let ends = |rest: &str| !rest.starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric());
    let count = |opening: &str| {
        let opening = format!("{opening}{name}");
        file.match_indices(&opening).filter(|(at, found)| ends(&file[at + found.len()..])).count()
    };
    count("${") + count("$")
}

/// The name as a scalar, quoted as the old one was. A plain one that YAML would take for a number or a date gets quotes.
fn written(old: &str, name: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let reads_as_text =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && !WORDS.contains(&name.to_ascii_lowercase().as_str());
    match old.chars().next() {
        Some('\'') => format!("'{name}'"),
        Some('"') => format!("\"{name}\""),
        _ if reads_as_text => name.to_owned(),
        _ => format!("\"{name}\""),
    }
}

fn diff(file: &str, edited: &str, variables: &Variables, changed: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in changed {
        let old = variables.get(name).unwrap_or_default();
        text.push_str(&format!("# stack variable {name}: {old} -> {value}\n"));
    }
    if file != edited {
        let diff = similar::TextDiff::from_lines(file, edited);
        let mut unified = diff.unified_diff();
        // Lines around a change may hold credentials: as few as a patch needs to find its place.
        unified.context_radius(1).header("a/docker-compose.yml", "b/docker-compose.yml");
        text.push_str(&unified.to_string());
    }
    text
}
