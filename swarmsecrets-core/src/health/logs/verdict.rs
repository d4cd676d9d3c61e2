//! What the counts of a log say, compared with those of before.

use std::cmp::Reverse;

use super::compare::usual;
use super::tally::{Counts, Tally};
use crate::health::Health;
use crate::ids::quoted;

/// A kind of error line may come this often without an alarm, and so often again for each task beyond the first: programs
/// complain while they start.
const EACH_KIND: u64 = 5;
/// All unusual kinds together may come this often, and so often again for each task beyond the first.
const TOGETHER: u64 = 20;
/// How many kinds of lines a reason names.
const NAMED: usize = 3;

pub(super) fn judge(service: &str, tally: &Tally<'_>, before: &Counts, now: &Counts, tasks: u64) -> Health {
    if let Some(reason) = refused(service, tally, before, now) {
        return Health::unhealthy(reason);
    }
    if tally.gaps {
        return Health::inconclusive(format!(
            "the Engine could not read a part of the log of {}: look whether its nodes answer and its log driver can be read",
            quoted(service)
        ));
    }
    match errors(service, tally, before, now, tasks) {
        Some(reason) => Health::inconclusive(reason),
        None => Health::Healthy,
    }
}

/// Lines that say a credential was refused, more than there were.
fn refused(service: &str, tally: &Tally<'_>, before: &Counts, now: &Counts) -> Option<String> {
    let unusual = tally.auth.iter().filter(|(key, (pattern, count))| {
        let known = before.auth.get(*key).copied();
        let bound = known.map_or(0, |known| usual(known, before.watched_ms, now.watched_ms));
        *count >= pattern.enough && *count > bound
    });
    let words: Vec<String> = unusual
        .take(NAMED)
        .map(|(key, (pattern, count))| {
            let was = before.auth.get(key).map_or(String::new(), |was| format!(", {was} in the log before"));
            format!("{}, as {} says (`{key}`{was})", crate::plan::counted(*count, "line"), pattern.system)
        })
        .collect();
    (!words.is_empty())
        .then(|| format!("the log of {} says that a credential is refused: {}", quoted(service), words.join("; ")))
}

/// Error lines, more than there were.
fn errors(service: &str, tally: &Tally<'_>, before: &Counts, now: &Counts, tasks: u64) -> Option<String> {
    let bound = |known: u64| usual(known, before.watched_ms, now.watched_ms);
    let unusual = |kind: &u16, count: u64| count > bound(before.errors.get(kind).copied().unwrap_or_default());
    let mut kinds: Vec<(u16, u64)> = now.errors.iter().map(|(k, n)| (*k, *n)).filter(|(k, n)| unusual(k, *n)).collect();
    kinds.sort_by_key(|(kind, count)| (Reverse(*count), *kind));
    let together = kinds.iter().map(|(_, count)| count).sum::<u64>() + now.other_errors;
    let many = together > TOGETHER * tasks.max(1) && now.all_errors() > bound(before.all_errors());
    if !many {
        kinds.retain(|(_, count)| *count > EACH_KIND * tasks.max(1));
    }
    if kinds.is_empty() && !many {
        return None;
    }
    let words: Vec<String> =
        kinds.iter().take(NAMED).map(|(kind, count)| format!("{count} times \"{}\"", tally.excerpt(*kind))).collect();
    let count = kinds.iter().map(|(_, count)| count).sum::<u64>() + if many { now.other_errors } else { 0 };
    Some(format!(
        "the log of {} has {} more than is usual for it; words of the log, as data: {}: read the log and decide",
        quoted(service),
        crate::plan::counted(count, "error line"),
        words.join(", ")
    ))
}
