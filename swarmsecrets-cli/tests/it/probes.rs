//! `--probes`, on the simulated world.

use crate::command::Place;

const LOGS: &str = "[[probes]]\nservice = \"reports\"\nkind = \"logs\"\n";

fn with(text: &str) -> Place {
    let place = Place::new();
    std::fs::write(place.path("probes.toml"), text).unwrap();
    place
}

#[test]
fn a_plan_names_its_probes_and_is_applied_with_them_alone() {
    let place = with(LOGS);
    let plan = "plan rotate report_password --probes probes.toml --out plan.json --json";
    let plan = place.sim(plan).code(0).json();
    assert_eq!(plan["consumers"][0]["probes"], serde_json::json!(["logs"]));
    let apply = "apply plan.json --value-file value --yes --json";
    let _ = place.sim(apply).code(2).says("`reports` is to be asked by the probe `logs`, which is not at hand");
    let json = place.sim(&format!("{apply} --probes probes.toml")).code(0).json();
    assert_eq!(json["outcome"], "applied", "{json}");
}

#[test]
fn a_rotation_asks_its_probes_and_says_so() {
    let place = with(LOGS);
    let run = place.sim("rotate report_password --value-file value --probes probes.toml --yes").code(0);
    assert!(run.stderr.contains("then asked by logs"), "{run:?}");
    let _ = run.says("reports: its probes have seen how it is");
}

#[test]
fn a_probe_that_cannot_be_asked_before_leaves_everything_as_it_was() {
    let command = r#"kind = "command"
command = ["no-such-program"]
"#;
    let place = with(&LOGS.replace("kind = \"logs\"\n", command));
    let run = place.sim("rotate report_password --value-file value --probes probes.toml --yes --json").code(1);
    let json = run.json();
    assert_eq!(json["outcome"], "not_started", "{json}");
    assert!(json["warnings"][0].as_str().unwrap().contains("`reports` cannot be asked how it is"), "{json}");
    let after = place.sim("inventory --secret report_password --json").code(0).json();
    assert_eq!(after["secrets"][0]["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn mistakes_end_before_anything_is_sent() {
    let rotate = "rotate report_password --value-file value --probes probes.toml --yes --json";
    let http = LOGS.replace("logs", "http");
    for (text, part) in [
        ("[[probes]]\nservice = \"reports\"\nkind = \"smoke\"\n".to_owned(), "smoke"),
        (http.clone(), "give `url` or `url-file`"),
        (format!("{http}url = \"http://127.0.0.1:9/\"\nca-file = \"nosuch\"\n"), "certificate authority's file"),
        (LOGS.replace("reports", "report"), "service `report`, and there is none of that name"),
    ] {
        let place = with(&text);
        let _ = place.sim(rotate).code(2).says(part);
        assert!(!place.path("world.json.journal/rotations").read_dir().is_ok_and(|mut d| d.next().is_some()), "{part}");
    }
    let tcp = LOGS.replace("\"logs\"", "\"tcp\"\naddress = \"127.0.0.1:9\"");
    let _ = with(&tcp).sim(rotate).code(2).says("`tcp 127.0.0.1:9` asks a real server, and this world is simulated");
    let place = with(LOGS);
    let _ = place.sim("plan rotate report_password --out plan.json --json").code(0);
    let apply = "apply plan.json --value-file value --probes probes.toml --yes --json";
    let _ = place.sim(apply).code(2).says("the plan asks no probe");
}
