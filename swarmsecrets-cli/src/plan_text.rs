//! A plan's diff for people.

use swarmsecrets_core::plan::{Diff, Mark, Plan};

use crate::printable::printable;

/// The diff, in colour if asked, and the digest that the plan is known by.
pub(crate) fn diff(plan: &Plan, colour: bool) -> String {
    format!("{}  digest {}\n", lines(&plan.diff(), colour), plan.digest())
}

fn lines(diff: &Diff, colour: bool) -> String {
    let mut out = String::new();
    for line in &diff.lines {
        let text = format!("{} {}", line.mark.sign(), printable(&line.text));
        match ansi(line.mark).filter(|_| colour) {
            Some(code) => out.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m\n")),
            None => out.push_str(&format!("{text}\n")),
        }
    }
    out
}

/// The terminal's colours: green, cyan, red, yellow. The sign says the same, so that nothing is lost without them.
fn ansi(mark: Mark) -> Option<u8> {
    match mark {
        Mark::Note => None,
        Mark::Add => Some(32),
        Mark::Change => Some(36),
        Mark::Remove => Some(31),
        Mark::Warn => Some(33),
    }
}

#[cfg(test)]
mod tests {
    use swarmsecrets_core::plan::DiffLine;

    use super::*;

    #[test]
    fn colours_are_put_on_and_names_cannot_add_their_own() {
        let line = |mark, text: &str| DiffLine { mark, text: text.to_owned() };
        let diff = Diff { lines: vec![line(Mark::Note, "a"), line(Mark::Add, "b\u{1b}[2J")] };
        assert_eq!(lines(&diff, false), "  a\n+ b\\u{1b}[2J\n");
        assert_eq!(lines(&diff, true), "  a\n\u{1b}[32m+ b\\u{1b}[2J\u{1b}[0m\n");
    }
}
