//! What policies ask of values beside their form: lists of words, names, and what was before.

use proptest::prelude::*;

use super::test_zones::zones;
use super::{Act, Action, Decision, Equipment, Guard, KnownValue, Past, Policy, ValuesOf, WordList, WordLists};
use crate::ErrorKind;
use crate::SecretValue;
use crate::ids::{EnvironmentId, RotationId};
use crate::inventory::Labels;

fn policy(values: &str) -> Policy {
    Policy::parse(&format!("schema = 1\nphase = 'automated'\nstate = '/s'\n{values}"), &zones()).unwrap()
}

fn act<'a>(secret: &'a str, labels: &'a Labels) -> Act<'a> {
    Act {
        action: Action::Rotate,
        agent: None,
        environment: EnvironmentId(3),
        secret,
        versions: vec![("payment_key", labels)],
        services: vec![("pay", labels), ("shop_web", labels)],
        stacks: vec!["shop"],
        owner: None,
    }
}

fn words(text: &str) -> WordLists {
    [("/etc/words.txt".to_owned(), WordList::new(text.into()).unwrap())].into()
}

fn said(policy: &Policy, value: &str, words: &WordLists) -> Decision {
    policy.judge_value(&act("payment_key", &Labels::new()), &SecretValue::new(value.into()).unwrap(), words)
}

fn why(decision: Decision) -> String {
    match decision {
        Decision::Deny { reason } => reason,
        other => other.to_string(),
    }
}

#[test]
fn a_word_of_the_list_is_refused_and_not_named() {
    let (policy, words) = (policy("[[values]]\ndictionary = '/etc/words.txt'"), words("hunter2\ncorrect horse\n"));
    for value in ["hunter2", "HUNTER2", "correct horse\n"] {
        let why = why(said(&policy, value, &words));
        assert_eq!(
            why,
            "the new value of `payment_key` is one of the words in `/etc/words.txt`, which nobody should choose"
        );
    }
    assert_eq!(said(&policy, "hunter22", &words), Decision::Allow);
    let gone = why(said(&policy, "hunter22", &WordLists::new()));
    assert!(gone.ends_with("cannot be looked up in `/etc/words.txt`, which is not at hand"), "{gone}");
}

#[test]
fn names_that_stand_around_a_secret_are_no_values() {
    let policy = policy("[[values]]\nforbid_names = true");
    for value in ["my-Payment_Key-2026", "SHOP_WEB!!", "xxShopxx"] {
        let why = why(said(&policy, value, &WordLists::new()));
        assert!(why.ends_with("holds the name of the secret, or of a service or stack that uses it"), "{why}");
        assert!(!why.contains(value));
    }
    assert_eq!(
        said(&policy, "pay me 4f9a1c07be52", &WordLists::new()),
        Decision::Allow,
        "three letters stand anywhere"
    );
}

#[test]
fn the_furthest_look_back_holds_and_is_explained() {
    let policy = policy(
        "[[values]]\nhistory = 3\nmin_length = 8\n[[values]]\nhistory = 5\nselect = { secrets = ['payment*'] }\n[[values]]\nhistory = 9\nselect = { secrets = ['other'] }\n[[values]]\ndictionary = '/etc/words.txt'\nforbid_names = true\nforbidden = ['a', 'b']\nselect = { secrets = ['payment*'] }",
    );
    let none = Labels::new();
    assert_eq!((policy.history(&act("payment_key", &none)), policy.history(&act("db", &none))), (5, 3));
    assert!(policy.has_history());
    assert_eq!(policy.dictionaries().collect::<Vec<_>>(), ["/etc/words.txt"]);
    let wants: Vec<String> =
        policy.wants_of_values(&act("payment_key", &none)).map(|wants| wants.to_string()).collect();
    assert_eq!(
        wants,
        [
            "new values: 8 bytes or more, none of the last 3",
            "new values: none of the last 5",
            "new values: without what is forbidden (2), without the names of the secret, its services and stacks, no word in `/etc/words.txt`",
        ]
    );
}

#[test]
fn a_policy_is_in_force_with_all_that_it_needs_alone() {
    for (values, missing) in [
        ("[[values]]\nhistory = 1", "compares values with those before, which needs a memory"),
        ("[[values]]\ndictionary = '/etc/words.txt'", "names the list of words `/etc/words.txt`"),
    ] {
        let error = Guard::new("p", policy(values)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(error.message().contains(missing), "{error}");
    }
    let with = Equipment { past: Some(std::sync::Arc::<super::MemoryPast>::default()), ..Equipment::default() };
    assert!(Guard::equipped("p", policy("[[values]]\nhistory = 1"), with).is_ok());
}

fn id(n: u8) -> RotationId {
    RotationId::from_random([n; 10])
}

fn of() -> ValuesOf {
    ValuesOf { cluster: "swarm-1".into(), secret: "db".into(), simulated: false }
}

fn known(n: usize) -> KnownValue {
    KnownValue { key: "k".into(), fingerprint: format!("hmac-sha256:{n:064}") }
}

#[test]
fn a_value_comes_back_after_so_many_others_and_a_rotation_may_give_its_own_again() {
    let mut past = Past::default();
    for n in 0..4 {
        past.remember(&of(), &id(n), known(usize::from(n)), 3).unwrap();
        past.remember(&of(), &id(n), known(usize::from(n)), 3).unwrap();
    }
    let error = past.remember(&of(), &id(9), known(1), 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(
        error.message(),
        "denied by policy: the new value of `db` is one of the last 3 that it had: take another"
    );
    let error = past.remember(&of(), &id(9), known(3), 1).unwrap_err();
    assert!(error.message().ends_with("is the last one that it had: take another"), "{error}");
    past.remember(&of(), &id(9), known(0), 3).unwrap();
    assert!(past.forget(&id(9)) && !past.forget(&id(9)));
    // What was made anew before the version was is all remembered.
    past.remember(&of(), &id(9), known(7), 3).unwrap();
    past.remember(&of(), &id(9), known(8), 3).unwrap();
    assert!(
        past.holds(&known(7), 1, None) && past.holds(&known(8), 1, None) && !past.holds(&known(8), 3, Some(&id(9)))
    );
}

#[test]
fn another_key_tells_nothing_and_that_is_known() {
    let mut past = Past::default();
    past.remember(&of(), &id(1), known(1), 5).unwrap();
    let other = KnownValue { key: "other".into(), ..known(1) };
    assert!(!past.holds(&other, 5, None));
    assert_eq!((past.unknown(&other, 5, None), past.unknown(&known(1), 5, None)), (1, 0));
    assert_eq!(past.unknown(&other, 5, Some(&id(1))), 0);
}

#[test]
fn its_text_is_read_back_by_the_same_secret_alone() {
    let mut past = Past::default();
    past.remember(&of(), &id(1), known(1), 5).unwrap();
    let text = past.to_json(&of()).unwrap();
    assert_eq!(Past::from_json(&of(), &text).unwrap(), past);
    let other = ValuesOf { secret: "key".into(), ..of() };
    for bad in [&text[..text.len() / 2], b"{}", b""] {
        assert_eq!(Past::from_json(&of(), bad).unwrap_err().kind(), ErrorKind::Io);
    }
    assert!(Past::from_json(&other, &text).is_err());
    assert_ne!(of().digest(), other.digest());
    assert_eq!(of().digest().len(), 64);
}

proptest! {
    /// However often it is written to, and however much is forgotten.
    #[test]
    fn it_holds_the_last_hundred_and_does_not_grow(steps in prop::collection::vec((0..200_u8, 0..40_usize, any::<bool>()), 0..600)) {
        let mut past = Past::default();
        let mut made: Vec<(u8, usize)> = Vec::new();
        for (n, (rotation, value, fails)) in steps.into_iter().enumerate() {
            if made.iter().any(|(known, _)| *known == rotation) {
                continue;
            }
            let value = value + 1000 * n;
            past.remember(&of(), &id(rotation), known(value), 100).unwrap();
            if fails { prop_assert!(past.forget(&id(rotation))); } else { made.push((rotation, value)); }
        }
        for (_, value) in made.iter().rev().take(100) {
            prop_assert!(past.holds(&known(*value), 100, None));
        }
        prop_assert!(past.to_json(&of()).unwrap().len() < 40_000);
    }

    #[test]
    fn asking_for_more_never_allows_more(value in "[ -~]{1,20}|hunter2|Shop.{0,4}", length in 0..12_usize, names: bool, listed: bool, history in 1..100_u32) {
        let words = words("hunter2\nab\n");
        let text = format!("[[values]]\nmin_length = {length}\n");
        let mut more = format!("{text}history = {history}\n");
        if names { more.push_str("forbid_names = true\n"); }
        if listed { more.push_str("dictionary = '/etc/words.txt'\n"); }
        let (less, more) = (policy(&text), policy(&more));
        prop_assert!(said(&more, &value, &words).strictness() >= said(&less, &value, &words).strictness());
        let none = Labels::new();
        prop_assert!(more.history(&act("db", &none)) >= less.history(&act("db", &none)));
        let beside = policy(&format!("{text}[[values]]\nhistory = {history}\nforbid_names = {names}"));
        prop_assert!(said(&beside, &value, &words).strictness() >= said(&less, &value, &words).strictness());
    }

    #[test]
    fn looking_further_back_refuses_no_less(given in prop::collection::vec((0..12_u8, 0..5_usize), 0..30), value in 0..5_usize, last in 0..20_u32, more in 0..20_u32) {
        let mut past = Past::default();
        for (rotation, value) in given {
            past.remember(&of(), &id(rotation), known(value), 0).unwrap();
        }
        prop_assert!(!past.holds(&known(value), last, None) || past.holds(&known(value), last + more, None));
        prop_assert!(!past.holds(&known(value), last, Some(&id(3))) || past.holds(&known(value), last + 1, None));
    }
}
