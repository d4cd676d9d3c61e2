//! What runs in the shop.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::files;
use super::people::{self, DemoTeam, DemoUser, OWNERS, Owned, OwnedKind};
use crate::engine::StackDeployment;
use crate::sim::{NodeBuilder, Program, SecretBuilder, ServiceBuilder, SimEngine, WorldBuilder};

/// The value with which every service of the demo world refuses to start: to see a rotation fail and be undone.
pub const DEMO_REFUSED_VALUE: &str = "wrong";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the file of a stack comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DemoStackKind {
    /// Portainer keeps it.
    File,
    /// Portainer pulls it from a repository.
    Git {
        /// The repository.
        url: &'static str,
        /// The branch.
        reference: &'static str,
        /// The file in it.
        path: &'static str,
    },
}

/// A stack that Portainer knows of. The one deployed by the command line is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoStack {
    /// The number.
    pub id: u64,
    /// The name.
    pub name: &'static str,
    /// Where its file comes from.
    pub kind: DemoStackKind,
    /// The compose file.
    pub file: &'static str,
    /// The variables that Portainer keeps with it.
    pub variables: Vec<(String, String)>,
    /// Whether it is deployed; otherwise it is stopped.
    pub active: bool,
}

/// The demo world: the Engine, and what Portainer knows on top of it.
#[derive(Clone)]
pub struct DemoWorld {
    /// The Engine, converged.
    pub engine: SimEngine,
    /// The users; the first one is the administrator, the second the scoped account.
    pub users: Vec<DemoUser>,
    /// The teams.
    pub teams: Vec<DemoTeam>,
    /// Who owns what.
    pub owned: Vec<Owned>,
    /// The stacks that Portainer knows of.
    pub stacks: Vec<DemoStack>,
}

impl DemoWorld {
    /// The shop, in which everything follows from `seed`. It is the first of January 2026.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::build(SimEngine::builder(seed))
    }

    /// The shop at another time.
    #[must_use]
    pub fn starting_at(seed: u64, base: Timestamp) -> Self {
        Self::build(SimEngine::builder(seed).starting_at(base))
    }

    fn build(world: WorldBuilder) -> Self {
        let engine = services(programs(secrets(nodes(world)))).build();
        let stacks = stacks();
        for stack in stacks.iter().filter(|stack| stack.active) {
            deploy(&engine, stack.name, stack.file, &stack.variables);
        }
        deploy(&engine, "monitoring", files::MONITORING, &[]);
        engine.run_for(Duration::from_secs(60));
        let owned = OWNERS.iter().map(|(kind, name, access)| Owned {
            kind: *kind,
            id: id_of(&engine, *kind, name),
            name,
            access: *access,
        });
        let owned = owned.collect();
        Self { engine, users: people::users(), teams: people::teams(), owned, stacks }
    }
}

fn nodes(world: WorldBuilder) -> WorldBuilder {
    world.node(NodeBuilder::worker("node-2")).node(NodeBuilder::worker("win-1").os("windows"))
}

/// The values are made up. Where nothing is said, a secret is ten days old.
fn secrets(world: WorldBuilder) -> WorldBuilder {
    let secret = |name: &str, value: &str| SecretBuilder::new(name, value.as_bytes()).age(10 * DAY);
    world
        .secret_with(secret("site.key", "demo-site-key-1").label("rotation-policy", "90d"))
        .secret_with(secret("site.crt", "demo-site-certificate-1").label("rotation-policy", "90d"))
        .secret_with(secret("db_password", "demo-db-password-1").label("rotation-policy", "monthly").age(40 * DAY))
        .secret_with(secret("redis_password", "demo-redis-password-1").label("tier", "low"))
        .secret_with(secret("payment_api_key", "demo-payment-key-1").label("tier", "critical"))
        .secret_with(secret("report_password", "demo-report-password-1"))
        .secret_with(secret("agent_token", "demo-agent-token-1").label("ai.managed", "false"))
        .secret_with(secret("legacy_ftp_password", "demo-ftp-password-1").age(400 * DAY))
        .secret_with(secret("newsletter_smtp_password", "demo-smtp-password-1"))
        .secret_with(
            secret("monitoring_grafana_admin", "demo-grafana-password-1")
                .label("com.docker.stack.namespace", "monitoring"),
        )
        .secret_with(secret("campaign_api_key", "demo-campaign-key-1"))
        .config("site.conf", files::SITE_CONF.as_bytes(), Some("golang"))
}

/// Every program runs with any value but one.
fn programs(world: WorldBuilder) -> WorldBuilder {
    let refuses = |target: &str| Program::refuses(target, DEMO_REFUSED_VALUE.as_bytes());
    world
        .program("shop_web", refuses("site.key").says("start worker processes").log("cannot load certificate key"))
        .program("shop_wordpress", refuses("db_password").exit(255).log("Error establishing a database connection"))
        .program(
            "shop_mysql",
            refuses("db_password").exit(1).slow(3 * Duration::from_secs(1)).says("ready for connections"),
        )
        .program("shop_redis", refuses("redis.pass").unhealthy().says("Ready to accept connections"))
        .program("pay", refuses("payment_api_key").exit(3).log("FATAL: the payment provider refused the key"))
        .program("agent", refuses("agent_token").exit(2).log("enrolment refused"))
        .program("reports", refuses(r"C:\app\report.pwd").exit(1).log("Login failed for user 'report'"))
        .program("newsletter_mailer", refuses("smtp_password").exit(1).log("535 authentication failed"))
        .program("monitoring_grafana", refuses("grafana_admin").exit(1).log("invalid username or password"))
}

fn services(world: WorldBuilder) -> WorldBuilder {
    let rollback = || json!({"Parallelism": 1, "FailureAction": "rollback", "Monitor": 5_000_000_000_u64});
    world
        .service(
            ServiceBuilder::new(
                "pay",
                "registry.example/pay:4.2@sha256:2f3e8d5c1a7b9046e0d4c8b2a69f7351e4d0c2b8a6971f5e3d1c0b9a87654321",
            )
            .replicas(3)
            .secret("payment_api_key")
            .update_config(rollback()),
        )
        .service(
            ServiceBuilder::new("agent", "registry.example/agent:1.9")
                .global()
                .secret_as("agent_token", "agent_token", "65534", "65534", 0o440)
                .constraint("node.platform.os == linux"),
        )
        .service(
            ServiceBuilder::new("reports", "registry.example/reports:3.0-windows")
                .secret_at("report_password", r"C:\app\report.pwd")
                .constraint("node.platform.os == windows")
                .update_config(rollback()),
        )
        .service(
            ServiceBuilder::new("legacy-admin", "registry.example/legacy-admin:0.3")
                .env("ADMIN_USER=root")
                .env("ADMIN_PASSWORD=demo-plain-text-password"),
        )
}

fn stacks() -> Vec<DemoStack> {
    vec![
        DemoStack {
            id: 1,
            name: "shop",
            kind: DemoStackKind::File,
            file: files::SHOP,
            variables: vec![("DB_PASSWORD_SECRET".into(), "db_password".into())],
            active: true,
        },
        DemoStack {
            id: 2,
            name: "newsletter",
            kind: DemoStackKind::Git {
                url: "https://git.example/shop/newsletter.git",
                reference: "refs/heads/main",
                path: "docker-compose.yml",
            },
            file: files::NEWSLETTER,
            variables: Vec::new(),
            active: true,
        },
        DemoStack {
            id: 3,
            name: "campaign",
            kind: DemoStackKind::File,
            file: files::CAMPAIGN,
            variables: Vec::new(),
            active: false,
        },
    ]
}

#[allow(clippy::panic)] // the files stand in this program, and a test deploys them
fn deploy(engine: &SimEngine, name: &str, file: &str, variables: &[(String, String)]) {
    let stack = StackDeployment { name: name.into(), file: file.into(), variables: variables.to_vec(), prune: false };
    if let Err(why) = engine.deploy_now(&stack) {
        panic!("the stack {name} of the demo world: {why}");
    }
}

fn id_of(engine: &SimEngine, kind: OwnedKind, name: &str) -> String {
    let found = match kind {
        OwnedKind::Stack => Some(name.to_owned()),
        OwnedKind::Secret => engine.secret_id(name),
        OwnedKind::Config => engine.config_id(name),
        OwnedKind::Service => engine.service_id(name),
    };
    found.unwrap_or_default()
}
