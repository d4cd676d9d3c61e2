//! Links in the documentation lead somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tree::{files, relative};

/// The targets of all `[text](target)` outside of code.
fn links(text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        // Every second piece stands between backquotes.
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        let targets = plain.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        found.extend(targets.map(|(target, _)| target.to_owned()));
    }
    found
}

/// The anchors of the headings, as code hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

fn dead(file: &Path, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return false;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { file.to_owned() } else { file.parent().unwrap().join(path) };
    match anchor {
        None => !target.exists(),
        Some(anchor) => !std::fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor)),
    }
}

#[test]
fn every_link_inside_the_repository_leads_somewhere() {
    let pages = files(&["md"]);
    assert!(!pages.is_empty());
    let mut broken = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        broken
            .extend(links(&text).iter().filter(|link| dead(&page, link)).map(|l| format!("{}: {l}", relative(&page))));
    }
    assert!(broken.is_empty(), "these links lead nowhere: {broken:#?}");
}

#[test]
fn links_are_read_outside_of_code_only() {
    let text = "see [a](b.md#c) and `[x](y)`\n```\n[no](no.md)\n```\n[d](e)";
    assert_eq!(links(text), ["b.md#c", "e"]);
    assert!(anchors("# What it *is*, and why").contains("what-it-is-and-why"));
}
