//! Every recorded exchange, sent to the layer before an Engine that says what the recorded Engine said. What Portainer
//! adds, leaves out, rewrites or refuses must come out as recorded: status, media type, body, order of keys.
//!
//! Where the recording is not the beginning of the story, the controls of older objects are taken over from the first
//! answer that shows them, and the numbering goes on from there.

use std::sync::{Arc, Mutex};

use serde_json::json;
use swarmsecrets_testkit::portainer::{ControlKind, Grant, Portainer, PortainerRequest, ResourceControl};

use crate::accounts::{Hand, accounts};
use crate::ordered::Ordered;
use crate::recording::{self, Exchange};
use crate::scripted::{Scripted, asks_for_an_owner};

/// What differs from one Portainer to the next.
const INCIDENTAL: [&str; 6] = ["Token", "InstanceID", "ConfigHash", "GoVersion", "ProjectPath", "jwt"];

struct Stage {
    portainer: Portainer,
    engine: Arc<Scripted>,
    clock: Arc<Hand>,
    /// Whether controls that were made because of labels are older than the recording.
    from_labels: bool,
}

impl Stage {
    fn new() -> Self {
        let engine = Arc::new(Scripted::default());
        let clock = Arc::new(Hand(Mutex::new(1_795_000_000)));
        let portainer = Portainer::new(engine.clone(), clock.clone(), accounts());
        Self { portainer, engine, clock, from_labels: true }
    }

    /// Brings in what happened before the recording began, as far as this answer shows it.
    fn set_scene(&self, exchange: &Exchange, recorded: &Ordered) {
        self.engine.expect(exchange, recorded);
        let number = |way: &[&str]| match recorded.at(way) {
            Some(Ordered::Number(n)) => Some(*n as u64),
            _ => None,
        };
        let owned =
            exchange.name.starts_with("ownership by scoped account").then(|| exchange.request.path.rsplit('/').next());
        if let Some(id) = owned.flatten().and_then(|id| id.parse().ok()) {
            let resource = recorded
                .at(&["ResourceId"])
                .and_then(Ordered::text)
                .map_or(format!("secret of control {id}"), str::to_owned);
            let mut state = self.portainer.state();
            state.number_from(id, 1);
            state.own(ControlKind::Secret, &resource, &Grant::private(2));
        }
        let made = exchange.request.path.ends_with("/create") || exchange.request.path.starts_with("/stacks/create");
        let mut state = self.portainer.state();
        if made {
            let control = number(&["Portainer", "ResourceControl", "Id"]).or(number(&["ResourceControl", "Id"]));
            let stack = number(&["Id"]).unwrap_or(0).max(1);
            if let Some(control) = control {
                state.number_from(control, stack);
            }
        } else {
            let mut shown = Vec::new();
            controls(&exchange.response.body, self.from_labels, &mut shown);
            for control in shown {
                if state.control_of(control.kind, &control.resource_id).is_none() {
                    state.take_over(control);
                }
            }
        }
        let time = match number(&["UpdateDate"]) {
            Some(n) if n > 0 => Some(n),
            _ => number(&["CreationDate"]),
        };
        if let Some(time) = time {
            *self.clock.0.lock().unwrap() = i64::try_from(time).unwrap();
        }
    }

    /// A stack that one list of a recording shows, made between that recording and the one before.
    async fn older_stack(&self) {
        self.portainer.state().number_from(48, 2);
        *self.clock.0.lock().unwrap() = 1_795_270_077;
        let request = PortainerRequest::new("POST", "/api/stacks/create/swarm/string").param("endpointId", "1").json(&json!({
            "name": "stk4a3310", "swarmID": "q6tn2ql0fkspfip28w4cm60px", "stackFileContent": "services: {}", "env": [],
        }));
        assert_eq!(self.portainer.answer_to(1, request).await.status, 200);
    }

    async fn replay(&self, exchange: &Exchange, recorded: &Ordered) -> Result<(), String> {
        self.set_scene(exchange, recorded);
        let mut request = exchange.to_request();
        match exchange.account() {
            Some(name) => {
                let user = self.portainer.state().user_named(name).ok_or(format!("no account {name}"))?;
                self.portainer.state().add_key(user, &format!("key of {user}"));
                request = request.header("X-API-Key", &format!("key of {user}"));
            }
            None if exchange.name == "badkey" => request = request.header("X-API-Key", "wrong"),
            None => {}
        }
        let answer = self.portainer.answer(request).await;
        let (status, content_type) = (answer.status, answer.content_type.clone());
        let body = answer.bytes().await;
        compare(exchange, recorded, status, &content_type, &body)
    }
}

fn compare(
    exchange: &Exchange,
    recorded: &Ordered,
    status: u16,
    content_type: &str,
    body: &[u8],
) -> Result<(), String> {
    let shown = String::from_utf8_lossy(body);
    if status != exchange.response.status {
        return Err(format!("status {status} instead of {}: {shown}", exchange.response.status));
    }
    if exchange.content_type().is_some_and(|recorded| recorded != content_type) {
        return Err(format!("media type {content_type:?}"));
    }
    let same = match exchange.body_text() {
        Some(text) => text == shown,
        None => {
            let (mut ours, mut theirs) = (Ordered::parse(body), recorded.clone());
            ours.iter_mut().for_each(|o| o.blank(&INCIDENTAL));
            theirs.blank(&INCIDENTAL);
            // Portainer writes these from maps or from structures of its own: their order says nothing.
            let unordered =
                ["/endpoint_groups", "/endpoints/1", "/system/version"].contains(&exchange.request.path.as_str());
            if unordered { sorted(ours.as_ref()) == sorted(Some(&theirs)) } else { ours == Some(theirs) }
        }
    };
    if same { Ok(()) } else { Err(format!("body {shown}\n    instead of {}", exchange.response.body)) }
}

fn sorted(value: Option<&Ordered>) -> Option<Ordered> {
    Some(match value? {
        Ordered::List(items) => Ordered::List(items.iter().filter_map(|i| sorted(Some(i))).collect()),
        Ordered::Object(pairs) => {
            let mut pairs: Vec<_> = pairs.iter().filter_map(|(k, v)| Some((k.clone(), sorted(Some(v))?))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Ordered::Object(pairs)
        }
        other => other.clone(),
    })
}

fn controls(body: &serde_json::Value, from_labels: bool, found: &mut Vec<ResourceControl>) {
    match body {
        serde_json::Value::Array(items) => items.iter().for_each(|i| controls(i, from_labels, found)),
        serde_json::Value::Object(object) => {
            if !from_labels && asks_for_an_owner(object) {
                return;
            }
            let control = object.get("ResourceControl");
            found.extend(control.and_then(|c| serde_json::from_value::<ResourceControl>(c.clone()).ok()));
            if let Some(portainer) = object.get("Portainer") {
                controls(portainer, from_labels, found);
            }
        }
        _ => {}
    }
}

/// Replays a recording and gives the number of exchanges that were compared.
async fn replay(name: &str, stage: &Stage, skip: impl Fn(&Exchange) -> bool) -> usize {
    let exchanges = recording::read(name);
    exchanges.iter().for_each(|(exchange, _)| stage.engine.learn(exchange));
    let mut compared = 0;
    let mut wrong = Vec::new();
    for (n, (exchange, recorded)) in exchanges.iter().enumerate() {
        if skip(exchange) {
            continue;
        }
        compared += 1;
        if let Err(why) = stage.replay(exchange, recorded).await {
            let asked = stage.engine.calls();
            wrong.push(format!(
                "[{n}] {} as {:?}: {why}\n    asked of the Engine: {asked:?}",
                exchange.name, exchange.user
            ));
        }
    }
    assert!(wrong.is_empty(), "{name}: {} of {compared} differ\n{}", wrong.len(), wrong.join("\n"));
    compared
}

#[tokio::test]
async fn an_administrators_calls_to_the_engine() {
    assert_eq!(replay("engine_via_portainer_admin.json", &Stage::new(), |_| false).await, 42);
}

#[tokio::test]
async fn a_scoped_service_account() {
    let stage = Stage { from_labels: false, ..Stage::new() };
    assert_eq!(replay("scoped_service_account.json", &stage, |_| false).await, 46);
}

#[tokio::test]
async fn file_stacks_before_and_after_a_rotation() {
    assert_eq!(replay("stacks_and_events.json", &Stage::new(), |_| false).await, 26);
}

#[tokio::test]
async fn failing_rollouts() {
    assert_eq!(replay("failing_rollouts.json", &Stage::new(), |_| false).await, 40);
}

/// The output of the exec was recorded in another form than it was sent in, and the repository that could not be reached
/// has another reason here: no network is touched.
#[tokio::test]
async fn configs_exec_own_stacks_and_a_team_leader() {
    let stage = Stage::new();
    replay("stacks_and_events.json", &stage, |_| false).await;
    stage.older_stack().await;
    let skip = |e: &Exchange| e.name.starts_with("exec.start") || e.name.contains("unreachable repository");
    assert_eq!(replay("configs_exec_stacks_team_leader.json", &stage, skip).await, 35);
}

#[tokio::test]
async fn a_stacks_variables_and_who_may_own_what() {
    assert_eq!(replay("stack_edits_and_ownership_matrix.json", &Stage::new(), |_| false).await, 28);
}

#[tokio::test]
async fn a_git_stack() {
    let stage = Stage::new();
    let exchanges = recording::read("git_stack.json");
    let file = exchanges[1].0.response.body["StackFileContent"].as_str().unwrap().to_owned();
    stage.portainer.state().push("https://git.example.com/shop.git", "refs/heads/main", "docker-compose.yml", &file);
    assert_eq!(replay("git_stack.json", &stage, |_| false).await, 6);
}
