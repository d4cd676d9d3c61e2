//! Places in a compose file, read with the types that they must have.

use std::collections::BTreeMap;

use super::super::interpolation::interpolate;
use super::super::text::Variables;
use super::super::tree::Node;
use super::answer::CannotTell;

static NOTHING: Node = Node::Null;

/// A node and the path to it.
#[derive(Clone)]
pub(super) struct Field<'a> {
    path: String,
    node: &'a Node,
}

type Told<T> = Result<T, CannotTell>;

impl<'a> Field<'a> {
    /// A top-level section; nothing where the file has none.
    pub(super) fn section(tree: &'a Node, key: &str) -> Self {
        Self { path: key.to_owned(), node: tree.get(key).unwrap_or(&NOTHING) }
    }

    /// The last part of the path.
    pub(super) fn key(&self) -> &str {
        self.path.rsplit('\u{0}').next().unwrap_or_default()
    }

    pub(super) fn cannot<T>(&self, why: &str) -> Told<T> {
        Err(CannotTell::new(self.path.replace('\u{0}', "."), why))
    }

    /// For a key that is not in the list of those that are understood.
    pub(super) fn unknown<T>(&self) -> Told<T> {
        self.cannot("this key is not understood")
    }

    pub(super) fn node(&self) -> &'a Node {
        self.node
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    fn below(&self, key: &str, node: &'a Node) -> Self {
        Self { path: format!("{}\u{0}{key}", self.path), node }
    }

    /// The entries of a map; none of nothing.
    pub(super) fn entries(&self) -> Told<Vec<Self>> {
        match self.node {
            Node::Null => Ok(Vec::new()),
            Node::Map(entries) => Ok(entries.iter().map(|(key, node)| self.below(key, node)).collect()),
            _ => self.cannot("it is not a plain map"),
        }
    }

    /// The entry of a map; nothing if it has none.
    pub(super) fn get(&self, key: &str) -> Self {
        self.below(key, self.node.get(key).unwrap_or(&NOTHING))
    }

    /// The items of a list; none of nothing.
    pub(super) fn items(&self) -> Told<Vec<Self>> {
        match self.node {
            Node::Null => Ok(Vec::new()),
            Node::List(items) => {
                Ok(items.iter().enumerate().map(|(n, item)| self.below(&n.to_string(), item)).collect())
            }
            _ => self.cannot("it is not a list"),
        }
    }

    /// A text. A number is none: docker refuses it in most places.
    pub(super) fn text(&self) -> Told<&'a str> {
        match self.node {
            Node::Text(text) => Ok(text),
            _ => self.cannot("it is not plainly a text"),
        }
    }

    /// A text, or nothing.
    pub(super) fn text_if_any(&self) -> Told<Option<&'a str>> {
        if self.is_null() { Ok(None) } else { self.text().map(Some) }
    }

    /// A value of a variable, label or option: a text or a number.
    pub(super) fn scalar(&self) -> Told<Option<String>> {
        match self.node {
            Node::Null => Ok(None),
            Node::Text(text) => Ok(Some(text.clone())),
            Node::Int(number) => Ok(Some(number.to_string())),
            Node::Float(number) => Ok(Some(number.to_string())),
            _ => self.cannot("it is not plainly a text or a number"),
        }
    }

    /// A whole number; in the places where docker turns a text with a variable into one, that too.
    pub(super) fn int(&self) -> Told<i64> {
        match self.node {
            Node::Int(number) => Ok(*number),
            Node::Text(text) => match text.parse() {
                Ok(number) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
                _ => self.cannot("it is not a whole number"),
            },
            _ => self.cannot("it is not plainly a whole number"),
        }
    }

    /// True or false, as docker reads them from texts, too.
    pub(super) fn flag(&self) -> Told<bool> {
        match self.node {
            Node::Bool(flag) => Ok(*flag),
            Node::Text(text) => match text.to_ascii_lowercase().as_str() {
                "y" | "yes" | "true" | "on" => Ok(true),
                "n" | "no" | "false" | "off" => Ok(false),
                _ => self.cannot("it is neither true nor false"),
            },
            _ => self.cannot("it is not plainly true or false"),
        }
    }

    /// A list of texts, or one text.
    pub(super) fn texts(&self) -> Told<Vec<&'a str>> {
        match self.node {
            Node::Text(text) => Ok(vec![text]),
            _ => self.items()?.iter().map(Self::text).collect(),
        }
    }

    /// `KEY: value`, or a list of `KEY=value`, in the order of the keys; nothing for a value that is not given.
    pub(super) fn pairs(&self) -> Told<BTreeMap<String, Option<String>>> {
        let mut pairs = BTreeMap::new();
        if let Node::List(_) = self.node {
            for item in self.items()? {
                let text = item.text()?;
                let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
                pairs.insert(key.to_owned(), value.map(str::to_owned));
            }
        } else {
            for entry in self.entries()? {
                pairs.insert(entry.key().to_owned(), entry.scalar()?);
            }
        }
        Ok(pairs)
    }

    /// The same, where no value is an empty one.
    pub(super) fn labels(&self) -> Told<BTreeMap<String, String>> {
        Ok(self.pairs()?.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
    }
}

/// The whole file with its variables filled in.
///
/// # Errors
/// [`CannotTell`] where docker would refuse the text.
pub(super) fn filled(node: Node, variables: &Variables, path: &str) -> Told<Node> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    Ok(match node {
        Node::Text(text) => Node::Text(interpolate(&text, variables).map_err(|why| CannotTell::new(path, why))?),
        Node::List(items) => {
            let all = items.into_iter().enumerate().map(|(n, item)| filled(item, variables, &below(&n.to_string())));
            Node::List(all.collect::<Told<_>>()?)
        }
        Node::Map(entries) => {
            let all = entries.into_iter().map(|(key, node)| {
                let node = filled(node, variables, &below(&key))?;
                Ok((key, node))
            });
            Node::Map(all.collect::<Told<_>>()?)
        }
        other => other,
    })
}
