//! The subcommands that a server which holds the API key carries out.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use swarmsecrets_client::{Change, Operations as _, Order, Seen, Wanted};
use swarmsecrets_core::approval::ChangeRequest;
use swarmsecrets_core::executor::{Cancellation, Values};
use swarmsecrets_core::ids::{RequestDigest, RotationId};
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::policy::{Decision, Word};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_server::Remote;

use super::apply::{Unread, What, read};
use super::{audit, plan, policy, retire};
use crate::app::App;
use crate::args::{
    ApplyArgs, AuditCommand, ChangeArgs, Command, Format, InventoryArgs, PlanCommand, PolicyCommand, ValueArgs,
};
use crate::confirm::{confirm, require_terminal};
use crate::exit::{Exit, Failure};
use crate::printable::{printable, printable_json};
use crate::progress::Teller;
use crate::settings::{Connection, Intent, names_server, resolve};
use crate::table::{lines, table};
use crate::{interrupt, plan_text, report_text, request};

/// The server that is set, if one is.
pub(super) fn server(app: &App) -> Result<Option<Remote>, Failure> {
    if app.connection.sim || !names_server(&app.connection, &app.environment) {
        return Ok(None);
    }
    match resolve(&app.connection, &app.environment, Intent::Read)? {
        Connection::Server(at) => {
            let token = swarmsecrets_host::read_credential(&at.token_file)?;
            Ok(Some(Remote::new(&at.address, &token)?))
        }
        Connection::Portainer(_) | Connection::Simulation { .. } => Ok(None),
    }
}

/// Runs the subcommand that was written, if a server carries it out or none is needed.
pub(super) async fn run(app: &App, remote: &Remote, command: Command) -> Result<Exit, Failure> {
    let asking = Asking { app, remote };
    match command {
        Command::Inventory(args) => asking.inventory(&args).await,
        Command::Plan { what: PlanCommand::Rotate(args) } => {
            no_value(&args.value)?;
            let wanted = request::rotation(&args.secrets, &args.value, &args.rotation)?;
            plan::show(app, &args, &remote.plan(wanted).await?)?;
            Ok(Exit::Done)
        }
        Command::Rotate(args) => {
            request::check_values(&args.secrets, &args.value, true)?;
            no_value(&args.value)?;
            let wanted = request::rotation(&args.secrets, &args.value, &args.rotation)?;
            asking.rotate(wanted, &args.change).await
        }
        Command::Revoke(args) => {
            request::check_values(&args.secrets, &args.value, true)?;
            no_value(&args.value)?;
            asking.rotate(request::revocation(&args)?, &args.change).await
        }
        Command::Create(args) => {
            no_value(&args.value)?;
            require_terminal(args.change.yes, &app.console)?;
            let planned = remote.plan_create(request::first(&args)?).await;
            asking.carry_out(planned, &args.change, args.reason.clone()).await
        }
        Command::Apply(args) => asking.apply(args).await,
        Command::Resume(args) if args.id.is_some() && !args.accept_inconclusive && args.value_file.is_empty() => {
            let id = RotationId::new(args.id.as_deref().unwrap_or_default()).map_err(Failure::input)?;
            let order = asking.order(&args.change, &format!("Go on with rotation {id}?"), None)?;
            let done = remote.resume(&id, Values::none(), &order.given()).await;
            order.report(app, None, done)
        }
        Command::Rollback(args) => {
            let id = RotationId::new(&args.id).map_err(Failure::input)?;
            let order = asking.order(&args.change, &format!("Put rotation {id} back?"), args.reason)?;
            let done = remote.rollback(&id, &order.given()).await;
            let undone = done.as_ref().is_ok_and(|report| report.outcome == Outcome::RolledBack);
            let exit = order.report(app, None, done)?;
            // Undone is what was asked for here, while for `rotate` it is a failure.
            Ok(if undone { Exit::Done } else { exit })
        }
        Command::Retire(args) => {
            let question = "Delete the replaced versions whose grace period is over?";
            let order = asking.order(&args.change, question, args.reason)?;
            let done = remote.retire(&order.given()).await;
            order.teller.finish();
            let reports = done?;
            let simulated = reports.iter().any(|report| report.simulated);
            retire::tell(app, simulated, &order.teller.retired(), &[], &reports)
        }
        Command::Keygen(args) => super::approval::keygen(app, &args),
        Command::Policy { what: PolicyCommand::Check(args) } => policy::check(app, &args),
        Command::Policy { what: PolicyCommand::Schema } => policy::schema(app),
        Command::Audit { what: AuditCommand::Verify(args) } => audit::verify(app, &args).await,
        Command::Audit { what: AuditCommand::Query(args) } => audit::query(app, args).await,
        _ => Err(Failure::usage(
            "a server that holds the API key does not offer this: do it where that key is (`swarmsecrets run --help` says more)",
        )),
    }
}

/// Values do not cross the socket.
fn no_value(args: &ValueArgs) -> Result<(), Failure> {
    if args.value_file.is_empty() && args.sources.sources.is_none() {
        return Ok(());
    }
    Err(Failure::usage(
        "a value cannot be handed over to a server: --generate one, or name a source of the server's with --value-from",
    ))
}

/// A command that asks a server.
struct Asking<'a> {
    app: &'a App,
    remote: &'a Remote,
}

/// Something that is carried out, and those who listen.
struct Carried {
    teller: Arc<Teller>,
    cancellation: Cancellation,
    reason: Option<String>,
}

impl Carried {
    fn given(&self) -> Order<'_> {
        Order {
            reason: self.reason.clone(),
            observer: &*self.teller,
            cancellation: self.cancellation.clone(),
            // The word is the operator's, who has started the server with a policy.
            ..Order::of(Word::NotGiven)
        }
    }

    fn report(&self, app: &App, plan: Option<&Plan>, done: Result<Report>) -> Result<Exit, Failure> {
        self.teller.finish();
        let simulated = plan.is_some_and(|plan| plan.simulated);
        let known = plan.map(|plan| plan.warnings.clone()).unwrap_or_default();
        report_text::tell(app.console, plan, simulated, &known, done)
    }
}

impl Asking<'_> {
    /// Asks the person, and begins to listen.
    fn order(&self, args: &ChangeArgs, question: &str, reason: Option<String>) -> Result<Carried, Failure> {
        let records = &args.records;
        if records.journal.is_some() || records.journal_db_file.is_some() || records.policy.policy.is_some() {
            return Err(Failure::usage("a server has its own journal and policy: leave --journal and --policy out"));
        }
        confirm(question, args.yes, &self.app.console)?;
        let (teller, cancellation) = (Arc::new(Teller::new(self.app.console)), Cancellation::default());
        teller.start();
        interrupt::watch(self.app.console, cancellation.clone(), Arc::clone(&teller));
        Ok(Carried { teller, cancellation, reason })
    }

    async fn rotate(&self, wanted: Wanted, args: &ChangeArgs) -> Result<Exit, Failure> {
        require_terminal(args.yes, &self.app.console)?;
        let reason = wanted.reason.clone();
        let planned = self.remote.plan(wanted).await;
        self.carry_out(planned, args, reason).await
    }

    /// Shows what was planned, asks, and has it carried out; asks people if it needs them.
    async fn carry_out(
        &self,
        planned: Result<Plan>,
        args: &ChangeArgs,
        reason: Option<String>,
    ) -> Result<Exit, Failure> {
        let console = self.app.console;
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => return report_text::tell(console, None, false, &[], Err(error)),
        };
        if !console.json {
            console.show(&plan_text::diff(&plan, console.error_colour));
        }
        if matches!(plan.decision, Decision::NeedsApproval { .. }) {
            let asked = self.ask_people(&plan, reason.as_deref()).await;
            return report_text::tell(console, Some(&plan), plan.simulated, &[], Err(asked));
        }
        let order = self.order(args, "Carry out this plan?", reason)?;
        let change = Change { plan: &plan, values: Values::none(), approval: None };
        let done = self.remote.apply(change, &order.given()).await;
        order.report(self.app, Some(&plan), done)
    }

    /// Asks people, and says what is to be done with the request.
    async fn ask_people(&self, plan: &Plan, reason: Option<&str>) -> Error {
        match self.remote.ask_people(plan, &Values::none(), reason).await {
            Ok(request) => {
                let digest = request.digest();
                let text = format!(
                    "{}: the change request is valid until {}; once it is approved where the server is: `swarmsecrets apply {digest}`",
                    plan.decision, request.expires
                );
                Error::new(ErrorKind::NeedsApproval, text)
            }
            Err(error) => error,
        }
    }

    /// Has a plan or a change request carried out that the server has made: the file only names it.
    async fn apply(&self, args: ApplyArgs) -> Result<Exit, Failure> {
        if !args.value_file.is_empty() || args.sign.key.is_some() {
            let text =
                "neither values nor keys of approvers are handed over to a server: leave --value-file and --key out";
            return Err(Failure::usage(text));
        }
        let what = self.what(&args.plan).await?;
        let request: Option<&ChangeRequest> = match &what {
            What::Plan(_) => None,
            What::Request(request) => Some(request),
        };
        let plan = what.plan();
        if !self.app.console.json {
            self.app.console.show(&plan_text::diff(plan, self.app.console.error_colour));
        }
        let order = self.order(&args.change, "Carry this out?", args.reason.or_else(|| plan.reason.clone()))?;
        let approval = request.map(|request| (request, Vec::new()));
        let change = Change { plan, values: Values::none(), approval };
        let done = self.remote.apply(change, &order.given()).await;
        order.report(self.app, Some(plan), done)
    }

    async fn what(&self, named: &Path) -> Result<What, Failure> {
        if let Ok(digest) = RequestDigest::new(&named.to_string_lossy())
            && !named.exists()
        {
            return Ok(What::Request(Box::new(self.remote.change_request(&digest).await?)));
        }
        read(named).map_err(|unread| match unread {
            Unread::Missing(failure) => failure,
            Unread::Refused { error, .. } => Failure::input(error),
        })
    }

    async fn inventory(&self, args: &InventoryArgs) -> Result<Exit, Failure> {
        let plain = args.secret.is_empty() && args.older_than.is_none() && !args.services;
        if !plain || !matches!(args.format, Format::Table | Format::Json) {
            let text =
                "a server tells the whole inventory, as a table of secrets or with --json: leave the other options out";
            return Err(Failure::usage(text));
        }
        let Seen::Document(document) = self.remote.inventory().await? else {
            return Err(Error::new(ErrorKind::Protocol, "the server has not told a document").into());
        };
        if self.app.console.json {
            self.app.console.json_text(&document)?;
        } else {
            self.app.console.text(&secrets(&document, self.app.console.width)?)?;
        }
        Ok(Exit::Done)
    }
}

/// One line for each logical secret, from the document of `inventory --json`.
fn secrets(document: &str, width: u16) -> Result<String> {
    #[derive(Deserialize)]
    struct Document {
        simulated: bool,
        visibility: String,
        secrets: Vec<Secret>,
    }
    #[derive(Deserialize)]
    struct Secret {
        name: String,
        current: String,
        versions: Vec<serde::de::IgnoredAny>,
        consumers: Vec<User>,
    }
    #[derive(Deserialize)]
    struct User {
        service: String,
    }
    let wrong = |e| Error::new(ErrorKind::Protocol, format!("the inventory of the server cannot be read: {e}"));
    let document: Document = serde_json::from_str(&printable_json(document)).map_err(wrong)?;
    let mut rows = table(width, &["SECRET", "CURRENT", "VERSIONS", "USED BY"]);
    for secret in &document.secrets {
        let mut services: Vec<_> = secret.consumers.iter().map(|user| printable(&user.service)).collect();
        services.dedup();
        rows.add_row([
            printable(&secret.name).into_owned(),
            printable(&secret.current).into_owned(),
            secret.versions.len().to_string(),
            if services.is_empty() { "-".to_owned() } else { services.join(", ") },
        ]);
    }
    let simulated = if document.simulated { " (SIMULATED)" } else { "" };
    let view = if document.visibility == "full" { "everything is visible" } else { "PARTIAL VIEW" };
    Ok(format!("as the server sees it{simulated}; {view}\n{}", lines(&rows)))
}
