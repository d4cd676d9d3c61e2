//! `swarmsecrets policy`

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use swarmsecrets_core::policy::{Act, Decision, Due, Guard, Hours, Judgement, Policy, Ruling, all_due};
use swarmsecrets_host::read_policy;

use crate::app::App;
use crate::args::{CheckArgs, DueArgs, ExplainArgs};
use crate::exit::{Exit, Failure};
use crate::printable::printable;
use crate::settings::Intent;
use crate::world::World;

/// Checks a policy file.
pub(super) fn check(app: &App, args: &CheckArgs) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Checked {
        schema: u32,
        good: bool,
    }
    read_policy(&args.file)?;
    if app.console.json {
        app.console.document(&Checked { schema: 1, good: true })?;
    } else {
        app.console.text(&format!("{} is a good policy\n", printable(&args.file.to_string_lossy())))?;
    }
    Ok(Exit::Done)
}

/// Prints the schema.
pub(super) fn schema(app: &App) -> Result<Exit, Failure> {
    app.console.document(&Policy::schema())?;
    Ok(Exit::Done)
}

/// What one policy says.
#[derive(Serialize)]
struct Said {
    policy: String,
    decision: Decision,
    rulings: Vec<Ruling>,
    open: bool,
    closed: Option<String>,
    limits: Vec<String>,
    values: Vec<String>,
}

#[derive(Serialize)]
struct Explained<'a> {
    schema: u32,
    simulated: bool,
    secret: &'a str,
    decision: Decision,
    policies: Vec<Said>,
    due: Option<Listed>,
}

/// When a secret is to be rotated, and whether that is now.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    due: Due,
    overdue: bool,
}

impl Listed {
    fn of(due: Due, now: Timestamp) -> Self {
        Self { overdue: due.is_due(now), due }
    }

    fn words(&self) -> String {
        let word = if self.overdue { "overdue since" } else { "due at" };
        printable(&format!("{word} {} ({})", self.due.at, self.due.by)).into_owned()
    }
}

/// Says which secrets are to be rotated, the soonest first.
pub(super) async fn due(app: &App, args: DueArgs) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Listing {
        schema: u32,
        simulated: bool,
        now: Timestamp,
        due: Vec<Listed>,
    }
    let world = World::open(app, Intent::Read)?.under(app, &args.policy)?;
    let (inventory, now) = (world.inventory().await?, world.clock().now().wall);
    let policies: Vec<&Policy> = world.guards().iter().map(Guard::policy).collect();
    let due: Vec<Listed> = all_due(&policies, &inventory).into_iter().map(|due| Listed::of(due, now)).collect();
    if app.console.json {
        app.console.document(&Listing { schema: 1, simulated: world.simulated(), now, due })?;
    } else if due.is_empty() {
        app.console.text("no policy and no label says when a secret is to be rotated\n")?;
    } else {
        let line = |one: &Listed| format!("{}: {}\n", printable(&one.due.secret), one.words());
        app.console.text(&due.iter().map(line).collect::<String>())?;
    }
    Ok(Exit::Done)
}

/// Says what the policies in force say.
pub(super) async fn explain(app: &App, args: ExplainArgs) -> Result<Exit, Failure> {
    let world = World::open(app, Intent::Read)?.under(app, &args.policy)?;
    let inventory = world.inventory().await?;
    let secret = inventory.find(&args.name)?;
    let act = Act::on(&inventory, secret, args.action.into(), world.agent());
    let now = world.clock().now().wall;
    let say = |name: String, policy: &Policy| {
        let (judgement, hours): (Judgement, Hours) = (policy.judge(&act), policy.hours(&act));
        let closed = hours.check(now).err();
        Said {
            policy: name,
            decision: judgement.decision(),
            rulings: judgement.rulings,
            open: closed.is_none(),
            closed,
            limits: policy.limits(&act).map(ToString::to_string).collect(),
            values: policy.wants_of_values(&act).map(|wants| wants.to_string()).collect(),
        }
    };
    let builtin = Policy::default();
    let named = world.guards().iter().map(|guard| (guard.name().to_owned(), guard.policy()));
    let policies: Vec<Said> =
        named.chain([("built in".to_owned(), &builtin)]).map(|(name, policy)| say(name, policy)).collect();
    let decision = policies.iter().map(|said| said.decision.clone()).fold(Decision::Allow, Decision::stricter);
    let rotation = swarmsecrets_core::policy::due(world.guards().iter().map(Guard::policy), &inventory, secret);
    let explained = Explained {
        schema: 1,
        simulated: world.simulated(),
        secret: &secret.name,
        decision,
        policies,
        due: rotation.map(|due| Listed::of(due, now)),
    };
    if app.console.json {
        app.console.document(&explained)?;
    } else {
        app.console.text(&text(&explained))?;
    }
    Ok(Exit::Done)
}

fn text(explained: &Explained<'_>) -> String {
    let mut page = format!("{}: {}\n", printable(explained.secret), printable(&explained.decision.to_string()));
    if let Some(due) = &explained.due {
        let _ = writeln!(page, "its rotation is {}", due.words());
    }
    for said in &explained.policies {
        let _ = writeln!(page, "\n{}", printable(&said.policy));
        for ruling in &said.rulings {
            let _ = writeln!(page, "  {}: {}", printable(&ruling.by), printable(&ruling.decision.to_string()));
        }
        for words in said.limits.iter().chain(&said.values) {
            let _ = writeln!(page, "  {}", printable(words));
        }
        if let Some(why) = &said.closed {
            let _ = writeln!(page, "  now: {}", printable(why));
        }
    }
    page
}
