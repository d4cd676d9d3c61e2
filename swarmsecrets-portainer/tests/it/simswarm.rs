//! The whole way to SimSwarm over a socket: accounts, objects, a mutation, its refusals, and that it is a simulation.

use std::sync::Arc;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::transport::{Method, Read, Transport, Write};
use swarmsecrets_core::{SecretValue, testing};
use swarmsecrets_portainer::PortainerTransport;
use swarmsecrets_testkit::gateway::{Serving, serve};
use swarmsecrets_testkit::portainer::{Portainer, State};
use swarmsecrets_testkit::sim::SimEngine;
use tokio::net::TcpListener;

use crate::{KEY, builder, permit};

const HERE: EnvironmentId = EnvironmentId(1);

async fn simswarm() -> Serving {
    let engine = SimEngine::builder(7).secret("db_password", b"made-up").build();
    let clock = Arc::new(engine.clock());
    let mut state = State::default();
    let (admin, agent) = (state.add_user("admin", true), state.add_user("svc-agent", false));
    state.add_key(admin, KEY);
    state.add_key(agent, "ptr_scoped");
    let portainer = Portainer::new(Arc::new(engine), clock, state);
    serve(Arc::new(portainer), TcpListener::bind("127.0.0.1:0").await.unwrap()).await.unwrap()
}

fn create(name: &str) -> Write {
    let body = format!(r#"{{"Name":"{name}","Labels":{{}},"Data":"bWFkZS11cA=="}}"#).into();
    testing::write(Method::Post, "/api/endpoints/1/docker/secrets/create", vec![], Some(body), "create it")
}

#[tokio::test]
async fn an_administrator_reads_and_writes() {
    let serving = simswarm().await;
    let portainer = builder(&serving.url()).build().unwrap();
    let me = portainer.read(&Read::me()).await.unwrap();
    assert!(String::from_utf8(me.body.into()).unwrap().contains("admin"));
    assert!(portainer.simulated());
    assert_eq!(portainer.write(create("db_password_v2"), permit()).await.unwrap().status, 200);
    let again = portainer.write(create("db_password_v2"), permit()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict, "{again}");
    let found = portainer.read(&Read::secret_named(HERE, &"db_password_v2".parse().unwrap())).await.unwrap();
    assert_eq!(String::from_utf8(found.body.into()).unwrap().matches("db_password_v2").count(), 1);
    serving.stop().await;
}

#[tokio::test]
async fn refusals_have_their_kinds() {
    let serving = simswarm().await;
    let with = |key: &str| {
        let key = SecretValue::credential(key.into());
        PortainerTransport::builder(&serving.url()).api_key(key).build().unwrap()
    };
    assert_eq!(with("ptr_wrong").read(&Read::me()).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(with("ptr_scoped").read(&Read::users()).await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(with(KEY).read(&Read::secrets(EnvironmentId(99))).await.unwrap_err().kind(), ErrorKind::NotFound);
    let missing = Read::secret(HERE, &"nope".parse().unwrap());
    assert_eq!(with(KEY).read(&missing).await.unwrap_err().kind(), ErrorKind::NotFound);
    serving.stop().await;
}
