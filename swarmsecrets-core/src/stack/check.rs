//! Whether an edited stack means what was wanted, and all else that it meant before.

use super::references::{StackReference, references};
use super::text::Variables;
use super::tree::Node;
use crate::error::Result;
use crate::ids::SecretName;

/// What a stack means before an edit, and what it has to mean behind it.
pub(super) struct Meant<'a> {
    stack: &'a str,
    variables: &'a Variables,
    before: &'a [StackReference],
    wanted: &'a [Option<&'a SecretName>],
    tree: Node,
}

impl<'a> Meant<'a> {
    pub(super) fn new(
        stack: &'a str,
        file: &str,
        variables: &'a Variables,
        before: &'a [StackReference],
        wanted: &'a [Option<&'a SecretName>],
    ) -> Result<Self> {
        Ok(Self { stack, variables, before, wanted, tree: Node::read(file)? })
    }

    /// Whether the edited file with the changed variables names the wanted secrets and is deployed the same otherwise.
    pub(super) fn holds(&self, edited: &str, changed: &[(String, String)]) -> bool {
        let after = changed.iter().fold(self.variables.clone(), |all, (name, value)| all.with(name, value));
        let (Ok(now), Ok(tree)) = (references(self.stack, edited, &after), Node::read(edited)) else { return false };
        let as_wanted = now.len() == self.before.len()
            && self.before.iter().zip(self.wanted).zip(&now).all(|((was, to), is)| {
                let expected = to.map_or(was.secret.as_str(), SecretName::as_str);
                was.key == is.key && was.external == is.external && is.secret == expected
            });
        let bare = changed.iter().any(|(name, _)| stands_bare(&self.tree, name));
        let deployed = |tree: Node, variables: &Variables| self.but_for_the_names(tree.filled(variables));
        as_wanted && !bare && deployed(self.tree.clone(), self.variables) == deployed(tree, &after)
    }

    /// The tree without the names that change, and without what no deployment reads.
    fn but_for_the_names(&self, tree: Node) -> Node {
        let Node::Map(mut sections) = tree else { return tree };
        sections.retain(|(key, _)| !key.starts_with("x-"));
        for (_, section) in sections.iter_mut().filter(|(key, _)| key == "secrets") {
            let Node::Map(entries) = section else { continue };
            for (key, entry) in entries {
                let changes = self.before.iter().zip(self.wanted).any(|(was, to)| was.key == *key && to.is_some());
                if let (true, Node::Map(fields)) = (changes, entry) {
                    fields.retain(|(field, _)| field != "name");
                    for (_, external) in fields.iter_mut().filter(|(field, _)| field == "external") {
                        if let Node::Map(fields) = external {
                            fields.retain(|(field, _)| field != "name");
                        }
                    }
                }
            }
        }
        Node::Map(sections)
    }
}

/// Whether a variable's name stands alone, as in `environment`, where its value comes from the variable then.
fn stands_bare(node: &Node, name: &str) -> bool {
    match node {
        Node::List(items) | Node::Unclear(items) => {
            items.iter().any(|item| *item == Node::Text(name.to_owned()) || stands_bare(item, name))
        }
        Node::Map(entries) => entries.iter().any(|(key, node)| {
            let empty = match node {
                Node::Null => true,
                Node::Text(text) => text.is_empty(),
                _ => false,
            };
            (key == name && empty) || stands_bare(node, name)
        }),
        _ => false,
    }
}
