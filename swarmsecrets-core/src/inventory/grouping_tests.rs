//! What belongs together, what does not, and what is left to people.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::grouping::group;
use super::{Ambiguity, Grouping, LogicalSecret, NameScheme, SecretVersion};

/// A secret by name, with labels written as `key=value`.
fn secret(name: &str, labels: &[&str]) -> SecretVersion {
    let id: String = name.bytes().map(|b| format!("{b:02x}")).collect();
    SecretVersion {
        id: id[..id.len().min(64)].parse().unwrap(),
        name: name.parse().unwrap(),
        version: 1,
        scheme: NameScheme::Plain,
        created: Timestamp::UNIX_EPOCH,
        labels: labels.iter().filter_map(|l| l.split_once('=')).collect(),
        owner: None,
        driver: None,
        templating: None,
    }
}

fn ours(logical: &str, version: u64) -> [String; 2] {
    [format!("io.swarmsecrets.secret={logical}"), format!("io.swarmsecrets.version={version}")]
}

fn labelled(name: &str, logical: &str, version: u64) -> SecretVersion {
    let [a, b] = ours(logical, version);
    secret(name, &[&a, &b])
}

/// `name: version=number …` for each logical secret, and the names that are ambiguous.
fn shape(found: &(Vec<LogicalSecret>, Vec<Ambiguity>)) -> (Vec<String>, Vec<&str>) {
    let logical = |s: &LogicalSecret| {
        let versions: Vec<String> = s.versions.iter().map(|v| format!("{}={}", v.name, v.version)).collect();
        format!("{}: {}", s.name, versions.join(" "))
    };
    (found.0.iter().map(logical).collect(), found.1.iter().map(|a| a.name.as_str()).collect())
}

fn check(names: &[&str], secrets: &[&str], ambiguous: &[&str]) {
    let found = group(names.iter().map(|name| secret(name, &[])).collect());
    assert_eq!(shape(&found), (secrets.iter().map(|s| (*s).to_owned()).collect(), ambiguous.to_vec()), "{names:?}");
}

#[test]
fn names_that_follow_one_scheme_are_versions_of_one_secret() {
    check(&["db_v2", "db", "db_v10"], &["db: db=1 db_v2=2 db_v10=10"], &[]);
    check(&["k-v2", "k"], &["k: k=1 k-v2=2"], &[]);
    check(&["site.key", "site.key.v2"], &["site.key: site.key=1 site.key.v2=2"], &[]);
    check(&["k_20261121", "k", "k_20251231"], &["k: k=1 k_20251231=2 k_20261121=3"], &[]);
}

#[test]
fn a_version_alone_is_a_version_of_its_base_but_a_bare_number_is_not() {
    check(&["db_v2"], &["db: db_v2=2"], &[]);
    check(&["k", "k_2", "kv2"], &["k: k=1", "k_2: k_2=1", "kv2: kv2=1"], &[]);
    check(&["node", "node_1", "node_2"], &["node: node=1", "node_1: node_1=1", "node_2: node_2=1"], &[]);
    check(&["db_v1", "db_v1.2"], &["db: db_v1=1", "db_v1.2: db_v1.2=1"], &[]);
}

#[test]
fn names_that_only_look_alike_do_not_mix() {
    check(
        &["db", "db_admin", "db_v2", "db_v2_backup", "shop_db", "shop_db_v2"],
        &[
            "db: db=1 db_v2=2",
            "db_admin: db_admin=1",
            "db_v2_backup: db_v2_backup=1",
            "shop_db: shop_db=1 shop_db_v2=2",
        ],
        &[],
    );
}

#[test]
fn what_cannot_be_told_apart_is_reported_and_stands_alone() {
    check(&["k", "k_v2", "k-v2"], &["k: k=1", "k-v2: k-v2=2", "k_v2: k_v2=2"], &["k"]);
    check(&["k", "k_v2", "k-v3"], &["k: k=1", "k-v3: k-v3=3", "k_v2: k_v2=2"], &["k"]);
    check(&["k", "k_v1"], &["k: k=1", "k_v1: k_v1=1"], &["k"]);
    check(&["k_v2", "k_20261121"], &["k_20261121: k_20261121=2", "k_v2: k_v2=2"], &["k"]);
    check(&["api_v2", "api_v2_v3"], &["api: api_v2=2", "api_v2_v3: api_v2_v3=1"], &["api_v2_v3"]);
}

#[test]
fn labels_settle_what_names_leave_open_and_names_never_overrule_them() {
    let found = group(vec![secret("k", &[]), labelled("k_v2", "k", 2), labelled("k-v2", "other", 2)]);
    assert_eq!(shape(&found).0, ["k: k=1 k_v2=2", "other: k-v2=2"]);
    assert!(found.1.is_empty());
    assert_eq!(found.0[0].grouped_by, Grouping::Label);
    assert_eq!(found.0[0].versions[1].scheme, NameScheme::V("_".into()));

    let apart = group(vec![labelled("db", "old", 1), labelled("db_v2", "new", 2), secret("db_2", &[])]);
    assert_eq!(shape(&apart).0, ["db_2: db_2=1", "new: db_v2=2", "old: db=1"]);
}

#[test]
fn an_unlabelled_secret_with_a_labelled_ones_number_stands_alone() {
    let found = group(vec![secret("k", &[]), labelled("k_v2", "k", 2), secret("k-v2", &[])]);
    assert_eq!(shape(&found).0, ["k: k=1 k_v2=2", "k-v2: k-v2=2"]);
    assert_eq!(found.1[0].candidates, ["k-v2"]);
    let unlabelled = group(vec![secret("k", &[]), secret("k_v1", &[]), labelled("k_v2", "k", 2)]);
    assert_eq!(shape(&unlabelled).0, ["k: k=1", "k: k_v2=2", "k_v1: k_v1=1"]);
    assert_eq!(unlabelled.1[0].candidates, ["k", "k_v1"]);
    let doubled = group(vec![labelled("a", "k", 2), labelled("b", "k", 2)]);
    assert_eq!(shape(&doubled), (vec!["a: a=2".to_owned(), "b: b=2".to_owned()], vec!["k"]));
}

#[test]
fn the_version_before_a_labelled_one_belongs_with_it() {
    let [a, b] = ours("own", 4);
    let next = secret("db_v4", &[&a, &b, "io.swarmsecrets.previous=db_v3"]);
    let found = group(vec![secret("db_v3", &[]), next]);
    assert_eq!(shape(&found), (vec!["own: db_v3=3 db_v4=4".to_owned()], vec![]));
}

#[test]
fn stacks_tell_secrets_apart() {
    let of = |name: &str, stack: &str| secret(name, &[&format!("com.docker.stack.namespace={stack}")]);
    let found = group(vec![of("db", "a"), of("db_v2", "b"), of("db_v3", "b")]);
    assert_eq!(shape(&found), (vec!["db: db=1".to_owned(), "db_v2: db_v2=2 db_v3=3".to_owned()], vec![]));
    let open = group(vec![of("db", "a"), of("db_v2", "b"), secret("db_v3", &[])]);
    assert_eq!(shape(&open).1, ["db"]);
    let one = group(vec![of("db", "a"), secret("db_v2", &[])]);
    assert_eq!(shape(&one).0, ["db: db=1 db_v2=2"]);
}

proptest! {
    #[test]
    fn each_secret_has_one_place_and_labels_are_kept(
        names in prop::collection::btree_set("(a|b|a_v2|db)([_.-]?v?(1|2|3|02|20261121))?([_-]v2)?", 1..9),
        labels in prop::collection::vec(prop::option::of(("[ab]", 0_u64..3)), 9),
    ) {
        let all: Vec<SecretVersion> = names.iter().zip(&labels).map(|(name, label)| match label {
            Some((logical, version)) => labelled(name, logical, *version),
            None => secret(name, &[]),
        }).collect();
        let (secrets, ambiguous) = group(all.clone());
        let mut placed: Vec<&str> = secrets.iter().flat_map(|s| &s.versions).map(|v| v.name.as_str()).collect();
        placed.sort_unstable();
        prop_assert!(placed.iter().copied().eq(names.iter().map(String::as_str)));
        for secret in &secrets {
            let numbers: BTreeSet<u64> = secret.versions.iter().map(|v| v.version).collect();
            prop_assert_eq!(numbers.len(), secret.versions.len(), "{:?}", secret);
            let labels: BTreeSet<&str> = secret.versions.iter().filter_map(|v| v.labels.get("io.swarmsecrets.secret")).collect();
            prop_assert!(labels.len() <= 1);
            prop_assert_eq!(secret.current().version, *numbers.last().unwrap());
        }
        // The order in which the Engine lists them changes nothing.
        let mut reversed = all;
        reversed.reverse();
        prop_assert_eq!(group(reversed), (secrets, ambiguous));
    }
}
