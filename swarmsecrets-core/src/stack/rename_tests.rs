//! Edits of compose files: the intended place and nothing else, in every style.

use proptest::prelude::*;

use super::{StackEdit, Variables, references, rename};

fn vars(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

fn edit(file: &str, variables: &[(&str, &str)]) -> Option<StackEdit> {
    rename(file, &vars(variables), &"db".parse().unwrap(), &"db_v2".parse().unwrap())
}

fn edited(file: &str) -> String {
    edit(file, &[]).unwrap().file.to_string()
}

#[test]
fn names_keep_their_quotes_comments_and_layout() {
    for (before, after) in [
        (
            "secrets:\n  k:\n    external: true\n    name:   db  # why\n",
            "secrets:\n  k:\n    external: true\n    name:   db_v2  # why\n",
        ),
        ("secrets: {k: {name: 'db', external: true}} # ü\n", "secrets: {k: {name: 'db_v2', external: true}} # ü\n"),
        ("# ü\nsecrets:\n  k: {external: true, name: \"db\"}", "# ü\nsecrets:\n  k: {external: true, name: \"db_v2\"}"),
        ("secrets:\n  k:\n    external:\n      name: db\n", "secrets:\n  k:\n    external:\n      name: db_v2\n"),
    ] {
        assert_eq!(edited(before), after);
    }
}

#[test]
fn a_key_that_is_the_name_gets_a_name_beside_it() {
    for (before, after) in [
        (
            "secrets:\n  db:\n    external: true # yes\n  x:\n    file: x\n",
            "secrets:\n  db:\n    external: true # yes\n    name: db_v2\n  x:\n    file: x\n",
        ),
        ("secrets:\n    db:\n        external: true", "secrets:\n    db:\n        external: true\n        name: db_v2"),
        (
            "secrets:\r\n  db:\r\n    external: true\r\n",
            "secrets:\r\n  db:\r\n    external: true\r\n    name: db_v2\r\n",
        ),
        ("secrets: {db: {external: true}}", "secrets: {db: {external: true, name: db_v2}}"),
        ("secrets:\n  db: {\n    external: true\n  }\n", "secrets:\n  db: {\n    external: true, name: db_v2\n  }\n"),
    ] {
        assert_eq!(edited(before), after);
    }
}

#[test]
fn a_variable_with_a_value_changes_and_the_file_stays() {
    let file = "secrets:\n  k: {external: true, name: \"${SECRET:-st_a}\"}\n";
    let edit = edit(file, &[("MODE", "prod"), ("SECRET", "db")]).unwrap();
    assert_eq!(&*edit.file, file);
    assert_eq!(edit.variables, [("SECRET".to_owned(), "db_v2".to_owned())]);
    assert_eq!(edit.diff, "# stack variable SECRET: db -> db_v2\n");
}

#[test]
fn a_default_changes_where_it_stands() {
    let file = "secrets:\n  k: {external: true, name: \"${SECRET:-db}\"} # c\n";
    assert_eq!(edited(file), file.replace(":-db", ":-db_v2"));
    assert_eq!(
        edited("secrets: {k: {external: true, name: '${S-db}'}}"),
        "secrets: {k: {external: true, name: '${S-db_v2}'}}"
    );
}

#[test]
fn a_variable_within_a_name_changes_only_if_nothing_else_reads_it() {
    let file = "secrets:\n  k: {external: true, name: \"db${V}\"}\n";
    let to_v3 =
        |file: &str, v: &str| rename(file, &vars(&[("V", v)]), &"db_v2".parse().unwrap(), &"db_v3".parse().unwrap());
    assert_eq!(to_v3(file, "_v2").unwrap().variables, [("V".to_owned(), "_v3".to_owned())]);
    let twice = format!("x-tag: $V\n{file}");
    let edit = to_v3(&twice, "_v2").unwrap();
    assert!(edit.variables.is_empty());
    assert_eq!(&*edit.file, twice.replace("\"db${V}\"", "\"db_v3\""));
}

#[test]
fn every_entry_that_means_it_changes_and_no_other() {
    let file = "secrets:\n  a: {external: true, name: db}\n  b: {external: true, name: db_admin}\n  c: {external: true, name: db}\n  db:\n    file: ./db\n";
    let after = edited(file);
    assert_eq!(after.matches("db_v2").count(), 2);
    assert!(after.contains("name: db_admin") && after.ends_with("  db:\n    file: ./db\n"));
}

#[test]
fn what_no_edit_can_do_is_left_to_people() {
    for file in [
        "secrets:\n  x: {external: true}\n",
        "services: {}\n",
        "secrets: [",
        "x-e: &e {external: true}\nsecrets:\n  db: *e\n  other: *e\n",
        "x-e: &e\n  external: true\nsecrets:\n  db:\n    <<: *e\n  other:\n    <<: *e\n",
        "secrets: {db: {file: ./db}}",
    ] {
        assert_eq!(edit(file, &[]), None, "{file}");
    }
}

#[test]
fn a_shared_anchor_is_edited_only_if_all_its_users_mean_the_same() {
    let file = "x-n: &n db\nsecrets:\n  a: {external: true, name: *n}\n  b: {external: true, name: *n}\n";
    assert_eq!(edited(file), file.replace("&n db", "&n db_v2"));
}

#[test]
fn names_that_yaml_reads_as_something_else_get_quotes() {
    let to = |name: &str| {
        let file = "secrets: {k: {external: true, name: db}}";
        rename(file, &vars(&[]), &"db".parse().unwrap(), &name.parse().unwrap()).unwrap().file.to_string()
    };
    assert_eq!(to("2026-11-21"), "secrets: {k: {external: true, name: \"2026-11-21\"}}");
    assert_eq!(to("true"), "secrets: {k: {external: true, name: \"true\"}}");
    assert_eq!(to("1e5"), "secrets: {k: {external: true, name: \"1e5\"}}");
}

#[test]
fn the_diff_is_a_patch_with_few_lines_around() {
    let file = "services:\n  a:\n    environment:\n      TOKEN: made-up\nsecrets:\n  db:\n    external: true\n";
    let edit = edit(file, &[]).unwrap();
    assert_eq!(
        edit.diff,
        "--- a/docker-compose.yml\n+++ b/docker-compose.yml\n@@ -7 +7,2 @@\n     external: true\n+    name: db_v2\n"
    );
    assert!(!format!("{edit:?}").contains("made-up"));
}

proptest! {
    #[test]
    fn whatever_stands_around_stays(
        comment in "[a-z ü#:]{0,20}",
        indent in 1_usize..6,
        style in 0_usize..5,
        before in prop::collection::vec("[a-z]{3,8}", 0..3),
    ) {
        let pad = " ".repeat(indent);
        let entry = [
            format!("{pad}k:\n{pad}{pad}external: true\n{pad}{pad}name: NAME # {comment}\n"),
            format!("{pad}k: {{ external: true , name: \"NAME\" }} # {comment}\n"),
            format!("{pad}k: {{name: '${{VAR:-NAME}}', external: true}} # {comment}\n"),
            format!("{pad}k: # {comment}\n{pad}{pad}name: NAME\n{pad}{pad}external: 'true'\n"),
            format!("{pad}k:\n{pad}{pad}external: # {comment}\n{pad}{pad}{pad}name: 'NAME'\n"),
        ][style].clone();
        let mut others: Vec<&String> = before.iter().collect();
        others.sort();
        others.dedup();
        let others: String = others.iter().map(|k| format!("{pad}{k}: {{file: ./{k}}} # {comment}\n")).collect();
        let template = format!("# {comment}\nservices: {{}}\nsecrets:\n{others}{entry}# {comment}");
        let file = template.replace("NAME", "db");
        prop_assert_eq!(edited(&file), template.replace("NAME", "db_v2"));
    }

    #[test]
    fn no_file_panics(file in "[a-z:{}\\[\\]&*$ \n\"'!|>-]{0,60}") {
        let _ = references("s", &file, &vars(&[]));
        let _ = rename(&format!("secrets:\n  db: {{external: true}}\n{file}"), &vars(&[]), &"db".parse().unwrap(), &"db_v2".parse().unwrap());
    }
}
