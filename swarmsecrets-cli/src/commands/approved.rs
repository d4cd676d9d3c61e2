//! Plans that need an approval: asking for it, and going on once it is there.

use swarmsecrets_core::approval::{ChangeRequest, Verdict};
use swarmsecrets_core::executor::{Attempt, Supply, Values};
use swarmsecrets_core::ids::one_line;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_host::{Asking, Desk, OsRandom, read_credential, sign_decision};

use super::carry::Carrier;
use crate::args::SignArgs;
use crate::confirm::confirm;
use crate::exit::{Exit, Failure};
use crate::plan_text;
use crate::printable::printable_lines;
use crate::settings::fingerprint_key;
use crate::world::random;

/// The longest path that Linux takes.
const LONGEST_PATH: usize = 4096;

impl Carrier<'_> {
    /// Makes a change request of a plan that needs an approval, and says what is to be done with it.
    pub(super) async fn ask_people(self, plan: &Plan, values: &Values, why: &str) -> Result<Exit, Failure> {
        let asked = self.make_request(plan, values, why).await;
        let error = match asked {
            Ok(text) => Error::new(ErrorKind::NeedsApproval, text),
            Err(error) => error,
        };
        self.report(Some(plan), Err(error)).await
    }

    async fn make_request(&self, plan: &Plan, values: &Values, why: &str) -> Result<String> {
        let (desk, instance) = (self.desk()?, self.world.instance());
        let key = fingerprint_key(&self.app.environment)?;
        let asking = Asking {
            plan,
            values,
            agent: self.world.agent(),
            reasoning: self.reason().unwrap_or_default(),
            instance: &instance,
            now: self.world.clock().now().wall,
            fingerprint_key: key.as_ref(),
        };
        let request = desk.ask(asking, &mut OsRandom).await?;
        // The whole path: it is to be typed.
        let file = one_line(&desk.path(&request).to_string_lossy(), LONGEST_PATH);
        let people = if desk.people() == 1 { "one person".to_owned() } else { format!("{} people", desk.people()) };
        Ok(format!(
            "{why}: the change request is valid until {}: let {people} `swarmsecrets approve {file}`, then `swarmsecrets apply {file}`",
            request.expires
        ))
    }

    /// Lets a person at this terminal approve with a key of theirs, where the policy has that. Nobody else can: what they sign is
    /// judged like any other decision.
    pub(super) async fn sign_here(&self, request: &ChangeRequest, sign: &SignArgs) -> Result<(), Failure> {
        let (Some(key), Some(identity)) = (&sign.key, &sign.identity) else { return Ok(()) };
        let desk = self.desk()?;
        if !desk.has_terminal() {
            let text = "--key approves here, and the policy has no approver of the kind `terminal`: let them `swarmsecrets approve` instead";
            return Err(Failure::usage(text));
        }
        if !self.app.console.can_ask {
            let text = "--key approves what a person has read, and there is no terminal to show it on: let them `swarmsecrets approve` instead";
            return Err(Failure::usage(text));
        }
        let key = read_credential(key).map_err(Failure::input)?;
        self.app.console.show(&printable_lines(&request.text()));
        // Whatever else was said with --yes: this is the word of another person.
        confirm(&format!("Approve this change request as {identity}?"), false, &self.app.console)?;
        let decision = sign_decision(request, Verdict::Approve, identity, None, &key)?;
        Ok(desk.answer(&decision).await?)
    }

    /// Tells the audit trail of an attempt that was refused before it could be judged.
    pub(super) async fn tell_refused(&self, attempt: Attempt<'_>, error: &Error) -> Result<()> {
        self.executor(Word::NotGiven).tell_refused(attempt, &mut OsRandom, error).await
    }

    /// Carries out a change request, if it was approved.
    pub(super) async fn apply_request(self, request: ChangeRequest, values: Values) -> Result<Exit, Failure> {
        if !self.app.console.json {
            self.app.console.show(&plan_text::diff(&request.plan, self.app.console.error_colour));
        }
        let word = self.ask("Carry out this approved change?")?;
        let result = self.carry_request(&request, values, word).await;
        self.report(Some(&request.plan), result).await
    }

    async fn carry_request(
        &self,
        request: &ChangeRequest,
        values: Values,
        word: Word,
    ) -> Result<swarmsecrets_core::rotation::Report> {
        let desk = self.desk()?;
        let decisions = match desk.decisions(request).await {
            Ok(decisions) => decisions,
            Err(error) => {
                self.tell_refused(Attempt::Plan(&request.plan), &error).await?;
                return Err(error);
            }
        };
        let (instance, key) = (self.world.instance(), fingerprint_key(&self.app.environment)?);
        let approval = desk.approval(request, &decisions, &instance, key.as_ref());
        let mut random = random();
        let mut supply = Supply { values, random: &mut *random };
        let probes = self.probes().map_err(|failure| failure.error)?;
        self.executor(word).with_probes(probes).approved(approval).apply(&request.plan, &mut supply).await
    }

    /// Where requests are made known and decided on.
    fn desk(&self) -> Result<Desk<'_>> {
        let guards = self.world.guards();
        Desk::open(guards, self.world.simulated(), swarmsecrets_settings::approvers(guards)?)
    }
}
