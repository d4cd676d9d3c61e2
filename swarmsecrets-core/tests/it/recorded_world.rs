//! The usage graph of recorded answers.

use swarmsecrets_core::ids::{EnvironmentId, StackId};
use swarmsecrets_core::inventory::{Inventory, InventoryFindingKind, Snapshot, StackKind, Visibility};
use swarmsecrets_core::model::ServiceState;

use crate::fixtures::{self, Exchange};

fn body(all: &[Exchange], file: &str, name: &str) -> Vec<u8> {
    let found = all.iter().find(|e| e.file == file && e.name == name && e.status == 200);
    found.unwrap_or_else(|| panic!("{file}: {name}")).body.clone()
}

fn snapshot(secrets: Vec<u8>, services: Vec<u8>, me: &[u8]) -> Snapshot {
    Snapshot {
        environment: EnvironmentId(1),
        taken_at: "2026-11-21T15:00:00Z".parse().unwrap(),
        simulated: false,
        me: me.to_vec().into(),
        swarm: br#"{"ID":"q6tn2ql0fkspfip28w4cm60px"}"#[..].into(),
        users: None,
        teams: None,
        nodes: None,
        stacks: b"[]"[..].into(),
        stack_files: Vec::new(),
        networks: None,
        secrets: secrets.into(),
        tasks: b"[]"[..].into(),
        services: services.into(),
    }
}

#[test]
fn a_stack_its_service_and_its_external_secret_are_joined() {
    let all = fixtures::all();
    let of = |name| body(&all, "stacks_and_events", name);
    let me = br#"{"Id":1,"Username":"admin","Role":1}"#;
    let mut snapshot = snapshot(of("l"), of("services"), me);
    snapshot.stacks = of("stacks").into();
    snapshot.stack_files = vec![(StackId(1), Ok(of("stack file").into()))];
    let inventory = Inventory::build(snapshot).unwrap();
    assert_eq!(inventory.find("db_password").unwrap().name, "db_password", "a full name beats a stack's prefix");
    let shop = inventory.find("shop_db_password").unwrap();
    assert_eq!(shop.current().name.as_str(), "shop_db_password_v2");
    let stack = &inventory.stacks[0];
    assert_eq!((stack.kind.clone(), stack.references[0].secret.as_str()), (StackKind::File, "shop_db_password"));
    let pair = ("shop_db_password".parse().unwrap(), shop.current().name.clone());
    let patch = stack.edit(&[pair]).unwrap().patch(&stack.path);
    assert!(patch.contains("-    name: shop_db_password\n+    name: shop_db_password_v2\n"), "{patch}");
    assert!(!format!("{stack:?} {patch}").contains("plaintext-oops"), "the file's credentials must not be shown");
    assert!(inventory.services.iter().any(|s| s.name == "shop_web" && s.stack.as_deref() == Some("shop")));
}

#[test]
fn a_scoped_account_sees_a_part_and_nothing_is_called_unused() {
    let all = fixtures::all();
    let of = |name| body(&all, "configs_exec_stacks_team_leader", name);
    let me = body(&all, "scoped_service_account", "agent me");
    let inventory = Inventory::build(snapshot(b"[]"[..].into(), of("agent services"), &me)).unwrap();
    assert!(matches!(&inventory.visibility, Visibility::Partial { reason } if reason.contains("svc-agent")));
    assert!(inventory.findings.is_empty() && inventory.services.len() >= 3);
    let scoped = body(&all, "scoped_service_account", "agent secrets");
    let inventory = Inventory::build(snapshot(scoped, b"[]"[..].into(), &me)).unwrap();
    let kinds = inventory.secrets.iter().flat_map(|s| &s.findings).map(|f| f.kind);
    assert!(!inventory.secrets.is_empty());
    assert!(kinds.into_iter().all(|kind| kind != InventoryFindingKind::Unused));
}

#[test]
fn every_recorded_service_can_be_edited_back_and_forth() {
    let all = fixtures::all();
    let mut edited = 0;
    for exchange in &all {
        if exchange.status != 200 || exchange.method != "GET" || exchange.pattern() != "/endpoints/*/docker/services/*"
        {
            continue;
        }
        let spec = ServiceState::parse(&exchange.body).unwrap().spec;
        for reference in spec.references().unwrap() {
            let old = (reference.id.as_str(), reference.name.as_str());
            let (id, name) = ("new1".parse().unwrap(), "new_v2".parse().unwrap());
            let there = spec.replace_reference(&reference.target, old, (&id, &name)).unwrap();
            assert_eq!(there.as_str().replace("new_v2", old.1).replace("new1", old.0), spec.as_str());
            let (old_id, old_name) = (old.0.parse().unwrap(), old.1.parse().unwrap());
            let back = there.replace_reference(&reference.target, ("new1", "new_v2"), (&old_id, &old_name)).unwrap();
            assert_eq!(back, spec);
            edited += 1;
        }
    }
    assert!(edited > 15, "{edited}");
}
