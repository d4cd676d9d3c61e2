//! The usage graph of small worlds, written as the Engine and Portainer write them.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::ErrorKind;
use crate::ids::{EnvironmentId, StackId};

pub(super) struct World {
    role: u64,
    secrets: Vec<String>,
    services: Vec<String>,
    tasks: Vec<String>,
    stacks: Vec<String>,
    files: Vec<(StackId, Result<Bytes, String>)>,
}

impl World {
    pub(super) fn new() -> Self {
        Self { role: 1, secrets: vec![], services: vec![], tasks: vec![], stacks: vec![], files: vec![] }
    }

    fn scoped(mut self) -> Self {
        self.role = 2;
        self
    }

    /// A secret; its id is `id` and its name without separators.
    pub(super) fn secret(self, name: &str) -> Self {
        self.secret_with(name, "{}", "2026-11-01T00:00:00Z")
    }

    fn secret_with(mut self, name: &str, labels: &str, created: &str) -> Self {
        let id = id_of(name);
        self.secrets.push(format!(
            r#"{{"ID":"{id}","CreatedAt":"{created}","Spec":{{"Name":"{name}","Labels":{labels}}},"Portainer":{{"ResourceControl":{{"Id":7,"UserAccesses":[{{"UserId":1}}],"TeamAccesses":[{{"TeamId":2}}]}}}}}}"#
        ));
        self
    }

    /// A service with two replicas that mounts these secrets, and with tasks that run them.
    pub(super) fn service(self, name: &str, secrets: &[&str]) -> Self {
        let running = vec![("running", "running", secrets); 2];
        self.service_with(name, r#"{"Replicated":{"Replicas":2}}"#, "null", "{}", secrets, &running)
    }

    pub(super) fn service_with(
        mut self,
        name: &str,
        mode: &str,
        update_status: &str,
        labels: &str,
        secrets: &[&str],
        tasks: &[(&str, &str, &[&str])],
    ) -> Self {
        let references = references(secrets);
        self.services.push(format!(
            r#"{{"ID":"svc{name}","Spec":{{"Name":"{name}","Labels":{labels},"Mode":{mode},"TaskTemplate":{{"ContainerSpec":{{"Image":"i","Secrets":{references}}}}}}},"UpdateStatus":{update_status},"Version":{{"Index":5}}}}"#
        ));
        for (n, (desired, state, secrets)) in tasks.iter().enumerate() {
            let references = self::references(secrets);
            self.tasks.push(format!(
                r#"{{"ID":"task{name}{n}","ServiceID":"svc{name}","NodeID":"node{n}","DesiredState":"{desired}","Status":{{"State":"{state}"}},"Spec":{{"ContainerSpec":{{"Secrets":{references}}}}}}}"#
            ));
        }
        self
    }

    pub(super) fn stack(mut self, id: u64, name: &str, more: &str, file: Result<&str, &str>) -> Self {
        self.stacks.push(format!(r#"{{"Id":{id},"Name":"{name}","Type":1,"EndpointId":1{more}}}"#));
        let body = |text| serde_json::to_vec(&serde_json::json!({ "StackFileContent": text })).unwrap().into();
        self.files.push((StackId(id), file.map(body).map_err(str::to_owned)));
        self
    }

    fn snapshot(self) -> Snapshot {
        let list = |all: Vec<String>| -> Bytes { format!("[{}]", all.join(",")).into() };
        Snapshot {
            environment: EnvironmentId(1),
            taken_at: "2026-11-21T00:00:00Z".parse().unwrap(),
            simulated: false,
            me: format!(r#"{{"Id":1,"Username":"me","Role":{}}}"#, self.role).into(),
            swarm: br#"{"ID":"cluster1"}"#[..].into(),
            users: Some(br#"[{"Id":1,"Username":"admin","Role":1}]"#[..].into()),
            teams: Some(br#"[{"Id":2,"Name":"payments"}]"#[..].into()),
            nodes: None,
            stacks: list(self.stacks),
            stack_files: self.files,
            networks: None,
            secrets: list(self.secrets),
            tasks: list(self.tasks),
            services: list(self.services),
        }
    }

    pub(super) fn build(self) -> Inventory {
        Inventory::build(self.snapshot()).unwrap()
    }
}

fn id_of(name: &str) -> String {
    format!("id{}", name.replace(['_', '-', '.'], ""))
}

/// References by name; `name!id` gives another id than the secret's own.
fn references(secrets: &[&str]) -> String {
    let one = |text: &&str| {
        let (name, id) = text.split_once('!').map_or((*text, id_of(text)), |(name, id)| (name, id.to_owned()));
        format!(
            r#"{{"SecretID":"{id}","SecretName":"{name}","File":{{"Name":"t-{name}","UID":"0","GID":"0","Mode":292}}}}"#
        )
    };
    format!("[{}]", secrets.iter().map(one).collect::<Vec<_>>().join(","))
}

fn kinds(inventory: &Inventory, name: &str) -> Vec<InventoryFindingKind> {
    inventory.secrets.iter().find(|s| s.name == name).unwrap().findings.iter().map(|f| f.kind).collect()
}

fn trouble(world: World, service: &str) -> Option<String> {
    world.build().services.iter().find(|s| s.name == service).unwrap().tasks.trouble.clone()
}

#[test]
fn versions_and_consumers_find_each_other() {
    let world =
        World::new().secret("db").secret("db_v2").secret("k").service("web", &["db_v2", "k"]).service("api", &["db"]);
    let inventory = world.build();
    let db = inventory.find("db").unwrap();
    assert_eq!((db.current().name.as_str(), db.versions.len()), ("db_v2", 2));
    let used = |c: &'_ Consumer| (c.service().name.clone(), c.reference().name.clone(), c.reference().target.clone());
    let consumers: Vec<_> = db.consumers.iter().map(used).collect();
    assert_eq!(
        consumers,
        [("api", "db", "t-db"), ("web", "db_v2", "t-db_v2")].map(|(s, v, t)| (s.into(), v.into(), t.into()))
    );
    assert_eq!(db.consumers[1].service().name, "web");
    assert_eq!(db.versions[0].owner.as_ref().unwrap().names, ["team payments", "user admin"]);
    assert_eq!(kinds(&inventory, "db"), [InventoryFindingKind::SeveralVersions]);
    assert!(inventory.spec_text(&inventory.services[0]).starts_with(r#"{"Name":"api""#));
    assert_eq!(inventory.visibility, Visibility::Full);
}

#[test]
fn unused_is_said_only_when_everything_is_seen_and_nothing_uses_it() {
    let world = || World::new().secret("idle").secret("old").secret("old_v2").service("web", &["old_v2"]);
    let inventory = world().build();
    assert_eq!(kinds(&inventory, "idle"), [InventoryFindingKind::Unused]);
    assert_eq!(kinds(&inventory, "old"), [InventoryFindingKind::UnusedVersion]);
    let scoped = world().scoped().build();
    assert!(kinds(&scoped, "idle").is_empty() && kinds(&scoped, "old").is_empty());
    assert!(matches!(&scoped.visibility, Visibility::Partial { reason } if reason.contains("`me`")));
    let unreadable = world().stack(1, "s", "", Err("refused")).build();
    assert!(kinds(&unreadable, "idle").is_empty());
    assert!(matches!(&unreadable.visibility, Visibility::Partial { reason } if reason.contains("refused")));
}

#[test]
fn a_stopped_stacks_file_and_a_living_task_are_uses() {
    let file = "secrets: {k: {external: true, name: \"${S:-x}\"}}";
    let stack = r#","Status":2,"Env":[{"name":"S","value":"idle"}]"#;
    let inventory = World::new().secret("idle").stack(1, "s", stack, Ok(file)).build();
    assert!(kinds(&inventory, "idle").is_empty());
    assert_eq!(inventory.stacks[0].status, StackStatus::Stopped);
    let task = |state| {
        let tasks: &[(&str, &str, &[&str])] = &[("shutdown", state, &["idle"])];
        let world = World::new().secret("idle").service_with("web", r#"{"Global":{}}"#, "null", "{}", &[], tasks);
        kinds(&world.build(), "idle")
    };
    assert!(task("running").is_empty());
    assert_eq!(task("shutdown"), [InventoryFindingKind::Unused]);
}

#[test]
fn references_to_nothing_are_found_by_id_and_by_name() {
    let world = World::new()
        .secret("db")
        .secret("k")
        .service("a", &["db!gone"])
        .service("b", &["wrong!idk"])
        .service("c", &["lost!lost"]);
    let inventory = world.build();
    assert_eq!(kinds(&inventory, "db"), [InventoryFindingKind::Dangling]);
    assert_eq!(kinds(&inventory, "k"), [InventoryFindingKind::Dangling]);
    assert_eq!(inventory.findings.len(), 1);
    assert!(inventory.findings[0].text.contains("`lost`"));
    let scoped = World::new().scoped().service("c", &["lost!lost"]).build();
    assert!(scoped.findings.is_empty(), "on a partial view it may be a secret that is not seen");
}

#[test]
fn trouble_is_what_keeps_a_service_from_being_converged() {
    let two = r#"{"Replicated":{"Replicas":2}}"#;
    let running: (&str, &str, &[&str]) = ("running", "running", &["db"]);
    let of = |mode: &str, status: &str, tasks: &[(&str, &str, &[&str])]| {
        trouble(World::new().service_with("web", mode, status, "{}", &["db"], tasks), "web")
    };
    assert_eq!(of(two, "null", &[running, running]), None);
    assert_eq!(of(two, r#"{"State":"completed"}"#, &[running, running]), None);
    assert_eq!(of(two, r#"{"State":"rollback_completed"}"#, &[running, running]), None);
    assert_eq!(of(two, r#"{"State":"paused"}"#, &[running, running]).unwrap(), "its update is paused");
    assert_eq!(of(two, r#"{"State":"updating"}"#, &[running, running]).unwrap(), "it is being updated");
    assert_eq!(of(two, r#"{"State":"rollback_started"}"#, &[running]).unwrap(), "it is being rolled back");
    assert_eq!(of(two, "null", &[running, ("running", "starting", &["db"])]).unwrap(), "1 of 2 tasks run");
    let other: (&str, &str, &[&str]) = ("running", "running", &["old"]);
    assert_eq!(of(two, "null", &[running, other]).unwrap(), "1 of 2 tasks mount other secrets than its spec");
    assert_eq!(of(two, "null", &[running, running, ("shutdown", "failed", &["old"])]), None);
    assert_eq!(of(r#"{"Replicated":{"Replicas":0}}"#, "null", &[]), None);
    assert_eq!(of(r#"{"Global":{}}"#, "null", &[running]), None);
    assert_eq!(of(r#"{"Global":{}}"#, "null", &[running, ("running", "failed", &["db"])]).unwrap(), "1 of 2 tasks run");
    assert_eq!(of(r#"{"ReplicatedJob":{}}"#, "null", &[("complete", "complete", &["db"])]), None);
}

#[test]
fn tasks_are_counted_by_the_secrets_that_they_mount() {
    let tasks: &[(&str, &str, &[&str])] = &[
        ("running", "running", &["db"]),
        ("running", "running", &["db"]),
        ("shutdown", "running", &["old"]),
        ("shutdown", "failed", &["old"]),
    ];
    let world = World::new().service_with("web", r#"{"Replicated":{"Replicas":2}}"#, "null", "{}", &["db"], tasks);
    let summary = &world.build().services[0].tasks;
    let count = |id: &str| {
        let Mounts { wanted, alive } = summary.mounts(&id.parse().unwrap());
        (wanted, alive)
    };
    assert_eq!((summary.desired, summary.running), (2, 2));
    assert_eq!((count("iddb"), count("idold"), count("idnone")), ((2, 2), (0, 1), (0, 0)));
    assert_eq!(summary.nodes.len(), 2);
}

#[test]
fn stacks_of_all_kinds_are_nodes() {
    let of = |stack: &str| format!(r#"{{"com.docker.stack.namespace":"{stack}"}}"#);
    let world = World::new()
        .service_with("a", r#"{"Global":{}}"#, "null", &of("hand"), &[], &[])
        .service_with("b", r#"{"Global":{}}"#, "null", &of("kept"), &[], &[])
        .stack(1, "kept", "", Ok("secrets: {db: {file: x}}"))
        .stack(2, "gitty", r#","GitConfig":{"URL":"u"},"AutoUpdate":{"Interval":"5m"}"#, Ok("services: {}"))
        .stack(3, "broken", "", Ok("secrets: ["));
    let inventory = world.build();
    let kinds: Vec<_> =
        inventory.stacks.iter().map(|s| (s.name.as_str(), s.kind.clone(), s.id.map(|id| id.0))).collect();
    assert_eq!(
        kinds,
        [
            ("broken", StackKind::File, Some(3)),
            ("gitty", StackKind::Git { auto_update: true }, Some(2)),
            ("hand", StackKind::Cli, None),
            ("kept", StackKind::File, Some(1)),
        ]
    );
    assert!(inventory.stacks[0].unreadable.is_some());
    assert_eq!(inventory.stacks[3].references[0].secret, "kept_db");
    assert_eq!(inventory.services[1].stack.as_deref(), Some("kept"));
}

#[test]
fn ages_are_held_against_policies() {
    let created = "2026-10-01T00:00:00Z";
    let with = |policy: &str| {
        let labels = format!(r#"{{"rotation-policy":"{policy}"}}"#);
        World::new().secret_with("k", &labels, created).service("web", &["k"]).build()
    };
    assert_eq!(kinds(&with("monthly"), "k"), [InventoryFindingKind::Overdue]);
    assert!(with("monthly").secrets[0].findings[0].text.contains("51 days old"));
    assert!(kinds(&with("90d"), "k").is_empty());
    assert_eq!(kinds(&with("whenever"), "k"), [InventoryFindingKind::BadPolicy]);
    let inventory =
        World::new().secret_with("a", "{}", created).secret("b").secret_with("c", "{}", "2026-09-01T00:00:00Z").build();
    let old: Vec<&str> = overdue(&inventory, Duration::from_secs(30 * 86400)).iter().map(|s| s.name.as_str()).collect();
    assert_eq!(old, ["c", "a"]);
}

#[test]
fn names_are_found_by_version_and_without_the_prefix_of_the_stack() {
    let world = || World::new().secret("shop_db").secret("shop_db_v2").secret("key").stack(1, "shop", "", Ok(""));
    let inventory = world().build();
    for name in ["shop_db", "shop_db_v2", "db", "db_v2"] {
        assert_eq!(inventory.find(name).unwrap().name, "shop_db", "{name}");
    }
    let error = inventory.find("shop_bd").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("`shop_db`"), "{error}");
    let two = world().secret("blog_db").stack(2, "blog", "", Ok("")).build();
    assert_eq!(two.find("db").unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(two.find("db_v2").unwrap().name, "shop_db");
    let exact = world().secret("db").build();
    assert_eq!(exact.find("db").unwrap().name, "db");
}

#[test]
fn ambiguous_names_are_refused_with_what_would_tell() {
    let inventory = World::new().secret("k").secret("k_v2").secret("k-v2").build();
    for name in ["k", "k_v2", "k-v2"] {
        let error = inventory.find(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert!(error.message().contains("io.swarmsecrets.secret"), "{error}");
    }
}

#[test]
fn oversized_integers_are_named() {
    let labels = r#"{"n":"9007199254740993"},"TaskTemplate0":{"Deep":[9007199254740993]}"#;
    let world = World::new().service_with("web", r#"{"Global":{}}"#, "null", labels, &[], &[]);
    let oversized = |world: World| world.build().services[0].oversized.clone();
    assert_eq!(oversized(world).as_deref(), Some("TaskTemplate0.Deep[0]"));
    assert_eq!(oversized(World::new().service("web", &[])), None);
}

#[test]
fn bad_answers_are_errors_and_not_panics() {
    let break_it = |change: fn(&mut Snapshot)| {
        let mut snapshot = World::new().secret("k").service("web", &["k"]).snapshot();
        change(&mut snapshot);
        Inventory::build(snapshot).unwrap_err().kind()
    };
    assert_eq!(break_it(|s| s.me = b"[]x"[..].into()), ErrorKind::Protocol);
    assert_eq!(break_it(|s| s.secrets = b"{}"[..].into()), ErrorKind::Protocol);
    assert_eq!(break_it(|s| s.swarm = br#"{"ID":"../x"}"#[..].into()), ErrorKind::Protocol);
    assert_eq!(break_it(|s| s.services = b"[{}]"[..].into()), ErrorKind::Protocol);
    assert_eq!(break_it(|s| s.tasks = b"\xff"[..].into()), ErrorKind::Protocol);
}

#[test]
fn what_was_read_is_not_printed() {
    let world = || World::new().service("web", &[]).stack(1, "s", "", Ok("services: {a: {environment: {T: made-up}}}"));
    assert!(!format!("{:?}", world().snapshot()).contains("made-up"));
    let printed = format!("{:?}", world().build());
    assert!(printed.contains("services: 1") && !printed.contains("123, 34"), "{printed}");
}

#[test]
fn the_document_has_the_promised_shape() {
    let world = World::new().secret("db").secret("db_v2").service("web", &["db_v2"]).stack(
        1,
        "shop",
        "",
        Ok("secrets: {db: {external: true}}"),
    );
    insta::assert_snapshot!(world.build().to_json());
}
