//! Carrying something out: what `rotate`, `apply`, `create`, `resume`, `rollback` and `retire` have in common.

use std::sync::Arc;

use swarmsecrets_client::Wanted;
use swarmsecrets_core::executor::{Cancellation, Executor, Parts, Probes, Supply, Values};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::Event;
use swarmsecrets_core::keys::FingerprintKey;
use swarmsecrets_core::plan::{Plan, Warning};
use swarmsecrets_core::policy::{Decision, Word};
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_settings::{Credentials, ProbeSet};

use crate::app::App;
use crate::args::{ChangeArgs, CredentialArgs, ProbeArgs, SourceArgs};
use crate::confirm::{confirm, require_terminal};
use crate::exit::{Exit, Failure};
use crate::progress::Teller;
use crate::records::Records;
use crate::request::{credentials, probes};
use crate::settings::{Intent, fingerprint_key};
use crate::sourced::sources;
use crate::world::{World, random};
use crate::{audit_text, interrupt, plan_text, report_text};

/// How many intents without an outcome are shown.
const SHOWN: usize = 3;

/// Says which mutations of rotations that are over nobody knows the outcome of. The trail is never completed afterwards, so this is said
/// as long as it stands there.
async fn tell_open(app: &App, records: &Records) {
    let open = match records.left_open().await {
        Ok(open) => open,
        Err(error) => return app.console.note(&format!("warning: {error}")),
    };
    if open.is_empty() {
        return;
    }
    app.console.note(
        "warning: the audit trail tells of changes that were begun, and not how they went, and their rotations are over: look whether they \
         were done",
    );
    for entry in open.iter().rev().take(SHOWN) {
        app.console.note(&format!("  {}", audit_text::open(entry)));
    }
    if let Some(more @ 1..) = open.len().checked_sub(SHOWN) {
        app.console.note(&format!("  and {more} before: see `swarmsecrets audit query FILE --outcome open`"));
    }
}

/// A command that changes something, ready to begin.
pub(super) struct Carrier<'a> {
    pub(super) app: &'a App,
    pub(super) world: World,
    records: Records,
    teller: Arc<Teller>,
    pub(super) credentials: Credentials,
    probes: ProbeSet,
    pub(super) sources: Sources,
    key: Option<FingerprintKey>,
    yes: bool,
    reason: Option<String>,
}

impl<'a> Carrier<'a> {
    /// Checks what can be checked before anything is read: flags, a terminal to ask on, the settings.
    pub(super) async fn new(app: &'a App, args: &ChangeArgs, reason: Option<String>) -> Result<Self, Failure> {
        let world = World::open(app, Intent::Change)?.under(app, &args.records.policy)?;
        require_terminal(args.yes, &app.console)?;
        let records = Records::open(&args.records, app, &world)?;
        tell_open(app, &records).await;
        let teller = Arc::new(Teller::new(app.console));
        let (credentials, probes) = (Credentials::default(), ProbeSet::default());
        let sources = Sources::none();
        Ok(Self { app, world, records, teller, credentials, probes, sources, key: None, yes: args.yes, reason })
    }

    /// The same, which also changes passwords. Those of real systems are not changed for a simulated secret.
    pub(super) fn with(self, args: &CredentialArgs) -> Result<Self, Failure> {
        if args.credentials.is_some() && self.world.simulated() {
            let text =
                "--credentials changes passwords in real systems, and this world is simulated: leave one of them out";
            return Err(Failure::usage(text));
        }
        let credentials = credentials(args, &self.app.console)?;
        Ok(Self { credentials, ..self })
    }

    /// The same, which also asks probes.
    pub(super) fn asking(self, args: &ProbeArgs) -> Result<Self, Failure> {
        let probes = probes(args)?;
        Ok(Self { probes, ..self })
    }

    /// The same, which also fetches values from sources.
    pub(super) fn fetching(self, args: &SourceArgs) -> Result<Self, Failure> {
        let sources = sources(args)?;
        Ok(Self { sources, ..self })
    }

    /// The same, which also knows values by the key that the environment names: for what makes versions. What goes back needs none.
    pub(super) fn knowing_values(self) -> Result<Self, Failure> {
        let key = fingerprint_key(&self.app.environment)?;
        Ok(Self { key, ..self })
    }

    /// The probes that are asked.
    pub(super) fn probes(&self) -> Result<Probes<'_>, Failure> {
        self.world.probes(&self.probes)
    }

    /// Plans what is asked for.
    pub(super) async fn plan(&self, wanted: Wanted) -> Result<Plan, Error> {
        self.world.plan(wanted, &self.credentials, &self.probes, &self.sources).await
    }

    /// Shows a plan, asks, carries it out and reports.
    pub(super) async fn apply(self, plan: &Plan, values: Values) -> Result<Exit, Failure> {
        if !self.app.console.json {
            self.app.console.show(&plan_text::diff(plan, self.app.console.error_colour));
        }
        if matches!(plan.decision, Decision::NeedsApproval { .. }) {
            return self.ask_people(plan, &values, &plan.decision.to_string()).await;
        }
        // What the guardrails refuse anyway is not asked for.
        let word = match plan.decision {
            Decision::Allow => self.ask("Carry out this plan?")?,
            _ => Word::NotGiven,
        };
        let mut random = random();
        let mut supply = Supply { values, random: &mut *random };
        let result = self.executor(word).with_probes(self.probes()?).apply(plan, &mut supply).await;
        match result {
            // The policies in force say so, although the plan was made without them.
            Err(error) if error.kind() == ErrorKind::NeedsApproval => {
                self.ask_people(plan, &supply.values, error.message()).await
            }
            result => self.report(Some(plan), result).await,
        }
    }

    /// Why it is done.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Asks for the key holder's word, unless `--yes` gave it.
    pub(super) fn ask(&self, question: &str) -> Result<Word, Failure> {
        confirm(question, self.yes, &self.app.console)?;
        Ok(Word::Given)
    }

    /// An executor that shows its progress and, once the word is given, heeds Ctrl-C. Before that a signal ends the
    /// process, as nothing has been begun.
    pub(super) fn executor(&self, word: Word) -> Executor<'_> {
        let cancellation = Cancellation::default();
        if word == Word::Given {
            self.teller.start();
            interrupt::watch(self.app.console, cancellation.clone(), Arc::clone(&self.teller));
        }
        Executor::new(Parts {
            transport: self.world.transport(),
            environment: self.world.environment(),
            clock: self.world.clock(),
            journal: self.records.journal(),
            audit: self.records.audit(),
            observer: &*self.teller,
            cancellation,
            agent: self.world.agent().map(str::to_owned),
            reason: self.reason.clone(),
            word,
        })
        .with_passwords(self.credentials.changes())
        .with_sources(self.sources.clone())
        .with_git(self.world.remotes())
        .guarded(self.world.guards())
        .knowing_values_by(self.key.as_ref())
    }

    /// Prints the report, or that nothing was begun and why, and says how the command ends.
    pub(super) async fn report(self, plan: Option<&Plan>, result: Result<Report, Error>) -> Result<Exit, Failure> {
        let simulated = self.world.simulated();
        let console = self.app.console;
        let known = match (&result, console.json) {
            (Ok(report), false) => self.warned_of(report).await,
            _ => Vec::new(),
        };
        self.end().await?;
        report_text::tell(console, plan, simulated, &known, result)
    }

    /// What the plan of a rotation had warned of, from its journal.
    pub(super) async fn warned_of(&self, report: &Report) -> Vec<Warning> {
        let Some(id) = &report.rotation else { return Vec::new() };
        let plan = self.plan_of(id).await.ok().flatten();
        plan.map(|plan| plan.warnings.clone()).unwrap_or_default()
    }

    /// The plan of a rotation, from its journal; nothing if there is no journal.
    pub(super) async fn plan_of(&self, id: &RotationId) -> Result<Option<Plan>, Error> {
        let journal = match self.records.journal().load(id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        Ok(journal.entries.into_iter().next().and_then(|first| match first.event {
            Event::Begun { plan, .. } => Some(*plan),
            _ => None,
        }))
    }

    /// As [`Carrier::report`], for a rotation that has begun before: if it could not be taken up, that says nothing about
    /// how far it is.
    pub(super) async fn report_on(self, id: &RotationId, result: Result<Report, Error>) -> Result<Exit, Failure> {
        match result {
            Ok(report) => self.report(None, Ok(report)).await,
            Err(error) => {
                self.end().await?;
                Err(Failure::from(error.context(format!("rotation {id}"))))
            }
        }
    }

    /// Takes the progress bar away, waits a little for audit sinks that lag, and keeps, or lets go of, a simulated world.
    pub(super) async fn end(self) -> Result<Vec<String>, Failure> {
        self.teller.finish();
        let retired = self.teller.retired();
        if let Err(behind) = self.records.audit().flush().await {
            self.app.console.note(&format!("warning: {behind}"));
        }
        self.world.close(&self.app.console)?;
        Ok(retired)
    }
}
