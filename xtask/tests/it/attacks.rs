//! The tests that SECURITY.md lists are there.

use std::collections::BTreeSet;

use crate::tree::files;

/// The cells of each row of the table of attacks: the case, what is tried, and the tests in Rust, of the command and of Python.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let (_, table) = text.split_once("## Attacks that are tried").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The names of tests in a cell.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2).filter(|name| name.contains('_') && *name != "compile_fail")
}

/// The names of the functions in the files with this end whose path has this in it.
fn functions(end: &str, keyword: &str, part: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for file in files(&[end]).into_iter().filter(|file| file.to_string_lossy().contains(part)) {
        let text = std::fs::read_to_string(file).unwrap();
        let name = |rest: &str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned);
        known.extend(text.split(keyword).skip(1).filter_map(name));
    }
    known
}

#[test]
fn every_attack_that_is_listed_is_tried_or_says_why_not() {
    let page = files(&["md"]).into_iter().find(|page| page.ends_with("SECURITY.md")).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    let known = [("rs", "fn ", ""), ("rs", "fn ", "swarmsecrets-cli"), ("py", "def ", "swarmsecrets-py")];
    let known = known.map(|(end, keyword, part)| functions(end, keyword, part));
    let rows = rows(&page);
    assert!(rows.len() > 35, "{}", rows.len());
    for row in rows {
        assert_eq!(row.len(), 5, "{row:?}");
        for (cell, known) in row[2..].iter().zip(&known) {
            let missing: Vec<&str> = names(cell).filter(|name| !known.contains(*name)).collect();
            assert!(missing.is_empty(), "{}: these tests are listed and not there: {missing:#?}", row[1]);
            let none = names(cell).next().is_none();
            assert!(
                !none || cell.starts_with("none: ") || cell.contains("compile_fail"),
                "{}: why none? {cell}",
                row[1]
            );
        }
    }
}
