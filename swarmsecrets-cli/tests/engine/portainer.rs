//! Plain requests to the gateway, for what the command does not do: owners, and looking behind its back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::place;

/// An answer.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body, `null` if it is no JSON.
    pub(crate) body: Value,
}

/// Sends one request over a connection of its own. HTTP/1.0, so that the answer ends with the connection.
pub(crate) fn ask(key: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let url = place::url();
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut connection = TcpStream::connect(address).unwrap();
    let head = format!("{method} /api{path} HTTP/1.0\r\nHost: {address}\r\nX-API-Key: {key}\r\n");
    let rest = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    connection.write_all(format!("{head}{rest}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: serde_json::from_str(body).unwrap_or(Value::Null) }
}

/// As [`ask`], with the administrator's key; fails on a refusal.
pub(crate) fn admin(method: &str, path: &str, body: Option<&Value>) -> Value {
    let answer = ask(&place::admin_key(), method, path, body);
    assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
    answer.body
}

/// The path of a call to the Engine behind Portainer.
pub(crate) fn engine(path: &str) -> String {
    format!("/endpoints/{}/docker{path}", place::endpoint())
}
