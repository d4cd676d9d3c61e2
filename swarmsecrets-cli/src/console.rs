//! Where output goes: results on standard output, words about them on standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use swarmsecrets_core::{Error, ErrorKind};

use crate::exit::Failure;
use crate::printable::{printable, printable_json, printable_lines};

/// Assumed where nobody says how wide the terminal is.
const DEFAULT_WIDTH: u16 = 100;

/// What is known about standard input, output and error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    /// Whether results are one JSON document.
    pub(crate) json: bool,
    /// Whether standard output may be coloured.
    pub(crate) colour: bool,
    /// Whether standard error may be coloured.
    pub(crate) error_colour: bool,
    /// Whether standard error may be redrawn.
    pub(crate) errors_on_terminal: bool,
    /// Whether a question can be asked: somebody reads standard error and answers on standard input.
    pub(crate) can_ask: bool,
    /// How many columns there are.
    pub(crate) width: u16,
}

/// The parts of a [`Console`] that the environment decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes<'a> {
    /// `NO_COLOR`: <https://no-color.org>, counts when it is set and not empty.
    pub(crate) no_color: Option<&'a str>,
    /// `TERM`.
    pub(crate) term: Option<&'a str>,
    /// `COLUMNS`, for output that is no terminal.
    pub(crate) columns: Option<&'a str>,
}

impl Console {
    /// Looks at the standard streams.
    pub(crate) fn new(json: bool, wishes: Wishes<'_>) -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let plain = wishes.no_color.is_some_and(|v| !v.is_empty()) || wishes.term == Some("dumb");
        let width = match terminal_size::terminal_size() {
            Some((terminal_size::Width(columns), _)) if out => columns,
            _ => wishes.columns.and_then(|c| c.parse().ok()).unwrap_or(DEFAULT_WIDTH),
        };
        Self {
            json,
            colour: out && !plain,
            error_colour: err && !plain,
            errors_on_terminal: err && wishes.term != Some("dumb"),
            can_ask: err && io::stdin().is_terminal(),
            width: width.max(40),
        }
    }

    /// Prints the one JSON document.
    pub(crate) fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document)
            .map_err(|e| Error::new(ErrorKind::Io, "cannot write the answer as JSON").with_source(e))?;
        self.json_text(&text)
    }

    /// Prints the one JSON document, which is text already.
    pub(crate) fn json_text(&self, text: &str) -> Result<(), Failure> {
        self.text(&printable_json(text))
    }

    /// Prints a result for people, line by line as it stands. The caller has made names printable.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut bytes = text.as_bytes().to_vec();
        if !text.ends_with('\n') {
            bytes.push(b'\n');
        }
        self.bytes(&bytes)
    }

    /// Says something on standard error.
    pub(crate) fn note(&self, text: &str) {
        // Nothing can be done, and nobody told, if standard error is gone.
        let _ = writeln!(io::stderr().lock(), "{}", printable_lines(text));
    }

    /// Shows text on standard error as it stands, colours included. The caller has made names printable.
    pub(crate) fn show(&self, text: &str) {
        let _ = write!(io::stderr().lock(), "{text}");
    }

    /// Says what went wrong: on standard error in any case, and as the one JSON document if that was asked for.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.error_text(failure);
        if self.json {
            let _ = self.document(&failure.document());
        }
    }

    /// Says what went wrong on standard error.
    pub(crate) fn error_text(&self, failure: &Failure) {
        let mut text = format!("error: {}", printable(failure.error.message()));
        for cause in crate::exit::causes(&failure.error) {
            text.push_str(&format!("\n  because: {}", printable(&cause)));
        }
        self.note(&text);
    }

    fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // The reader, such as `head`, has seen enough.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(e) => Err(Error::new(ErrorKind::Io, format!("cannot write to standard output: {e}")).into()),
            Ok(()) => Ok(()),
        }
    }
}
