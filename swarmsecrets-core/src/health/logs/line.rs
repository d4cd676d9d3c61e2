//! A line of a service's log, with the moment and the task that the Engine puts before it.

use jiff::Timestamp;

use super::frames::Source;

const TASK: &str = "com.docker.swarm.task.id=";

/// A line, as it comes with `timestamps` and `details`. What stands in front is the Engine's, the text is the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// Where it was written to.
    pub source: Source,
    /// When, by the clock of the task's node.
    pub at: Option<Timestamp>,
    /// The id of the task that wrote it.
    pub task: Option<&'a str>,
    /// What it says. May hold anything, credentials too.
    pub text: &'a [u8],
}

impl<'a> LogLine<'a> {
    /// Reads a line.
    #[must_use]
    pub fn parse(source: Source, line: &'a [u8]) -> Self {
        let (at, rest) = moment(line);
        let (task, text) = task(rest);
        Self { source, at, task, text }
    }
}

fn word(line: &[u8]) -> Option<(&str, &[u8])> {
    let end = line.iter().position(|b| *b == b' ')?;
    Some((std::str::from_utf8(&line[..end]).ok()?, &line[end + 1..]))
}

fn moment(line: &[u8]) -> (Option<Timestamp>, &[u8]) {
    match word(line).and_then(|(first, rest)| Some((first.parse().ok()?, rest))) {
        Some((at, rest)) => (Some(at), rest),
        None => (None, line),
    }
}

fn task(line: &[u8]) -> (Option<&str>, &[u8]) {
    let Some((details, rest)) = word(line) else { return (None, line) };
    match details.split(',').find_map(|pair| pair.strip_prefix(TASK)) {
        Some(task) => (Some(task), rest),
        None => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_are_told_from_the_programs() {
        let line = b"2026-11-21T12:25:23.992050840Z com.docker.swarm.node.id=n,com.docker.swarm.service.id=s,\
            com.docker.swarm.task.id=j5sm5orc FATAL: no";
        let read = LogLine::parse(Source::Error, line);
        assert_eq!((read.task, read.text), (Some("j5sm5orc"), &b"FATAL: no"[..]));
        assert_eq!(read.at.unwrap().to_string(), "2026-11-21T12:25:23.99205084Z");
    }

    #[test]
    fn a_plain_line_is_all_text() {
        for text in [&b"hello"[..], b"hello world", b"\xff\xfe x", b""] {
            let read = LogLine::parse(Source::Output, text);
            assert_eq!((read.at, read.task, read.text), (None, None, text));
        }
    }
}
