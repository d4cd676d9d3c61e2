//! The recordings told again, from the beginning, to the simulated Engine with Portainer's rules before it.
//!
//! Nothing is scripted here: every request is sent as recorded, with our ids and versions in place of the recorded
//! ones, and answered by the two together. Compared are the status, the words of every refusal, and of what is shown
//! the owner, the name and the secrets that are mounted. Not compared are times, versions, and what a rollout has come
//! to at the moment of asking: the simulated Engine has its own tests for these.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::engine::EngineRequest;
use swarmsecrets_testkit::portainer::PortainerRequest;
use swarmsecrets_testkit::sim::SimEngine;

use crate::accounts::accounts;
use crate::recording::{self, Exchange};

struct Story {
    swarm: SimSwarm,
    /// Recorded ids, and what stands for them here.
    ids: BTreeMap<String, String>,
}

impl Story {
    fn new() -> Self {
        Self { swarm: SimSwarm::of(SimEngine::new(1), accounts()), ids: BTreeMap::new() }
    }

    fn engine(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = EngineRequest { method: method.into(), path: path.into(), query: Vec::new(), body };
        serde_json::from_slice(&self.swarm.engine().answer(&request).body).unwrap_or_default()
    }

    /// Makes a secret past Portainer, as somebody did between two exchanges.
    fn outside(&mut self, name: &str, labels: &Value, recorded_id: &str) {
        let made = self.engine("POST", "/secrets/create", &json!({"Name": name, "Labels": labels, "Data": "eA=="}));
        self.ids.insert(recorded_id.into(), made["ID"].as_str().unwrap().into());
    }

    fn ours(&self, text: &str) -> String {
        self.ids.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
    }

    fn request(&self, exchange: &Exchange) -> PortainerRequest {
        let mut request = exchange.to_request();
        request.path = self.ours(&request.path);
        request.body = self.ours(&String::from_utf8(request.body).unwrap()).into_bytes();
        for (key, value) in &mut request.query {
            *value = self.ours(value);
            let stale = exchange.name.ends_with(".stale") && exchange.response.status == 500;
            if key == "version" && !stale {
                let object = request.path.trim_start_matches("/api/endpoints/1/docker").trim_end_matches("/update");
                *value = self.engine("GET", object, &Value::Null)["Version"]["Index"].to_string();
            }
        }
        match (exchange.account(), exchange.name.as_str()) {
            (Some(name), _) => {
                let user = self.swarm.portainer().state().user_named(name).unwrap();
                self.swarm.portainer().state().add_key(user, &format!("key of {user}"));
                request.header("X-API-Key", &format!("key of {user}"))
            }
            (None, "badkey") => request.header("X-API-Key", "wrong"),
            (None, _) => request,
        }
    }

    async fn tell(&mut self, exchange: &Exchange) -> Result<(), String> {
        let answer = self.swarm.portainer().answer(self.request(exchange)).await;
        let status = answer.status;
        let bytes = answer.bytes().await;
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        self.learn(&exchange.response.body, &body);
        let recorded: Value = serde_json::from_str(&self.ours(&exchange.response.body.to_string())).unwrap();
        if status != exchange.response.status {
            return Err(format!("status {status} instead of {}: {body}", exchange.response.status));
        }
        if status >= 400 && exchange.content_type() == Some("application/json") && body != recorded {
            return Err(format!("{body} instead of {recorded}"));
        }
        let (shown, expected) = (essence(&body), essence(&recorded));
        if shown == expected { Ok(()) } else { Err(format!("{shown} instead of {expected}")) }
    }

    /// Pairs the ids of what was created or listed, by name.
    fn learn(&mut self, recorded: &Value, ours: &Value) {
        match (recorded, ours) {
            (Value::Array(recorded), Value::Array(ours)) => {
                for one in recorded {
                    let same = |o: &&Value| o["Spec"]["Name"] == one["Spec"]["Name"] && !one["Spec"]["Name"].is_null();
                    if let Some(other) = ours.iter().find(same) {
                        self.learn(one, other);
                    }
                }
            }
            _ => {
                if let (Some(theirs), Some(id)) = (recorded["ID"].as_str(), ours["ID"].as_str()) {
                    self.ids.insert(theirs.into(), id.into());
                }
            }
        }
    }
}

/// What an answer says of owners, names and mounted secrets; of a list, in the order of their names.
fn essence(body: &Value) -> Value {
    if let Value::Array(items) = body {
        let mut items: Vec<Value> = items.iter().filter(|i| i["ServiceID"].is_null()).map(essence).collect();
        items.sort_by_key(Value::to_string);
        return json!(items);
    }
    let owner = |object: &Value| {
        let mut owner = object["ResourceControl"].clone();
        // The numbers go on where the recording has a gap.
        owner.as_object_mut().map(|o| o.remove("Id"));
        owner
    };
    let spec = &body["Spec"];
    json!({
        "owner": [owner(body), owner(&body["Portainer"])],
        "names": [body["Name"], spec["Name"], body["Username"], spec["Labels"]],
        "mounts": spec["TaskTemplate"]["ContainerSpec"]["Secrets"],
        "env": [body["Env"], spec["TaskTemplate"]["ContainerSpec"]["Env"]],
        "replicas": spec["Mode"],
        "stack": [body["Status"].as_u64(), body["StackFileContent"], body["CreatedBy"], body["FromAppTemplate"]],
        "had": body["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Secrets"],
    })
}

async fn tell(
    story: &mut Story,
    name: &str,
    before: impl Fn(&mut Story, &Exchange),
    skip: impl Fn(&Exchange) -> bool,
) -> usize {
    let mut wrong = Vec::new();
    let mut told = 0;
    let exchanges: Vec<Exchange> = recording::read(name).into_iter().map(|(exchange, _)| exchange).collect();
    for (n, exchange) in exchanges.iter().enumerate() {
        before(story, exchange);
        if skip(exchange) || edited_later(exchange, &exchanges[n + 1..]) {
            continue;
        }
        told += 1;
        if let Err(why) = story.tell(exchange).await {
            wrong.push(format!("[{n}] {} as {:?}: {why}", exchange.name, exchange.user));
        }
    }
    assert!(wrong.is_empty(), "{name}: {} of {told} differ\n{}", wrong.len(), wrong.join("\n"));
    told
}

/// Some inspections were recorded with the spec as it was edited and sent later, under the version before it.
fn edited_later(inspection: &Exchange, later: &[Exchange]) -> bool {
    let update = format!("{}/update", inspection.request.path);
    let spec = &inspection.response.body["Spec"];
    let same = |e: &Exchange| e.request.body.as_ref() == Some(spec) && e.param("version") == version(inspection);
    later.iter().any(|e| e.is("POST", &update) && same(e))
}

fn version(inspection: &Exchange) -> Option<&Value> {
    inspection.response.body["Version"].get("Index")
}

fn outside(story: &mut Story, exchange: &Exchange) {
    match exchange.name.as_str() {
        "agent secrets" => story.outside("outside_secret", &json!({}), "pvuv0med4vvo8ytxi6m3ybmyt"),
        "alice secrets" => {
            let labels = json!({"io.portainer.accesscontrol.teams": "payments"});
            story.outside("outside_lab", &labels, "oa0v44z437llkzl7pvol1ewnn");
        }
        _ => {}
    }
}

#[tokio::test]
async fn an_administrator_a_scoped_account_and_a_stack() {
    let mut story = Story::new();
    // Sizes that the recording tells instead of showing them, and logs of programs that do not run here.
    let skip = |e: &Exchange| e.name.starts_with("secret.create.500KB") || e.name == "service.logs";
    assert_eq!(tell(&mut story, "engine_via_portainer_admin.json", |_, _| {}, skip).await, 37);
    assert_eq!(tell(&mut story, "scoped_service_account.json", outside, |_| false).await, 45);
    assert_eq!(tell(&mut story, "stacks_and_events.json", |_, _| {}, |e| e.name == "events").await, 24);
}

/// The secret that the stack mounts was made before the recording begins, and again before its end.
#[tokio::test]
async fn a_stacks_variables() {
    let mut story = Story::new();
    story.outside("st_a", &json!({}), "6pc2u7tcrk4gg0tcfv2l7cqew");
    let before = |story: &mut Story, exchange: &Exchange| {
        for (name, recorded) in [("vars_a", "n4ct93ep893be9p7ut1ud0iub"), ("vars_b", "jdi5033gvz8wukhxngcx6usnr")] {
            let id = story.engine("GET", &format!("/services/{name}"), &Value::Null)["ID"].clone();
            story.ids.extend(id.as_str().map(|id| (recorded.to_owned(), id.to_owned())));
        }
        story.ids.insert("/stacks/8".into(), "/stacks/1".into());
        if exchange.name == "PUT on a stopped stack" {
            story.outside("st_a", &json!({}), "made again");
        }
    };
    // The numbers of the controls are tried in the replay; a network that is gone too late is not simulated.
    let too_early = ["PUT on a stopped stack", "stack after PUT on stopped"];
    let skip = |e: &Exchange| e.name.starts_with("ownership by scoped") || too_early.contains(&e.name.as_str());
    assert_eq!(tell(&mut story, "stack_edits_and_ownership_matrix.json", before, skip).await, 13);
}
