//! A picture that needs nothing else: no script, no font, no style from outside.

use std::fmt::Write as _;

use super::picture::{Column, Node, Picture};

const MARGIN: usize = 24;
const ROW: usize = 52;
const BOX_HEIGHT: usize = 40;
const GAP: usize = 120;
/// The width of a character, about; long names are cut so that a box does not outgrow its column.
const CHARACTER: usize = 8;
const LONGEST: usize = 44;
const TITLE: usize = 28;

struct Layout {
    /// The left edge and the width of each column.
    columns: [(usize, usize); 3],
    /// The top of each node.
    tops: Vec<usize>,
    width: usize,
    height: usize,
}

pub(super) fn write(picture: &Picture) -> String {
    let layout = Layout::of(picture);
    let mut out = String::new();
    let Layout { width, height, .. } = layout;
    put(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        ),
    );
    for (column, title) in [(Column::Stack, "Stacks"), (Column::Service, "Services"), (Column::Secret, "Secrets")] {
        let (left, _) = layout.columns[column as usize];
        let top = MARGIN + 12;
        put(
            &mut out,
            format_args!(
                "<text x=\"{left}\" y=\"{top}\" font-size=\"14\" font-weight=\"bold\" fill=\"#444444\">{title}</text>\n"
            ),
        );
    }
    lines(picture, &layout, &mut out);
    for (node, top) in picture.nodes.iter().zip(&layout.tops) {
        draw_node(node, layout.columns[node.column as usize], *top, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

impl Layout {
    fn of(picture: &Picture) -> Self {
        let mut widths = [TITLE * 3; 3];
        let mut rows = [0; 3];
        let mut tops = Vec::with_capacity(picture.nodes.len());
        for node in &picture.nodes {
            let column = node.column as usize;
            let longest = shown(&node.name).chars().count().max(shown(&node.note).chars().count() * 4 / 5);
            widths[column] = widths[column].max(longest * CHARACTER + 24);
            tops.push(MARGIN + TITLE + rows[column] * ROW);
            rows[column] += 1;
        }
        let mut columns = [(0, 0); 3];
        let mut left = MARGIN;
        for (column, width) in columns.iter_mut().zip(widths) {
            *column = (left, width);
            left += width + GAP;
        }
        let deepest = rows.into_iter().max().unwrap_or(0).max(1);
        Self { columns, tops, width: left - GAP + MARGIN, height: 2 * MARGIN + TITLE + deepest * ROW }
    }
}

fn lines(picture: &Picture, layout: &Layout, out: &mut String) {
    for edge in &picture.edges {
        let (Some(from), Some(to)) = (picture.nodes.get(edge.from), picture.nodes.get(edge.to)) else { continue };
        let (left, width) = layout.columns[from.column as usize];
        let (x1, x2) = (left + width, layout.columns[to.column as usize].0);
        let (y1, y2) = (layout.tops[edge.from] + BOX_HEIGHT / 2, layout.tops[edge.to] + BOX_HEIGHT / 2);
        let middle = x1.midpoint(x2);
        let dashes = if edge.note.is_empty() { "" } else { " stroke-dasharray=\"5 4\"" };
        put(
            out,
            format_args!(
                "<path d=\"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#8a8f98\"{dashes}/>\n"
            ),
        );
        if !edge.note.is_empty() {
            let (y, note) = (y1.midpoint(y2).saturating_sub(4), escaped(&shown(&edge.note)));
            put(
                out,
                format_args!(
                    "<text x=\"{middle}\" y=\"{y}\" font-size=\"10\" text-anchor=\"middle\" fill=\"#666666\">{note}</text>\n"
                ),
            );
        }
    }
}

fn draw_node(node: &Node, (left, width): (usize, usize), top: usize, out: &mut String) {
    let fill = match node.column {
        Column::Stack => "#eef2ff",
        Column::Service => "#ecfdf5",
        Column::Secret => "#fff7ed",
    };
    let stroke = if node.alarming { "#b3261e" } else { "#c4c8cf" };
    let text = left + 12;
    put(
        out,
        format_args!(
            "<g><title>{full}</title><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{BOX_HEIGHT}\" rx=\"6\" fill=\"{fill}\" stroke=\"{stroke}\"/><text x=\"{text}\" y=\"{y1}\" font-size=\"13\" fill=\"#111111\">{name}</text><text x=\"{text}\" y=\"{y2}\" font-size=\"10\" fill=\"#666666\">{note}</text></g>\n",
            full = escaped(&format!("{}: {}", node.name, node.note)),
            y1 = top + 17,
            y2 = top + 32,
            name = escaped(&shown(&node.name)),
            note = escaped(&shown(&node.note)),
        ),
    );
}

/// The text, cut to what fits.
fn shown(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string has no way to fail.
    let done = out.write_fmt(text);
    debug_assert!(done.is_ok());
}
