//! Graphviz.

use super::picture::{Column, Picture};

pub(super) fn write(picture: &Picture) -> String {
    let mut out = String::from("digraph usage {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=11];\n");
    for (at, node) in picture.nodes.iter().enumerate() {
        let shape = match node.column {
            Column::Stack => "folder",
            Column::Service => "box",
            Column::Secret => "note",
        };
        let colour = if node.alarming { ", color=\"#b3261e\"" } else { "" };
        let label = format!("{}\\n{}", escaped(&node.name), escaped(&node.note));
        out.push_str(&format!("  n{at} [shape={shape}, label=\"{label}\"{colour}];\n"));
    }
    for edge in &picture.edges {
        let label = if edge.note.is_empty() { String::new() } else { format!(" [label=\"{}\"]", escaped(&edge.note)) };
        out.push_str(&format!("  n{} -> n{}{label};\n", edge.from, edge.to));
    }
    out.push_str("}\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
