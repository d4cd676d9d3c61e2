//! What is refused before there is a plan.

use std::collections::BTreeMap;

use serde_json::json;
use swarmsecrets_core::credential::{Account, Way};
use swarmsecrets_core::inventory::{Inventory, Labels};
use swarmsecrets_core::plan::{
    Canary, CreateRequest, Probed, RotationRequest, Strategy, ValueRecipe, plan_create, plan_rotation,
};
use swarmsecrets_core::{Error, SecretValue};
use swarmsecrets_testkit::sim::{Program, SecretBuilder, ServiceBuilder};

use super::super::desk::{Desk, OLD};
use super::page::Page;
use super::scenes::{DAY, hidden_service, make_secret, one, request, secrets, service, stopped_before, two};

pub(super) async fn write(page: &mut Page) {
    names(page).await;
    wishes(page).await;
    worlds(page).await;
    passwords(page).await;
    first_versions(page).await;
    for (name, size) in [("a value without bytes", 0), ("a value that is too large", 512_000)] {
        page.refusal(name, &SecretValue::new(vec![b'x'; size]).unwrap_err());
    }
}

fn of(secrets: &[&str]) -> RotationRequest {
    RotationRequest::of(secrets.iter().map(|name| ((*name).to_owned(), ValueRecipe::Supplied)))
}

fn no(world: &Inventory, request: &RotationRequest) -> Error {
    plan_rotation(world, request).unwrap_err()
}

fn secret(name: &str) -> SecretBuilder {
    SecretBuilder::new(name, OLD)
}

async fn names(page: &mut Page) {
    let stacks = ["shop_key", "blog_key"].map(|name| {
        let stack = name.split('_').next().unwrap();
        secret(name).label("com.docker.stack.namespace", stack)
    });
    let desk = secrets([secret("db_password"), secret("api_v2"), secret("api-v3")].into_iter().chain(stacks));
    let world = desk.inventory().await;
    page.refusal("a name that is nearly right", &no(&world, &of(&["db_pasword"])));
    page.refusal("a name that is nothing like any", &no(&world, &of(&["zzz"])));
    page.refusal("a name that two stacks have", &no(&world, &of(&["key"])));
    page.refusal("versions that are named in two ways", &no(&world, &of(&["api"])));
    page.refusal("a name that cannot be seen", &no(&hidden_service().inventory().await, &of(&["zzz"])));
    page.refusal("no name", &no(&world, &of(&[])));
    page.refusal("a name twice", &no(&world, &of(&["db_password", "db_password"])));
    let long = "x".repeat(62);
    let world = secrets([secret(&long)]).inventory().await;
    page.refusal("a next name that is too long", &no(&world, &of(&[&long])));
    let taken = secret("db_v2").label("io.swarmsecrets.secret", "other").label("io.swarmsecrets.version", "1");
    let world = secrets([secret("db"), taken]).inventory().await;
    page.refusal("a next name that another secret has", &no(&world, &of(&["db"])));
}

async fn wishes(page: &mut Page) {
    let world = two(Program::runs()).inventory().await;
    let after = |first: &str, second: &str| vec![(first.to_owned(), second.to_owned())];
    let unknown = RotationRequest { after: after("s0", "s9"), ..of(&["db"]) };
    page.refusal("an order with a service that is no consumer", &no(&world, &unknown));
    let circle = [after("s0", "s1"), after("s1", "s0")].concat();
    page.refusal("an order that goes in a circle", &no(&world, &RotationRequest { after: circle, ..of(&["db"]) }));
    let canary = Canary::Service("s9".into());
    page.refusal("a canary that is no consumer", &no(&world, &RotationRequest { canary, ..of(&["db"]) }));
    let probe = |service: &str| (Probed::Named(service.to_owned()), "http".to_owned());
    let probes = vec![probe("s9")];
    page.refusal("a probe for a service that is not there", &no(&world, &RotationRequest { probes, ..of(&["db"]) }));
    let probes = vec![probe("s0"), probe("s0")];
    page.refusal("two probes of one name", &no(&world, &RotationRequest { probes, ..of(&["db"]) }));
}

async fn worlds(page: &mut Page) {
    let mut refused = async |name: &str, desk: &Desk| {
        page.refusal(name, &desk.plan("db", DAY).await.unwrap_err());
    };
    refused("data of a driver", &secrets([secret("db").driver("vault")])).await;
    refused("data that is a template", &secrets([secret("db").templating("golang")])).await;
    let desk = two(Program::runs());
    stopped_before(&desk, 2).await;
    refused("a rotation that is half done", &desk).await;
    let desk = one();
    make_secret(&desk, "db_v2", &json!({}));
    refused("a newer version that nobody uses", &desk).await;
    let crashes = || Program::needs("db", b"another value").exit(1);
    refused("a consumer that does not work", &Desk::with(vec![(service("s0"), crashes())])).await;
    let desk = one();
    desk.rotate("db", DAY, super::super::desk::NEW).await;
    desk.edit("s0", |spec| spec["Mode"]["Replicated"]["Replicas"] = json!(2));
    refused("a consumer that does not work after another rotation", &desk).await;
    let job = ServiceBuilder::new("s0", "local/app:1").job(1, 2).secret("db");
    refused("a job", &Desk::with(vec![(job, Program::exits(0))])).await;
    let large = json!({"Limits": {"MemoryBytes": 9_007_199_254_740_993_u64}});
    let large = service("s0").with("/TaskTemplate/Resources", large);
    refused("a spec that Portainer would round", &Desk::with(vec![(large, Program::runs())])).await;
}

async fn passwords(page: &mut Page) {
    let account = Account::new("PostgreSQL at db:5432", "app", Way::HoldsTwo);
    let with = |secret: &str| BTreeMap::from([(secret.to_owned(), account.clone())]);
    let overlap = RotationRequest { strategy: Strategy::Overlap, ..request(DAY) };
    let world = one().inventory().await;
    page.refusal("a password of a secret that is not rotated", &{
        no(&world, &RotationRequest { credentials: with("key"), ..overlap.clone() })
    });
    page.refusal("the strategy overlap without a password", &no(&world, &overlap));
    page.refusal("the strategy swap with a password", &{
        no(&world, &RotationRequest { credentials: with("db"), ..request(DAY) })
    });
    page.refusal("a password that services may have that cannot be seen", &{
        no(&hidden_service().inventory().await, &RotationRequest { credentials: with("db"), ..overlap })
    });
}

async fn first_versions(page: &mut Page) {
    let world = one().inventory().await;
    let request = |name: &str, labels: &[(&str, &str)]| CreateRequest {
        name: name.to_owned(),
        recipe: ValueRecipe::Supplied,
        labels: labels.iter().copied().collect::<Labels>(),
        reason: None,
        agent: None,
    };
    let mut refused = |name: &str, request: &CreateRequest| {
        page.refusal(name, &plan_create(&world, request).unwrap_err());
    };
    refused("a first version with a bad name", &request("my secret", &[]));
    refused("a first version with a label of ours", &request("key", &[("io.swarmsecrets.version", "7")]));
    refused("a first version of what is there", &request("db", &[]));
}
