//! Reading a whole trail: whether it is as it was written, and what stands in it. Nothing is ever changed here.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use swarmsecrets_core::audit::{Checkpoint, Entry, Found, MAX_LINE, Query, Reading, Selection, Verdict};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::audit::{failed, shown};
use crate::line_file::whole_lines;

/// Checks a trail from its first record to its last, line by line, without changing it. What is wrong with it stands in the
/// verdict.
///
/// That records are missing at the end cannot be seen from the file alone: see [`verify_audit_against`].
///
/// # Errors
/// [`ErrorKind::NotFound`] if there is no such file; [`ErrorKind::Audit`] if it cannot be read.
pub fn verify_audit(path: &Path) -> Result<Verdict> {
    verify_audit_against(path, Vec::new())
}

/// As [`verify_audit`], and holds the trail against checkpoints, whose signatures were checked: see
/// [`read_checkpoint`](crate::read_checkpoint). What was cut off at the end, or written anew, is found.
///
/// # Errors
/// As [`verify_audit`].
pub fn verify_audit_against(path: &Path, checkpoints: Vec<Checkpoint>) -> Result<Verdict> {
    let read = read(path, Reading::against(checkpoints), |_| {})?;
    let torn = (read.torn_bytes > 0).then(|| {
        let n = read.reading.records();
        format!(
            "line {}: {} at the end are no whole record: audit record {n} was being written when the program or the \
             machine stopped, so nothing was done on the strength of it, unless somebody has cut the file. What writes \
             here next cuts it off",
            n + 1,
            bytes(read.torn_bytes)
        )
    });
    let broken = read.broken.map(|error| error.message().to_owned());
    Ok(Verdict::of(path.to_string_lossy().into_owned(), &read.reading, broken, torn))
}

/// Finds records in a trail, and checks all of it on the way. Part of a record at the end is no record, and passed over.
///
/// # Errors
/// [`ErrorKind::Audit`], naming the first record that is wrong, or if the file cannot be read; [`ErrorKind::NotFound`] if there
/// is no such file; [`ErrorKind::Invalid`] for a query that nothing can match.
pub fn query_audit(path: &Path, query: &Query) -> Result<Found> {
    query.check()?;
    let mut selection = Selection::new(query);
    let read = read(path, Reading::default(), |entry| selection.see(entry))?;
    if let Some(error) = read.broken {
        return Err(error.context(shown(path)));
    }
    let torn_bytes = read.torn_bytes;
    if torn_bytes > 0 {
        tracing::warn!(path = %path.display(), torn_bytes, "passed over an audit record that was written in part");
    }
    Ok(Found { schema: 1, records: selection.end(&read.reading), torn_bytes })
}

/// How far a trail was read.
pub(crate) struct Trail {
    pub(crate) reading: Reading,
    /// Why it was read no further.
    pub(crate) broken: Option<Error>,
    /// How many bytes stand after the last line break.
    torn_bytes: u64,
}

pub(crate) fn read(path: &Path, reading: Reading, mut each: impl FnMut(Entry)) -> Result<Trail> {
    let unread = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("there is no {}", shown(path))),
        _ => failed("read", path, e),
    };
    let (lines, torn_bytes) = whole_lines(path).map_err(unread)?;
    let mut trail = Trail { reading, broken: None, torn_bytes };
    let (mut lines, mut line) = (BufReader::new(lines), Vec::new());
    loop {
        line.clear();
        // One more than may be: so that a line which is too long is told from one that has no break yet.
        let most = MAX_LINE as u64 + 1;
        if lines.by_ref().take(most).read_until(b'\n', &mut line).map_err(unread)? == 0 {
            return Ok(trail);
        }
        let taken = match line.split_last() {
            Some((b'\n', text)) => trail.reading.take(text).map(&mut each),
            _ if line.len() > MAX_LINE => Err(too_long(trail.reading.records())),
            // A pipe has ended, or somebody cuts the file just now.
            _ => {
                trail.torn_bytes = line.len() as u64;
                return Ok(trail);
            }
        };
        if let Err(error) = taken {
            trail.broken = Some(error);
            return Ok(trail);
        }
    }
}

fn too_long(n: u64) -> Error {
    let why = format!("line {}: audit record {n}: the line is longer than {MAX_LINE} bytes, and no record is", n + 1);
    Error::new(ErrorKind::Audit, why)
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}
