//! Rotations that have brought every consumer to the new version.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::executor::{Supply, Values};
use swarmsecrets_core::inventory::Labels;
use swarmsecrets_core::plan::{Allowances, CreateRequest, RotationRequest, ValueRecipe, plan_create};
use swarmsecrets_core::rotation::Outcome::Applied;
use swarmsecrets_testkit::portainer::PortainerRequest;
use swarmsecrets_testkit::sim::Program;

use super::super::desk::{Counting, Desk, NEW};
use super::super::{probed, stacks};
use super::page::Page;
use super::scenes::{
    HOUR, hidden_service, make_secret, make_service, move_service, one, remove, request, retire, service,
    stopped_before, two,
};

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) async fn write(page: &mut Page) {
    let desk = one();
    let plan = plan_create(&desk.inventory().await, &first_version()).unwrap();
    page.end("a first version", &desk, Applied, &desk.apply(&plan, NEW).await.unwrap()).await;
    let desk = two(Program::runs());
    page.end("in its grace", &desk, Applied, &desk.rotate("db", HOUR, NEW).await).await;
    let desk = two(Program::runs());
    page.end("retired", &desk, Applied, &desk.rotate("db", Duration::ZERO, NEW).await).await;
    kept(page).await;
    others(page).await;
    owner(page).await;
    let play = probed::Play::new(probed::Fake::saying(probed::unsure(9)));
    let id = play.rotate().await.rotation.unwrap();
    let (mut random, clock) = (Counting(9), play.desk.swarm.clock());
    let mut supply = Supply { values: Values::none(), random: &mut random };
    let executor = play.desk.executor(&clock).with_probes(play.probes()).accepting_inconclusive();
    let report = executor.resume(&id, &mut supply).await.unwrap();
    page.end("accepted although its probes cannot tell", &play.desk, Applied, &report).await;
}

fn first_version() -> CreateRequest {
    CreateRequest {
        name: "key".into(),
        recipe: ValueRecipe::Supplied,
        labels: Labels::default(),
        reason: None,
        agent: None,
    }
}

async fn kept(page: &mut Page) {
    let desk = hidden_service();
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    page.end("kept for a service that cannot be seen", &desk, Applied, &report).await;

    let desk = one();
    desk.rotate("db", HOUR, NEW).await;
    make_service(&desk, "late", "db");
    desk.swarm.engine().run_for(HOUR);
    page.end("kept for a service that came later", &desk, Applied, &retire(&desk).await).await;

    let desk = Desk::with_secrets(&["db"], vec![]);
    desk.rotate("db", HOUR, NEW).await;
    remove(&desk, "secrets", "db_v2");
    desk.swarm.engine().run_for(HOUR);
    page.end("kept as nothing else is left", &desk, Applied, &retire(&desk).await).await;

    let desk = one();
    desk.rotate("db", HOUR, NEW).await;
    let stack = desk.swarm.file_stack("admin", "late", stacks::FILE, &[]).unwrap();
    let stop = PortainerRequest::new("POST", &format!("/api/stacks/{stack}/stop")).param("endpointId", "1");
    desk.swarm.ask("admin", stop).unwrap();
    desk.swarm.engine().run_for(HOUR);
    page.end("kept for the file of a stack", &desk, Applied, &retire(&desk).await).await;

    // Moved away from it, and half of its tasks are not replaced for a month.
    let slow = json!({"Parallelism": 1, "Delay": MONTH.as_nanos() as u64});
    let late = service("late").replicas(2).update_config(slow);
    let desk = Desk::with_secrets(&["db", "key"], vec![(service("s0"), Program::runs()), (late, Program::runs())]);
    move_service(&desk, "late", "key");
    let id = stopped_before(&desk, 2).await;
    let report = desk.resume(&id).await.unwrap();
    desk.swarm.engine().run_for(2 * super::scenes::DAY);
    assert_eq!(report.outcome, Applied, "{report:?}");
    page.end("kept for running tasks", &desk, Applied, &retire(&desk).await).await;

    let desk = Desk::with(vec![(stubborn("s0"), Program::runs().ignores_sigterm())]);
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    page.end("kept for a task that does not stop", &desk, Applied, &report).await;
}

/// Its old task is told to stop, and takes a month.
pub(super) fn stubborn(name: &str) -> swarmsecrets_testkit::sim::ServiceBuilder {
    service(name)
        .update_config(json!({"Order": "start-first"}))
        .with("/TaskTemplate/ContainerSpec/StopGracePeriod", json!(MONTH.as_nanos() as u64))
}

async fn others(page: &mut Page) {
    let desk = two(Program::runs());
    let id = stopped_before(&desk, 2).await;
    make_secret(&desk, "another", &json!({}));
    move_service(&desk, "s1", "another");
    page.end("somebody else moved a consumer", &desk, Applied, &desk.resume(&id).await.unwrap()).await;
    let desk = two(Program::runs());
    let id = stopped_before(&desk, 2).await;
    remove(&desk, "services", "s1");
    page.end("somebody else removed a consumer", &desk, Applied, &desk.resume(&id).await.unwrap()).await;
    let desk = Desk::with(vec![(service("s0").replicas(0), Program::runs())]);
    page.end("a consumer without tasks", &desk, Applied, &desk.rotate("db", HOUR, NEW).await).await;
}

/// What an account may not give, and has leave to keep.
async fn owner(page: &mut Page) {
    let desk = not_ours_to_give();
    let allow = Allowances { owner: true, ..Allowances::default() };
    let report = desk.carry_out(&RotationRequest { allow, ..request(HOUR) }).await.unwrap();
    page.end("kept by the account", &desk, Applied, &report).await;
}

/// The secret belongs to `alice` too, to whom the account may give nothing.
pub(super) fn not_ours_to_give() -> Desk {
    one().scoped(&["alice"])
}
