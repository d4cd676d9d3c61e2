//! The probe over TCP.

use std::sync::Arc;
use std::time::Duration;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::health::{Baseline, Health};
use swarmsecrets_health::{TcpProbe, Trust};
use swarmsecrets_testkit::conformance::health_probe::Condition;

use crate::server::{Server, authority, issued};
use crate::{baseline, check, unhealthy};

async fn server() -> Server {
    Server::saying(String::new()).await
}

fn probe(server: &Server) -> TcpProbe {
    TcpProbe::new(&format!("127.0.0.1:{}", server.port())).unwrap().deadline(Duration::from_secs(5))
}

#[tokio::test]
async fn a_connection_that_stays_is_healthy() {
    let server = server().await;
    let probe = probe(&server);
    let none = baseline(&probe).await.unwrap();
    assert_eq!(check(&probe, &none).await, Health::Healthy);
    server.set(Condition::Silent).await;
    assert_eq!(check(&probe, &none).await, Health::Healthy, "without TLS a server may wait for the client to speak");
}

#[tokio::test]
async fn a_closed_port_and_one_that_hangs_up_are_unhealthy() {
    let server = server().await;
    server.set(Condition::Broken).await;
    let health = check(&probe(&server), &Baseline::none()).await;
    assert!(unhealthy(health.clone(), "closed at once"), "{health:?}");
    server.set(Condition::Unreachable).await;
    let health = check(&probe(&server), &Baseline::none()).await;
    assert!(unhealthy(health.clone(), "a refused connection"), "{health:?}");
    let error = baseline(&probe(&server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn tls_is_agreed_on_with_a_trusted_server_only() {
    let (ours, theirs) = (authority(), authority());
    let server = Server::start(Some(issued(&ours)), Arc::new(|_| String::new())).await;
    let to = |ca: String| {
        TcpProbe::new(&format!("localhost:{}", server.port())).unwrap().tls(&Trust::Only(ca.into())).unwrap()
    };
    assert_eq!(check(&to(ours.pem()), &Baseline::none()).await, Health::Healthy);
    let health = check(&to(theirs.pem()), &Baseline::none()).await;
    assert!(unhealthy(health.clone(), "a certificate that is not trusted"), "{health:?}");
    let plain = Server::saying(String::new()).await;
    let tls = TcpProbe::new(&format!("localhost:{}", plain.port())).unwrap().deadline(Duration::from_secs(2));
    let health = check(&tls.tls(&Trust::Only(ours.pem().into())).unwrap(), &Baseline::none()).await;
    assert!(matches!(health, Health::Unhealthy { .. }), "{health:?}");
}
