//! A compose file as a tree, with the types that `docker stack deploy` gives its scalars.

use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_saphyr::Spanned;
use serde_saphyr::options::MergeKeyPolicy;

use super::compose::{check_size, place, unreadable};
use super::interpolation::interpolate;
use super::text::Variables;
use crate::error::Result;

/// A node of the file, with anchors and merges resolved.
#[derive(Clone, PartialEq)]
pub(super) enum Node {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A decimal fraction.
    Float(f64),
    /// Any other scalar.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(String, Node)>),
    /// What versions of docker read in different ways, such as a plain `yes`; with what it is made of.
    Unclear(Vec<Node>),
}

impl Node {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the place, quoting nothing of the file;
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    pub(super) fn read(file: &str) -> Result<Self> {
        check_size(file)?;
        let options = serde_saphyr::options! {
            with_snippet: false,
            strict_booleans: true,
            merge_keys: MergeKeyPolicy::AsOrdinary,
        };
        let raw: Option<Spanned<Raw>> =
            serde_saphyr::from_str_with_options(file, options).map_err(|error| unreadable(&error))?;
        Ok(raw.map_or(Self::Null, |raw| typed(raw, file)))
    }

    /// The value of a key, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(k, _)| k == key).map(|(_, node)| node)
    }

    /// The entries of a map; none for anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The same tree with the variables filled in; a text in which they cannot be stays as it is.
    pub(super) fn filled(self, variables: &Variables) -> Self {
        match self {
            Self::Text(text) => Self::Text(interpolate(&text, variables).unwrap_or(text)),
            Self::List(items) => Self::List(items.into_iter().map(|item| item.filled(variables)).collect()),
            Self::Map(entries) => {
                Self::Map(entries.into_iter().map(|(key, node)| (key, node.filled(variables))).collect())
            }
            Self::Unclear(of) => Self::Unclear(of.into_iter().map(|node| node.filled(variables)).collect()),
            other => other,
        }
    }
}

enum Raw {
    /// A scalar that was read as text.
    Text(String),
    /// Another scalar.
    Plain,
    List(Vec<Spanned<Raw>>),
    Map(Vec<(String, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Raw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }
            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
                Ok(Raw::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Raw::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Raw::Map(entries))
            }
        }
        from.deserialize_any(Any)
    }
}

fn typed(raw: Spanned<Raw>, file: &str) -> Node {
    let written = place(&raw.defined, file).map(|range| &file[range]);
    match raw.value {
        Raw::List(items) => Node::List(items.into_iter().map(|item| typed(item, file)).collect()),
        Raw::Map(entries) => merged(entries.into_iter().map(|(key, node)| (key, typed(node, file))).collect()),
        Raw::Text(text) => text_or_unclear(text, written),
        Raw::Plain => plain(written.unwrap_or_default()),
    }
}

/// A scalar in quotes is text. A plain one is, too, unless some docker takes it for something else.
fn text_or_unclear(text: String, written: Option<&str>) -> Node {
    const WORDS: [&str; 8] = ["y", "yes", "on", "n", "no", "off", "true", "false"];
    let Some(written) = written else { return Node::Unclear(vec![Node::Text(text)]) };
    if written.starts_with(['"', '\'', '|', '>']) {
        return Node::Text(text);
    }
    let word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    let number = matches!(number(&text), Some(Node::Int(_) | Node::Float(_)) | None);
    if word || number || written.starts_with('!') { Node::Unclear(vec![Node::Text(text)]) } else { Node::Text(text) }
}

fn plain(written: &str) -> Node {
    match written {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" => Node::Bool(true),
        "false" | "False" | "FALSE" => Node::Bool(false),
        _ => match number(written) {
            Some(node @ (Node::Int(_) | Node::Float(_))) => node,
            _ => Node::Unclear(vec![Node::Text(written.to_owned())]),
        },
    }
}

/// A plain scalar as a number, or as text where it is none. None where it looks like one, or like a date, and is not a
/// number of the kinds on whose reading all agree: `42`, `-1`, `0440` (octal), `0.5`.
fn number(text: &str) -> Option<Node> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let bare = unsigned.replace('_', "");
    let decimal = bare.starts_with(|c: char| c == '.' || c.is_ascii_digit()) && bare.parse::<f64>().is_ok();
    let based = ["0x", "0o", "0b"].iter().any(|base| bare.to_ascii_lowercase().starts_with(base));
    let word = [".inf", ".nan"].contains(&unsigned.to_ascii_lowercase().as_str());
    if !(decimal || based || word || date(text)) {
        return Some(Node::Text(text.to_owned()));
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(text.strip_prefix('-').unwrap_or(text)) {
        return match unsigned.strip_prefix('0') {
            Some("") if text == "0" => Some(Node::Int(0)),
            Some(octal) if text == unsigned && octal.bytes().all(|b| b < b'8') => {
                i64::from_str_radix(octal, 8).ok().map(Node::Int)
            }
            Some(_) => None,
            None => text.parse().ok().map(Node::Int),
        };
    }
    let (whole, fraction) = unsigned.split_once('.')?;
    let short = digits(whole) && digits(fraction) && whole.len() <= 5 && fraction.len() <= 4;
    let canonical = whole == "0" || !whole.starts_with('0');
    if short && canonical && !text.starts_with('+') { text.parse().ok().map(Node::Float) } else { None }
}

fn date(text: &str) -> bool {
    let mut shape = text.bytes().take(5).map(|b| if b.is_ascii_digit() { b'0' } else { b });
    shape.by_ref().take(4).all(|b| b == b'0') && shape.next() == Some(b'-')
}

/// A map whose `<<` entries are merged in. Where such an entry stands behind a key that it holds as well, older versions
/// of docker take its value and newer ones the key's own.
fn merged(entries: Vec<(String, Node)>) -> Node {
    const MERGE: &str = "<<";
    let Some(at) = entries.iter().position(|(key, _)| key == MERGE) else { return Node::Map(entries) };
    let unclear = |entries: Vec<(String, Node)>| Node::Unclear(entries.into_iter().map(|(_, node)| node).collect());
    let sources: Option<Vec<&Node>> = match &entries[at].1 {
        map @ Node::Map(_) => Some(vec![map]),
        Node::List(maps) if maps.iter().all(|map| matches!(map, Node::Map(_))) => Some(maps.iter().collect()),
        _ => None,
    };
    let Some(sources) = sources else { return unclear(entries) };
    let mut all: Vec<(String, Node)> = entries[..at].iter().chain(&entries[at + 1..]).cloned().collect();
    let (before, mut of_sources) = (at, Vec::<(String, Node)>::new());
    for (key, node) in sources.into_iter().flat_map(Node::entries) {
        if all[..before].iter().any(|(k, _)| k == key) {
            return unclear(entries);
        }
        if !all.iter().chain(&of_sources).any(|(k, _)| k == key) {
            of_sources.push((key.clone(), node.clone()));
        }
    }
    if all.iter().any(|(key, _)| key == MERGE) {
        return unclear(entries);
    }
    all.extend(of_sources);
    Node::Map(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> String {
        match Node::read(&format!("k: {text}\n")).unwrap_or_else(|error| panic!("{text}: {error}")).get("k").unwrap() {
            Node::Null => "null".into(),
            Node::Bool(flag) => format!("bool {flag}"),
            Node::Int(number) => format!("int {number}"),
            Node::Float(number) => format!("float {number}"),
            Node::Text(text) => format!("text {text}"),
            Node::Unclear(_) => "unclear".into(),
            Node::List(_) | Node::Map(_) => "more".into(),
        }
    }

    #[test]
    fn scalars_have_the_types_that_every_docker_gives_them() {
        for (written, read) in [
            ("~", "null"),
            ("", "null"),
            ("true", "bool true"),
            ("42", "int 42"),
            ("-1", "int -1"),
            ("0", "int 0"),
            ("0440", "int 288"),
            ("0.50", "float 0.5"),
            ("1.0", "float 1"),
            ("'42'", "text 42"),
            ("\"yes\"", "text yes"),
            ("1m30s", "text 1m30s"),
            ("64M", "text 64M"),
            ("12:30", "text 12:30"),
            ("1.2.3.4", "text 1.2.3.4"),
            ("550e8400-e29b", "text 550e8400-e29b"),
            ("a_b", "text a_b"),
            ("$A", "text $A"),
            ("yes", "unclear"),
            ("Off", "unclear"),
            ("08", "unclear"),
            ("0o17", "unclear"),
            ("0x1F", "unclear"),
            ("1e3", "unclear"),
            ("1_000", "unclear"),
            ("+5", "unclear"),
            (".5", "unclear"),
            ("1.", "unclear"),
            ("2001-01-01", "unclear"),
            ("!!str 42", "unclear"),
            ("123456789012345678901234567890", "unclear"),
        ] {
            assert_eq!(scalar(written), read, "{written}");
        }
    }

    #[test]
    fn merges_are_resolved_unless_versions_differ() {
        let of = |text: &str| Node::read(&format!("x: &x {{a: 1, b: 2}}\ny: &y {{b: 3, c: 4}}\n{text}")).unwrap();
        let map = |pairs: &[(&str, i64)]| {
            Node::Map(pairs.iter().map(|(key, number)| ((*key).to_owned(), Node::Int(*number))).collect())
        };
        let sorted = |node: &Node| {
            let mut entries = node.entries().to_vec();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Node::Map(entries)
        };
        let first = of("k:\n  <<: *x\n  a: 9\n");
        assert!(sorted(first.get("k").unwrap()) == map(&[("a", 9), ("b", 2)]));
        let both = of("k:\n  <<: [*x, *y]\n");
        assert!(sorted(both.get("k").unwrap()) == map(&[("a", 1), ("b", 2), ("c", 4)]));
        let behind = of("k:\n  z: 9\n  <<: *x\n");
        assert!(sorted(behind.get("k").unwrap()) == map(&[("a", 1), ("b", 2), ("z", 9)]));
        assert!(matches!(of("k:\n  a: 9\n  <<: *x\n").get("k").unwrap(), Node::Unclear(_)));
    }

    #[test]
    fn variables_are_filled_in_everywhere() {
        let variables: Variables = [("A".to_owned(), "x".to_owned())].into_iter().collect();
        let read = Node::read("a: [$A, {b: '${A}', $A: 1}]\n").unwrap().filled(&variables);
        let Some(Node::List(items)) = read.get("a") else { panic!("a list") };
        assert!(items[0] == Node::Text("x".into()) && items[1].get("b") == Some(&Node::Text("x".into())));
        assert!(items[1].get("$A").is_some(), "keys stay");
    }
}
