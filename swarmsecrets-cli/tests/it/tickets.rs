//! Approvals by tickets, from the command that asks to the one that carries out, before doubles of Jira Cloud and ServiceNow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::attacks::refused;
use crate::command::Place;
use crate::served::Served;

const SECRET: &str = "made-up-word-of-a-ticket-system";

/// What a ticket system keeps: rows of tables, of which Jira has one.
type Tables = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// Jira Cloud, as far as issues, a search by label, and histories go.
struct Jira(Tables);

impl Respond for Jira {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        assert!(request.headers["authorization"].to_str().unwrap().starts_with("Basic "));
        let mut tables = self.0.lock().unwrap();
        let issues = tables.entry("issue".into()).or_default();
        match (request.method.as_str(), request.url.path()) {
            ("POST", "/rest/api/3/issue") => {
                let key = format!("OPS-{}", issues.len() + 1);
                let made = json!({ "key": key, "fields": body(request)["fields"], "status": "To Do", "histories": [] });
                issues.push(made);
                ResponseTemplate::new(201).set_body_json(json!({ "id": "10000", "key": key }))
            }
            ("POST", "/rest/api/3/search/jql") => {
                let asked = body(request)["jql"].as_str().unwrap().to_owned();
                let has = |issue: &&Value| asked.contains(issue["fields"]["labels"][0].as_str().unwrap());
                let shown = |issue: &Value| json!({ "id": "1", "key": issue["key"], "fields": { "labels": issue["fields"]["labels"] } });
                let found: Vec<Value> = issues.iter().filter(has).map(shown).collect();
                ResponseTemplate::new(200).set_body_json(json!({ "issues": found, "isLast": true }))
            }
            (_, path) => {
                let key = path.rsplit('/').next().unwrap();
                let issue = issues.iter().find(|issue| issue["key"] == key).unwrap();
                let histories = issue["histories"].as_array().unwrap();
                ResponseTemplate::new(200).set_body_json(json!({
                    "id": "10000", "key": key,
                    "fields": {
                        "description": issue["fields"]["description"],
                        "status": { "id": issue["status"], "name": issue["status"] },
                    },
                    "changelog": { "startAt": 0, "maxResults": 100, "total": histories.len(), "histories": histories },
                }))
            }
        }
    }
}

/// ServiceNow's Table API: records of tables, and queries by one field.
struct ServiceNow(Tables);

impl Respond for ServiceNow {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        assert!(request.headers["authorization"].to_str().unwrap().starts_with("Basic "));
        let table = request.url.path().strip_prefix("/api/now/table/").unwrap().to_owned();
        let mut tables = self.0.lock().unwrap();
        let rows = tables.entry(table).or_default();
        if request.method.as_str() == "POST" {
            let mut row = body(request);
            row["sys_id"] = format!("{:032x}", rows.len() + 0xa0).into();
            row["number"] = format!("CHG{:07}", rows.len() + 30_001).into();
            rows.push(row.clone());
            return ResponseTemplate::new(201).set_body_json(json!({ "result": row }));
        }
        let asked: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let (field, value) = asked["sysparm_query"].split_once('=').unwrap();
        let wanted: Vec<&str> = asked["sysparm_fields"].split(',').collect();
        let shown = rows.iter().filter(|row| row[field] == value);
        let shown = shown.map(|row| wanted.iter().map(|name| ((*name).to_owned(), row[*name].clone())).collect());
        ResponseTemplate::new(200).set_body_json(json!({ "result": shown.collect::<Vec<Value>>() }))
    }
}

/// An account moves the issue to a status that approves.
fn moved(tables: &Tables, account: &str) {
    let mut tables = tables.lock().unwrap();
    let issue = &mut tables.get_mut("issue").unwrap()[0];
    issue["status"] = "Approved".into();
    let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string();
    issue["histories"] = json!([{
        "id": "1", "author": { "accountId": account, "displayName": "made up" }, "created": at,
        "items": [{
            "field": "status", "fieldtype": "jira", "from": "To Do", "fromString": "To Do", "to": "Approved", "toString": "Approved",
        }],
    }]);
}

/// A user approves the record in its form.
fn answered(tables: &Tables, account: &str) {
    let mut tables = tables.lock().unwrap();
    let id = tables["change_request"][0]["sys_id"].clone();
    let at = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
    let row = json!({
        "sysapproval": id, "state": "approved", "approver.user_name": account, "sys_updated_by": account, "sys_updated_on": at,
    });
    tables.entry("sysapproval_approver".into()).or_default().push(row);
}

/// A ticket system, as a policy names it and as people use it.
struct System {
    settings: &'static str,
    table: &'static str,
    decide: fn(&Tables, &str),
}

const JIRA: System = System {
    settings: "kind = 'jira'\nproject = 'OPS'\nissue_type = 'Change'\napproved = ['Approved']\ndenied = ['Rejected']",
    table: "issue",
    decide: moved,
};

const SERVICENOW: System = System { settings: "kind = 'servicenow'", table: "change_request", decide: answered };

/// Asks for a rotation, lets an account approve it in the ticket system, and carries it out.
fn through(system: &System, url: &str, tables: &Tables, account: &str) {
    let place = Place::new();
    let served = Served::start(&place);
    std::fs::write(place.path("word"), SECRET).unwrap();
    let (folder, settings) = (place.root().display(), system.settings);
    let policy = format!(
        "schema = 1\nphase = 'assisted'\n[approval]\nfolder = '{folder}/requests'\nstate = '{folder}/state'\n\
         [approvers.tickets]\n{settings}\nurl = '{url}'\nuser = 'bot@example.org'\nsecret_file = '{folder}/word'\n\
         identities = {{ 'account-of-alice' = 'alice' }}\n"
    );
    std::fs::write(place.path("policy.toml"), policy).unwrap();
    let run = |line: &str| {
        let more = "--yes --json --agent-id agent-7 --policy policy.toml --journal journal";
        let run = served.run(&place, "admin", &format!("{line} {more}"));
        assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{run:?}");
        run
    };
    run("rotate report_password --generate length=32 --stability 1s --reason monthly").code(4);
    let file = std::fs::read_dir(place.path("requests")).unwrap().next().unwrap().unwrap().path();
    let digest = file.file_name().unwrap().to_string_lossy().split('.').next().unwrap().to_owned();
    let made = tables.lock().unwrap()[system.table].clone();
    assert!(made.len() == 1 && made[0].to_string().contains(&digest), "{made:?}");
    let apply = format!("apply {}", file.display());
    let waiting = run(&apply).code(4);
    assert!(waiting.stdout.contains("1 more"), "{waiting:?}");
    (system.decide)(tables, account);
    let trail = || std::fs::read_to_string(place.path("journal/audit.jsonl")).unwrap();
    if account == "account-of-alice" {
        assert_eq!(run(&apply).code(0).json()["outcome"], "applied");
        let told = trail();
        let mut intents = told.lines().filter(|line| line.contains("\"phase\":\"intent\""));
        assert!(intents.all(|line| line.contains("\"approvers\":[\"alice\"]")), "{told}");
        run(&apply).code(5);
    } else {
        let words = "does not say whose it is";
        assert!(run(&apply).code(3).stdout.contains(words), "the account is nobody's");
        assert!(refused(&place, "journal").contains(words) && !trail().contains("\"phase\":\"intent\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_that_a_mapped_account_approves_is_carried_out_and_another_account_refuses_it() {
    for account in ["account-of-alice", "account-of-nobody"] {
        let (server, tables) = (MockServer::start().await, Tables::default());
        Mock::given(any()).respond_with(Jira(tables.clone())).mount(&server).await;
        tokio::task::block_in_place(|| through(&JIRA, &server.uri(), &tables, account));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_record_that_a_mapped_user_approves_is_carried_out_and_another_user_refuses_it() {
    for account in ["account-of-alice", "account-of-nobody"] {
        let (server, tables) = (MockServer::start().await, Tables::default());
        Mock::given(any()).respond_with(ServiceNow(tables.clone())).mount(&server).await;
        tokio::task::block_in_place(|| through(&SERVICENOW, &server.uri(), &tables, account));
    }
}
