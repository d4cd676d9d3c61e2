//! When secrets are to be rotated, as policies and labels say it.

use serde_json::Value;

use crate::command::Place;

/// When `labelled` is due by this policy, what says so, and how long after it was made, in seconds.
fn due(place: &Place, policy: &str) -> (String, String, i64) {
    std::fs::write(place.path("policy.toml"), format!("schema = 1\n{policy}")).unwrap();
    let listed = place.sim("policy due --policy policy.toml --json").code(0).json();
    let of = |one: &&Value| one["secret"] == "labelled";
    let one = listed["due"].as_array().unwrap().iter().find(of).unwrap().clone();
    let inventory = place.sim("inventory --secret labelled --json").code(0).json();
    let created: jiff::Timestamp = inventory["secrets"][0]["versions"][0]["created"].as_str().unwrap().parse().unwrap();
    let at: jiff::Timestamp = one["at"].as_str().unwrap().parse().unwrap();
    (one["at"].as_str().unwrap().into(), one["by"].as_str().unwrap().into(), at.duration_since(created).as_secs())
}

#[test]
fn the_soonest_of_policy_and_label_holds_and_a_label_only_makes_it_sooner() {
    let place = Place::new();
    let create = "create labelled --label rotation-policy=weekly --generate length=32 --yes --journal journal";
    place.sim(create).code(0);
    const DAY: i64 = 86_400;
    let every = |every: &str| format!("[[rotation]]\nname = 'r'\nevery = '{every}'\n");
    let label = "its label rotation-policy".to_owned();
    let (_, by, after) = due(&place, "");
    assert_eq!((by, after), (label.clone(), 7 * DAY), "without a policy");
    let (_, by, after) = due(&place, &every("30d"));
    assert_eq!((by, after), (label, 7 * DAY), "the label is sooner");
    let (_, by, after) = due(&place, &every("3d"));
    assert_eq!((by, after), ("rotation `r`".to_owned(), 3 * DAY), "the label does not put it off");
    let two = "[[rotation]]\nname = 'a'\nevery = '2d'\n[[rotation]]\nname = 'b'\nevery = '1d'\nselect = { secrets = ['lab*'] }\n";
    assert_eq!(due(&place, two).2, DAY);
    let (at, by, _) = due(&place, "[[rotation]]\nname = 'e'\nexpires = '2026-05-08'\nzone = 'Europe/Berlin'\n");
    let explained = place.sim("policy explain labelled --policy policy.toml --json").code(0).json();
    assert_eq!((explained["due"]["at"].as_str().unwrap(), explained["due"]["by"].as_str().unwrap()), (&*at, &*by));
}

#[test]
fn what_is_overdue_comes_first_and_is_explained() {
    let place = Place::new();
    let policy = "schema = 1\n[[rotation]]\nname = 'old'\nexpires = '2020-01-01'\nzone = 'UTC'\nselect = { secrets = ['report_*'] }\n[[rotation]]\nname = 'all'\nevery = 'daily'\n";
    std::fs::write(place.path("policy.toml"), policy).unwrap();
    place.sim("rotate report_password --generate length=32 --yes --journal journal").code(0);
    place.run("sim advance 25h --sim-state world.json").code(0);
    let listed = place.sim("policy due --policy policy.toml --json").code(0).json();
    let due = listed["due"].as_array().unwrap();
    assert!(due.iter().all(|one| one["overdue"] == true && one["at"].as_str() <= listed["now"].as_str()), "{listed}");
    assert!(due.is_sorted_by_key(|one| one["at"].as_str().unwrap()), "{listed}");
    assert!(due.iter().all(|one| one["by"] != "rotation `old`"), "it was made after that day");
    let text = place.sim("policy due --policy policy.toml").code(0).stdout;
    assert_eq!(text.lines().count(), due.len());
    assert!(text.lines().any(|line| line.starts_with("report_password: overdue since ")), "{text}");
    let explained = place.sim("policy explain report_password --policy policy.toml").code(0).stdout;
    assert!(explained.contains("\nits rotation is overdue since "), "{explained}");
}
