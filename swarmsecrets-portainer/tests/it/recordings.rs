//! Every refusal that was ever recorded, served again: each has its kind, and its words are kept.

use serde_json::Value;
use swarmsecrets_core::transport::{Method, Transport};
use swarmsecrets_core::{Error, ErrorKind, testing};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{builder, permit};

use ErrorKind::{Conflict, Forbidden, InUse, Invalid, NotFound, Protocol, TooLarge, Unauthorized};

/// Every recorded answer that is not 2xx, by the name of its exchange. In order of the files, then of the exchanges.
const REFUSALS: &[(&str, ErrorKind)] = &[
    ("exec.create as scoped account on a container it does not own", Forbidden),
    ("alice sees stack?", Forbidden),
    ("git stack create (unreachable repository)", Protocol),
    ("stack with file secret (missing file)", Protocol),
    ("unauth", Unauthorized),
    ("badkey", Unauthorized),
    ("no such endpoint", NotFound),
    ("secret.create.dup", Conflict),
    ("secret.create.badname", Invalid),
    ("secret.create.longname", Invalid),
    ("secret.create.empty", TooLarge),
    ("secret.create.500KB+1", TooLarge),
    ("secret.create.500KB", TooLarge),
    ("secret.create.urlsafe64", Invalid),
    ("secret.create.notb64", Invalid),
    ("secret.inspect.missing", NotFound),
    ("secret.update.stale", Conflict),
    ("secret.update.data", Invalid),
    ("secret.delete.inuse", InUse),
    ("service.update", Invalid),
    ("service.update.missingsecret", Invalid),
    ("git stack redeploy", Invalid),
    ("agent inspect other", Forbidden),
    ("agent label update", Forbidden),
    ("alice sees v2?", Forbidden),
    ("agent rc v2 -> other team", Forbidden),
    ("agent rc v2 -> adminonly", Forbidden),
    ("agent delete old (in use by hidden)", InUse),
    ("agent delete old by name", Forbidden),
    ("agent hidden svc", Forbidden),
    ("agent users", Forbidden),
    ("agent memberships", Forbidden),
    ("agent rcs", Invalid),
    ("agent svc create webhook", Forbidden),
    ("activity logs (BE)", NotFound),
    ("alice sees label ac", Forbidden),
    ("PUT on a stopped stack", Protocol),
    ("ownership by scoped account: admins only", Forbidden),
    ("ownership by scoped account: foreign team", Forbidden),
    ("ownership by scoped account: self+own team", Forbidden),
    ("ownership by scoped account: other user", Forbidden),
    ("ownership by scoped account: other user+own team", Forbidden),
    ("ownership by scoped account: self+other user", Forbidden),
    ("ownership by scoped account: nothing", Invalid),
    ("stack redeploy old file (secret gone)", Protocol),
    ("agent stack file", Forbidden),
];

fn recorded() -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/portainer");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|f| serde_json::from_slice::<Vec<Value>>(&std::fs::read(f).unwrap()).unwrap()).collect()
}

fn status(exchange: &Value) -> u16 {
    exchange["response"]["status"].as_u64().unwrap().try_into().unwrap()
}

fn answer(exchange: &Value) -> ResponseTemplate {
    let response = &exchange["response"];
    let kind = response["headers"]["Content-Type"].as_str();
    let body = match &response["body"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        json => json.to_string(),
    };
    ResponseTemplate::new(status(exchange)).set_body_raw(body, kind.unwrap_or("text/plain"))
}

/// Sends what was sent then, and gives the answer's status or error.
async fn replay(server: &MockServer, exchange: &Value) -> Result<u16, Error> {
    server.reset().await;
    Mock::given(any()).respond_with(answer(exchange)).mount(server).await;
    let portainer = builder(&server.uri()).retries(0).build().unwrap();
    let request = &exchange["request"];
    let path = format!("/api{}", request["path"].as_str().unwrap());
    let body = (!request["body"].is_null()).then(|| request["body"].to_string().into());
    let method = match request["method"].as_str().unwrap() {
        "GET" => return portainer.read(&testing::read(&path, vec![], "do it")).await.map(|a| a.status),
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => panic!("{other} was never recorded"),
    };
    portainer.write(testing::write(method, &path, vec![], body, "do it"), permit()).await.map(|a| a.status)
}

#[tokio::test]
async fn every_recorded_refusal_has_its_kind() {
    let server = MockServer::start().await;
    let mut found = Vec::new();
    for exchange in recorded().iter().filter(|e| !(200..300).contains(&status(e))) {
        let name = exchange["name"].as_str().unwrap().to_owned();
        let error = replay(&server, exchange).await.expect_err(&name);
        assert!(error.message().contains(&format!("HTTP {}", status(exchange))), "{name}: {error}");
        let words = exchange["response"]["body"]["message"].as_str().unwrap_or_default();
        let words = words.rsplit(" desc = ").next().unwrap_or_default().trim();
        let begin: String = words.chars().take(100).collect();
        assert!(error.message().contains(&begin), "{name}: {error}");
        found.push((name, error.kind()));
    }
    let wanted: Vec<_> = REFUSALS.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn every_recorded_success_comes_through() {
    let server = MockServer::start().await;
    let mut seen = 0;
    for exchange in recorded().iter().filter(|e| (200..300).contains(&status(e))) {
        assert_eq!(replay(&server, exchange).await.unwrap(), status(exchange), "{}", exchange["name"]);
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}
