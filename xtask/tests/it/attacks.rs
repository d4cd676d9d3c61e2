//! The tests that SECURITY.md lists are there.

use std::collections::BTreeSet;

use crate::tree::files;

/// The names in the last column of the table of attacks.
fn listed(text: &str) -> Vec<&str> {
    let (_, table) = text.split_once("## Attacks that are tried").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let tests = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let names = tests.flat_map(|tests| tests.split('`').skip(1).step_by(2));
    names.filter(|name| name.contains('_') && *name != "compile_fail").collect()
}

#[test]
fn every_attack_that_is_listed_is_tried() {
    let mut known = BTreeSet::new();
    for file in files(&["rs", "py"]) {
        let text = std::fs::read_to_string(file).unwrap();
        let functions = text.split("fn ").skip(1).chain(text.split("def ").skip(1));
        let name = |rest: &str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned);
        known.extend(functions.filter_map(name));
    }
    let page = files(&["md"]).into_iter().find(|page| page.ends_with("SECURITY.md")).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    let listed = listed(&page);
    assert!(listed.len() > 50, "{}", listed.len());
    let missing: Vec<&str> = listed.into_iter().filter(|name| !known.contains(*name)).collect();
    assert!(missing.is_empty(), "these tests are listed and not there: {missing:#?}");
}
