//! The probe over HTTP(S).

use std::sync::Arc;
use std::time::Duration;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::health::Health;
use swarmsecrets_health::{HttpProbe, HttpProbeBuilder};

use crate::server::{Server, answer, authority, issued};
use crate::{baseline, check, unhealthy};

fn probe(port: u16, path: &str) -> HttpProbeBuilder {
    let url = format!("http://127.0.0.1:{port}{path}");
    HttpProbe::builder(&url).ca_certificate(authority().pem().as_bytes()).requests(3).deadline(Duration::from_secs(30))
}

#[tokio::test]
async fn the_wanted_status_and_body_are_looked_for() {
    let server = Server::start(
        None,
        Arc::new(|path| match path {
            "/ok" => answer(200, "", "status: UP"),
            "/login" => answer(401, "", "who are you?"),
            _ => answer(503, "", "down"),
        }),
    )
    .await;
    let port = server.port();
    let ok = probe(port, "/ok").body_contains("UP").build().unwrap();
    let usual = baseline(&ok).await.unwrap();
    assert_eq!(check(&ok, &usual).await, Health::Healthy);
    assert_eq!(check(&probe(port, "/login").status(401).build().unwrap(), &usual).await, Health::Healthy);

    let down = check(&probe(port, "/down").build().unwrap(), &usual).await;
    assert!(unhealthy(down.clone(), "3 of 3 requests had HTTP 503"), "{down:?}");
    let text = check(&probe(port, "/ok").body_contains("READY").build().unwrap(), &usual).await;
    assert!(unhealthy(text.clone(), "a body without the wanted text"), "{text:?}");

    let error = baseline(&probe(port, "/down").build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("even before anything is changed"), "{error}");
}

#[tokio::test]
async fn redirects_stay_on_the_host() {
    let other = Server::saying(answer(200, "", "somewhere else")).await;
    let elsewhere = format!("Location: http://127.0.0.1:{}/\r\n", other.port());
    let server = Server::start(
        None,
        Arc::new(move |path| match path {
            "/here" => answer(302, "Location: /ok\r\n", ""),
            "/round" => answer(302, "Location: /round\r\n", ""),
            "/there" => answer(302, &elsewhere, ""),
            _ => answer(200, "", ""),
        }),
    )
    .await;
    let port = server.port();
    let usual = baseline(&probe(port, "/here").build().unwrap()).await.unwrap();
    for path in ["/there", "/round"] {
        let health = check(&probe(port, path).build().unwrap(), &usual).await;
        assert!(unhealthy(health.clone(), "HTTP 302, to another host or too often"), "{health:?}");
    }
    assert_eq!(check(&probe(port, "/there").status(302).build().unwrap(), &usual).await, Health::Healthy);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_unhealthy() {
    let (ours, theirs) = (authority(), authority());
    let server = Server::start(Some(issued(&ours)), Arc::new(|_| answer(200, "", ""))).await;
    let to = |ca: &str| {
        let url = format!("https://localhost:{}/", server.port());
        HttpProbe::builder(&url).ca_certificate(ca.as_bytes()).requests(2).build().unwrap()
    };
    let usual = baseline(&to(&ours.pem())).await.unwrap();
    let health = check(&to(&theirs.pem()), &usual).await;
    assert!(unhealthy(health.clone(), "a certificate that is not trusted"), "{health:?}");
}

#[tokio::test]
async fn what_is_no_http_is_said_in_our_own_words() {
    let server = Server::saying("made-up-nonsense\r\n\r\n".into()).await;
    let health = check(&probe(server.port(), "/").build().unwrap(), &swarmsecrets_core::health::Baseline::none()).await;
    assert!(matches!(health, Health::Inconclusive { .. }), "another's baseline: {health:?}");
    let error = baseline(&probe(server.port(), "/").build().unwrap()).await.unwrap_err();
    assert!(error.message().contains("a connection that broke, or no HTTP"), "{error}");
}
