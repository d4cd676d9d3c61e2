//! Answers that are lost, late or wrong.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_testkit::engine::{Engine, EngineRequest};
use swarmsecrets_testkit::sim::{Fault, FaultyEngine, NO_ANSWER, SimEngine};

fn create(name: &str) -> EngineRequest {
    let body = json!({"Name": name, "Labels": {}, "Data": "eA=="}).to_string().into_bytes();
    EngineRequest { method: "POST".into(), path: "/secrets/create".into(), query: vec![], body }
}

#[tokio::test]
async fn a_fault_decides_what_is_done_and_what_is_answered() {
    let engine = SimEngine::new(0);
    let faulty = FaultyEngine::new(engine.clone(), engine.clock());
    assert_eq!(faulty.call(create("a")).await.status, 201);

    let mut faults = vec![
        Fault::Status(502, "{\"message\":\"bad gateway\"}".into()),
        Fault::Delay(Duration::from_secs(3)),
        Fault::LoseAnswer,
        Fault::LoseRequest,
    ];
    faulty.on_request(move |request| if request.method == "POST" { faults.pop() } else { None });
    assert_eq!(faulty.call(create("lost_request")).await.status, NO_ANSWER);
    assert_eq!(engine.secret_id("lost_request"), None);
    assert_eq!(faulty.call(create("lost_answer")).await.status, NO_ANSWER);
    assert!(engine.secret_id("lost_answer").is_some());
    let before = engine.clock().now().mono;
    assert_eq!(faulty.call(create("late")).await.status, 201);
    assert!(engine.clock().now().mono - before >= Duration::from_secs(3));
    let answer = faulty.call(create("replaced")).await;
    assert_eq!((answer.status, engine.secret_id("replaced")), (502, None));
    assert_eq!(faulty.call(create("fine_again")).await.status, 201);
    assert!(faulty.simulated());
}
