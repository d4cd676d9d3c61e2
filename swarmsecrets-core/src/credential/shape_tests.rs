use super::*;
use proptest::prelude::*;

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec()).unwrap()
}

fn shape(text: &str) -> Shape {
    text.parse().unwrap()
}

fn read(rule: &str, text: &str) -> (Option<String>, Vec<u8>) {
    let credential = shape(rule).read(&value(text)).unwrap();
    (credential.user, credential.password.expose().to_vec())
}

fn refusal(rule: &str, text: &str) -> String {
    let error = shape(rule).read(&value(text)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.to_string()
}

#[test]
fn a_url_is_taken_apart_as_url_parsers_do() {
    let user = |name: &str| Some(name.to_owned());
    assert!(read("url-password", "postgres://app:p%40ss@db:5432/shop?x=@y") == (user("app"), b"p@ss".to_vec()));
    assert!(read("url-password", "redis://:only@cache/0") == (None, b"only".to_vec()));
    assert!(read("url-password", "mysql://a%2Fb:p:q@r@h1,h2") == (user("a/b"), b"p:q@r".to_vec()));
    assert!(refusal("url-password", "postgres://db/shop").contains("without a user"));
    assert!(refusal("url-password", "postgres://app@db/shop").contains("without a password"));
    assert!(refusal("url-password", "postgres://app:@db/shop").contains("empty password"));
    assert!(refusal("url-password", "made-up-text").contains("no `://`"));
}

#[test]
fn json_is_edited_where_the_pointer_leads_and_nowhere_else() {
    let text =
        "{ \"n\": 1.0,\n \"db\": [{\"password\" : \"ol\\u0064\", \"username\":\"app_a\"}], \"password\": \"other\" }";
    let rule = "json:/db/0/password";
    assert!(read(rule, text) == (Some("app_a".into()), b"old".to_vec()));
    let next = Credential { user: Some("app_b".into()), password: value("n\"ew\\\u{1}") };
    let written = shape(rule).write(&value(text), &next).unwrap();
    let wanted = text.replace("ol\\u0064", "n\\\"ew\\\\\\u0001").replace("app_a", "app_b");
    assert!(written.expose() == wanted.as_bytes());
}

#[test]
fn json_that_leads_nowhere_is_refused() {
    for (text, why) in [
        ("{\"password\": \"x\"} trailing", "not JSON"),
        ("{\"password\": 7}", "not a string"),
        ("{\"other\": \"x\"}", "nothing where"),
        ("\"x\"", "nothing where"),
        ("{\"password\": \"x\", \"password\": \"y\"}", "twice"),
        ("{\"password\": \"x\", \"username\": null}", "a user that is not a string"),
    ] {
        let said = refusal("json:/password", text);
        assert!(said.contains(why), "{text}: {said}");
    }
    assert!(refusal("json:/0", "[]").contains("nothing where"));
    assert!(refusal("json:/00", "[\"x\"]").contains("nothing where"));
}

#[test]
fn a_user_needs_a_place() {
    let next = Credential { user: Some("app_b".into()), password: value("made-up-next") };
    for (rule, text) in [("whole", "made-up-old"), ("json:/password", "{\"password\":\"made-up-old\"}")] {
        assert_eq!(shape(rule).write(&value(text), &next).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let not_text = Credential { user: None, password: SecretValue::credential(vec![255]) };
    assert!(shape("json:/password").write(&value("{\"password\":\"x\"}"), &not_text).is_err());
    let empty = Credential { user: None, password: SecretValue::credential(vec![]) };
    assert!(shape("whole").write(&value("x"), &empty).is_err());
}

#[test]
fn a_value_of_another_user_is_refused() {
    let credential = shape("url-password").read(&value("redis://eve:made-up@cache")).unwrap();
    assert!(credential.clone().of("eve").is_ok());
    assert!(credential.of("app").unwrap_err().message().contains("`eve`"));
}

#[test]
fn rules_that_are_not_known_are_refused() {
    for bad in ["", "Whole", "json:", "json:password", "url", "json"] {
        assert!(bad.parse::<Shape>().is_err(), "{bad}");
    }
}

/// Text that is JSON's, a URL's and a pointer's worst.
fn odd_text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec!['"', '\\', '/', '~', '@', ':', '%', '#', '?', '\n', '\'', '0', 'é', '🔑']);
    prop::collection::vec(prop_oneof![awkward, any::<char>()], 1..40).prop_map(|c| c.into_iter().collect())
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(old in odd_text(), new in odd_text(), user in odd_text(), other in odd_text()) {
        let url = |user: &str, password: &str| {
            let encode = |text: &str| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
            };
            format!("x+y://{}:{}@h/p?q#f", encode(user), encode(password))
        };
        let json = |user: &str, password: &str| {
            let quote = |text: &str| serde_json::to_string(text).unwrap();
            format!(" {{\"username\" :{},\"n\":1e400, \"a/~b\": {} }}\n", quote(user), quote(password))
        };
        for (rule, mould) in [("url-password", url(&user, &old)), ("json:/a~1~0b", json(&user, &old))] {
            let mould = value(&mould);
            let seen = shape(rule).read(&mould).unwrap();
            prop_assert!(seen.user.as_deref() == Some(&*user) && seen.password.expose() == old.as_bytes());

            let kept = Credential { user: None, password: value(&new) };
            let written = shape(rule).write(&mould, &kept).unwrap();
            let seen = shape(rule).read(&written).unwrap();
            prop_assert!(seen.user.as_deref() == Some(&*user) && seen.password.expose() == new.as_bytes());

            let moved = Credential { user: Some(other.clone()), password: value(&new) };
            let written = shape(rule).write(&mould, &moved).unwrap();
            let seen = shape(rule).read(&written).unwrap();
            prop_assert!(seen.user.as_deref() == Some(&*other) && seen.password.expose() == new.as_bytes());

            // Writing back what stood there gives the same meaning, and a second write changes no byte.
            let back = shape(rule).write(&written, &Credential { user: Some(user.clone()), password: value(&old) }).unwrap();
            let again = shape(rule).write(&back, &shape(rule).read(&back).unwrap()).unwrap();
            prop_assert!(back.expose() == again.expose());
        }
    }

    #[test]
    fn no_value_makes_it_panic_or_stand_in_an_error(text in odd_text(), rule in prop::sample::select(vec!["whole", "url-password", "json:/a", "json:/0"])) {
        let value = value(&format!("made-up-{text}"));
        if let Err(error) = shape(rule).read(&value) {
            let said = format!("{error:?}");
            prop_assert!(!said.contains("made-up"));
        }
    }

    #[test]
    fn a_rule_is_printed_as_it_is_read(steps in prop::collection::vec(odd_text(), 1..4)) {
        let rule = Shape::Json(Pointer(steps));
        prop_assert_eq!(rule.to_string().parse::<Shape>().unwrap(), rule);
    }
}
