//! Edits as patches: what `git apply` and `patch -p1` take.

use std::fmt;

/// Where a stack's compose file stands below the top of its folder or repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackPath(String);

impl StackPath {
    /// The path as Portainer says it. One that leads out of the folder, or cannot stand in a patch as it is, gives the
    /// default.
    #[must_use]
    pub fn new(told: &str) -> Self {
        let inner = told.trim_start_matches('/');
        let parts: Vec<&str> = inner.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let bad = |c: char| c.is_control() || matches!(c, '"' | '\\') || !c.is_ascii();
        if parts.is_empty() || parts.contains(&"..") || inner.contains(bad) {
            return Self::default();
        }
        Self(parts.join("/"))
    }

    /// The path, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `docker-compose.yml`, as Portainer calls the file of a stack that it keeps.
impl Default for StackPath {
    fn default() -> Self {
        Self("docker-compose.yml".to_owned())
    }
}

impl fmt::Display for StackPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The change of a file as a unified diff with one line around each change; empty if nothing changed.
pub(super) fn unified(before: &str, after: &str, path: &StackPath) -> String {
    if before == after {
        return String::new();
    }
    // A lone carriage return ends no line for git and patch.
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(before), lines(after));
    let diff = similar::TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    // A tab ends a name that holds blanks.
    let end = if path.0.contains(' ') { "\t" } else { "" };
    let mut unified = diff.unified_diff();
    // One line is enough to find the place, and the more lines stand around a change, the more credentials may be among them.
    unified.context_radius(1).header(&format!("a/{path}{end}"), &format!("b/{path}{end}"));
    unified.to_string()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_a_patch_can_hold_are_kept() {
        for (told, path) in [
            ("docker-compose.yml", "docker-compose.yml"),
            ("./deploy/stack.yml", "deploy/stack.yml"),
            ("/deploy//stack.yml", "deploy/stack.yml"),
            ("my stack.yml", "my stack.yml"),
            ("", "docker-compose.yml"),
            ("../x.yml", "docker-compose.yml"),
            ("a\nb.yml", "docker-compose.yml"),
            ("\"x\".yml", "docker-compose.yml"),
        ] {
            assert_eq!(StackPath::new(told).as_str(), path, "{told:?}");
        }
    }

    #[test]
    fn a_lone_carriage_return_ends_no_line() {
        let patch = unified("a\rb\nc\n", "a\rb\nd\n", &StackPath::default());
        assert!(patch.ends_with("@@ -1,2 +1,2 @@\n a\rb\n-c\n+d\n"), "{patch:?}");
    }
}
