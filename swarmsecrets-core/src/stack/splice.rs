//! Changes of a compose file's text at the places that name secrets.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_saphyr::{Location, Spanned};

use super::compose::{Declaration, External, place};
use super::interpolation::{Operator, Part, Variable, interpolate, parts};
use super::references::name_scalar;
use super::text::Variables;
use crate::ids::SecretName;

/// Where an edit changes what others may share.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// A variable that a name comes from changes, and not the text.
    by_variable: bool,
    /// The text that an alias stands for changes, and not the alias.
    at_anchor: bool,
}

/// All ways, those first that people would take.
pub(super) const WAYS: [Way; 4] = [
    Way { by_variable: true, at_anchor: true },
    Way { by_variable: true, at_anchor: false },
    Way { by_variable: false, at_anchor: true },
    Way { by_variable: false, at_anchor: false },
];

/// An edit as it grows. None, wherever it is returned, means that this way leads to no edit.
pub(super) struct Edited<'a> {
    file: &'a str,
    variables: &'a Variables,
    way: Way,
    /// Ranges of the file, by their starts, and what comes in their place.
    splices: BTreeMap<usize, (usize, String)>,
    changed: Vec<(String, String)>,
}

impl<'a> Edited<'a> {
    pub(super) fn new(file: &'a str, variables: &'a Variables, way: Way) -> Self {
        Self { file, variables, way, splices: BTreeMap::new(), changed: Vec::new() }
    }

    /// Makes one entry under `secrets:` name another secret.
    pub(super) fn entry(&mut self, entry: &Spanned<Option<Declaration>>, to: &SecretName) -> Option<()> {
        let declaration = entry.value.as_ref()?;
        let external = declaration.external.as_ref()?;
        match name_scalar(declaration) {
            Some(scalar) => self.scalar(scalar, to),
            None if entry.referenced != entry.defined => self.extend_alias(&entry.referenced, to),
            None if matches!(external.value, External::Named(_)) => None,
            None => {
                let map = place(&entry.defined, self.file)?.start;
                let own = external.referenced == external.defined;
                let name = written("", to);
                match (self.file[map..].starts_with('{'), own) {
                    (true, true) => {
                        let end = place(&external.defined, self.file)?.end;
                        self.splice(end..end, format!(", name: {name}"))
                    }
                    (true, false) => self.splice(map + 1..map + 1, format!("name: {name}, ")),
                    (false, true) => self.add_below(&place(&external.defined, self.file)?, to),
                    (false, false) => self.add_on_top(map, to),
                }
            }
        }
    }

    /// A name that is written out, or comes from a variable in whole or in part.
    fn scalar(&mut self, scalar: &Spanned<String>, to: &SecretName) -> Option<()> {
        if !self.way.at_anchor && scalar.referenced != scalar.defined {
            let alias = alias(&scalar.referenced, self.file)?;
            return self.splice(alias, written("", to));
        }
        let range = place(&scalar.defined, self.file)?;
        let text = &scalar.value;
        let all = parts(text).ok()?;
        let mut found = all.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Literal(_) => None,
        });
        if let (Some(variable), None) = (found.next(), found.next()) {
            if self.way.by_variable && self.set_variable(text, variable, to).is_some() {
                return Some(());
            }
            if let Some(default) = self.default_in(text, variable, &range) {
                return self.splice(default, to.as_str().to_owned());
            }
        }
        let new = written(&self.file[range.clone()], to);
        self.splice(range, new)
    }

    /// Changes the variable that a name comes from, if it has a value.
    fn set_variable(&mut self, text: &str, variable: &Variable, to: &SecretName) -> Option<()> {
        let name = &text[variable.name.clone()];
        self.variables.get(name).filter(|value| !value.is_empty())?;
        let around = |range: Range<usize>| interpolate(&text[range], self.variables).ok();
        let (before, behind) = (around(0..variable.whole.start)?, around(variable.whole.end..text.len())?);
        let value = to.as_str().strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?;
        let change = (name.to_owned(), value.to_owned());
        match self.changed.iter().find(|(changed, _)| changed == name) {
            Some(already) if *already != change => return None,
            Some(_) => {}
            None if value.is_empty() => return None,
            None => self.changed.push(change),
        }
        Some(())
    }

    /// The default of the variable that is a whole name, where it stands in the file, if the name is that default.
    fn default_in(&self, text: &str, variable: &Variable, scalar: &Range<usize>) -> Option<Range<usize>> {
        let set = self.variables.get(&text[variable.name.clone()]);
        let default = |variable: &Variable| match &variable.otherwise {
            Some((Operator::Default(empty_too), range)) if set.is_none_or(|set| *empty_too && set.is_empty()) => {
                Some(range.clone())
            }
            _ => None,
        };
        default(variable).filter(|_| variable.whole == (0..text.len()))?;
        // The same expression in the text of the file, where it may stand in quotes.
        let raw = &self.file[scalar.clone()];
        let range = parts(raw).ok()?.into_iter().find_map(|part| match part {
            Part::Variable(found) if raw[found.whole.clone()] == *text => default(&found),
            _ => None,
        })?;
        Some(scalar.start + range.start..scalar.start + range.end)
    }

    /// An entry that is an alias becomes a map that merges it in, with a name beside.
    fn extend_alias(&mut self, reference: &Location, to: &SecretName) -> Option<()> {
        let alias = alias(reference, self.file)?;
        let map = format!("{{<<: {}, name: {}}}", &self.file[alias.clone()], written("", to));
        self.splice(alias, map)
    }

    /// Where the key itself was the name, a `name` stands below `external` from now on.
    fn add_below(&mut self, external: &Range<usize>, to: &SecretName) -> Option<()> {
        let start = self.file[..external.start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.file[start..].split('\n').next()?;
        let content = line.trim_start_matches(' ');
        if !content.trim_start_matches(['"', '\'']).starts_with("external") {
            return None;
        }
        let indent = &line[..line.len() - content.len()];
        let end = start + line.strip_suffix('\r').unwrap_or(line).len();
        let ending = self.line_end(start);
        self.splice(end..end, format!("{ending}{indent}name: {}", written("", to)))
    }

    /// A map that has `external` through a merge gets a `name` as its first key.
    fn add_on_top(&mut self, map: usize, to: &SecretName) -> Option<()> {
        let start = self.file[..map].rfind('\n').map_or(0, |at| at + 1);
        let indent = &self.file[start..map];
        let ending = self.line_end(start);
        if !indent.bytes().all(|b| b == b' ') {
            return None;
        }
        self.splice(map..map, format!("name: {}{ending}{indent}", written("", to)))
    }

    /// How the line that begins there ends; a last line without an end, as the first one does.
    fn line_end(&self, line: usize) -> &'static str {
        let of = if self.file[line..].contains('\n') { line } else { 0 };
        let line = self.file[of..].split_inclusive('\n').next();
        if line.is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" }
    }

    fn splice(&mut self, range: Range<usize>, new: String) -> Option<()> {
        let splice = (range.end, new);
        match self.splices.get(&range.start) {
            Some(already) if *already != splice => None,
            _ => {
                self.splices.insert(range.start, splice);
                Some(())
            }
        }
    }

    /// The edited file and the changed variables.
    pub(super) fn done(self) -> Option<(String, Vec<(String, String)>)> {
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

/// Where an alias stands in the file, with its asterisk.
fn alias(reference: &Location, file: &str) -> Option<Range<usize>> {
    let start = usize::try_from(reference.span().byte_offset()?).ok()?;
    let text = file.get(start..)?;
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | '[' | ']');
    let length = text.find(ends).unwrap_or(text.len());
    (text.starts_with('*') && length > 1).then(|| start..start + length)
}

/// The name as a scalar, quoted as the old one was. A plain one that YAML would take for a number or a date gets quotes.
fn written(old: &str, name: &SecretName) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let name = name.as_str();
    let reads_as_text =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && !WORDS.contains(&name.to_ascii_lowercase().as_str());
    match old.chars().next() {
        Some('\'') => format!("'{name}'"),
        Some('"') => format!("\"{name}\""),
        _ if reads_as_text => name.to_owned(),
        _ => format!("\"{name}\""),
    }
}
