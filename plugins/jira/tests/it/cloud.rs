//! A double of Jira Cloud, by the public documents of its REST API v3: issues, a search by label, and a history.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Verdict};
use swarmsecrets_core::keys::Keyring;
use swarmsecrets_jira::JiraApprover;
use swarmsecrets_testkit::conformance::approver::{PEOPLE, SYSTEM, Stage};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// An issue.
pub(crate) struct Ticket {
    pub(crate) fields: Value,
    pub(crate) status: String,
    /// The oldest first.
    histories: Vec<Value>,
}

/// The issues, by their keys.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) tickets: BTreeMap<String, Ticket>,
    /// Whether the search has not seen the newest issues yet.
    pub(crate) search_lags: bool,
}

pub(crate) struct Cloud {
    server: MockServer,
    board: Arc<Mutex<Board>>,
}

struct Api(Arc<Mutex<Board>>);

impl Api {
    fn made(board: &mut Board, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let fields = &body["fields"];
        assert_eq!((&fields["project"], &fields["issuetype"]), (&json!({"key": "OPS"}), &json!({"name": "Change"})));
        let description = &fields["description"];
        assert_eq!((&description["type"], &description["version"]), (&json!("doc"), &json!(1)));
        let labels: Vec<&str> =
            fields["labels"].as_array().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
        assert!(labels.iter().all(|label| label.len() <= 255 && !label.contains(' ')), "{labels:?}");
        let summary = fields["summary"].as_str().unwrap();
        assert!(summary.len() < 255 && !summary.contains('\n'), "{summary}");
        let key = format!("OPS-{}", board.tickets.len() + 1);
        board
            .tickets
            .insert(key.clone(), Ticket { fields: fields.clone(), status: "To Do".into(), histories: Vec::new() });
        ResponseTemplate::new(201)
            .set_body_json(json!({"id": "10000", "key": key, "self": "https://jira.example/rest/api/3/issue/10000"}))
    }

    fn found(board: &Board, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let jql = body["jql"].as_str().unwrap();
        let label =
            jql.strip_prefix("project = \"OPS\" AND labels = \"").and_then(|rest| rest.strip_suffix('"')).unwrap();
        let has =
            |ticket: &&String| board.tickets[*ticket].fields["labels"].as_array().unwrap().contains(&label.into());
        let keys = board.tickets.keys().filter(has).filter(|_| !board.search_lags);
        let issues: Vec<Value> =
            keys.map(|key| json!({"id": "1", "key": key, "fields": {"labels": [label]}})).collect();
        ResponseTemplate::new(200).set_body_json(json!({"issues": issues, "isLast": true}))
    }

    fn shown(board: &Board, request: &Request) -> ResponseTemplate {
        let key = request.url.path().strip_prefix("/rest/api/3/issue/").unwrap();
        assert_eq!(request.url.query(), Some("expand=changelog&fields=description%2Cstatus"));
        let Some(ticket) = board.tickets.get(key) else { return ResponseTemplate::new(404) };
        // The newest first.
        let histories: Vec<&Value> = ticket.histories.iter().rev().collect();
        ResponseTemplate::new(200).set_body_json(json!({
            "id": "10000", "key": key,
            "fields": {"description": ticket.fields["description"], "status": {"id": ticket.status, "name": ticket.status}},
            "changelog": {"startAt": 0, "maxResults": 100, "total": histories.len(), "histories": histories},
        }))
    }
}

impl Respond for Api {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // `bot@example.org:made-up-token`
        if request
            .headers
            .get("authorization")
            .is_none_or(|given| given != "Basic Ym90QGV4YW1wbGUub3JnOm1hZGUtdXAtdG9rZW4=")
        {
            return ResponseTemplate::new(401).set_body_string("made-up-words of the server");
        }
        let mut board = self.0.lock().unwrap();
        match (request.method.as_str(), request.url.path()) {
            ("POST", "/rest/api/3/issue") => Self::made(&mut board, request),
            ("POST", "/rest/api/3/search/jql") => Self::found(&board, request),
            ("GET", _) => Self::shown(&board, request),
            other => panic!("no such call: {other:?}"),
        }
    }
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let (server, board) = (MockServer::start().await, Arc::new(Mutex::new(Board::default())));
        Mock::given(any()).respond_with(Api(board.clone())).mount(&server).await;
        Self { server, board }
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn approver(&self, token: &str) -> JiraApprover {
        let token = SecretValue::new(token.as_bytes().to_vec()).unwrap();
        JiraApprover::builder(&self.server.uri(), "bot@example.org", token, "OPS")
            .issue_type("Change")
            .approved(&["First approval".to_owned(), "Approved".to_owned()])
            .denied(&["Rejected".to_owned()])
            .fields([("customfield_10010".to_owned(), "risk".to_owned())].into())
            .build()
            .unwrap()
    }

    /// Somebody changes a field of the issue of a request.
    pub(crate) fn edits(&self, request: &ChangeRequest, account: &str, field: &str, to: &str) {
        let (mut board, label) = (self.board(), json!(format!("swarmsecrets-{}", request.digest())));
        let has = |ticket: &&mut Ticket| ticket.fields["labels"].as_array().unwrap().contains(&label);
        let ticket = board.tickets.values_mut().find(has).unwrap();
        let from = ticket.status.clone();
        if field == "status" {
            ticket.status = to.to_owned();
        }
        let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string();
        ticket.histories.push(json!({
            "id": "1", "author": {"accountId": account, "displayName": "made up"}, "created": at,
            "items": [{"field": field, "fieldtype": "jira", "from": from, "fromString": from, "to": to, "toString": to}],
        }));
    }
}

#[async_trait]
impl Stage for Cloud {
    fn open(&self) -> Arc<dyn Approver> {
        Arc::new(self.approver("made-up-token"))
    }

    async fn decide(&self, request: &ChangeRequest, person: &str, verdict: Verdict) {
        let status = match (verdict, person) {
            (Verdict::Deny, _) => "Rejected",
            (Verdict::Approve, "alice") => "First approval",
            (Verdict::Approve, _) => "Approved",
        };
        self.edits(request, &format!("5b10:{person}"), "status", status);
    }

    async fn told(&self, request: &ChangeRequest) -> usize {
        let (board, label) = (self.board(), json!(format!("swarmsecrets-{}", request.digest())));
        board.tickets.values().filter(|ticket| ticket.fields["labels"].as_array().unwrap().contains(&label)).count()
    }

    fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        PEOPLE.iter().for_each(|who| keyring.add_account(who, SYSTEM, &format!("5b10:{who}")).unwrap());
        keyring
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
