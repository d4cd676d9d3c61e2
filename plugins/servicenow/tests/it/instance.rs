//! A double of a ServiceNow instance, by the public documents of its Table API: records of two tables, queries by one field.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Verdict};
use swarmsecrets_core::keys::Keyring;
use swarmsecrets_servicenow::ServiceNowApprover;
use swarmsecrets_testkit::conformance::approver::{PEOPLE, SYSTEM, Stage};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The rows of each table.
type Tables = BTreeMap<String, Vec<Value>>;

pub(crate) struct Instance {
    server: MockServer,
    tables: Arc<Mutex<Tables>>,
}

struct Api(Arc<Mutex<Tables>>);

impl Respond for Api {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // `swarm:made-up-password`
        if request.headers.get("authorization").is_none_or(|given| given != "Basic c3dhcm06bWFkZS11cC1wYXNzd29yZA==") {
            return ResponseTemplate::new(401)
                .set_body_json(json!({"error": {"message": "User Not Authenticated"}, "status": "failure"}));
        }
        let table = request.url.path().strip_prefix("/api/now/table/").unwrap().to_owned();
        let mut tables = self.0.lock().unwrap();
        let rows = tables.entry(table).or_default();
        if request.method.as_str() == "POST" {
            let mut row: Value = serde_json::from_slice(&request.body).unwrap();
            row["sys_id"] = format!("{:032x}", rows.len() + 0xa0).into();
            row["number"] = format!("CHG{:07}", rows.len() + 30_001).into();
            rows.push(row.clone());
            return ResponseTemplate::new(201).set_body_json(json!({"result": row}));
        }
        let asked: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        assert_eq!(
            (asked["sysparm_display_value"].as_str(), asked["sysparm_exclude_reference_link"].as_str()),
            ("false", "true")
        );
        let (field, value) = asked["sysparm_query"].split_once('=').unwrap();
        let found = rows.iter().filter(|row| row[field] == value).take(asked["sysparm_limit"].parse().unwrap());
        let wanted: Vec<&str> = asked["sysparm_fields"].split(',').collect();
        let shown = found
            .map(|row| Value::Object(wanted.iter().map(|name| ((*name).to_owned(), row[*name].clone())).collect()));
        ResponseTemplate::new(200).set_body_json(json!({"result": shown.collect::<Vec<Value>>()}))
    }
}

impl Instance {
    pub(crate) async fn start() -> Self {
        let (server, tables) = (MockServer::start().await, Arc::new(Mutex::new(Tables::new())));
        Mock::given(any()).respond_with(Api(tables.clone())).mount(&server).await;
        Self { server, tables }
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn approver(&self, password: &str) -> ServiceNowApprover {
        let password = SecretValue::new(password.as_bytes().to_vec()).unwrap();
        let fields = [("assignment_group", "=Database"), ("justification", "reasoning"), ("u_risk", "risk")];
        let fields = fields.map(|(name, what)| (name.to_owned(), what.to_owned())).into();
        ServiceNowApprover::builder(&self.server.uri(), Some("swarm"), password).fields(fields).build().unwrap()
    }

    /// What a person says in the form of the approval.
    pub(crate) fn says(&self, request: &ChangeRequest, user: &str, state: &str, by: &str) {
        let mut tables = self.tables();
        let id = tables["change_request"]
            .iter()
            .find(|row| row["correlation_id"] == request.digest().as_str())
            .unwrap()["sys_id"]
            .clone();
        let at = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let row = json!({"sysapproval": id, "state": state, "approver.user_name": user, "sys_updated_by": by, "sys_updated_on": at});
        tables.entry("sysapproval_approver".to_owned()).or_default().push(row);
    }
}

#[async_trait]
impl Stage for Instance {
    fn open(&self) -> Arc<dyn Approver> {
        Arc::new(self.approver("made-up-password"))
    }

    async fn decide(&self, request: &ChangeRequest, person: &str, verdict: Verdict) {
        let state = if verdict == Verdict::Approve { "approved" } else { "rejected" };
        self.says(request, &format!("{person}.user"), state, &format!("{person}.user"));
    }

    async fn told(&self, request: &ChangeRequest) -> usize {
        let tables = self.tables();
        let rows = tables.get("change_request").into_iter().flatten();
        rows.filter(|row| row["correlation_id"] == request.digest().as_str()).count()
    }

    fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        PEOPLE.iter().for_each(|who| keyring.add_account(who, SYSTEM, &format!("{who}.user")).unwrap());
        keyring
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
