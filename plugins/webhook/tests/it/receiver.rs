//! A receiver of webhooks, which tells people of each request once and answers by the convention.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Verdict};
use swarmsecrets_core::keys::Keyring;
use swarmsecrets_testkit::conformance::approver::{PEOPLE, SYSTEM, Stage};
use swarmsecrets_webhook::{Headers, Secret, WebhookApprover};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) fn secret() -> SecretValue {
    SecretValue::new(b"made-up-secret-between-two-programs".to_vec()).unwrap()
}

/// What it knows: requests by their digests, with how often people were told, and decisions.
#[derive(Default)]
struct Known {
    told: BTreeMap<String, usize>,
    decisions: BTreeMap<String, Vec<Value>>,
}

/// A receiver.
pub(crate) struct Receiver {
    pub(crate) server: MockServer,
    known: Arc<Mutex<Known>>,
    /// One that sends decisions by itself keeps the approver that they are sent to.
    sends: Option<Arc<WebhookApprover>>,
}

struct Answers(Arc<Mutex<Known>>);

/// The digest in a signed message of swarmsecrets'.
fn believed(request: &Request) -> String {
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap();
    let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let headers = Headers { id, timestamp, signature };
    Secret::new(secret()).unwrap().check(headers, &request.body, Timestamp::now()).unwrap();
    id.to_owned()
}

pub(crate) fn answer(digest: &str, body: &Value, at: Timestamp) -> ResponseTemplate {
    let body = body.to_string().into_bytes();
    let (timestamp, signature) = Secret::new(secret()).unwrap().sign(digest, at, &body);
    ResponseTemplate::new(200)
        .insert_header("webhook-id", digest)
        .insert_header("webhook-timestamp", timestamp)
        .insert_header("webhook-signature", signature)
        .set_body_bytes(body)
}

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let digest = believed(request);
        let mut known = self.0.lock().unwrap();
        if request.method.as_str() == "POST" {
            let sent = ChangeRequest::from_json(&request.body).unwrap();
            assert_eq!((sent.digest().as_str(), request.url.path()), (digest.as_str(), "/hook"));
            assert_eq!(request.headers.get("idempotency-key").unwrap(), &digest);
            known.told.entry(digest).or_insert(1);
            return ResponseTemplate::new(202);
        }
        assert_eq!(request.url.path(), format!("/answers/{digest}"));
        if !known.told.contains_key(&digest) {
            return ResponseTemplate::new(404);
        }
        let decisions = known.decisions.get(&digest).cloned().unwrap_or_default();
        answer(&digest, &json!({"schema": 1, "decisions": decisions}), Timestamp::now())
    }
}

impl Receiver {
    pub(crate) async fn start(sends: bool) -> Self {
        let (server, known) = (MockServer::start().await, Arc::new(Mutex::new(Known::default())));
        for verb in ["GET", "POST"] {
            Mock::given(method(verb)).respond_with(Answers(known.clone())).mount(&server).await;
        }
        let sends = sends
            .then(|| Arc::new(WebhookApprover::builder(&format!("{}/hook", server.uri()), secret()).build().unwrap()));
        Self { server, known, sends }
    }

    pub(crate) fn approver(&self) -> WebhookApprover {
        let builder = WebhookApprover::builder(&format!("{}/hook", self.server.uri()), secret());
        builder.answers(&format!("{}/answers", self.server.uri())).build().unwrap()
    }
}

#[async_trait]
impl Stage for Receiver {
    fn open(&self) -> Arc<dyn Approver> {
        match &self.sends {
            // What it was sent, it has as long as it lives.
            Some(approver) => approver.clone(),
            None => Arc::new(self.approver()),
        }
    }

    async fn decide(&self, request: &ChangeRequest, person: &str, verdict: Verdict) {
        let digest = request.digest().as_str();
        let decision = json!({"read_back": {
            "request": digest, "decision": verdict.word(), "account": format!("id of {person}"), "at": Timestamp::now(),
            "reference": "message 17",
        }});
        if let Some(approver) = &self.sends {
            let body = json!({"schema": 1, "decisions": [decision]}).to_string();
            let (timestamp, signature) = Secret::new(secret()).unwrap().sign(digest, Timestamp::now(), body.as_bytes());
            let headers = Headers { id: digest, timestamp: &timestamp, signature: &signature };
            // Sent twice, as webhooks are.
            for _ in 0..2 {
                assert_eq!(approver.receive(headers, body.as_bytes()).unwrap(), *request.digest());
            }
            return;
        }
        self.known.lock().unwrap().decisions.entry(digest.to_owned()).or_default().push(decision);
    }

    async fn told(&self, request: &ChangeRequest) -> usize {
        self.known.lock().unwrap().told.get(request.digest().as_str()).copied().unwrap_or_default()
    }

    fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        PEOPLE.iter().for_each(|who| keyring.add_account(who, SYSTEM, &format!("id of {who}")).unwrap());
        keyring
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
