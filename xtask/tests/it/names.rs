//! Files are short and named after what they do.

use crate::tree::{files, relative};

const LONGEST: usize = 500;
const NON_NAMES: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "misc", "stuff", "tools", "shared", "types"];

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let length = |file: &std::path::PathBuf| std::fs::read_to_string(file).unwrap().lines().count();
    let sources = files(&["rs", "py", "pyi", "sh"]);
    assert!(sources.len() > 20, "the sources are not where they are looked for");
    let long: Vec<String> = sources
        .iter()
        .map(|file| (file, length(file)))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{} has {lines} lines", relative(file)))
        .collect();
    assert!(long.is_empty(), "split by what they do: {long:#?}");
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let says_nothing = |file: &std::path::PathBuf| {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        NON_NAMES.contains(&stem.as_str()) || NON_NAMES.contains(&folder.as_str())
    };
    let nameless: Vec<String> =
        files(&["rs", "py", "pyi"]).into_iter().filter(says_nothing).map(|file| relative(&file)).collect();
    assert!(nameless.is_empty(), "name them after what they do: {nameless:#?}");
}
