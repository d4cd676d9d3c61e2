//! What a name means.

use super::{Grouping, Inventory, LogicalSecret, label};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{quoted, quoted_list};

/// How many names a "not found" proposes.
const PROPOSALS: usize = 3;
/// How alike a name must be to be proposed, from 0 to 1.
const ALIKE: f64 = 0.75;

impl Inventory {
    /// The logical secret that a name means: its own name, the name of one of its versions, or either without the prefix
    /// of its stack where only one stack has it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with the nearest names, [`ErrorKind::Ambiguous`] with what it may mean.
    pub fn find(&self, name: &str) -> Result<&LogicalSecret> {
        let exact = self.named(|candidate, _| candidate == name);
        if let [only] = exact.as_slice()
            && only.grouped_by == Grouping::Label
            && only.name == name
        {
            return Ok(only);
        }
        if let Some(open) = self.ambiguous.iter().find(|a| a.name == name || a.candidates.iter().any(|c| c == name)) {
            let text = format!("{} is ambiguous: {}", quoted(name), open.text);
            return Err(Error::new(ErrorKind::Ambiguous, text));
        }
        let found = if exact.is_empty() { self.in_stacks(name) } else { exact };
        match found.as_slice() {
            [only] => Ok(only),
            [] => Err(self.unknown(name)),
            several => {
                let list = quoted_list(several.iter().map(|s| &s.name));
                let text = format!("{} may mean {list}: give the full name", quoted(name));
                Err(Error::new(ErrorKind::Ambiguous, text))
            }
        }
    }

    /// The logical secrets of a group: of a stack (its services mount them, its file names them, or it made them) and
    /// whose current version carries all of these labels.
    #[must_use]
    pub fn select(&self, stack: Option<&str>, labels: &[(String, String)]) -> Vec<&LogicalSecret> {
        let labelled = |s: &&LogicalSecret| labels.iter().all(|(k, v)| s.current().labels.get(k) == Some(v.as_str()));
        let of_stack = |s: &&LogicalSecret| stack.is_none_or(|stack| self.belongs(s, stack));
        self.secrets.iter().filter(labelled).filter(of_stack).collect()
    }

    fn belongs(&self, secret: &LogicalSecret, stack: &str) -> bool {
        let current = secret.current().name.as_str();
        let mut named = self.stacks.iter().filter(|node| node.name == stack).flat_map(|node| &node.references);
        secret.consumers.iter().any(|c| c.service().stack.as_deref() == Some(stack))
            || secret.current().labels.get(label::STACK) == Some(stack)
            || named.any(|reference| reference.secret == current)
    }

    fn in_stacks(&self, name: &str) -> Vec<&LogicalSecret> {
        self.named(|candidate, secret| {
            let prefix = candidate.strip_suffix(name).and_then(|prefix| prefix.strip_suffix('_'));
            prefix.is_some_and(|stack| self.is_stack(stack, secret))
        })
    }

    fn is_stack(&self, name: &str, secret: &LogicalSecret) -> bool {
        self.stacks.binary_search_by(|stack| stack.name.as_str().cmp(name)).is_ok()
            || secret.versions.iter().any(|v| v.labels.get(label::STACK).is_some_and(|stack| stack == name))
    }

    /// The logical secrets for which the name or a version's name fits.
    fn named(&self, fits: impl Fn(&str, &LogicalSecret) -> bool) -> Vec<&LogicalSecret> {
        let any = |s: &&LogicalSecret| fits(&s.name, s) || s.versions.iter().any(|v| fits(v.name.as_str(), s));
        self.secrets.iter().filter(any).collect()
    }

    fn unknown(&self, name: &str) -> Error {
        let mut near: Vec<(f64, &str)> =
            self.secrets.iter().map(|s| (likeness(&s.name, name), s.name.as_str())).collect();
        near.retain(|(alike, _)| *alike >= ALIKE);
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let list = quoted_list(near.iter().take(PROPOSALS).map(|(_, name)| name));
        let hint = match (list.is_empty(), self.visibility == super::Visibility::Full) {
            (false, _) => format!("did you mean {list}?"),
            (true, true) => "`swarmsecrets inventory` lists all".to_owned(),
            (true, false) => {
                "check the name, or ask an administrator: it may be one that this account cannot see".to_owned()
            }
        };
        Error::new(ErrorKind::NotFound, format!("there is no secret {}: {hint}", quoted(name)))
    }
}

/// Names that contain each other are alike, whatever their length.
fn likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let contained = b.len() >= 3 && a.contains(&b) || a.len() >= 3 && b.contains(&a);
    strsim::jaro_winkler(&a, &b).max(if contained { 0.9 } else { 0.0 })
}
