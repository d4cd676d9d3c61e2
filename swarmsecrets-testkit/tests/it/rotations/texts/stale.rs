//! Plans that are older than the world.

use serde_json::json;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::State;
use swarmsecrets_testkit::sim::{Program, SecretBuilder, SimEngine};

use super::super::desk::{Desk, NEW, OLD};
use super::page::{OTHER, Page};
use super::scenes::{DAY, make_secret, make_service, one, remove, secrets, two};

pub(super) async fn write(page: &mut Page) {
    let desk = one();
    let plan = desk.plan("db", DAY).await.unwrap();
    let engine = SimEngine::builder(8).secret_with(SecretBuilder::new("db", OLD)).build();
    let other = Desk::at(SimSwarm::of(engine, State::default()));
    page.refusal("another Swarm", &other.apply(&plan, NEW).await.unwrap_err());
    let mut real = desk.inventory().await;
    real.simulated = false;
    page.refusal("a plan of the simulation", &plan.check(&real).unwrap_err());
    let unused = || secrets([SecretBuilder::new("db", OLD)]);
    let moved = async |page: &mut Page, name: &str, desk: Desk, moves: fn(&Desk)| {
        let plan: Plan = desk.plan("db", DAY).await.unwrap();
        moves(&desk);
        page.refusal(name, &desk.apply(&plan, NEW).await.unwrap_err());
        assert!(desk.intents().is_empty(), "{name}: nothing was done");
    };
    moved(page, "the current version was removed", unused(), |desk| remove(desk, "secrets", "db")).await;
    moved(page, "the current version is another one of that name", unused(), |desk| {
        remove(desk, "secrets", "db");
        make_secret(desk, "db", &json!({}));
    })
    .await;
    moved(page, "another rotation has the name", one(), |desk| {
        make_secret(desk, "db_v2", &json!({"io.swarmsecrets.rotation": OTHER}));
    })
    .await;
    moved(page, "somebody has made the next version by hand", one(), |desk| {
        make_secret(desk, "db_v2", &json!({}));
    })
    .await;
    moved(page, "another consumer", one(), |desk| make_service(desk, "s1", "db")).await;
    moved(page, "a consumer was removed", two(Program::runs()), |desk| remove(desk, "services", "s1")).await;
    moved(page, "a consumer was edited", one(), |desk| {
        desk.edit("s0", |spec| spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["BY_HAND=yes"]));
        desk.swarm.engine().run_for(std::time::Duration::from_secs(60));
    })
    .await;
    moved(page, "a consumer is being updated", one(), |desk| {
        desk.edit("s0", |spec| spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["BY_HAND=yes"]));
    })
    .await;
}
