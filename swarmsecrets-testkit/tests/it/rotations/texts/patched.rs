//! Stacks whose files a person must change.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::rotation::Outcome::AwaitingPatch;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::{PortainerRequest, State};
use swarmsecrets_testkit::sim::{SecretBuilder, SimEngine};

use super::super::desk::{Desk, NEW, OLD};
use super::super::{git_stacks, stacks};
use super::page::Page;
use super::scenes::refuse;

pub(super) async fn write(page: &mut Page) {
    let patched = async |page: &mut Page, name: &str, desk: Desk| {
        let report = desk.rotate("db", Duration::ZERO, NEW).await;
        page.end(name, &desk, AwaitingPatch, &report).await;
    };
    patched(page, "a stack from git", git()).await;
    let (desk, _) = git_stacks::desk();
    git_stacks::push(&desk);
    patched(page, "a stack from git, by its variable, whose repository has moved", desk).await;
    patched(page, "a stack whose service was changed by hand", changed_by_hand()).await;
    let (desk, _) = stacks::desk();
    refuse(&desk, "PUT", "/api/stacks/", 0, u32::MAX);
    patched(page, "a stack whose file Portainer refuses", desk).await;
    let (desk, stack) = stacks::desk();
    let stop = PortainerRequest::new("POST", &format!("/api/stacks/{stack}/stop")).param("endpointId", "1");
    desk.swarm.ask("admin", stop).unwrap();
    patched(page, "a stopped stack", desk).await;
}

fn git() -> Desk {
    let engine = SimEngine::builder(7).secret_with(SecretBuilder::new("db", OLD)).build();
    let swarm = SimSwarm::of(engine, State::default());
    swarm.git_stack("admin", "shop", ("https://git.example/shop.git", stacks::FILE), &[], None).unwrap();
    swarm.engine().run_for(Duration::from_secs(60));
    Desk::at(swarm)
}

pub(super) fn changed_by_hand() -> Desk {
    let (desk, _) = stacks::desk();
    desk.edit("shop_web", |spec| spec["Mode"]["Replicated"]["Replicas"] = json!(3));
    desk.swarm.engine().run_for(Duration::from_secs(60));
    desk
}
