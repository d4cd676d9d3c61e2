//! The tables in docs/performance.md: each stands between two marks, and everything else on the page is written by hand.

use crate::{Failure, repository};

/// Puts a table in place of the one between `<!-- NAME -->` and `<!-- /NAME -->`.
pub(super) fn write(name: &str, table: &str) -> Result<(), Failure> {
    let path = repository::root().join("docs/performance.md");
    let shown = path.display();
    let page = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let page = replace(&page, name, table).ok_or_else(|| format!("{shown} has no place for the table `{name}`"))?;
    std::fs::write(&path, page).map_err(|e| format!("cannot write {shown}: {e}"))?;
    println!("\n{table}\nwritten to {shown}");
    Ok(())
}

fn replace(page: &str, name: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(&format!("<!-- {name} -->"))?;
    let (_, after) = rest.split_once(&format!("<!-- /{name} -->"))?;
    Some(format!("{before}<!-- {name} -->\n\n{}\n\n<!-- /{name} -->{after}", table.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n";
        let new = replace(page, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n");
        assert_eq!(replace(&new, "x", "new"), Some(new.clone()));
        assert_eq!(replace(page, "z", "new"), None);
    }
}
