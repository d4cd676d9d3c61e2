//! The Atlassian Document Format, as far as a description needs it.

use serde_json::{Value, json};

/// A description: one block of code, in which nothing is markup.
pub(crate) fn description(text: &str) -> Value {
    json!({
        "type": "doc",
        "version": 1,
        "content": [{
            "type": "codeBlock",
            "attrs": { "language": "text" },
            "content": [{ "type": "text", "text": text }],
        }],
    })
}

/// The text of the first block of code of a description.
pub(crate) fn text(description: &Value) -> Option<String> {
    let blocks = description.get("content")?.as_array()?;
    let block = blocks.iter().find(|block| block.get("type").and_then(Value::as_str) == Some("codeBlock"))?;
    let pieces = block.get("content")?.as_array()?;
    Some(pieces.iter().filter_map(|piece| piece.get("text")?.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back_also_in_pieces_and_among_other_blocks() {
        let odd = "a \"b\" {{c}} *d*\n<e> \\ ünïcode";
        assert_eq!(text(&description(odd)).as_deref(), Some(odd));
        let moved = json!({"content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "before"}]},
            {"type": "codeBlock", "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]},
        ]});
        assert_eq!(text(&moved).as_deref(), Some("one two"));
        for none in [json!(null), json!("text"), json!({"content": []})] {
            assert_eq!(text(&none), None);
        }
    }
}
