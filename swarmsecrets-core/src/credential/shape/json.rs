//! The user and the password in JSON text, found and replaced without a change to the rest.

use std::ops::Range;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{Credential, bad, spliced};
use crate::error::Result;
use crate::model::places::{items, member, shifted};
use crate::secret::SecretValue;

/// The key of the user, beside the password.
const USER: &str = "username";

pub(super) fn read(json: &str, pointer: &[String]) -> Result<Credential> {
    let places = places(json, pointer)?;
    let user = places.user.map(|place| string(json, place, "a user")).transpose()?;
    let mut password = string(json, places.password, "a password")?;
    let password = SecretValue::credential(std::mem::take(&mut *password).into_bytes());
    Ok(Credential { user: user.map(|user| user.to_string()), password })
}

pub(super) fn write(json: &str, pointer: &[String], credential: &Credential) -> Result<SecretValue> {
    let places = places(json, pointer)?;
    let password = std::str::from_utf8(credential.password.expose())
        .map_err(|_| bad("is JSON, and the new password is not UTF-8 text"))?;
    let mut edits = vec![(places.password, encoded(password)?)];
    if let Some(user) = &credential.user {
        let place = places.user.ok_or_else(|| bad("has no `username` beside the password"))?;
        edits.push((place, encoded(user)?));
        edits.sort_by_key(|(place, _)| place.start);
    }
    let mut parts = Vec::new();
    let mut end = 0;
    for (place, text) in &edits {
        parts.extend([&json[end..place.start], text.as_str()]);
        end = place.end;
    }
    parts.push(&json[end..]);
    spliced(&parts)
}

fn encoded(text: &str) -> Result<Zeroizing<String>> {
    // Of its full size from the start: the longest escape is `\u001f`.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
    serde_json::to_writer(&mut *bytes, text).map_err(|_| bad("cannot be written as JSON"))?;
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|_| bad("cannot be written as JSON"))
}

fn string(json: &str, place: Range<usize>, what: &str) -> Result<Zeroizing<String>> {
    serde_json::from_str(&json[place]).map(Zeroizing::new).map_err(|_| bad(&format!("has {what} that is not a string")))
}

struct Places {
    user: Option<Range<usize>>,
    password: Range<usize>,
}

fn places(json: &str, pointer: &[String]) -> Result<Places> {
    // The lenses below read only as far as they must.
    serde_json::from_str::<&RawValue>(json).map_err(|_| bad("is not JSON"))?;
    let missing = || bad("has nothing where the pointer leads");
    let (last, parents) = pointer.split_last().ok_or_else(missing)?;
    let mut holder = 0..json.len();
    for step in parents {
        holder = inside(json, &holder, step)?.ok_or_else(missing)?;
    }
    let password = inside(json, &holder, last)?.ok_or_else(missing)?;
    let user = if is_list(&json[holder.clone()]) { None } else { inside(json, &holder, USER)? };
    // A pointer to `/username` means that the secret is the user's name; it is then nobody's.
    let user = user.filter(|place| *place != password);
    Ok(Places { user, password })
}

fn is_list(json: &str) -> bool {
    json.trim_start().starts_with('[')
}

/// One step of the pointer, within the object or list that stands at `holder`.
fn inside(json: &str, holder: &Range<usize>, step: &str) -> Result<Option<Range<usize>>> {
    let text = &json[holder.clone()];
    let found = if is_list(text) {
        let all = items(text).map_err(|_| bad("is not JSON"))?;
        step.parse::<usize>().ok().filter(|n| n.to_string() == step).and_then(|n| all.get(n).cloned())
    } else if text.trim_start().starts_with('{') {
        // The lens's own message speaks of specs.
        member(text, step).map_err(|_| bad("has a key twice in one object: which one counts cannot be said"))?
    } else {
        None
    };
    Ok(found.map(|place| shifted(place, holder.start)))
}
