//! A whole simulated Swarm: set up, asked, saved and read back.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::{EnvironmentId, StackId};
use swarmsecrets_core::transport::{Read, Transport};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::{Grant, PortainerRequest, State};
use swarmsecrets_testkit::sim::{ServiceBuilder, SimEngine};

const HERE: EnvironmentId = EnvironmentId(1);
const VALUE: &[u8] = b"made-up-value-of-the-pay-key";
const FILE: &str =
    "services:\n  web:\n    image: web:1\n    secrets: [pay_key]\nsecrets:\n  pay_key:\n    external: true\n";

fn world() -> SimSwarm {
    swarmsecrets_testkit::values::record(VALUE);
    let engine = SimEngine::builder(3)
        .secret("pay_key", VALUE)
        .service(ServiceBuilder::new("pay", "pay:1").secret("pay_key"))
        .build();
    let swarm = SimSwarm::of(engine, State::default());
    let team = {
        let mut state = swarm.portainer().state();
        let agent = state.add_user("svc-agent", false);
        let team = state.add_team("payments");
        state.add_membership(agent, team, false);
        team
    };
    swarm.own_secret("pay_key", &Grant::team(team)).unwrap();
    swarm
}

fn names(body: &[u8]) -> Vec<String> {
    let list: Vec<Value> = serde_json::from_slice(body).unwrap();
    list.iter().map(|o| o["Spec"]["Name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_account_sees_its_own() {
    let swarm = world();
    assert_eq!(swarm.file_stack("admin", "shop", FILE, &[("TAG", "1")]).unwrap(), 1);
    let agent = swarm.client_as("svc-agent").unwrap();
    assert_eq!(names(&agent.read(&Read::secrets(HERE)).await.unwrap().body), ["pay_key"]);
    assert!(names(&agent.read(&Read::services(HERE)).await.unwrap().body).is_empty());
    let mut all = names(&swarm.client().read(&Read::services(HERE)).await.unwrap().body);
    all.sort();
    assert_eq!(all, ["pay", "shop_web"]);
    assert_eq!(agent.read(&Read::stack_file(StackId(1))).await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(swarm.client_as("nobody").err().unwrap().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_saved_world_is_the_same_world_and_holds_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let swarm = world();
    swarm.git_stack("admin", "shop", ("https://git.example.com/shop.git", FILE), &[], Some("5m")).unwrap();
    swarm.save(&path).unwrap();
    swarm.save(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("made-up-value"));
    let again = SimSwarm::open(&path).unwrap();
    for read in [
        Read::secrets(HERE),
        Read::services(HERE),
        Read::tasks(HERE, &swarmsecrets_core::transport::TaskFilter::All),
        Read::stacks(),
    ] {
        let before = swarm.client_as("svc-agent").unwrap().read(&read).await.unwrap();
        let after = again.client_as("svc-agent").unwrap().read(&read).await.unwrap();
        assert!(before == after, "{read:?}");
    }
    assert!(again.portainer().state().stacks() == swarm.portainer().state().stacks());
}

#[test]
fn a_file_that_is_no_saved_world_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let refusal = |text: &str| {
        std::fs::write(&path, text).unwrap();
        SimSwarm::open(&path).err().unwrap().to_string()
    };
    assert!(refusal("hello").contains("not a saved simulation"));
    assert!(refusal(r#"{"schema": 1}"#).contains("not a saved simulation"));
    assert!(refusal(r#"{"schema": 2, "simulated": true}"#).contains("format 2"));
    assert!(refusal(r#"{"schema": 1, "simulated": true}"#).contains("damaged"));
    assert_eq!(SimSwarm::open(&folder.path().join("none")).err().unwrap().kind(), ErrorKind::NotFound);
    let nowhere = folder.path().join("no/folder/state.json");
    assert_eq!(SimSwarm::new(1).save(&nowhere).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn a_scoped_account_cannot_take_what_is_not_its_own() {
    let swarm = world();
    let ask = |method: &str, path: &str| swarm.ask("svc-agent", PortainerRequest::new(method, path).json(&json!({})));
    let service = "/api/endpoints/1/docker/services/pay";
    assert_eq!(ask("GET", service).unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(ask("DELETE", service).unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(ask("POST", &format!("{service}/update")).unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(ask("PUT", "/api/resource_controls/1").unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn the_demo_shows_each_account_its_own() {
    let swarm = SimSwarm::demo(7);
    let agent = swarm.client_as("svc-agent").unwrap();
    let secrets = names(&agent.read(&Read::secrets(HERE)).await.unwrap().body);
    assert!(secrets.contains(&"db_password".into()) && !secrets.contains(&"site.key".into()), "{secrets:?}");
    let services = names(&agent.read(&Read::services(HERE)).await.unwrap().body);
    assert!(services.contains(&"shop_web".into()) && !services.contains(&"agent".into()), "{services:?}");
    let all = names(&swarm.client().read(&Read::secrets(HERE)).await.unwrap().body);
    assert!(all.len() > secrets.len());
    let stacks: Vec<Value> = serde_json::from_slice(&swarm.client().read(&Read::stacks()).await.unwrap().body).unwrap();
    let shown: Vec<_> = stacks
        .iter()
        .map(|s| (s["Name"].as_str().unwrap(), s["Status"].as_u64().unwrap(), s["GitConfig"].is_null()))
        .collect();
    assert_eq!(shown, [("shop", 1, true), ("newsletter", 1, false), ("campaign", 2, true)]);
    let swarm_of_stack = stacks[0]["SwarmId"].as_str().unwrap();
    let cluster: Value = serde_json::from_slice(&swarm.client().read(&Read::swarm(HERE)).await.unwrap().body).unwrap();
    assert_eq!(cluster["ID"], swarm_of_stack);
}
