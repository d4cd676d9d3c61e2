//! The demo world is whole: everything runs, and each thing that it should show is there.

use std::time::Duration;

use serde_json::{Value, json};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::demo::DEMO_REFUSED_VALUE;
use swarmsecrets_testkit::portainer::PortainerRequest;
use swarmsecrets_testkit::sim::SimEngine;

use crate::sim_asking::{create, edit_service, get, tasks};

/// A list as a user of Portainer sees it.
fn seen(demo: &SimSwarm, user: &str, list: &str) -> Vec<Value> {
    demo.ask(user, PortainerRequest::new("GET", list)).unwrap().as_array().unwrap().clone()
}

fn references(spec: &Value) -> Vec<(String, String)> {
    let list = spec["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter().map(|one| (text(&one["SecretName"]), text(&one["File"]["Name"]))).collect()
}

#[test]
fn everything_runs_and_nothing_has_failed() {
    let demo = SimSwarm::demo(0);
    let engine = demo.engine();
    let services = get(engine, "/services?status=true");
    for service in services.as_array().unwrap() {
        let status = &service["ServiceStatus"];
        assert_eq!(status["RunningTasks"], status["DesiredTasks"], "{}", service["Spec"]["Name"]);
        assert_ne!(status["DesiredTasks"], 0);
    }
    assert!(get(engine, "/tasks").as_array().unwrap().iter().all(|task| task["Status"]["State"] == "running"));
    assert_eq!(services.as_array().unwrap().len(), 10);
    assert_eq!(tasks(engine, "agent").len(), 2);
}

#[test]
fn each_thing_that_it_should_show_is_there() {
    let demo = SimSwarm::demo(0);
    let engine = demo.engine();
    let secrets = get(engine, "/secrets");
    let services = get(engine, "/services");
    let used: Vec<String> = services
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|service| references(&service["Spec"]))
        .map(|(name, _)| name)
        .collect();
    let mut unused: Vec<&str> = secrets
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| secret["Spec"]["Name"].as_str().unwrap())
        .filter(|name| !used.iter().any(|other| other == name))
        .collect();
    unused.sort_unstable();
    // Of these, the stopped stack still names the first one.
    assert_eq!(unused, ["campaign_api_key", "legacy_ftp_password"]);
    let stacks = seen(&demo, "admin", "/api/stacks");
    let kinds: Vec<_> = stacks.iter().map(|one| (&one["Name"], &one["Status"], one["GitConfig"].is_object())).collect();
    let (shop, newsletter, campaign) = (json!("shop"), json!("newsletter"), json!("campaign"));
    let (active, stopped) = (json!(1), json!(2));
    assert_eq!(kinds, [(&shop, &active, false), (&newsletter, &active, true), (&campaign, &stopped, false)]);

    let labelled = |label: &str, value: &str| {
        secrets.as_array().unwrap().iter().filter(|secret| secret["Spec"]["Labels"][label] == value).count()
    };
    assert_eq!((labelled("ai.managed", "false"), labelled("tier", "critical")), (1, 1));
    let db = get(engine, "/secrets/db_password");
    assert_eq!(db["Spec"]["Labels"]["rotation-policy"], "monthly");
    assert_eq!(db["CreatedAt"], "2025-11-22T00:00:00Z");
    let targets: Vec<String> =
        references(&get(engine, "/services/reports")["Spec"]).into_iter().map(|(_, t)| t).collect();
    assert_eq!(targets, [r"C:\app\report.pwd"]);
    let environment = &get(engine, "/services/legacy-admin")["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"];
    assert!(environment.to_string().contains("ADMIN_PASSWORD="));
    assert_eq!(get(engine, "/configs/site.conf")["Spec"]["Templating"]["Name"], "golang");
    let sharing = used.iter().filter(|name| *name == "db_password").count();
    assert_eq!(sharing, 2);
}

#[test]
fn the_scoped_account_sees_what_is_its_teams() {
    let demo = SimSwarm::demo(0);
    let names = |user: &str, list: &str| {
        let list = seen(&demo, user, &format!("/api/endpoints/1/docker/{list}"));
        let mut names: Vec<String> = list.iter().map(|one| one["Spec"]["Name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let secrets = ["campaign_api_key", "db_password", "newsletter_smtp_password", "payment_api_key", "redis_password"];
    assert_eq!(names("svc-agent", "secrets"), secrets);
    let services =
        ["legacy-admin", "newsletter_mailer", "pay", "shop_mysql", "shop_redis", "shop_web", "shop_wordpress"];
    assert_eq!(names("svc-agent", "services"), services);
    assert_eq!(names("bob", "secrets"), ["report_password", "site.crt", "site.key"]);
    assert_eq!((names("admin", "secrets").len(), names("admin", "services").len()), (11, 10));
    assert_eq!(seen(&demo, "svc-agent", "/api/stacks").len(), 3);
    assert_eq!(seen(&demo, "bob", "/api/stacks").len(), 0);
}

#[test]
fn its_services_refuse_one_value_and_recover() {
    let demo = SimSwarm::demo(0);
    let engine = demo.engine();
    let wrong = create(engine, "secrets", &json!({"Name": "wrong_key", "Labels": {}, "Data": "d3Jvbmc="}));
    let (status, _) = edit_service(engine, "pay", |spec| {
        spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretID"] = json!(wrong);
        spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"] = json!("wrong_key");
    });
    assert_eq!(status, 200);
    engine.run_for(Duration::from_secs(60));
    let service = get(engine, "/services/pay");
    assert_eq!(service["UpdateStatus"]["State"], "rollback_completed");
    assert_eq!(references(&service["Spec"])[0].0, "payment_api_key");
    let failed = tasks(engine, "pay").into_iter().filter(|task| task["Status"]["Err"] == "task: non-zero exit (3)");
    assert!(failed.count() > 0);
}

#[test]
fn its_values_are_not_saved_and_its_seed_decides_its_ids() {
    let demo = SimSwarm::demo(0);
    let saved = String::from_utf8(demo.engine().save().unwrap()).unwrap();
    for value in ["demo-db-password-1", "demo-payment-key-1", "demo-site-key-1"] {
        assert!(!saved.contains(value), "{value} is saved");
    }
    assert!(!saved.contains(&format!("\"{DEMO_REFUSED_VALUE}\"")));
    let loaded = SimEngine::load(saved.as_bytes()).unwrap();
    assert_eq!(get(&loaded, "/services"), get(demo.engine(), "/services"));
    let ids = |seed| SimSwarm::demo(seed).engine().service_id("shop_web").unwrap();
    assert_eq!(ids(0), ids(0));
    assert_ne!(ids(0), ids(1));
}
