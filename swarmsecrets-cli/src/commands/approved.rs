//! Plans that need an approval: asking for it, and going on once it is there.

use std::path::Path;

use swarmsecrets_core::approval::{Approver as _, ChangeRequest, Draft, Requester};
use swarmsecrets_core::executor::{Approval, Supply, Values};
use swarmsecrets_core::ids::one_line;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::policy::{Approvals, in_force};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_host::{FileApprover, FileNonces};

use super::carry::Carrier;
use crate::exit::{Exit, Failure};
use crate::plan_text;
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
        let approvals = self.approvals()?;
        let requester = Requester { account: plan.account.clone(), agent: self.world.agent().map(str::to_owned) };
        let (policy, now) = (in_force(self.world.guards()), self.world.clock().now().wall);
        let key = fingerprint_key(&self.app.environment)?;
        let draft = Draft {
            fingerprints: key.map(|key| values.fingerprints(plan, &key)).unwrap_or_default(),
            reasoning: self.reason().unwrap_or_default().to_owned(),
            valid_for: approvals.valid_for,
            approvals: approvals.people,
            ..Draft::new(plan.clone(), requester, self.world.instance(), policy, now)
        };
        let request = draft.seal(&mut *random())?;
        let approver = FileApprover::open(approvals.folder.as_ref())?;
        approver.request(&request).await?;
        // The whole path: it is to be typed.
        let file = one_line(&approver.path(request.digest()).to_string_lossy(), LONGEST_PATH);
        let people =
            if approvals.people == 1 { "one person".to_owned() } else { format!("{} people", approvals.people) };
        Ok(format!(
            "{why}: the change request is valid until {}: let {people} `swarmsecrets approve {file}`, then `swarmsecrets apply {file}`",
            request.expires
        ))
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
        word: swarmsecrets_core::policy::Word,
    ) -> Result<swarmsecrets_core::rotation::Report> {
        let approvals = self.approvals()?;
        let decisions = FileApprover::open(approvals.folder.as_ref())?.decisions(request).await?;
        let (instance, key) = (self.world.instance(), fingerprint_key(&self.app.environment)?);
        // The latest time of a simulation would be remembered for real requests otherwise.
        let state = Path::new(&approvals.state);
        let nonces = match self.world.simulated() {
            true => FileNonces::open(&state.join("simulated"))?,
            false => FileNonces::open(state)?,
        };
        let approval = Approval {
            request,
            decisions: &decisions,
            keyring: &approvals.keyring,
            nonces: &nonces,
            instance: &instance,
            fingerprint_key: key.as_ref(),
        };
        let mut random = random();
        let mut supply = Supply { values, random: &mut *random };
        let probes = self.probes().map_err(|failure| failure.error)?;
        self.executor(word).with_probes(probes).approved(approval).apply(&request.plan, &mut supply).await
    }

    /// Who approves: the policy that comes first says so, which is the installed one if there is one.
    fn approvals(&self) -> Result<&Approvals> {
        let first = self.world.guards().first().and_then(|guard| guard.policy().approvals());
        first.ok_or_else(|| {
            let text = "needs an approval, and no policy says who approves: give it an `approval` section, or let a person do it by hand";
            Error::new(ErrorKind::NeedsApproval, text)
        })
    }
}
