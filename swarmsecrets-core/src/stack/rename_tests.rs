//! Edits of compose files: the intended place and nothing else, in every style.

use proptest::prelude::*;

use super::{NoEdit, StackEdit, StackPath, Variables, references, rename};
use crate::ids::SecretName;

fn vars(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

fn names(pairs: &[(&str, &str)]) -> Vec<(SecretName, SecretName)> {
    pairs.iter().map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())).collect()
}

fn edit(file: &str, variables: &[(&str, &str)]) -> Result<StackEdit, NoEdit> {
    rename("shop", file, &vars(variables), &names(&[("db", "db_v2")]))
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
    assert_eq!(edit.patch(&StackPath::default()), "# stack variable SECRET: db -> db_v2\n");
    let after = edit.apply_to(&vars(&[("MODE", "prod"), ("SECRET", "db")]));
    assert_eq!(*after, *vars(&[("MODE", "prod"), ("SECRET", "db_v2")]));
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
fn a_variable_changes_only_if_nothing_else_reads_it() {
    let file = "secrets:\n  k: {external: true, name: \"db${V}\"}\n";
    let to_v3 = |file: &str, v: &str| rename("s", file, &vars(&[("V", v)]), &names(&[("db_v2", "db_v3")])).unwrap();
    assert_eq!(to_v3(file, "_v2").variables, [("V".to_owned(), "_v3".to_owned())]);
    for inert in ["# $V\n", "x-tag: $V\n", "services: {a: {image: i, environment: {V: 1, C: $$V}}}\n"] {
        assert_eq!(to_v3(&format!("{inert}{file}"), "_v2").variables.len(), 1, "{inert}");
    }
    for reads in ["{image: \"i:$V\"}", "{environment: [V]}", "{environment: {V: }}", "{environment: {V: ''}}"] {
        let twice = format!("services: {{a: {reads}}}\n{file}");
        let edit = to_v3(&twice, "_v2");
        assert!(edit.variables.is_empty(), "{reads}");
        assert_eq!(&*edit.file, twice.replace("\"db${V}\"", "\"db_v3\""));
    }
    let whole = "services: {a: {environment: {NAME: $V}}}\nsecrets: {k: {external: true, name: $V}}\n";
    assert!(to_v3(whole, "db_v2").file.ends_with("name: db_v3}}\n"));
}

#[test]
fn several_secrets_change_in_one_edit() {
    let pairs = names(&[("db", "db_v2"), ("cache", "cache_v5"), ("elsewhere", "elsewhere_v2")]);
    let file = "secrets:\n  db: {external: true}\n  c:\n    external: true\n    name: '${C:-cache}' # c\n  o: {external: true}\n";
    let edit = rename("s", file, &vars(&[]), &pairs).unwrap();
    let after =
        file.replace("db: {external: true}", "db: {external: true, name: db_v2}").replace(":-cache", ":-cache_v5");
    assert_eq!(&*edit.file, after);

    let tagged = "secrets:\n  a: {external: true, name: \"a_${V}\"}\n  b: {external: true, name: \"b_${V}\"}\n";
    let to = |b: &str| rename("s", tagged, &vars(&[("V", "1")]), &names(&[("a_1", "a_2"), ("b_1", b)])).unwrap();
    assert_eq!(to("b_2").variables, [("V".to_owned(), "2".to_owned())]);
    let apart = to("b_3");
    assert_eq!(apart.variables, [("V".to_owned(), "2".to_owned())]);
    assert_eq!(&*apart.file, tagged.replace("\"b_${V}\"", "\"b_3\""));

    let swapped = "secrets: {a: {external: true, name: one}, b: {external: true, name: two}}";
    let edit = rename("s", swapped, &vars(&[]), &names(&[("one", "two"), ("two", "one")])).unwrap();
    assert_eq!(&*edit.file, "secrets: {a: {external: true, name: two}, b: {external: true, name: one}}");
}

#[test]
fn every_entry_that_means_it_changes_and_no_other() {
    let file = "secrets:\n  a: {external: true, name: db}\n  b: {external: true, name: db_admin}\n  c: {external: true, name: db}\n  db:\n    file: ./db\n";
    let after = edited(file);
    assert_eq!(after.matches("db_v2").count(), 2);
    assert!(after.contains("name: db_admin") && after.ends_with("  db:\n    file: ./db\n"));
}

#[test]
fn what_no_edit_can_do_is_left_to_people_with_the_reason() {
    let to: SecretName = "db_v2".parse().unwrap();
    let owned = |key: &str, from: &str| {
        Err(NoEdit::OwnedByStack { key: key.into(), from: from.parse().unwrap(), to: to.clone() })
    };
    let not_named = || Err(NoEdit::NotNamed);
    for (file, reason) in [
        ("secrets:\n  x: {external: true}\n", not_named()),
        ("services: {}\n", not_named()),
        ("secrets: {db: {file: ./db}}", not_named()),
        ("secrets: {k: {file: ./db, name: db}}", owned("k", "db")),
        ("secrets: {k: {environment: DB, name: db}}", owned("k", "db")),
        ("secrets: {db: {external: {}}}", Err(NoEdit::Layout { key: "db".into(), to: to.clone() })),
    ] {
        assert_eq!(edit(file, &[]), reason, "{file}");
    }
    let shop = rename("shop", "secrets: {db: {file: ./db}}", &vars(&[]), &names(&[("shop_db", "db_v2")]));
    assert_eq!(shop, owned("db", "shop_db"));
    assert!(matches!(edit("secrets: [", &[]), Err(NoEdit::Unreadable(_))));
}

#[test]
fn what_is_shared_is_edited_where_it_is_used() {
    for (before, after) in [
        (
            "x-e: &e {external: true}\nsecrets:\n  db: *e # c\n  other: *e\n",
            "x-e: &e {external: true}\nsecrets:\n  db: {<<: *e, name: db_v2} # c\n  other: *e\n",
        ),
        (
            "x-e: &e\n  external: true\nsecrets:\n  db:\n    <<: *e\n  other:\n    <<: *e\n",
            "x-e: &e\n  external: true\nsecrets:\n  db:\n    name: db_v2\n    <<: *e\n  other:\n    <<: *e\n",
        ),
        (
            "x-e: &e {external: true}\r\nsecrets:\r\n  db:\r\n    <<: *e\r\n",
            "x-e: &e {external: true}\r\nsecrets:\r\n  db:\r\n    name: db_v2\r\n    <<: *e\r\n",
        ),
        (
            "x-e: &e {external: true}\nsecrets: {db: {<<: *e}}\n",
            "x-e: &e {external: true}\nsecrets: {db: {name: db_v2, <<: *e}}\n",
        ),
        (
            "services: {a: {environment: {NAME: &n db}}}\nsecrets:\n  k: {external: true, name: *n }\n",
            "services: {a: {environment: {NAME: &n db}}}\nsecrets:\n  k: {external: true, name: db_v2 }\n",
        ),
    ] {
        assert_eq!(edited(before), after);
    }
}

#[test]
fn names_that_yaml_reads_as_something_else_get_quotes() {
    let to = |name: &str| {
        let file = "secrets: {k: {external: true, name: db}}";
        rename("s", file, &vars(&[]), &names(&[("db", name)])).unwrap().file.to_string()
    };
    assert_eq!(to("2026-11-21"), "secrets: {k: {external: true, name: \"2026-11-21\"}}");
    assert_eq!(to("true"), "secrets: {k: {external: true, name: \"true\"}}");
    assert_eq!(to("1e5"), "secrets: {k: {external: true, name: \"1e5\"}}");
}

#[test]
fn an_edit_prints_nothing_of_the_file() {
    let file = "services:\n  a:\n    environment:\n      TOKEN: made-up\nsecrets:\n  db:\n    external: true\n";
    assert!(!format!("{:?}", edit(file, &[]).unwrap()).contains("made-up"));
}

/// One entry that names `NAME`, in the styles that people write.
fn entry(style: usize, pad: &str, comment: &str) -> String {
    match style {
        0 => format!("{pad}k:\n{pad}{pad}external: true\n{pad}{pad}name: NAME # {comment}\n"),
        1 => format!("{pad}k: {{ external: true , name: \"NAME\" }} # {comment}\n"),
        2 => format!("{pad}k: {{name: '${{VAR:-NAME}}', external: true}} # {comment}\n"),
        3 => format!("{pad}k: # {comment}\n{pad}{pad}name: NAME\n{pad}{pad}external: 'true'\n"),
        4 => format!("{pad}k:\n{pad}{pad}external: # {comment}\n{pad}{pad}{pad}name: 'NAME'\n"),
        5 => format!("{pad}k:\t# {comment}\n{pad}{pad}external: true\t# {comment}\n{pad}{pad}name:\tNAME\n"),
        6 => format!("{pad}k: &k\n{pad}{pad}external: true\n{pad}{pad}name: &n \"NAME\"\n{pad}l: *k\n"),
        7 => format!("{pad}k: {{<<: &m {{external: true}}, name: \"${{VAR-NAME}}\"}}\n{pad}l: *m\n"),
        _ => format!("{pad}k:\n{pad}{pad}name: >-\n{pad}{pad}  NAME\n{pad}{pad}external: true\n"),
    }
}

proptest! {
    #[test]
    fn whatever_stands_around_stays(
        comment in "[a-z ü#:]{0,20}",
        indent in 1_usize..6,
        style in 0_usize..8,
        before in prop::collection::vec("[a-z]{3,8}", 0..3),
        crlf in any::<bool>(),
        cut in any::<bool>(),
    ) {
        let pad = " ".repeat(indent);
        let entry = entry(style, &pad, &comment);
        let mut others: Vec<&String> = before.iter().collect();
        others.sort();
        others.dedup();
        let others: String = others.iter().map(|k| format!("{pad}{k}: {{file: ./{k}}} # {comment}\n")).collect();
        let mut template = format!("# {comment}\nservices: {{}}\nsecrets:\n{others}{entry}# {comment}\n");
        if cut {
            template.pop();
        }
        if crlf {
            template = template.replace('\n', "\r\n");
        }
        let file = template.replace("NAME", "db");
        prop_assert_eq!(edited(&file), template.replace("NAME", "db_v2"));
    }

    /// Where a name has to be added, one piece of text is: all that stood there before still does.
    #[test]
    fn adding_a_name_takes_nothing_away(
        style in 0_usize..6,
        crlf in any::<bool>(),
        cut in any::<bool>(),
        behind in prop::sample::select(vec!["", "# ü\n", "configs:\n  c: {external: true}\n", "\n\n"]),
    ) {
        let entry = [
            "  db:\n    external: true # c\n",
            "  db: {external: true} # c\n",
            "  db: *e # c\n",
            "  db:\n    <<: *e # c\n",
            "  db: { <<: *e } # c\n",
            "  \"db\":\n      \"external\":   on\n",
        ][style];
        let mut file = format!("x-e: &e {{external: true}}\nsecrets:\n  other: *e\n{entry}{behind}");
        if cut && behind.is_empty() {
            file.pop();
        }
        if crlf {
            file = file.replace('\n', "\r\n");
        }
        let after = edited(&file);
        let same = file.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
        let behind_it = file.bytes().rev().zip(after.bytes().rev()).take_while(|(a, b)| a == b).count();
        let aliased = style == 2;
        prop_assert!(same + behind_it >= file.len() - usize::from(aliased) * 2, "{file:?} {after:?}");
        prop_assert_eq!(after.matches("db_v2").count(), 1);
        prop_assert_eq!(after.contains('\r'), crlf);
        prop_assert!(!crlf || !after.replace("\r\n", "").contains('\n'), "{after:?}");
        let found = references("shop", &after, &vars(&[])).unwrap();
        let found: Vec<&str> = found.iter().map(|r| r.secret.as_str()).collect();
        prop_assert_eq!(found, ["other", "db_v2"]);
    }

    #[test]
    fn no_file_panics(file in "[a-z:{}\\[\\]&*$ \n\"'!|>-]{0,60}") {
        let _ = references("s", &file, &vars(&[]));
        let _ = edit(&format!("secrets:\n  db: {{external: true}}\n{file}"), &[]);
    }
}
