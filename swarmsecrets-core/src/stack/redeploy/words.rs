//! Commands as words.

use super::super::tree::Node;
use super::answer::CannotTell;
use super::field::Field;

/// A command: a list of words, or a text that a shell would split.
pub(super) fn words(field: &Field<'_>) -> Result<Vec<String>, CannotTell> {
    match field.node() {
        Node::Text(text) => split(text).map_or_else(|| field.cannot("its quoting is not understood: write a list"), Ok),
        _ => Ok(field.texts()?.into_iter().map(str::to_owned).collect()),
    }
}

/// Splits at blanks; quotes keep blanks. Escapes and comments are left to others.
fn split(text: &str) -> Option<Vec<String>> {
    if text.contains(['\\', '#']) {
        return None;
    }
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks_and_what_is_not_plain_is_refused() {
        let words = |text: &str| split(text).map(|words| words.join("|"));
        assert_eq!(words("sleep  100\n"), Some("sleep|100".into()));
        assert_eq!(words("sh -c 'a \"b' x\"y z\"w ''"), Some("sh|-c|a \"b|xy zw|".into()));
        assert_eq!(words(""), Some(String::new()));
        for bad in ["a\\ b", "a # b", "'a", "\"a"] {
            assert_eq!(words(bad), None, "{bad}");
        }
    }
}
