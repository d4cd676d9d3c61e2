//! A service of yours that sees and changes secrets, and hands a part of it a client that can only look.
//!
//! `cargo run --release --example embed`

use std::sync::Arc;

use swarmsecrets_client::{Client, Equipment, Order, Policies, ReadOnlyClient, Wanted, Way};
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::generate::GenerateSpec;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::{ErrorKind, Result};
use swarmsecrets_host::{FileAudit, FileJournal, parse_policy, policy_in_force};
use swarmsecrets_settings::{Credentials, ProbeSet};
use swarmsecrets_testkit::SimSwarm;

/// What the operator says: agents change the reports' password by themselves, and nothing else.
const POLICY: &str =
    "schema = 1\nphase = 'read-only'\n[[phases]]\nphase = 'automated'\nselect = { secrets = ['report_*'] }\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("swarmsecrets-embed-{}", std::process::id()));
    let client = Client::new(equipment(&folder)?);

    tell_what_is_there(&client).await?;

    let plan = client.plan(generated("report_password")).await?;
    print!("{}", plan.diff());
    let report = client.apply(&plan, Values::none(), &Order::of(Word::Given)).await?;
    println!("{}; the audit trail is in {}", report.outcome, folder.display());

    let plan = client.plan(generated("db_password")).await?;
    match client.apply(&plan, Values::none(), &Order::of(Word::Given)).await {
        Err(error) if error.kind() == ErrorKind::Denied => println!("db_password: {}", error.message()),
        other => println!("db_password: {other:?}"),
    }
    Ok(())
}

/// This part has no way to change anything: there is no method for it.
async fn tell_what_is_there(client: &ReadOnlyClient) -> Result<()> {
    for secret in &client.inventory().await?.secrets {
        println!("{:<25} {} services", secret.current().name.as_str(), secret.consumers.len());
    }
    Ok(())
}

fn generated(secret: &str) -> Wanted {
    let value = Some(Way::Generate(GenerateSpec::default()));
    Wanted { secrets: vec![secret.to_owned()], value, ..Wanted::default() }
}

/// For a real Swarm, take a `PortainerTransport`, a `SystemClock` and `HttpRemotes`, and say `false` to the policies: then the one that is
/// installed on the machine holds as well.
fn equipment(folder: &std::path::Path) -> Result<Equipment> {
    let swarm = SimSwarm::demo(0);
    Ok(Equipment {
        transport: Arc::new(swarm.client().agent("agent-7")),
        environment: EnvironmentId(1),
        clock: Arc::new(swarm.clock()),
        remotes: swarm.portainer().clone(),
        journal: Arc::new(FileJournal::open(folder)?),
        audit: Arc::new(FileAudit::open(folder)?),
        trail: Some(folder.join("audit.jsonl")),
        agent: Some("agent-7".to_owned()),
        probes: ProbeSet::default(),
        credentials: Credentials::default(),
        sources: Sources::none(),
        policies: Policies::new(vec![policy_in_force("operator", parse_policy(POLICY)?)?], true)?,
        instance: "simulated".to_owned(),
        approvers: Vec::new(),
        fingerprint_key: None,
    })
}
