//! Edits of a spec: each replaces byte ranges of the text and leaves all other bytes alone.

use std::ops::Range;

use serde::Serialize;

use super::places::{at, items, member, members, shifted};
use super::text::SpecText;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SecretId, SecretName, quoted};
use crate::model::SecretReference;
use crate::model::service_spec::Reference;
use crate::model::unreadable::unreadable;

const CONTAINER: [&str; 2] = ["TaskTemplate", "ContainerSpec"];

impl SpecText {
    /// The spec with another version behind one target: `SecretID` and `SecretName` of the reference whose file name is
    /// `target` and whose id and name are `from`. Its `File` (name, UID, GID, mode) stays.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] if the spec has no such reference (any more), [`ErrorKind::Refused`] if it has two.
    pub fn replace_reference(
        &self,
        target: &str,
        from: (&str, &str),
        to: (&SecretId, &SecretName),
    ) -> Result<SpecText> {
        let found = self.reference_at(target, Some(from))?;
        let text = self.as_str();
        let object = &text[found.clone()];
        let place = |key: &str| -> Result<Range<usize>> {
            let range = member(object, key)?.ok_or_else(|| not_there(target, from.1))?;
            Ok(shifted(range, found.start))
        };
        let mut changes =
            vec![(place("SecretID")?, json(&to.0.as_str())?), (place("SecretName")?, json(&to.1.as_str())?)];
        changes.sort_by_key(|(range, _)| range.start);
        self.spliced(changes)
    }

    /// The spec with one more reference, as the last of its list.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if its target is taken already, [`ErrorKind::Refused`] if the service has no container.
    pub fn add_reference(&self, reference: &SecretReference) -> Result<SpecText> {
        if self.references()?.iter().any(|r| r.target == reference.target) {
            let target = quoted(&reference.target);
            return Err(Error::new(ErrorKind::Conflict, format!("cannot add a reference: target {target} is taken")));
        }
        let entry = json(&ReferenceText::from(reference))?;
        let text = self.as_str();
        let no_container = || Error::new(ErrorKind::Refused, "cannot add a reference: the service has no container");
        let container = at(text, &CONTAINER)?.filter(|r| text[r.clone()].starts_with('{')).ok_or_else(no_container)?;
        let change = match member(&text[container.clone()], "Secrets")? {
            Some(list) => added_to(text, shifted(list, container.start), &entry)?,
            None => new_member(text, container, &entry)?,
        };
        self.spliced(vec![change])
    }

    /// The spec without the reference at a target.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] if there is none, [`ErrorKind::Refused`] if there are two.
    pub fn remove_reference(&self, target: &str) -> Result<SpecText> {
        let found = self.reference_at(target, None)?;
        let (list, all) = self.reference_list()?;
        let n = all.iter().position(|range| *range == found).ok_or_else(|| not_there(target, ""))?;
        let cut = match (n.checked_sub(1).and_then(|p| all.get(p)), all.get(n + 1)) {
            (_, Some(next)) => found.start..next.start,
            (Some(previous), None) => previous.end..found.end,
            (None, None) => list.start + 1..list.end - 1,
        };
        self.spliced(vec![(cut, String::new())])
    }

    /// The one reference with this target (and this id and name).
    fn reference_at(&self, target: &str, from: Option<(&str, &str)>) -> Result<Range<usize>> {
        let text = self.as_str();
        let mut found = None;
        for range in self.reference_list()?.1 {
            let reference: Reference<'_> =
                serde_json::from_str(&text[range.clone()]).map_err(|error| unreadable("a secret reference", &error))?;
            let same = from.is_none_or(|(id, name)| &*reference.id == id && &*reference.name == name);
            if same && reference.target() == target && found.replace(range).is_some() {
                let target = quoted(target);
                return Err(Error::new(ErrorKind::Refused, format!("the spec has target {target} twice")));
            }
        }
        found.ok_or_else(|| not_there(target, from.map_or("", |(_, name)| name)))
    }

    /// The list of references and its items, all as ranges of the text. An absent list is empty.
    fn reference_list(&self) -> Result<(Range<usize>, Vec<Range<usize>>)> {
        let text = self.as_str();
        match at(text, &[CONTAINER[0], CONTAINER[1], "Secrets"])? {
            Some(list) if text[list.clone()].starts_with('[') => {
                let all = items(&text[list.clone()])?.into_iter().map(|r| shifted(r, list.start)).collect();
                Ok((list, all))
            }
            _ => Ok((0..0, Vec::new())),
        }
    }

    /// The text with ranges of it replaced. They are in order and do not overlap.
    fn spliced(&self, changes: Vec<(Range<usize>, String)>) -> Result<SpecText> {
        let text = self.as_str();
        let mut edited = String::with_capacity(text.len() + changes.iter().map(|(_, new)| new.len()).sum::<usize>());
        let mut done = 0;
        for (range, new) in changes {
            edited.push_str(&text[done..range.start]);
            edited.push_str(&new);
            done = range.end;
        }
        edited.push_str(&text[done..]);
        edited.shrink_to_fit();
        SpecText::new(edited)
    }
}

fn added_to(text: &str, list: Range<usize>, entry: &str) -> Result<(Range<usize>, String)> {
    if &text[list.clone()] == "null" {
        return Ok((list, format!("[{entry}]")));
    }
    Ok(match items(&text[list.clone()])?.last() {
        Some(last) => (list.start + last.end..list.start + last.end, format!(",{entry}")),
        None => (list.start + 1..list.start + 1, entry.to_owned()),
    })
}

fn new_member(text: &str, object: Range<usize>, entry: &str) -> Result<(Range<usize>, String)> {
    Ok(match members(&text[object.clone()])?.last() {
        Some((_, last)) => (object.start + last.end..object.start + last.end, format!(",\"Secrets\":[{entry}]")),
        None => (object.start + 1..object.start + 1, format!("\"Secrets\":[{entry}]")),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReferenceText<'a> {
    file: FileText<'a>,
    #[serde(rename = "SecretID")]
    id: &'a str,
    #[serde(rename = "SecretName")]
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FileText<'a> {
    #[serde(rename = "GID")]
    gid: &'a str,
    mode: u32,
    name: &'a str,
    #[serde(rename = "UID")]
    uid: &'a str,
}

impl<'a> From<&'a SecretReference> for ReferenceText<'a> {
    fn from(reference: &'a SecretReference) -> Self {
        let SecretReference { id, name, target, uid, gid, mode } = reference;
        Self { file: FileText { gid, mode: *mode, name: target, uid }, id, name }
    }
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| unreadable("a reference that was made", &error))
}

fn not_there(target: &str, name: &str) -> Error {
    let (target, of) =
        (quoted(target), if name.is_empty() { String::new() } else { format!(" with {}", quoted(name)) });
    Error::new(ErrorKind::Stale, format!("the spec has no reference at target {target}{of} any more: read it again"))
}
