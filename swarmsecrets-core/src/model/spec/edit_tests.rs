//! Edits change the intended places and nothing else, whatever else the spec holds.

use proptest::prelude::*;

use super::SpecText;
use crate::ErrorKind;
use crate::ids::{SecretId, SecretName};
use crate::model::SecretReference;

fn spec(text: &str) -> SpecText {
    SpecText::new(text.to_owned()).unwrap()
}

fn to() -> (SecretId, SecretName) {
    ("new1".parse().unwrap(), "k_v2".parse().unwrap())
}

fn replaced(text: &str, target: &str) -> Result<SpecText, crate::Error> {
    let (id, name) = to();
    spec(text).replace_reference(target, ("old1", "k"), (&id, &name))
}

fn reference(target: &str) -> SecretReference {
    SecretReference {
        id: "s9".into(),
        name: "extra".into(),
        target: target.into(),
        uid: "33".into(),
        gid: "44".into(),
        mode: 0o400,
    }
}

const TWO: &str = r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[ {"File":{"Name":"a","Mode":1},"SecretID":"old1","SecretName":"k"} , {"SecretName":"k","SecretID":"old1","File":{"Name":"b"}} ]}}}"#;

#[test]
fn one_reference_is_replaced_and_its_file_stays() {
    let edited = replaced(TWO, "b").unwrap();
    assert_eq!(
        edited.as_str(),
        TWO.replace(r#""SecretName":"k","SecretID":"old1""#, r#""SecretName":"k_v2","SecretID":"new1""#)
    );
}

#[test]
fn what_is_not_there_any_more_is_stale_and_what_is_there_twice_is_refused() {
    assert_eq!(replaced(TWO, "c").unwrap_err().kind(), ErrorKind::Stale);
    assert_eq!(replaced(&TWO.replace("old1", "other"), "a").unwrap_err().kind(), ErrorKind::Stale);
    assert_eq!(replaced(&TWO.replace("\"b\"", "\"a\""), "a").unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(replaced("{}", "a").unwrap_err().kind(), ErrorKind::Stale);
}

#[test]
fn references_are_added_wherever_the_list_is() {
    let entry = r#"{"File":{"GID":"44","Mode":256,"Name":"x","UID":"33"},"SecretID":"s9","SecretName":"extra"}"#;
    for (before, after) in [
        (r#"{"TaskTemplate":{"ContainerSpec":{}}}"#, r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[E]}}}"#),
        (
            r#"{"TaskTemplate":{"ContainerSpec":{"A":1.0 }}}"#,
            r#"{"TaskTemplate":{"ContainerSpec":{"A":1.0,"Secrets":[E] }}}"#,
        ),
        (
            r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":null}}}"#,
            r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[E]}}}"#,
        ),
        (
            r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[ ]}}}"#,
            r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[E ]}}}"#,
        ),
        (
            r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[{} ]}}}"#,
            r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[{},E ]}}}"#,
        ),
    ] {
        assert_eq!(
            spec(before).add_reference(&reference("x")).unwrap().as_str(),
            after.replace('E', entry),
            "{before}"
        );
    }
    assert_eq!(spec(TWO).add_reference(&reference("a")).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(spec("{}").add_reference(&reference("a")).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn references_are_removed_with_their_comma() {
    let list = |text: &SpecText| text.references().unwrap().into_iter().map(|r| r.target).collect::<Vec<_>>();
    let first_gone = spec(TWO).remove_reference("a").unwrap();
    assert_eq!(list(&first_gone), ["b"]);
    let last_gone = spec(TWO).remove_reference("b").unwrap();
    assert_eq!(list(&last_gone), ["a"]);
    let none = last_gone.remove_reference("a").unwrap();
    assert_eq!(none.as_str(), r#"{"TaskTemplate":{"ContainerSpec":{"Secrets":[]}}}"#);
    assert_eq!(none.remove_reference("a").unwrap_err().kind(), ErrorKind::Stale);
}

#[test]
fn text_that_go_escaped_is_compared_unescaped() {
    let text = r#"{"Labels":{"k":"me\u003c\u0026\u003e"},"TaskTemplate":{"ContainerSpec":{"Secrets":[{"File":{"Name":"a\u0026b"},"SecretID":"old1","SecretName":"k"}]}}}"#;
    let edited = replaced(text, "a&b").unwrap();
    assert!(edited.as_str().starts_with(r#"{"Labels":{"k":"me\u003c\u0026\u003e"}"#));
    assert_eq!(edited.references().unwrap()[0].target, "a&b");
}

/// JSON text with what serializers like to lose: odd number literals, escapes, white space, nulls, key order.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "1.0",
            "-0",
            "0.10",
            "1e5",
            "1E+2",
            "123456789012345678901234567890",
            "[]",
            "{ }",
            "\"\\u00fc\\n\"",
            "\"Secrets\"",
            "\"}],{\\\"\"",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|n| n.to_string()),
        "\\PC{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((key(), value), 0..4).prop_map(|all| format!("{{{}}}", fields(all)))
}

/// Keys that are not ours, some of them escaped.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,6}".prop_map(|k| format!("\"{k}\"")), "[a-z]{0,3}".prop_map(|k| format!("\"\\u00fc{k}\\\"\""))]
}

fn fields(all: Vec<(String, String)>) -> String {
    all.into_iter().map(|(key, value)| format!("{key} :{value}")).collect::<Vec<_>>().join(",\n")
}

fn around() -> impl Strategy<Value = (String, String)> {
    let some = || prop::collection::vec((key(), json()), 0..3).prop_map(fields);
    (some(), some()).prop_map(|(before, after)| {
        let comma = |text: &str| if text.is_empty() { "" } else { "," };
        (format!("{before}{}", comma(&before)), format!("{}{after}", comma(&after)))
    })
}

/// A spec in two halves, with everything before the list's items in the one and everything behind them in the other.
fn spec_around_the_list() -> impl Strategy<Value = (String, String)> {
    (around(), around(), around()).prop_map(|(outer, template, container)| {
        let before =
            format!("{{{}\"TaskTemplate\": {{{}\"ContainerSpec\":{{{}\"Secrets\":[", outer.0, template.0, container.0);
        (before, format!("]{}}}{} }}{}}}", container.1, template.1, outer.1))
    })
}

proptest! {
    #[test]
    fn a_replacement_changes_id_and_name_and_nothing_else(
        (before, after) in spec_around_the_list(),
        (entry_before, entry_after) in around(),
        (file_before, file_after) in around(),
        id_first in any::<bool>(),
    ) {
        let file = format!("\"File\":{{{file_before}\"Name\":\"t\"{file_after}}}");
        let pair = |id: &str, name: &str| {
            let (id, name) = (format!("\"SecretID\": \"{id}\""), format!("\"SecretName\" :\"{name}\""));
            if id_first { format!("{id},{file},{name}") } else { format!("{name},{file},{id}") }
        };
        let other = r#"{"SecretID":"old1","SecretName":"k","File":{"Name":"u","Mode":292}}"#;
        let whole = |id, name| format!("{before}{other},{{{entry_before}{}{entry_after}}}{after}", pair(id, name));
        let (id, name) = to();
        let edited = spec(&whole("old1", "k")).replace_reference("t", ("old1", "k"), (&id, &name)).unwrap();
        prop_assert_eq!(edited.as_str(), whole("new1", "k_v2"));
    }

    #[test]
    fn adding_then_removing_gives_the_text_back((before, after) in spec_around_the_list(), there in any::<bool>()) {
        let text = format!("{before}{}{after}", if there { r#"{"SecretID":"a","File":{"Name":"u"}}"# } else { "" });
        let original = spec(&text);
        let added = original.add_reference(&reference("t")).unwrap();
        prop_assert!(added.as_str().starts_with(&before) && added.as_str().ends_with(&after));
        let last = added.references().unwrap().pop();
        prop_assert_eq!(last, Some(reference("t")));
        prop_assert_eq!(added.remove_reference("t").unwrap(), original);
    }
}
