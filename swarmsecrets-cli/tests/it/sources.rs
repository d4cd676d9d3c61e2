//! `--sources` and `--value-from`, on the simulated world.

use crate::command::Place;

const SOURCES: &str = "[[sources]]\nname = \"rendered\"\nkind = \"folder\"\nfolder = \"values\"\n";

/// A place with a folder of two values.
fn with_values() -> Place {
    let place = Place::new();
    std::fs::write(place.path("sources.toml"), SOURCES).unwrap();
    for name in ["reports", "db"] {
        let folder = place.path("values").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(place.path("value"), folder.join("value")).unwrap();
    }
    place
}

#[test]
fn a_value_is_fetched_and_its_version_says_where_it_is_from() {
    let place = with_values();
    let rotate = "rotate report_password --value-from rendered:reports/value --sources sources.toml --yes --json";
    assert_eq!(place.sim(rotate).code(0).json()["outcome"], "applied");
    let shown = place.sim("inventory --secret report_password --json").code(0).json();
    let newest = shown["secrets"][0]["versions"].as_array().unwrap().last().unwrap().clone();
    let label = newest["labels"]["io.swarmsecrets.source"].as_str().unwrap();
    assert!(label.starts_with("rendered:reports/value@"), "{label}");
    let create = "create new_key --value-from rendered:db/value --sources sources.toml --yes --json";
    assert_eq!(place.sim(create).code(0).json()["outcome"], "applied");
}

#[test]
fn a_plan_pins_the_version_and_takes_no_other() {
    let place = with_values();
    let plan = "plan rotate report_password --value-from rendered:reports/value --sources sources.toml --out plan.json";
    let shown = place.sim(plan).code(0);
    assert!(shown.stdout.contains("of `reports/value` in `rendered`"), "{shown:?}");
    let apply = "apply plan.json --yes --json";
    let _ = place.sim(apply).code(2).says("the source `rendered` is not at hand");
    std::fs::write(place.path("values/reports/value"), "made up, and exchanged").unwrap();
    let refused = place.sim(&format!("{apply} --sources sources.toml")).code(1).says("was written since then");
    assert_eq!(refused.json()["outcome"], "not_started");
    let _ = place.sim(&plan.replace("plan.json", "again.json")).code(0);
    let applied = place.sim("apply again.json --sources sources.toml --yes --json").code(0);
    assert_eq!(applied.json()["outcome"], "applied");
}

#[test]
fn several_secrets_take_their_values_each_from_its_own_way() {
    let place = with_values();
    let rotate = "rotate report_password db_password --value-from report_password=rendered:reports/value --sources sources.toml --generate 32 --yes --json";
    assert_eq!(place.sim(rotate).code(0).json()["outcome"], "applied");
}

#[test]
fn mistakes_end_before_anything_is_sent() {
    let place = with_values();
    let sources = "--sources sources.toml --yes --json";
    for (line, code, part) in [
        ("rotate report_password --value-from rendered:reports/value --yes".to_owned(), 2, "--sources"),
        (format!("rotate report_password --value-from rendered {sources}"), 2, "SOURCE:REFERENCE"),
        (
            format!("rotate report_password --value-from rendered:reports/value --generate 32 {sources}"),
            2,
            "cannot be used with",
        ),
        (
            format!("rotate report_password db_password --value-from rendered:reports/value {sources}"),
            2,
            "NAME=SOURCE:REFERENCE",
        ),
        (
            format!("rotate report_password --value-from other=rendered:db/value --generate 32 {sources}"),
            2,
            "cannot be used with",
        ),
        (
            format!("rotate --stack shop --value-from other=rendered:db/value --generate 32 {sources}"),
            2,
            "not among the secrets",
        ),
        (
            format!("rotate report_password --value-from vault:reports {sources}"),
            2,
            "the source `vault` is not at hand",
        ),
        (format!("rotate report_password --value-from rendered:../value {sources}"), 2, "no path within the folder"),
        (format!("rotate report_password --value-from rendered:nothing {sources}"), 1, "source `rendered`"),
    ] {
        let _ = place.sim(&line).code(code).says(part);
    }
    let shown = place.sim("inventory --secret report_password --json").code(0).json();
    assert_eq!(shown["secrets"][0]["versions"].as_array().unwrap().len(), 1);
}
