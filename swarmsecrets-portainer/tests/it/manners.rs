//! What goes over the wire: headers, paths, connections, and what is never sent.

use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::transport::{Method, Node, Read, Transport};
use swarmsecrets_core::{ErrorKind, SecretValue, testing};
use swarmsecrets_portainer::PortainerTransport;

use crate::server::{Answer, Server};
use crate::{KEY, VALUE, builder, change, look, permit};

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

#[tokio::test]
async fn every_request_says_who_and_what() {
    let server = Server::always(Answer::ok("[]")).await;
    let portainer = builder(&server.url()).agent_id("claude-code/2.1").build().unwrap();
    portainer.read(&look()).await.unwrap();
    portainer.stream(&look()).await.unwrap();
    portainer.write(change(), permit()).await.unwrap();
    portainer.write(testing::write(Method::Delete, "/api/x", vec![], None, "delete"), permit()).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for request in &requests {
        assert_eq!(header(request, "x-api-key"), Some(KEY));
        assert_eq!(header(request, "x-ai-agent-id"), Some("claude-code/2.1"));
        assert_eq!(header(request, "user-agent"), Some(concat!("swarmsecrets/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(header(request, "accept-encoding"), None);
        assert_eq!(header(request, "referer"), None);
        assert_eq!(header(request, "authorization"), None);
    }
    assert_eq!(header(&requests[2], "content-type"), Some("application/json"));
    assert!(requests[2].ends_with(&format!("\r\n\r\n{{\"Data\":\"{VALUE}\"}}")), "{}", requests[2]);
    assert_eq!(header(&requests[3], "content-type"), None);
    assert!(requests[3].starts_with("DELETE /api/x HTTP/1.1\r\n"));
}

#[tokio::test]
async fn what_is_the_engines_is_asked_of_a_manager() {
    let server = Server::always(Answer::ok("[]")).await;
    let portainer = builder(&server.url()).build().unwrap();
    portainer.read(&Read::secrets(EnvironmentId(1))).await.unwrap();
    portainer.read(&Read::stacks()).await.unwrap();
    let requests = server.requests();
    assert_eq!(header(&requests[0], "x-portaineragent-manageroperation"), Some("1"));
    assert_eq!(header(&requests[1], "x-portaineragent-manageroperation"), None);
}

/// Where agents run on several nodes, they answer together what containers there are, and one of them what is asked of its own.
#[tokio::test]
async fn what_is_a_nodes_is_asked_of_that_node() {
    let server = Server::always(Answer::ok("[]")).await;
    let portainer = builder(&server.url()).build().unwrap();
    let (task, id) = ("t1".parse().unwrap(), "e1".parse().unwrap());
    portainer.read(&Read::containers_of(EnvironmentId(1), &task)).await.unwrap();
    portainer.read(&Read::exec(EnvironmentId(1), &Node::Named("worker-2".into()), &id)).await.unwrap();
    let requests = server.requests();
    for (request, node) in requests.iter().zip([None, Some("worker-2")]) {
        assert_eq!(header(request, "x-portaineragent-manageroperation"), None);
        assert_eq!(header(request, "x-portaineragent-target"), node);
    }
    let named = Node::Named("two\nlines".into());
    let error = portainer.read(&Read::exec(EnvironmentId(1), &named, &id)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn without_an_agent_the_software_is_named_and_a_jwt_is_a_bearer() {
    let server = Server::always(Answer::ok("[]")).await;
    let jwt = SecretValue::credential(b"made.up.jwt".to_vec());
    PortainerTransport::builder(&server.url()).jwt(jwt).build().unwrap().read(&look()).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(header(request, "x-ai-agent-id"), Some(concat!("swarmsecrets/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(header(request, "authorization"), Some("Bearer made.up.jwt"));
    assert_eq!(header(request, "x-api-key"), None);
}

#[tokio::test]
async fn paths_and_queries_arrive_as_they_are() {
    let server = Server::always(Answer::ok("[]")).await;
    let portainer = builder(&format!("{}/portainer/", server.url())).build().unwrap();
    for (path, query, line) in [
        ("/api/a%2Fb", vec![], "/portainer/api/a%2Fb"),
        ("/api/a%20b/%C3%A9", vec![], "/portainer/api/a%20b/%C3%A9"),
        ("/api/a+b;c", vec![("k", "a b+c&d".to_owned())], "/portainer/api/a+b;c?k=a%20b%2Bc%26d"),
        ("/api/x", vec![("a", String::new()), ("b", "é".to_owned())], "/portainer/api/x?a=&b=%C3%A9"),
    ] {
        portainer.read(&testing::read(path, query, "look")).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert!(request.starts_with(&format!("GET {line} HTTP/1.1\r\n")), "{request}");
    }
    let sent = server.requests().len();
    let error = portainer.read(&testing::read("/api/../x", vec![], "look")).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Invalid, sent));
    let odd = testing::write(Method::Post, "/api/a b", vec![], None, "change it");
    assert_eq!(portainer.write(odd, permit()).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(server.requests().len(), sent);
}

#[tokio::test]
async fn cookies_are_not_kept() {
    let server = Server::always(Answer::of(200, "Set-Cookie: portainer_api_key=made-up; Path=/\r\n", "[]")).await;
    let portainer = builder(&server.url()).build().unwrap();
    portainer.read(&look()).await.unwrap();
    portainer.write(change(), permit()).await.unwrap();
    assert_eq!(server.requests().iter().filter_map(|r| header(r, "cookie")).count(), 0);
}

#[tokio::test]
async fn redirects_are_refused_and_the_key_goes_nowhere() {
    let elsewhere = Server::always(Answer::ok("[]")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: http://us3r:pa55@{}/api/look?t0ken=1\r\n", elsewhere.address);
        let server = Server::always(Answer::of(status, &location, "moved")).await;
        let portainer = builder(&server.url()).build().unwrap();
        let read = portainer.read(&look()).await.unwrap_err();
        let streamed = portainer.stream(&look()).await.err().unwrap();
        let written = portainer.write(change(), permit()).await.unwrap_err();
        for error in [read, streamed, written] {
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.message().contains(&elsewhere.url()), "{error}");
            assert!(error.message().contains("not followed"), "{error}");
            assert!(!["us3r", "pa55", "t0ken"].iter().any(|part| error.message().contains(part)), "{error}");
        }
        assert_eq!(server.requests().len(), 3, "a redirect is not asked again");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(|n| if n == 6 { Answer::of(404, "", "none") } else { Answer::ok("[1]") }).await;
    let portainer = builder(&server.url()).build().unwrap();
    for n in 0..8 {
        assert_eq!(portainer.read(&look()).await.is_ok(), n != 3);
        portainer.write(change(), permit()).await.ok();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 16));
    assert_eq!(portainer.requests_sent(), 16);
}

#[tokio::test]
async fn a_simulation_is_known_and_may_not_change_its_mind() {
    let server = Server::start(|n| match n {
        0 | 1 => Answer::of(200, "X-SwarmSecrets-Simulated: 1\r\n", "[]"),
        _ => Answer::ok("[]"),
    })
    .await;
    let portainer = builder(&server.url()).build().unwrap();
    assert!(!portainer.simulated());
    portainer.read(&look()).await.unwrap();
    assert!(portainer.simulated());
    portainer.write(change(), permit()).await.unwrap();
    assert_eq!(portainer.read(&look()).await.unwrap_err().kind(), ErrorKind::Protocol);
    assert!(portainer.simulated());
}
