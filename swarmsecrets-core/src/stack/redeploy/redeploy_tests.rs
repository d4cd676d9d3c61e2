//! Redeployments compared with live services, by hand-made specs.

use serde_json::{Value, json};

use super::{CannotTell, Difference, Live, Shown, redeploy};
use crate::ids::SecretName;
use crate::stack::Variables;

const FILE: &str = "
version: '3.8'
x-ignored: {a: yes}
services:
  web:
    image: nginx:1
    environment: {MODE: \"${MODE:-none}\", PASSWORD: made-up}
    secrets: [{source: db, target: pw, mode: 0400}]
    deploy: {replicas: 2, endpoint_mode: dnsrr}
secrets:
  db: {external: true, name: db_v1}
";

fn service() -> Value {
    json!({
        "Name": "shop_web",
        "Labels": {"com.docker.stack.image": "nginx:1", "com.docker.stack.namespace": "shop"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "nginx:1@sha256:0123", "Isolation": "default", "Env": ["MODE=prod", "PASSWORD=made-up"],
                "Labels": {"com.docker.stack.namespace": "shop"},
                "Privileges": {"CredentialSpec": null, "SELinuxContext": null},
                "Secrets": [{"File": {"Name": "pw", "UID": "0", "GID": "0", "Mode": 256}, "SecretID": "s1", "SecretName": "db_v2"}],
            },
            "ForceUpdate": 3, "Runtime": "container", "Placement": {"Platforms": [{"OS": "linux"}]}, "Resources": {},
            "Networks": [{"Target": "n1", "Aliases": ["web"]}],
        },
        "Mode": {"Replicated": {"Replicas": 2}},
        "EndpointSpec": {"Mode": "dnsrr"},
    })
}

fn live(services: &[Value]) -> Live {
    let list: Vec<Value> =
        services.iter().map(|spec| json!({"ID": "i", "Version": {"Index": 1}, "Spec": spec})).collect();
    let networks = json!([{"Id": "n1", "Name": "shop_default"}, {"Id": "n2", "Name": "other"}]);
    Live::parse(json!(list).to_string().as_bytes(), networks.to_string().as_bytes()).unwrap()
}

fn names() -> Vec<(SecretName, SecretName)> {
    vec![("db_v1".parse().unwrap(), "db_v2".parse().unwrap())]
}

fn compare(file: &str, services: &[Value]) -> Result<Vec<Difference>, CannotTell> {
    let variables: Variables = [("MODE".to_owned(), "prod".to_owned())].into_iter().collect();
    redeploy("shop", file, &variables, &live(services), &names())
}

/// The fields that differ after an edit of the live service.
fn after(edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut spec = service();
    edit(&mut spec);
    compare(FILE, &[spec]).unwrap().into_iter().map(|difference| difference.field).collect()
}

#[test]
fn an_untouched_service_differs_in_nothing_whichever_version_it_mounts() {
    assert_eq!(compare(FILE, &[service()]), Ok(Vec::new()));
    let old = after(|s| s["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"] = json!("db_v1"));
    assert!(old.is_empty(), "{old:?}");
    assert_eq!(compare(&FILE.replace("db_v1", "db_v2"), &[service()]), Ok(Vec::new()));
}

#[test]
fn each_change_by_hand_is_named() {
    let container = |s: &mut Value, key: &str, value: Value| s["TaskTemplate"]["ContainerSpec"][key] = value;
    let cases: [(&str, Vec<String>); 16] = [
        ("replicas", after(|s| s["Mode"] = json!({"Replicated": {"Replicas": 3}}))),
        ("mode replicas", after(|s| s["Mode"] = json!({"Global": {}}))),
        ("image", after(|s| container(s, "Image", json!("nginx:2@sha256:0123")))),
        (
            "environment variable BY_HAND",
            after(|s| container(s, "Env", json!(["BY_HAND=1", "MODE=prod", "PASSWORD=made-up"]))),
        ),
        ("environment variable PASSWORD", after(|s| container(s, "Env", json!(["MODE=prod", "PASSWORD=made-up-2"])))),
        (
            "environment variable MODE (again)",
            after(|s| container(s, "Env", json!(["MODE=prod", "MODE=prod", "PASSWORD=made-up"]))),
        ),
        ("label a", after(|s| s["Labels"]["a"] = json!("b"))),
        ("container label a", after(|s| s["TaskTemplate"]["ContainerSpec"]["Labels"]["a"] = json!("b"))),
        ("command", after(|s| container(s, "Args", json!(["made-up"])))),
        ("secret pw", after(|s| s["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["File"]["Mode"] = json!(292))),
        (
            "mount /x.Source mount /x.Type",
            after(|s| container(s, "Mounts", json!([{"Type": "volume", "Source": "v", "Target": "/x"}]))),
        ),
        ("network other network shop_default", after(|s| s["TaskTemplate"]["Networks"][0]["Target"] = json!("n2"))),
        ("restart policy: Condition", after(|s| s["TaskTemplate"]["RestartPolicy"] = json!({"Condition": "none"}))),
        ("update policy: Parallelism", after(|s| s["UpdateConfig"] = json!({"Parallelism": 0}))),
        ("TaskTemplate.ContainerSpec.Newer.Field", after(|s| container(s, "Newer", json!({"Field": 1})))),
        (
            "port 80 to 8080/tcp (host)",
            after(|s| {
                s["EndpointSpec"]["Ports"] =
                    json!([{"PublishedPort": 80, "TargetPort": 8080, "PublishMode": "host", "Protocol": "tcp"}]);
            }),
        ),
    ];
    for (wanted, told) in cases {
        assert_eq!(told.join(" "), wanted);
    }
}

#[test]
fn the_engines_defaults_are_no_change() {
    let policy = json!({
        "Parallelism": 1, "FailureAction": "pause", "Monitor": 5_000_000_000_u64, "MaxFailureRatio": 0, "Order": "stop-first",
    });
    let told = after(|s| {
        s["UpdateConfig"] = policy.clone();
        s["RollbackConfig"] = policy;
        s["TaskTemplate"]["RestartPolicy"] = json!({"Condition": "any", "Delay": 5_000_000_000_u64, "MaxAttempts": 0});
        s["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"] = json!(10_000_000_000_u64);
    });
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(after(|s| s["TaskTemplate"]["RestartPolicy"] = json!({"Delay": 0})), ["restart policy: Delay"]);
}

#[test]
fn services_on_one_side_only_are_named() {
    let other = json!({"Name": "shop_other", "Labels": {"com.docker.stack.namespace": "shop"}});
    let foreign = json!({"Name": "shop2_web", "Labels": {"com.docker.stack.namespace": "shop2"}});
    let there = Shown::Value("defined".into());
    let told = compare(FILE, &[service(), other, foreign]).unwrap();
    assert_eq!((&*told[0].service, &told[0].stored, &told[0].live), ("shop_other", &Shown::Absent, &there));
    let told = compare(FILE, &[]).unwrap();
    assert_eq!((told.len(), &*told[0].service, &told[0].live), (1, "shop_web", &Shown::Absent));
    let mut taken = service();
    taken["Labels"] = json!({});
    assert_eq!(compare(FILE, &[taken]).unwrap().len(), 2, "a service of that name that left the stack");
}

#[test]
fn images_are_the_same_under_their_short_and_long_names() {
    for (stored, live, same) in [
        ("nginx", "nginx:latest@sha256:1", true),
        ("docker.io/library/nginx:1", "nginx:1@sha256:1", true),
        ("registry:5000/a/b", "registry:5000/a/b:latest", true),
        ("nginx:1@sha256:1", "nginx:1@sha256:1", true),
        ("nginx:1@sha256:1", "nginx:1@sha256:2", false),
        ("nginx:1@sha256:1", "nginx:1", false),
        ("nginx:1", "nginx:2", false),
        ("a/nginx", "nginx:latest", false),
    ] {
        let mut spec = service();
        spec["Labels"]["com.docker.stack.image"] = json!(stored);
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = json!(live);
        let told = compare(&FILE.replace("image: nginx:1", &format!("image: {stored}")), &[spec]).unwrap();
        assert_eq!(told.is_empty(), same, "{stored} {live} {told:?}");
    }
}

#[test]
fn what_is_not_understood_is_said_with_its_place() {
    for (from, to, at) in [
        ("image: nginx:1", "image: nginx:1\n    env_file: x", "services.web.env_file"),
        ("image: nginx:1", "image: nginx:1\n    volumes: [./a:/a]", "services.web.volumes.0"),
        ("image: nginx:1", "image: nginx:1\n    ports: ['80-90:80-90']", "services.web.ports.0"),
        ("image: nginx:1", "image: nginx:1\n    command: a\\ b", "services.web.command"),
        ("image: nginx:1", "build: .", "services.web.image"),
        ("replicas: 2", "replicas: 2, mode: replicated-job", "services.web.deploy.mode"),
        ("replicas: 2", "replicas: 2, newer: 1", "services.web.deploy.newer"),
        ("MODE: \"${MODE:-none}\"", "MODE: yes", "services.web.environment.MODE"),
        ("MODE: \"${MODE:-none}\"", "MODE: '${X:+y}'", "services.web.environment.MODE"),
        ("mode: 0400", "mode: 0400, newer: 1", "services.web.secrets.0.newer"),
        ("version: '3.8'", "version: '2'", "version"),
        ("version: '3.8'", "name: x", "name"),
        ("services:", "services: [", ""),
        ("external: true", "external: yes", "secrets.db.external"),
    ] {
        let file = FILE.replacen(from, to, 1);
        assert_ne!(file, FILE);
        let told = compare(&file, &[service()]).unwrap_err();
        assert_eq!(told.at, at, "{told}");
    }
    let hidden = json!([{"Target": "n9", "Aliases": ["web"]}]);
    let mut spec = service();
    spec["TaskTemplate"]["Networks"] = hidden;
    assert_eq!(compare(FILE, &[spec]).unwrap_err().at, "networks");
}

#[test]
fn values_that_may_be_credentials_are_not_shown() {
    let mut spec = service();
    let container = &mut spec["TaskTemplate"]["ContainerSpec"];
    container["Env"] = json!(["MODE=made-up-live", "PASSWORD=made-up-live", "NEW=made-up-live"]);
    container["Args"] = json!(["--password=made-up-live"]);
    container["Labels"]["auth"] = json!("made-up-live");
    container["Healthcheck"] = json!({"Test": ["CMD", "made-up-live"]});
    container["Mounts"] = json!([{
        "Type": "volume", "Target": "/x", "VolumeOptions": {"DriverConfig": {"Options": {"o": "password=made-up-live"}}},
    }]);
    spec["TaskTemplate"]["LogDriver"] = json!({"Name": "splunk", "Options": {"token": "made-up-live"}});
    let told = compare(FILE, &[spec.clone()]).unwrap();
    let text: String = told.iter().map(|difference| format!("{difference}\n{difference:?}\n")).collect();
    assert!(told.len() >= 8 && !text.contains("made-up"), "{text}");
    assert!(!format!("{:?}", live(&[spec])).contains("made-up"));
    let lines: Vec<String> = told.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
