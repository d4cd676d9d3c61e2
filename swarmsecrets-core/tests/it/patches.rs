//! Edits of stack files as patches, taken by the programs that people use.

use std::path::Path;
use std::process::Command;

use swarmsecrets_core::ids::SecretName;
use swarmsecrets_core::stack::{StackPath, Variables, rename};

/// Runs a program in a folder; it has to be there and to succeed.
fn run(folder: &Path, program: &str, args: &[&str]) {
    let ran = Command::new(program).args(args).current_dir(folder).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program} is needed for this test: install it ({error})"));
    let said = String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{program} {args:?}: {said}");
    assert!(!said.contains("fuzz") && !said.contains("offset") && !said.contains("tripping"), "{program}: {said}");
}

fn names() -> Vec<(SecretName, SecretName)> {
    [("db", "db_v2"), ("cache", "cache_v2")].map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())).to_vec()
}

/// The patch, applied to the file by git and by patch, gives the edited file to the byte.
fn is_taken(file: &str, path: &str) {
    let variables: Variables = [("CACHE".to_owned(), "cache".to_owned())].into_iter().collect();
    let edit = rename("shop", file, &variables, &names()).unwrap();
    let path = StackPath::new(path);
    let patch = edit.patch(&path);
    for (program, args) in [
        ("git", &["apply", "--whitespace=nowarn", "the.patch"][..]),
        ("patch", &["-p1", "--no-backup-if-mismatch", "-i", "the.patch"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(path.as_str());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, file).unwrap();
        std::fs::write(folder.path().join("the.patch"), &patch).unwrap();
        run(folder.path(), program, args);
        let after = std::fs::read_to_string(&place).unwrap();
        assert!(after == *edit.file, "{program} made {after:?} of {patch:?}");
    }
}

const FILE: &str = "# ünïcode — kept\nversion: \"3.8\"\nservices:\n  web:\n    image: local/busybox:1\n    secrets: [db, c]\n\
    \n\nsecrets:\n  c:\n    external: true\n    name: ${CACHE}\n  db:\n    external: true\n";

#[test]
fn git_and_patch_take_the_diff() {
    is_taken(FILE, "docker-compose.yml");
    is_taken(FILE, "deploy/prod/stack.yml");
    is_taken(FILE, "my deploy/my stack.yml");
}

#[test]
fn also_with_the_line_ends_of_windows() {
    is_taken(&FILE.replace('\n', "\r\n"), "docker-compose.yml");
    is_taken(FILE.replace('\n', "\r\n").trim_end(), "docker-compose.yml");
}

#[test]
fn also_without_a_newline_at_the_end() {
    is_taken(FILE.trim_end(), "docker-compose.yml");
    is_taken("secrets: {db: {external: true}}", "docker-compose.yml");
}

#[test]
fn also_with_two_changes_far_apart() {
    let between = "# line\n".repeat(20);
    let file =
        format!("x-n: &n db\n{between}secrets:\n  a: {{external: true, name: *n}}\n  cache: {{external: true}}\n");
    is_taken(&file, "docker-compose.yml");
}

#[test]
fn the_headers_name_the_file_and_the_variable_stands_before_them() {
    let variables: Variables = [("CACHE".to_owned(), "cache".to_owned())].into_iter().collect();
    let patch = rename("shop", FILE, &variables, &names()).unwrap().patch(&StackPath::new("deploy/a.yml"));
    insta::assert_snapshot!(patch);
}
