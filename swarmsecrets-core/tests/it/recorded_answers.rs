//! Every recording parses: each good answer with its type, each refusal as an error of the right kind.

use std::collections::BTreeMap;

use swarmsecrets_core::health::logs::{Frames, LogLine};
use swarmsecrets_core::model::{
    Container, Created, Environment, ExecCreated, ExecState, Membership, Node, ResourceControl, Secret, Service,
    ServiceState, Stack, StackFile, Swarm, Task, Team, User, for_each, parse_tasks, read, read_events, read_list,
};
use swarmsecrets_core::transport::refusal;
use swarmsecrets_core::{ErrorKind, Result};

use crate::fixtures::{self, Exchange};

/// Answers that are not modelled, and why.
const NOT_MODELLED: [(&str, &str); 18] = [
    ("GET /endpoints/*/docker/_ping", "plain text"),
    ("GET /endpoints/*/docker/version", "nothing depends on the Engine's version"),
    ("GET /endpoints/*/docker/configs", "configs come with drift"),
    ("GET /endpoints/*/docker/configs/*", "configs come with drift"),
    ("POST /endpoints/*/docker/configs/create", "configs come with drift"),
    ("POST /endpoints/*/docker/exec/*/start", "what a command prints is not asked for"),
    ("GET /endpoints/*/docker/images/local/busybox:1/json", "exposure comes later"),
    ("GET /endpoints/*/docker/images/local/busybox:1/history", "exposure comes later"),
    ("GET /endpoint_groups", "nothing depends on groups"),
    ("GET /registries", "stored credentials stay as they are"),
    ("GET /system/status", "nothing depends on Portainer's version"),
    ("GET /system/version", "nothing depends on Portainer's version"),
    ("POST /webhooks", "triggers come later"),
    ("POST /endpoints/*/docker/services/*/update", "warnings only"),
    ("POST /endpoints/*/docker/secrets/*/update", "empty"),
    ("DELETE /endpoints/*/docker/secrets/*", "empty"),
    ("DELETE /endpoints/*/docker/services/*", "empty"),
    ("GET /useractivity/logs", "business edition only"),
];

/// Lines come out of a log, each with its moment or its task in front.
fn logs(body: &[u8]) {
    let body = mended(body);
    let (mut lines, mut frames) = (0, Frames::new());
    let mut count = |source, line: &[u8]| {
        let line = LogLine::parse(source, line);
        assert!(line.at.is_some() || line.task.is_some(), "{}", String::from_utf8_lossy(line.text));
        assert!([&b"s3cr3t"[..], b"s3cr3t2", b"FATAL: password authentication failed"].contains(&line.text));
        lines += 1;
    };
    frames.feed(&body, &mut count);
    assert!(!frames.is_broken());
    frames.end(&mut count);
    assert!(lines > 2 || body.is_empty());
}

/// The recordings are text: a length of 128 bytes or more came out of it as a replacement character.
fn mended(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut log = Vec::new();
    for frame in text.split("\u{1}\0\0\0\0\0\0").skip(1) {
        let line = &frame[frame.chars().next().unwrap().len_utf8()..];
        log.extend([1, 0, 0, 0]);
        log.extend(u32::try_from(line.len()).unwrap().to_be_bytes());
        log.extend(line.as_bytes());
    }
    log
}

/// Reads an answer with the type of its path; none if there is no type for it.
fn parse(route: &str, body: &[u8]) -> Option<Result<()>> {
    let done = match route {
        "GET /endpoints/*/docker/secrets" => {
            for_each("secrets", body, |s: Secret<'_>| s.id.parse::<swarmsecrets_core::ids::SecretId>().map(drop))
        }
        "GET /endpoints/*/docker/secrets/*" => read::<Secret<'_>>("a secret", body).map(drop),
        "POST /endpoints/*/docker/secrets/create" | "POST /endpoints/*/docker/services/create" => {
            read::<Created<'_>>("a create", body).map(|created| assert!(created.portainer.resource_control.is_some()))
        }
        "GET /endpoints/*/docker/services" => Service::for_each(body, |s| spec_text_is_exact(&s)),
        "GET /endpoints/*/docker/services/*" => {
            ServiceState::parse(body).and_then(|_| spec_text_is_exact(&Service::parse(body)?))
        }
        "GET /endpoints/*/docker/tasks" => {
            for_each("tasks", body, |_: Task<'_>| Ok(())).and_then(|()| parse_tasks(body)).map(drop)
        }
        "GET /endpoints/*/docker/nodes" => read_list::<Node<'_>>("nodes", body).map(drop),
        "GET /endpoints/*/docker/swarm" => read::<Swarm<'_>>("the swarm", body).map(drop),
        "GET /endpoints/*/docker/containers/json" => read_list::<Container<'_>>("containers", body)
            .map(|all| assert!(all.iter().all(|c| c.state.as_str() == "running"))),
        "POST /endpoints/*/docker/containers/*/exec" => read::<ExecCreated<'_>>("a command", body).map(drop),
        "GET /endpoints/*/docker/exec/*/json" => {
            read::<ExecState>("a command", body).map(|state| assert_eq!(state.ended(), Some(0)))
        }
        "GET /endpoints/*/docker/services/*/logs" => {
            logs(body);
            Ok(())
        }
        "GET /endpoints/*/docker/events" => read_events(body).map(|events| assert!(events.len() > 10)),
        "GET /endpoints/*" => read::<Environment<'_>>("an environment", body).map(drop),
        "GET /stacks" => read_list::<Stack<'_>>("stacks", body).map(drop),
        "GET /stacks/*"
        | "PUT /stacks/*"
        | "POST /stacks/*/stop"
        | "POST /stacks/create/swarm/string"
        | "POST /stacks/create/swarm/repository" => read::<Stack<'_>>("a stack", body).map(drop),
        "GET /stacks/*/file" => read::<StackFile<'_>>("a stack's file", body).map(drop),
        "GET /users" => read_list::<User<'_>>("users", body).map(drop),
        "GET /users/me" | "POST /users" => read::<User<'_>>("a user", body).map(drop),
        "GET /teams" => read_list::<Team<'_>>("teams", body).map(drop),
        "GET /team_memberships" | "GET /teams/*/memberships" | "GET /users/*/memberships" => {
            read_list::<Membership>("memberships", body).map(drop)
        }
        "POST /team_memberships" => read::<Membership>("a membership", body).map(drop),
        "PUT /resource_controls/*" => read::<ResourceControl<'_>>("a resource control", body).map(drop),
        _ => return None,
    };
    Some(done)
}

fn spec_text_is_exact(service: &Service<'_>) -> Result<()> {
    let spec: BTreeMap<String, serde_json::Value> = serde_json::from_str(service.spec_text).unwrap();
    assert_eq!(spec["Name"], service.spec.name.as_str());
    Ok(())
}

/// The path with what is inspected by name as `*` too.
fn route(exchange: &Exchange) -> String {
    let pattern = exchange.pattern();
    let by_name = ["/docker/secrets/", "/docker/services/"].into_iter().find_map(|parent| {
        let (before, name) = pattern.split_once(parent)?;
        (!name.contains('/') && name != "create").then(|| format!("{before}{parent}*"))
    });
    format!("{} {}", exchange.method, by_name.unwrap_or(pattern))
}

#[test]
fn every_good_answer_parses() {
    let mut read = BTreeMap::new();
    for exchange in fixtures::all().iter().filter(|e| (200..300).contains(&e.status)) {
        let route = route(exchange);
        match parse(&route, &exchange.body) {
            Some(Ok(())) => *read.entry(route).or_insert(0) += 1,
            Some(Err(error)) => panic!("{exchange}: {error}"),
            None => assert!(NOT_MODELLED.iter().any(|(known, _)| *known == route), "no type for {exchange}: {route}"),
        }
    }
    assert!(read.values().sum::<usize>() > 100, "{read:?}");
}

/// What the refusals that were recorded mean: status, a part of the server's words, kind.
const REFUSALS: [(u16, &str, ErrorKind); 24] = [
    (401, "authorization token is missing", ErrorKind::Unauthorized),
    (401, "Invalid JWT token", ErrorKind::Unauthorized),
    (403, "ccess denied", ErrorKind::Forbidden),
    (403, "Permission denied", ErrorKind::Forbidden),
    (403, "Not authorized", ErrorKind::Forbidden),
    (404, "Unable to find an environment", ErrorKind::NotFound),
    (404, "not found", ErrorKind::NotFound),
    (405, "", ErrorKind::Invalid),
    (409, "already exists", ErrorKind::Conflict),
    (400, "invalid name", ErrorKind::Invalid),
    (400, "less than 512000 bytes", ErrorKind::TooLarge),
    (400, "illegal base64", ErrorKind::Invalid),
    (400, "only updates to Labels are allowed", ErrorKind::Invalid),
    (400, "is in use by the following service", ErrorKind::InUse),
    (400, "secret not found", ErrorKind::Invalid),
    (400, "not created from git", ErrorKind::Invalid),
    (400, "Invalid request payload", ErrorKind::Invalid),
    (500, "no media type", ErrorKind::Forbidden),
    (500, "secret update not found", ErrorKind::Forbidden),
    (500, "update out of sequence", ErrorKind::Conflict),
    (500, "does not have a previous spec", ErrorKind::Invalid),
    (500, "unable to clone git repository", ErrorKind::Protocol),
    (500, "no such file or directory", ErrorKind::Protocol),
    (500, "not found: shop_db_password", ErrorKind::Protocol),
];

#[test]
fn every_refusal_has_its_kind() {
    let known = |e: &Exchange, status: u16, words: &str| {
        e.status == status
            && String::from_utf8_lossy(&e.body).contains(words)
            && (!words.is_empty() || e.body.is_empty())
    };
    let (mut seen, mut all) = ([false; REFUSALS.len()], 0);
    for exchange in fixtures::all().iter().filter(|e| e.status >= 300) {
        let error = refusal("try it", exchange.status, &exchange.body);
        let row = REFUSALS.iter().position(|(status, words, _)| known(exchange, *status, words));
        let kind = match row {
            Some(row) => {
                seen[row] = true;
                REFUSALS[row].2
            }
            None if exchange.status == 500 && exchange.method == "PUT" => ErrorKind::Protocol,
            None => panic!("no kind is written down for {exchange}"),
        };
        assert_eq!(error.kind(), kind, "{exchange}");
        all += 1;
    }
    assert_eq!(seen, [true; REFUSALS.len()], "a row that no recording has");
    assert!(all > 40);
}
