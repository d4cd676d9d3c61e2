//! The subcommands, one file for each.

mod apply;
mod approval;
mod approved;
mod audit;
mod carry;
mod close;
mod create;
mod inventory;
mod plan;
mod policy;
mod resume;
mod retire;
mod rollback;
mod rotate;
mod run;
mod served;
mod sim;

use swarmsecrets_core::approval::Verdict;

use crate::app::App;
use crate::args::{AuditCommand, Command, PlanCommand, PolicyCommand, SimCommand};
use crate::exit::{Exit, Failure};

/// Runs the subcommand that was written.
pub(crate) async fn run(app: &App, command: Command) -> Result<Exit, Failure> {
    if let Some(remote) = served::server(app)? {
        return served::run(app, &remote, command).await;
    }
    match command {
        Command::Inventory(args) => inventory::run(app, args).await,
        Command::Plan { what: PlanCommand::Rotate(args) } => plan::run(app, args).await,
        Command::Apply(args) => apply::run(app, args).await,
        Command::Rotate(args) => rotate::rotate(app, args).await,
        Command::Revoke(args) => rotate::revoke(app, args).await,
        Command::Resume(args) => resume::run(app, args).await,
        Command::Rollback(args) => rollback::run(app, args).await,
        Command::Close(args) => close::run(app, args).await,
        Command::Retire(args) => retire::run(app, args).await,
        Command::Create(args) => create::run(app, args).await,
        Command::Keygen(args) => approval::keygen(app, &args),
        Command::Approve(args) => approval::decide(app, &args, Verdict::Approve).await,
        Command::Deny(args) => approval::decide(app, &args, Verdict::Deny).await,
        Command::Policy { what: PolicyCommand::Check(args) } => policy::check(app, &args),
        Command::Policy { what: PolicyCommand::Explain(args) } => policy::explain(app, args).await,
        Command::Policy { what: PolicyCommand::Due(args) } => policy::due(app, args).await,
        Command::Policy { what: PolicyCommand::Schema } => policy::schema(app),
        Command::Audit { what: AuditCommand::Verify(args) } => audit::verify(app, &args).await,
        Command::Audit { what: AuditCommand::Query(args) } => audit::query(app, args).await,
        Command::Audit { what: AuditCommand::Checkpoint(args) } => audit::checkpoint(app, &args),
        Command::Run(args) => run::run(app, args).await,
        Command::Sim { what: SimCommand::Serve(args) } => sim::serve(app, args).await,
        Command::Sim { what: SimCommand::Advance(args) } => sim::advance(app, args).await,
        Command::Sim { what: SimCommand::Redeploy(args) } => sim::redeploy(app, args).await,
    }
}
