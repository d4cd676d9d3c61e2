//! The next version's name and labels.

use std::time::Duration;

use super::diff::humane;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SecretName, quoted};
use crate::inventory::{Inventory, Labels, LogicalSecret, NameScheme, SecretVersion, label};

/// The number and the name of the version that follows.
///
/// # Errors
/// `Invalid` if the name would be longer than the Engine takes; `Conflict` if it is taken.
pub(super) fn next(inventory: &Inventory, secret: &LogicalSecret) -> Result<(u64, SecretName)> {
    let current = secret.current();
    let count = secret.versions.iter().map(|v| v.version).max().unwrap_or(0) + 1;
    let text = match &current.scheme {
        NameScheme::Plain => format!("{}_v{count}", current.name),
        NameScheme::V(separator) => format!("{}{separator}v{count}", stem(current, &format!("{separator}v"))),
        NameScheme::Date(separator) => dated(inventory, current, separator),
    };
    let name = SecretName::new(&text).map_err(|error| unnameable(&secret.name, &error))?;
    match inventory.versions().find(|v| v.name == name) {
        None => Ok((count, name)),
        Some(_) => Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "`{name}`, the name of the next version of `{}`, is taken by another secret: rename or label that one",
                secret.name
            ),
        )),
    }
}

fn unnameable(secret: &str, error: &Error) -> Error {
    let text = format!(
        "cannot name the next version of {}: {error}: make the secret anew under a shorter name, and let its services mount that",
        quoted(secret)
    );
    Error::new(ErrorKind::Invalid, text)
}

/// The name without its version; the scheme was read off the same name, so the separator stands in it.
fn stem<'a>(version: &'a SecretVersion, separator: &str) -> &'a str {
    let name = version.name.as_str();
    name.rfind(separator).map_or(name, |at| &name[..at])
}

/// Dated names get the day of the rotation, written as in the current name; a second one on that day gets a number too.
fn dated(inventory: &Inventory, current: &SecretVersion, separator: &str) -> String {
    let name = current.name.as_str();
    let digits_at = |at: &usize| name[*at..].starts_with(|c: char| c.is_ascii_digit());
    let starts = name.match_indices(separator).map(|(at, s)| at + s.len()).filter(digits_at);
    let stem_end = starts.filter(|at| name[*at..].bytes().filter(u8::is_ascii_digit).count() >= 8).last();
    let stem = stem_end.map_or(name, |at| &name[..at]);
    let dashed = stem_end.is_some_and(|at| name[at..].contains('-'));
    let day = inventory.taken_at.to_string();
    let day = day.split('T').next().unwrap_or_default();
    let day = if dashed { day.to_owned() } else { day.replace('-', "") };
    let taken = |text: &str| inventory.versions().any(|v| v.name.as_str() == text);
    let first = format!("{stem}{day}");
    let later = (2..1000).map(|n| format!("{stem}{day}.{n}"));
    std::iter::once(first.clone()).chain(later).find(|text| !taken(text)).unwrap_or(first)
}

/// The user's labels, carried over, and ours. Labels of Docker's own stacks are not the user's.
pub(super) fn labels(secret: &str, number: u64, previous: Option<&SecretVersion>, grace: Duration) -> Labels {
    let users = |(key, _): &(&str, &str)| !key.starts_with(label::PREFIX) && !key.starts_with("com.docker.");
    let carried = previous.map(|previous| previous.labels.iter().filter(users).collect()).unwrap_or_default();
    let (grace, number) = (humane(grace), number.to_string());
    let replaced = previous.map(|previous| [(label::PREVIOUS, previous.name.as_str()), (label::GRACE, &grace)]);
    let ours = [(label::SECRET, secret), (label::VERSION, &number)];
    Labels::with(&carried, replaced.into_iter().flatten().chain(ours))
}
