//! A stack that comes from git: a variable names its secret, and git's own server tells where its repository stands.

use serde_json::{Value, json};
use swarmsecrets_testkit::GitServer;

use crate::portainer::admin;
use crate::scene::Scene;
use crate::{command, docker, place};

const FILE: &str = "docker-compose.yml";

fn file() -> String {
    format!(
        "version: \"3.7\"\nservices:\n  app:\n    image: {image}\n    command: [\"sh\", \"-c\", \"trap 'exit 0' TERM; while :; do sleep 0.1; done\"]\n    \
         deploy:\n      endpoint_mode: dnsrr\n      update_config:\n        monitor: 1s\n      restart_policy:\n        delay: 500ms\n    \
         secrets:\n      - source: db\n        target: pw\nsecrets:\n  db:\n    external: true\n    name: ${{DB_SECRET}}   # which one\n",
        image = place::image(),
    )
}

struct Kept {
    id: u64,
    service: String,
}

impl Kept {
    fn deploy(scene: &Scene, repository: &GitServer) -> Self {
        let name = scene.own("stack");
        let swarm = admin("GET", &crate::portainer::engine("/swarm"), None)["ID"].clone();
        let body = json!({
            "name": name, "swarmID": swarm, "repositoryURL": repository.url(),
            "repositoryReferenceName": "refs/heads/main", "composeFile": FILE,
            "env": [{"name": "DB_SECRET", "value": scene.own("db")}, {"name": "UNUSED", "value": "stays"}],
        });
        let path = format!("/stacks/create/swarm/repository?endpointId={}", place::endpoint());
        let id = admin("POST", &path, Some(&body))["Id"].as_u64().unwrap();
        let service = format!("{name}_app");
        docker::wait_for_containers(&service, 1);
        Self { id, service }
    }

    fn get(&self) -> Value {
        admin("GET", &format!("/stacks/{}", self.id), None)
    }

    /// What a person does with the button in Portainer, who names this secret.
    fn redeploy(&self, secret: &str) {
        let mut env = self.get()["Env"].clone();
        env[0]["value"] = secret.into();
        let body = json!({
            "env": env, "prune": false, "pullImage": false, "repositoryReferenceName": "refs/heads/main",
        });
        admin("PUT", &format!("/stacks/{}/git/redeploy?endpointId={}", self.id, place::endpoint()), Some(&body));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        admin("DELETE", &format!("/stacks/{}?endpointId={}", self.id, place::endpoint()), None);
    }
}

fn rotate(scene: &Scene, value: &str) -> command::Ended {
    let (value, journal) = (scene.value_file(value), scene.journal());
    let name = scene.own("db");
    let (value, journal) = (value.to_str().unwrap(), journal.to_str().unwrap());
    let what = ["rotate", &name, "--value-file", value, "--grace", "0s", "--stability", "2s", "--deadline", "60s"];
    command::run(&[&what[..], &["--yes", "--journal", journal]].concat())
}

#[test]
fn its_variable_is_set_while_its_repository_stands_and_a_patch_is_printed_once_it_has_moved() {
    let scene = Scene::new("git-stack");
    let repository = GitServer::start().unwrap();
    let first = repository.commit(FILE, &file()).unwrap();
    docker::create_secret(&scene.own("db"), &scene.value("old-db"));
    let kept = Kept::deploy(&scene, &repository);
    assert_eq!(kept.get()["GitConfig"]["ConfigHash"], json!(first));
    let db = scene.own("db");

    for n in 2..4 {
        let value = scene.value(&format!("db-{n}"));
        let done = rotate(&scene, &value).expect(0, "applied");
        assert_eq!(done.json["stacks"][0]["kind"], "git");
        assert_eq!(done.json["stacks"][0]["outcome"], "applied", "{}", done.printed);
        let stack = kept.get();
        assert_eq!(stack["Env"][0]["value"], format!("{db}_v{n}"));
        assert_eq!(stack["Env"][1], json!({"name": "UNUSED", "value": "stays"}));
        assert_eq!(stack["GitConfig"]["ConfigHash"], json!(first), "it stays with its repository");
        scene.assert_all_read(std::slice::from_ref(&kept.service), &value);
        let (before, containers) = (docker::service(&kept.service)["Spec"].clone(), docker::containers(&kept.service));
        kept.redeploy(&format!("{db}_v{n}"));
        assert_eq!(docker::service(&kept.service)["Spec"], before);
        assert_eq!(docker::containers(&kept.service), containers, "no task was restarted");
    }
    assert_eq!(docker::secrets(&db), [format!("{db}_v3")]);

    repository.commit(FILE, &format!("# pushed meanwhile\n{}", file())).unwrap();
    let done = rotate(&scene, &scene.value("db-4")).expect(6, "awaiting_patch");
    assert_eq!(done.json["stacks"][0]["patch"], format!("# stack variable DB_SECRET: {db}_v3 -> {db}_v4\n"));
    assert!(done.printed.contains("its repository has moved from"), "{}", done.printed);
    assert_eq!(kept.get()["Env"][0]["value"], format!("{db}_v3"));
    kept.redeploy(&format!("{db}_v4"));
    let id = done.json["rotation"].as_str().unwrap();
    let journal = scene.journal();
    let done = command::run(&["resume", id, "--yes", "--journal", journal.to_str().unwrap()]).expect(0, "applied");
    assert_eq!(docker::secrets(&db), [format!("{db}_v4")], "{}", done.printed);
}
