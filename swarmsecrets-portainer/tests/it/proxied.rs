//! Through a proxy, whose password stays between it and us.

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::transport::Transport;

use crate::server::{Answer, Server, nobody};
use crate::{KEY, builder, look};

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let proxy = Server::always(Answer::ok("[7]")).await;
    let through = format!("http://us3r:pa55@{}", proxy.address);
    let portainer = builder("http://portainer.invalid:9000").proxy(&through).build().unwrap();
    assert_eq!(portainer.read(&look()).await.unwrap().body, b"[7]"[..][..]);
    let request = proxy.requests().pop().unwrap();
    assert!(request.starts_with("GET http://portainer.invalid:9000/api/look HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("\r\nproxy-authorization: basic dxmzcjpwytu1\r\n"), "{request}");
}

#[tokio::test]
async fn a_proxy_that_refuses_a_tunnel_never_sees_the_key() {
    let proxy = Server::always(Answer::of(407, "", "who are you?")).await;
    let through = format!("http://us3r:pa55@{}", proxy.address);
    let ca = rcgen::generate_simple_self_signed(vec!["portainer.invalid".into()]).unwrap().cert.pem();
    let portainer = builder("https://portainer.invalid").proxy(&through).ca_certificate(ca.as_bytes()).retries(0);
    let error = portainer.build().unwrap().read(&look()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let request = proxy.requests().pop().unwrap();
    assert!(request.starts_with("CONNECT portainer.invalid:443 HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains(KEY), "{request}");
}

#[tokio::test]
async fn nothing_tells_the_proxys_password() {
    let through = nobody().await.replace("http://", "http://us3r:pa55@");
    let portainer = builder("http://portainer.invalid").proxy(&through).retries(0).build().unwrap();
    let error = portainer.read(&look()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let shown = format!("{error} {error:?} {portainer:?}");
    assert!(!shown.contains("us3r") && !shown.contains("pa55"), "{shown}");
}
