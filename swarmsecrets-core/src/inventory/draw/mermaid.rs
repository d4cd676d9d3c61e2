//! Mermaid.

use super::picture::{Column, Picture};

pub(super) fn write(picture: &Picture) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, node) in picture.nodes.iter().enumerate() {
        let (open, close) = match node.column {
            Column::Stack => ("[[", "]]"),
            Column::Service => ("[", "]"),
            Column::Secret => ("(", ")"),
        };
        let label = format!("{}<br/><small>{}</small>", escaped(&node.name), escaped(&node.note));
        out.push_str(&format!("  n{at}{open}\"{label}\"{close}\n"));
    }
    for edge in &picture.edges {
        let label = if edge.note.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&edge.note)) };
        out.push_str(&format!("  n{} -->{label} n{}\n", edge.from, edge.to));
    }
    let alarming: Vec<String> =
        picture.nodes.iter().enumerate().filter(|(_, node)| node.alarming).map(|(at, _)| format!("n{at}")).collect();
    if !alarming.is_empty() {
        out.push_str("  classDef alarming stroke:#b3261e,stroke-width:2px\n");
        out.push_str(&format!("  class {} alarming\n", alarming.join(",")));
    }
    out
}

/// Mermaid reads `#…;` as a character; everything that it or HTML could read as more than text is written so.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ',' | '/' | ':') {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", u32::from(c)));
        }
    }
    out
}
