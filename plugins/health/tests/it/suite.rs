//! The suite of the trait, run on the probes that have a server of their own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::exec::{Exec, NoExec};
use swarmsecrets_core::health::{HealthProbe, Target};
use swarmsecrets_health::{HttpProbe, TcpProbe, Trust};
use swarmsecrets_testkit::conformance::health_probe::{self, Condition, Stage};

use crate::server::{Server, VALUE, answer, authority, issued};
use crate::target;

struct Staged<P> {
    server: Server,
    probe: P,
}

#[async_trait]
impl<P: HealthProbe> Stage for Staged<P> {
    async fn set(&self, condition: Condition) {
        self.server.set(condition).await;
    }
    fn probe(&self) -> &dyn HealthProbe {
        &self.probe
    }
    fn target(&self) -> Target {
        target()
    }
    fn exec(&self) -> &dyn Exec {
        &NoExec
    }
    fn value(&self) -> &str {
        VALUE
    }
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
    fn silence_is_unhealthy(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn http_keeps_its_promises() {
    let server = Server::saying(answer(200, "", "all is ok")).await;
    let url = format!("http://127.0.0.1:{}/healthz?{VALUE}", server.port());
    let probe = HttpProbe::builder(&url).ca_certificate(authority().pem().as_bytes()).body_contains("is ok");
    let probe = probe.requests(2).deadline(Duration::from_secs(4)).build().unwrap();
    health_probe::check(&Staged { server, probe }).await;
}

#[tokio::test]
async fn https_keeps_its_promises() {
    let authority = authority();
    let server = Server::start(Some(issued(&authority)), Arc::new(|_| answer(200, "", "all is ok"))).await;
    let url = format!("https://localhost:{}/healthz", server.port());
    let probe = HttpProbe::builder(&url).ca_certificate(authority.pem().as_bytes()).requests(2);
    let probe = probe.deadline(Duration::from_secs(4)).build().unwrap();
    health_probe::check(&Staged { server, probe }).await;
}

#[tokio::test]
async fn tls_keeps_its_promises() {
    let authority = authority();
    let server = Server::start(Some(issued(&authority)), Arc::new(|_| String::new())).await;
    let probe = TcpProbe::new(&format!("localhost:{}", server.port())).unwrap().deadline(Duration::from_secs(3));
    let probe = probe.tls(&Trust::Only(authority.pem().into())).unwrap();
    health_probe::check(&Staged { server, probe }).await;
}
