//! What digests and signatures are computed over: named fields with their lengths, so that no two documents have the same
//! bytes, whatever stands in them.

use jiff::Timestamp;
use serde::Deserialize;

use super::SCHEMA;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::one_line;

/// The bytes of a document in the making.
///
/// A field is `NAME LENGTH`, a line feed, that many bytes, and a line feed; one that is not there is `NAME -` and a line
/// feed; before the members of a list stands `NAME * COUNT` and a line feed.
pub(crate) struct Encoding(Vec<u8>);

impl Encoding {
    /// Begins with the domain's tag, which keeps one kind of document from being taken for another.
    pub(crate) fn of(domain: &str) -> Self {
        Self(format!("{domain} {SCHEMA}\n").into_bytes())
    }

    pub(crate) fn field(&mut self, name: &str, text: impl AsRef<[u8]>) -> &mut Self {
        let text = text.as_ref();
        self.0.extend_from_slice(format!("{name} {}\n", text.len()).as_bytes());
        self.0.extend_from_slice(text);
        self.0.push(b'\n');
        self
    }

    pub(crate) fn optional(&mut self, name: &str, text: Option<impl AsRef<[u8]>>) -> &mut Self {
        match text {
            Some(text) => return self.field(name, text),
            None => self.0.extend_from_slice(format!("{name} -\n").as_bytes()),
        }
        self
    }

    /// A moment, as decimal nanoseconds since 1970.
    pub(crate) fn time(&mut self, name: &str, at: Timestamp) -> &mut Self {
        self.field(name, at.as_nanosecond().to_string())
    }

    /// A list; `member` adds the fields of each.
    pub(crate) fn list<T>(&mut self, name: &str, members: &[T], member: impl Fn(&mut Self, &T)) -> &mut Self {
        self.0.extend_from_slice(format!("{name} * {}\n", members.len()).as_bytes());
        members.iter().for_each(|one| member(self, one));
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Sees first that a document is of the format that is known: what other formats hold is not guessed at.
pub(crate) fn check_schema(what: &str, bytes: &[u8]) -> Result<()> {
    #[derive(Deserialize)]
    struct Format {
        schema: u32,
    }
    let Format { schema } = serde_json::from_slice(bytes).map_err(|e| unreadable(what, &e))?;
    if schema == SCHEMA {
        return Ok(());
    }
    let text = format!("the {what} has format {schema}, this version knows {SCHEMA}: use the version that wrote it");
    Err(Error::new(ErrorKind::Invalid, text))
}

/// The parser's words may quote the document.
pub(crate) fn unreadable(what: &str, error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Invalid, format!("not a {what}: {}", one_line(&error.to_string(), 200)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_field_cannot_look_like_another_field() {
        let pair = |a: &str, b: Option<&str>| Encoding::of("test").field("a", a).optional("b", b).bytes().to_vec();
        assert_eq!(pair("x", Some("")), b"test 1\na 1\nx\nb 0\n\n");
        assert_eq!(pair("x", None), b"test 1\na 1\nx\nb -\n");
        assert_ne!(pair("x\nb -", Some("y")), pair("x", Some("y")));
        let list = |members: &[&str]| {
            let mut to = Encoding::of("test");
            to.list("m", members, |to, one| {
                to.field("n", one);
            });
            to.bytes().to_vec()
        };
        assert_eq!(list(&["a", "b"]), b"test 1\nm * 2\nn 1\na\nn 1\nb\n");
        assert_ne!(list(&["ab"]), list(&["a", "b"]));
    }
}
