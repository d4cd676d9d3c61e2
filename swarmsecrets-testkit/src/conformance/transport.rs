//! What every [`Transport`] must do, tried against a simulated Portainer.
//!
//! Mutations are not tried: the permit that they take is made by the guardrails alone.

use std::sync::Arc;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::{EnvironmentId, SecretName, ServiceId, StackId};
use swarmsecrets_core::transport::{Read, TaskFilter, Transport};

use super::{must, must_not};
use crate::SimSwarm;
use crate::portainer::{Grant, Portainer, State};
use crate::sim::{ServiceBuilder, SimEngine};

/// Whom a transport is to connect as, and to what.
pub struct Connection {
    /// The Portainer: ask it in process, or serve it.
    pub portainer: Arc<Portainer>,
    /// The user's number; that of nobody where the key is wrong.
    pub user: u64,
    /// The API key.
    pub key: &'static str,
}

const HERE: EnvironmentId = EnvironmentId(1);

/// Runs the suite. `connect` makes a transport to the Portainer as the user with this key.
///
/// # Panics
/// If the transport breaks a promise of the trait.
pub async fn check<T: Transport, F: Future<Output = T>>(connect: impl Fn(Connection) -> F) {
    let swarm = scene();
    let to = |user, key| connect(Connection { portainer: swarm.portainer().clone(), user, key });
    let admin = to(1, "made-up-key-of-the-administrator").await;
    let agent = to(2, "made-up-key-of-the-agent").await;
    let nobody = to(99, "made-up-key-of-nobody").await;
    answers_come_as_they_are(&swarm, &admin).await;
    each_sees_its_own(&admin, &agent).await;
    refusals_have_their_kind(&admin, &agent, &nobody).await;
    streams_are_whole(&admin).await;
}

fn scene() -> SimSwarm {
    let engine = SimEngine::builder(5)
        .secret("pay_key", b"made-up-value-of-pay-key")
        .secret("odd.name-1", b"made-up-value-of-odd-name")
        .service(ServiceBuilder::new("pay", "pay:1").secret("pay_key"))
        .build();
    let swarm = SimSwarm::of(engine, State::default());
    let team = {
        let mut state = swarm.portainer().state();
        let agent = state.add_user("svc-agent", false);
        let team = state.add_team("payments");
        state.add_membership(agent, team, false);
        state.add_key(1, "made-up-key-of-the-administrator");
        state.add_key(agent, "made-up-key-of-the-agent");
        team
    };
    must("the scene is set", swarm.own_secret("pay_key", &Grant::team(team)));
    must("the scene is set", swarm.file_stack("admin", "shop", "services:\n  web:\n    image: web:1\n", &[]));
    swarm
}

async fn answers_come_as_they_are(swarm: &SimSwarm, admin: &impl Transport) {
    let odd = must("the name is good", SecretName::new("odd.name-1"));
    let direct = swarm.client();
    for read in [
        Read::me(),
        Read::users(),
        Read::teams(),
        Read::stacks(),
        Read::stack_file(StackId(1)),
        Read::swarm(HERE),
        Read::nodes(HERE),
        Read::secrets(HERE),
        Read::secret_named(HERE, &odd),
        Read::services(HERE),
    ] {
        let expected = must("the scene answers", direct.read(&read).await);
        let answer = must("a good request is answered", admin.read(&read).await);
        assert_eq!(answer.status, 200, "{read:?}");
        assert!(answer.body == expected.body, "{read:?}: the body is not what was sent");
    }
    let one = must("a filter is answered", admin.read(&Read::secret_named(HERE, &odd)).await);
    let text = String::from_utf8_lossy(&one.body);
    assert!(text.contains("odd.name-1") && !text.contains("pay_key"), "a query reaches the server: {text}");
}

async fn each_sees_its_own(admin: &impl Transport, agent: &impl Transport) {
    let me = must("an account reads itself", agent.read(&Read::me()).await);
    assert!(String::from_utf8_lossy(&me.body).contains("\"svc-agent\""), "the credential is the account's own");
    let (all, own) = (admin.read(&Read::secrets(HERE)).await, agent.read(&Read::secrets(HERE)).await);
    let (all, own) = (must("an administrator lists", all), must("a scoped account lists", own));
    assert!(own.body.len() < all.body.len(), "a scoped account sees less");
}

async fn refusals_have_their_kind(admin: &impl Transport, agent: &impl Transport, nobody: &impl Transport) {
    must_not("a key that is not known", ErrorKind::Unauthorized, nobody.read(&Read::me()).await);
    must_not("a list for administrators", ErrorKind::Forbidden, agent.read(&Read::users()).await);
    must_not("another's stack", ErrorKind::Forbidden, agent.read(&Read::stack_file(StackId(1))).await);
    must_not("no such environment", ErrorKind::NotFound, admin.read(&Read::secrets(EnvironmentId(99))).await);
    let missing = must("the id is good", ServiceId::new("doesnotexist"));
    must_not("no such service", ErrorKind::NotFound, admin.read(&Read::service(HERE, &missing)).await);
    let stream = admin.stream(&Read::service(HERE, &missing)).await;
    must_not("no such service, as a stream", ErrorKind::NotFound, stream);
    let error = nobody.read(&Read::tasks(HERE, &TaskFilter::All)).await.err();
    let text = error.map(|e| format!("{e} {e:?}")).unwrap_or_default();
    assert!(text.contains("list tasks"), "an error says what was tried: {text}");
    assert!(!text.contains("made-up-key"), "an error holds no credential");
}

async fn streams_are_whole(admin: &impl Transport) {
    let read = Read::services(HERE);
    let whole = must("a good request is answered", admin.read(&read).await);
    let mut stream = must("a good request is streamed", admin.stream(&read).await);
    let mut body = Vec::new();
    while let Some(piece) = must("a stream goes on", stream.next().await) {
        assert!(!piece.is_empty(), "a piece has something in it");
        body.extend(piece);
    }
    assert!(body == whole.body, "a stream holds what the answer holds");
    assert!(must("an end stays an end", stream.next().await).is_none(), "an end stays an end");
}
