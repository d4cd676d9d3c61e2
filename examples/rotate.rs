//! The life of a rotation, on a simulated Swarm: look, plan, rotate, see the stack brought in line, retire the old version.
//!
//! `cargo run --release --example rotate`

use std::time::Duration;

use swarmsecrets_core::executor::{Cancellation, Executor, Observer, Parts, Progress, Supply, Values, read_inventory};
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::journal::{Event, MemoryJournal};
use swarmsecrets_core::plan::{RotationRequest, ValueRecipe, plan_rotation};
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::{Result, generate::GenerateSpec};
use swarmsecrets_host::{FileAudit, OsRandom};
use swarmsecrets_testkit::{SimSwarm, portainer::PortainerRequest};

const SHOP: EnvironmentId = EnvironmentId(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // A shop with nginx, WordPress, MySQL and more. For a real Swarm, take a `PortainerTransport` and a `SystemClock`.
    let swarm = SimSwarm::demo(0);
    let (transport, clock) = (swarm.client(), swarm.clock());

    println!("1. The secrets, and who uses them");
    let inventory = read_inventory(&transport, SHOP, &clock).await?;
    for secret in &inventory.secrets {
        let users: Vec<&str> = secret.consumers.iter().map(|c| c.service().name.as_str()).collect();
        println!("   {:<25} {}", secret.current().name.as_str(), users.join(", "));
    }

    println!("\n2. The plan");
    let recipe = ValueRecipe::Generate(GenerateSpec::default());
    let plan = plan_rotation(&inventory, &RotationRequest::new("db_password", recipe))?;
    print!("{}", plan.diff());

    println!("\n3. The rotation");
    let folder = std::env::temp_dir().join(format!("swarmsecrets-example-{}", std::process::id()));
    let (journal, audit) = (MemoryJournal::default(), FileAudit::open(&folder)?);
    let executor = Executor::new(Parts {
        transport: &transport,
        environment: SHOP,
        clock: &clock,
        journal: &journal,
        audit: &audit,
        observer: &Printer,
        cancellation: Cancellation::default(),
        agent: None,
        reason: Some("an example".to_owned()),
        word: Word::Given, // the holder of the key says yes: without it nothing is changed
    });
    let mut supply = Supply { values: Values::none(), random: &mut OsRandom };
    let report = executor.apply(&plan, &mut supply).await?;
    println!("   {}; the audit trail is in {}", report.outcome, folder.display());

    println!("\n4. The stack's variable names the new version: a redeploy changes nothing");
    for variable in
        swarm.ask("admin", PortainerRequest::new("GET", "/api/stacks/1"))?["Env"].as_array().into_iter().flatten()
    {
        println!(
            "   {}={}",
            variable["name"].as_str().unwrap_or_default(),
            variable["value"].as_str().unwrap_or_default()
        );
    }

    println!("\n5. A day later the old version is retired");
    swarm.engine().run_for(Duration::from_secs(25 * 3600));
    executor.retire().await?;
    let inventory = read_inventory(&transport, SHOP, &clock).await?;
    let versions = &inventory.find("db_password")?.versions;
    println!("   left: {}", versions.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", "));
    Ok(())
}

/// Says what happens. No event holds a value.
struct Printer;

impl Observer for Printer {
    fn tell(&self, progress: &Progress<'_>) {
        match progress {
            Progress::Sending { words } => println!("   {words}"),
            Progress::Event { event: Event::ConsumerConverged { .. }, .. } => println!("   it runs on the new version"),
            Progress::Event { event: Event::Settled { stacks, .. }, .. } => {
                stacks.iter().for_each(|stack| println!("   stack {} still names the old version", stack.name));
            }
            _ => {}
        }
    }
}
