//! What the Engine answers, compared with `engine_via_portainer_admin.json` and the other recordings.

use std::time::Duration;

use serde_json::{Value, json};
use swarmsecrets_testkit::engine::EngineRequest;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder, SimEngine};

use crate::sim_asking::{ask, create, edit_service, exchange, get, recording};

/// The status and the message that were recorded for a refusal.
fn refusal(recording: &[Value], name: &str) -> (u16, Value) {
    let response = &exchange(recording, name)["response"];
    (u16::try_from(response["status"].as_u64().unwrap()).unwrap(), response["body"].clone())
}

#[test]
fn secrets_are_refused_with_the_recorded_words() {
    let recorded = recording("engine_via_portainer_admin");
    let engine = SimEngine::new(1);
    let sent = |name: &str| exchange(&recorded, name)["request"]["body"].clone();
    let id = create(&engine, "secrets", &sent("secret.create"));
    for name in ["dup", "badname", "longname", "empty", "urlsafe64", "notb64"] {
        let name = format!("secret.create.{name}");
        assert_eq!(ask(&engine, "POST", "/secrets/create", &sent(&name)), refusal(&recorded, &name), "{name}");
    }
    let big = json!({"Name": "big", "Labels": {}, "Data": base64(512_000)});
    assert_eq!(ask(&engine, "POST", "/secrets/create", &big), refusal(&recorded, "secret.create.500KB"));
    let fits = json!({"Name": "fits", "Labels": {}, "Data": base64(511_999)});
    assert_eq!(ask(&engine, "POST", "/secrets/create", &fits).0, 201);
    assert_eq!(ask(&engine, "GET", "/secrets/nope", &Value::Null), refusal(&recorded, "secret.inspect.missing"));

    let version = get(&engine, "/secrets/db_password")["Version"]["Index"].clone();
    let update = format!("/secrets/{id}/update?version={version}");
    assert_eq!(ask(&engine, "POST", &update, &sent("secret.update.labels")), (200, Value::Null));
    let stale = refusal(&recorded, "secret.update.stale");
    assert_eq!(ask(&engine, "POST", &update, &sent("secret.update.stale")), stale);
    let data = refusal(&recorded, "secret.update.data");
    assert_eq!(ask(&engine, "POST", &update, &sent("secret.update.data")), data);
    assert_eq!(get(&engine, "/secrets/db_password")["Spec"]["Labels"]["probe"], "1");
}

fn base64(bytes: usize) -> String {
    let mut text = "eHh4".repeat(bytes / 3);
    text.push_str(["", "eA==", "eHg="][bytes % 3]);
    text
}

#[test]
fn services_are_given_back_and_refused_as_recorded() {
    let recorded = recording("engine_via_portainer_admin");
    let engine = SimEngine::new(2);
    let secret = create(&engine, "secrets", &exchange(&recorded, "secret.create")["request"]["body"]);
    let mut spec = exchange(&recorded, "service.create")["request"]["body"].clone();
    spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretID"] = json!(secret);
    let id = create(&engine, "services", &spec);

    let mut expected = exchange(&recorded, "service.list")["response"]["body"][0]["Spec"].clone();
    expected["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretID"] = json!(secret);
    let service = get(&engine, "/services/db");
    assert_eq!(service["Spec"].to_string(), expected.to_string());
    assert_eq!(service["Endpoint"], json!({"Spec": {}}));

    let version = service["Version"]["Index"].as_u64().unwrap();
    let update = |query: &str, spec: &Value| ask(&engine, "POST", &format!("/services/{id}/update?{query}"), spec);
    let previous = update(&format!("version={version}&registryAuthFrom=previous-spec"), &service["Spec"]);
    assert_eq!(previous, refusal(&recorded, "service.update"));
    let rollback = update(&format!("version={version}&rollback=previous"), &service["Spec"]);
    assert_eq!(rollback.0, 400);
    let mut missing = service["Spec"].clone();
    missing["TaskTemplate"]["ContainerSpec"]["Secrets"][0] =
        json!({"SecretID": "doesnotexist", "SecretName": "x", "File": {"Name": "x"}});
    let refused = update(&format!("version={version}"), &missing);
    assert_eq!(refused, refusal(&recorded, "service.update.missingsecret"));
    let in_use = ask(&engine, "DELETE", &format!("/secrets/{secret}"), &Value::Null);
    assert_eq!(in_use, refusal(&recorded, "secret.delete.inuse"));
    let stale = update(&format!("version={}", version - 1), &service["Spec"]);
    assert_eq!(stale, refusal(&recorded, "secret.update.stale"));
    assert_eq!(get(&engine, "/services/db"), service);

    let again = ask(&engine, "POST", "/services/create", &spec);
    assert_eq!(again.0, 409);
    spec["Name"] = json!("db2");
    create(&engine, "services", &spec);
    let (status, message) = ask(&engine, "DELETE", "/secrets/db_password", &Value::Null);
    assert_eq!(status, 400);
    let message = message["message"].as_str().unwrap();
    assert!(message.contains("is in use by the following services: db"), "{message}");
}

#[test]
fn references_that_contradict_each_other_are_refused() {
    let engine = SimEngine::builder(1).secret("a", b"1").secret("b", b"2").build();
    let reference = |name: &str, called: &str| json!({"SecretID": engine.secret_id(name), "SecretName": called, "File": {"Name": "t"}});
    let refused = |secrets: Value| {
        let container = json!({"Image": "i", "Secrets": secrets});
        let spec = json!({"Name": "s", "TaskTemplate": {"ContainerSpec": container}});
        let (status, answer) = ask(&engine, "POST", "/services/create", &spec);
        assert_eq!(status, 400);
        answer["message"].as_str().unwrap().to_owned()
    };
    assert!(refused(json!([reference("a", "a"), reference("b", "b")])).contains("conflicting target: 't'"));
    assert!(refused(json!([reference("a", "b")])).ends_with("secret not found: b"));
    let moon = json!({"SecretID": "x", "SecretName": "moon", "File": {"Name": "m"}});
    assert!(refused(json!([reference("a", "b"), moon])).ends_with("secrets not found: b, moon"));
}

#[test]
fn lists_are_filtered_by_prefix_name_and_label() {
    let engine = SimEngine::new(1);
    for (name, tier) in [("db_a", "low"), ("db_b", "high"), ("other", "low")] {
        create(&engine, "secrets", &json!({"Name": name, "Labels": {"tier": tier}, "Data": "eA=="}));
    }
    let names = |filters: &str| {
        let list = get(&engine, &format!("/v1.41/secrets?filters={filters}"));
        let mut names: Vec<String> =
            list.as_array().unwrap().iter().map(|one| one["Spec"]["Name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(r#"{"name":["db_"]}"#), ["db_a", "db_b"]);
    assert_eq!(names(r#"{"names":["db_"]}"#), [""; 0]);
    assert_eq!(names(r#"{"names":["db_a","other"]}"#), ["db_a", "other"]);
    assert_eq!(names(r#"{"label":["tier=low"],"name":["db_"]}"#), ["db_a"]);
    let id = engine.secret_id("db_a").unwrap();
    assert_eq!(names(&format!(r#"{{"id":["{}"]}}"#, &id[..6])), ["db_a"]);
    assert_eq!(get(&engine, &format!("/secrets/{}", &id[..8]))["ID"], id);
}

#[test]
fn logs_are_framed_and_the_tail_counts_for_each_task() {
    let service = ServiceBuilder::new("web", "i").replicas(2);
    let program = Program::runs().says("one").says("two").says("three");
    let engine = SimEngine::builder(1).program("web", program).service(service).build();
    engine.run_for(Duration::from_secs(10));
    let read = |query: &str| {
        let query =
            query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
        let path = "/services/web/logs".into();
        engine.answer(&EngineRequest { method: "GET".into(), path, query, body: vec![] })
    };
    let answer = read("stdout=1&tail=2");
    assert_eq!(answer.content_type, "application/octet-stream");
    let frame = |text: &str| [&[1, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    assert_eq!(answer.body, [frame("two\n"), frame("three\n")].concat().repeat(2));
    let details = String::from_utf8_lossy(&read("stdout=1&details=1&timestamps=1").body).into_owned();
    assert!(details.contains("com.docker.swarm.task.id=") && details.contains("2026-01-01T00:00:0"), "{details}");
    assert_eq!(read("tail=1").status, 400);
}

#[test]
fn events_tell_what_happened_as_recorded() {
    let recorded = recording("stacks_and_events");
    let text = exchange(&recorded, "events")["response"]["body"].as_str().unwrap();
    let recorded: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let shape = |event: &Value| {
        let attributes: Vec<String> = event["Actor"]["Attributes"].as_object().unwrap().keys().cloned().collect();
        (event["Type"].to_string(), event["Action"].to_string(), attributes, event["scope"].to_string())
    };

    let engine = SimEngine::builder(1).secret("db_password", b"a").service(ServiceBuilder::new("db", "i")).build();
    engine.run_for(Duration::from_secs(5));
    let middle = engine.clock().wall();
    edit_service(&engine, "db", |spec| spec["TaskTemplate"]["ForceUpdate"] = json!(1));
    engine.run_for(Duration::from_secs(30));
    let read = |query: &str| -> Vec<Value> {
        let (status, body) = ask(&engine, "GET", &format!("/events{query}"), &Value::Null);
        assert_eq!(status, 200);
        match body {
            Value::String(lines) => lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            one => vec![one],
        }
    };
    let simulated = read("");
    assert_eq!(simulated.len(), 5);
    for event in &simulated {
        assert!(recorded.iter().any(|other| shape(other) == shape(event)), "{event} has no like in the recording");
    }
    let states: Vec<&Value> = simulated
        .iter()
        .map(|event| &event["Actor"]["Attributes"]["updatestate.new"])
        .filter(|s| !s.is_null())
        .collect();
    assert_eq!(states, ["updating", "completed"]);
    assert_eq!(read(&format!("?since={}", middle.as_second())).len(), 3);
    assert_eq!(read(&format!("?until={}&filters={{\"type\":[\"secret\"]}}", middle.as_second())).len(), 1);
}

#[test]
fn a_container_can_be_found_and_its_secret_read_in_it() {
    let service = ServiceBuilder::new("web", "i").secret_at("pw", "the_pw");
    let engine = SimEngine::builder(1).secret("pw", b"made-up").service(service).build();
    engine.run_for(Duration::from_secs(10));
    let id = engine.service_id("web").unwrap();
    let filter = format!("/containers/json?filters={{\"label\":[\"com.docker.swarm.service.id={id}\"]}}");
    let containers = get(&engine, &filter);
    let container = containers[0]["Id"].as_str().unwrap();
    let run = |engine: &SimEngine, command: Value| {
        let (status, exec) = ask(engine, "POST", &format!("/containers/{container}/exec"), &json!({"Cmd": command}));
        assert_eq!(status, 201);
        let exec = exec["Id"].as_str().unwrap().to_owned();
        let output = ask(engine, "POST", &format!("/exec/{exec}/start"), &json!({})).1;
        (output.as_str().unwrap_or_default().to_owned(), get(engine, &format!("/exec/{exec}/json"))["ExitCode"].clone())
    };
    let (output, code) = run(&engine, json!(["cat", "/run/secrets/the_pw"]));
    assert!(output.ends_with("made-up") && code == 0, "{output}");
    assert_eq!(run(&engine, json!(["cat", "/etc/passwd"])).1, 1);
    assert_eq!(run(&engine, json!(["sh"])).1, 126);
    // A world that comes from a file does not know the values any more, and does not pretend to.
    let loaded = SimEngine::load(&engine.save().unwrap()).unwrap();
    assert_eq!(run(&loaded, json!(["cat", "/run/secrets/the_pw"])).1, 1);
}

#[test]
fn the_swarm_itself_is_described_as_recorded() {
    let recorded = recording("engine_via_portainer_admin");
    let engine = SimEngine::new(1);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let swarm = get(&engine, "/swarm");
    assert_eq!(keys(&swarm), keys(&exchange(&recorded, "swarm")["response"]["body"]));
    assert_eq!(keys(&get(&engine, "/version")), keys(&exchange(&recorded, "version")["response"]["body"]));
    assert_eq!(get(&engine, "/info")["Swarm"]["Cluster"]["ID"], swarm["ID"]);
    assert_eq!(ask(&engine, "GET", "/_ping", &Value::Null), (200, json!("OK")));
    assert_eq!(get(&engine, "/nodes")[0]["ManagerStatus"]["Leader"], true);
    assert_eq!(ask(&engine, "GET", "/moon", &Value::Null).0, 404);
    assert_eq!(ask(&engine, "PUT", "/secrets", &Value::Null).0, 404);
    let configs = recording("configs_exec_stacks_team_leader");
    let sent = &exchange(&configs, "config.create templated")["request"]["body"];
    create(&engine, "configs", sent);
    let spec = &exchange(&configs, "config.inspect")["response"]["body"]["Spec"];
    assert_eq!(&get(&engine, "/configs/site.conf")["Spec"], spec);
}

/// Measured on an Engine 20.10.24: the whole spec is replaced, and only the name stays where it is left out.
#[test]
fn the_labels_of_the_swarm_are_replaced_with_its_whole_spec() {
    let engine = SimEngine::new(1);
    let recorded = recording("engine_via_portainer_admin");
    let swarm = get(&engine, "/swarm");
    assert_eq!(swarm["Spec"], exchange(&recorded, "swarm")["response"]["body"]["Spec"]);
    let update =
        |version: &Value, spec: &Value| ask(&engine, "POST", &format!("/swarm/update?version={version}"), spec);
    let mut spec = swarm["Spec"].clone();
    spec["Labels"] = json!({"stop": ""});
    assert_eq!(update(&swarm["Version"]["Index"], &spec), (200, Value::Null));
    assert_eq!(get(&engine, "/swarm")["Spec"], spec);
    let stale = json!({"message": "rpc error: code = Unknown desc = update out of sequence"});
    assert_eq!(update(&swarm["Version"]["Index"], &spec), (500, stale));
    assert_eq!(update(&get(&engine, "/swarm")["Version"]["Index"], &json!({})), (200, Value::Null));
    assert_eq!(get(&engine, "/swarm")["Spec"], json!({"Name": "default", "Labels": {}}));
}
