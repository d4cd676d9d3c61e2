//! What runs in the containers of a simulated Swarm.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swarmsecrets_core::SecretValue;

use super::vault::{Fingerprint, Vault};

/// What the container of a task does, told by the test: it runs for ever unless it says otherwise.
///
/// ```
/// use swarmsecrets_testkit::sim::{Program, SimEngine};
///
/// let engine = SimEngine::new(0);
/// engine.program("pay", Program::needs("db_password", b"s3cr3t").exit(3).log("FATAL: password authentication failed"));
/// ```
#[derive(Clone)]
pub struct Program {
    needs: Vec<(String, Vec<SecretValue>)>,
    refuses: Vec<(String, SecretValue)>,
    logins: Vec<Login>,
    script: Script,
}

/// A login that a program needs.
#[derive(Clone)]
struct Login {
    target: String,
    opens: Arc<dyn Fn(&SecretValue) -> bool + Send + Sync>,
}

impl Program {
    /// Runs for ever, whatever its secrets hold.
    #[must_use]
    pub fn runs() -> Self {
        Self { needs: Vec::new(), refuses: Vec::new(), logins: Vec::new(), script: Script::default() }
    }

    /// The same program, which logs in with the secret mounted at `target` once it is up, and ends as with a secret that is
    /// not as needed if that `opens` nothing then. A world that is loaded from a file has no such systems: there it runs.
    #[must_use]
    pub fn logs_in(mut self, target: &str, opens: impl Fn(&SecretValue) -> bool + Send + Sync + 'static) -> Self {
        self.logins.push(Login { target: target.into(), opens: Arc::new(opens) });
        self
    }

    /// The same program, which also logs in again while it runs, a while after passwords were changed.
    #[must_use]
    pub fn logs_in_again(mut self) -> Self {
        self.script.logs_in_again = true;
        self
    }

    /// Ends with an exit code, at once unless [`Program::after`] says when.
    #[must_use]
    pub fn exits(code: i64) -> Self {
        let mut program = Self::runs();
        program.script.ends = Some(Ending { after: Duration::ZERO, code });
        program
    }

    /// Runs only if the secret mounted at `target` reads `value`; otherwise it exits with 1.
    #[must_use]
    pub fn needs(target: &str, value: &[u8]) -> Self {
        Self::runs().and_needs(target, value)
    }

    /// The same program, which needs one more secret to run.
    #[must_use]
    pub fn and_needs(mut self, target: &str, value: &[u8]) -> Self {
        self.needs.push((target.into(), vec![SecretValue::credential(value.to_vec())]));
        self
    }

    /// The same program, which also takes this value for the secret that was named last.
    #[must_use]
    pub fn or(mut self, value: &[u8]) -> Self {
        if let Some((_, values)) = self.needs.last_mut() {
            values.push(SecretValue::credential(value.to_vec()));
        }
        self
    }

    /// Runs unless the secret mounted at `target` reads `value`; then it exits with 1.
    #[must_use]
    pub fn refuses(target: &str, value: &[u8]) -> Self {
        let mut program = Self::runs();
        program.refuses.push((target.into(), SecretValue::credential(value.to_vec())));
        program
    }

    /// The same program, which exits with this code when a secret is not as needed.
    #[must_use]
    pub fn exit(mut self, code: i64) -> Self {
        self.script.refusal = Refusal::Exit(code);
        self
    }

    /// The same program, which goes on with a secret that is not as needed, but fails its health check.
    #[must_use]
    pub fn unhealthy(mut self) -> Self {
        self.script.refusal = Refusal::Unhealthy;
        self
    }

    /// The same program, with the time between its start and its end, be that a refusal or not.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        if let Some(ending) = &mut self.script.ends {
            ending.after = time;
        }
        self.script.refuses_after = time;
        self
    }

    /// The same program, which logs this line when a secret is not as needed, or when it ends by itself.
    #[must_use]
    pub fn log(mut self, line: &str) -> Self {
        self.script.last_words.push(line.into());
        self
    }

    /// The same program, which logs this line when it runs.
    #[must_use]
    pub fn says(mut self, line: &str) -> Self {
        self.script.greeting.push(line.into());
        self
    }

    /// The same program, which does not stop on SIGTERM: it is killed after the grace period, 10 seconds by default.
    #[must_use]
    pub fn ignores_sigterm(mut self) -> Self {
        self.script.ignores_sigterm = true;
        self
    }

    /// The same program, which takes this long to start.
    #[must_use]
    pub fn slow(mut self, start: Duration) -> Self {
        self.script.start = start;
        self
    }

    pub(crate) fn stored(self, vault: &Vault) -> Stored {
        let needs = self
            .needs
            .iter()
            .map(|(target, values)| Need {
                target: target.clone(),
                values: values.iter().map(|value| vault.fingerprint(value.expose())).collect(),
            })
            .collect();
        let refuses =
            self.refuses.iter().map(|(target, value)| (target.clone(), vault.fingerprint(value.expose()))).collect();
        Stored { needs, refuses, logins: self.logins, script: self.script }
    }
}

/// A program as a world keeps it: values are keyed hashes.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    needs: Vec<Need>,
    refuses: Vec<(String, Fingerprint)>,
    /// What it logs in to is not of the world, and is not saved.
    #[serde(skip)]
    logins: Vec<Login>,
    script: Script,
}

#[derive(Clone, Serialize, Deserialize)]
struct Need {
    target: String,
    values: Vec<Fingerprint>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Script {
    refusal: Refusal,
    refuses_after: Duration,
    ends: Option<Ending>,
    greeting: Vec<String>,
    last_words: Vec<String>,
    ignores_sigterm: bool,
    start: Duration,
    #[serde(default)]
    logs_in_again: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            refusal: Refusal::Exit(1),
            refuses_after: Duration::from_millis(150),
            ends: None,
            greeting: Vec::new(),
            last_words: Vec::new(),
            ignores_sigterm: false,
            start: Duration::from_millis(800),
            logs_in_again: false,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Refusal {
    Exit(i64),
    Unhealthy,
}

/// How a program ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub(crate) after: Duration,
    pub(crate) code: i64,
}

/// How one run of a program goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) healthy: bool,
    pub(crate) ends: Option<Ending>,
    pub(crate) start: Duration,
}

impl Stored {
    /// What a job does unless the test says otherwise: it does its work within a second.
    pub(crate) fn job(vault: &Vault) -> Self {
        Program::exits(0).after(Duration::from_secs(1)).stored(vault)
    }

    /// How the program goes with the secrets that it reads: `reads(target, values)` says whether the secret at `target`
    /// has one of `values`.
    pub(crate) fn run(&self, reads: impl Fn(&str, &[Fingerprint]) -> bool) -> Run {
        let script = &self.script;
        let content = self.needs.iter().all(|need| reads(&need.target, &need.values))
            && !self.refuses.iter().any(|(target, value)| reads(target, std::slice::from_ref(value)));
        let (healthy, ends) = match (content, script.refusal) {
            (true, _) => (true, script.ends),
            (false, Refusal::Unhealthy) => (false, script.ends),
            (false, Refusal::Exit(code)) => (true, Some(Ending { after: script.refuses_after, code })),
        };
        Run { healthy, ends, start: script.start }
    }

    /// When it logs in for the first time, from its start; none if it never does.
    pub(crate) fn first_login(&self) -> Option<Duration> {
        (!self.logins.is_empty()).then_some(self.script.refuses_after)
    }

    pub(crate) fn logs_in_again(&self) -> bool {
        self.script.logs_in_again
    }

    /// The first target whose value does not log in now: `held(target)` is that value, where there is one.
    pub(crate) fn locked_out<'a>(&self, held: impl Fn(&str) -> Option<&'a SecretValue>) -> Option<&str> {
        let shut = |login: &&Login| !held(&login.target).is_some_and(|value| (login.opens)(value));
        self.logins.iter().find(shut).map(|login| login.target.as_str())
    }

    /// The exit code with which it ends when a secret is not as needed.
    pub(crate) fn refusal_code(&self) -> i64 {
        match self.script.refusal {
            Refusal::Exit(code) => code,
            Refusal::Unhealthy => 1,
        }
    }

    pub(crate) fn greeting(&self) -> &[String] {
        &self.script.greeting
    }

    pub(crate) fn last_words(&self) -> &[String] {
        &self.script.last_words
    }

    pub(crate) fn ignores_sigterm(&self) -> bool {
        self.script.ignores_sigterm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: Program, mounted: &[(&str, &[u8])]) -> Run {
        let vault = Vault::new();
        let mounted: Vec<_> = mounted.iter().map(|(target, value)| (*target, vault.fingerprint(value))).collect();
        program.stored(&vault).run(|target, values| {
            mounted.iter().any(|(at, value)| *at == target && values.iter().any(|wanted| wanted == value))
        })
    }

    #[test]
    fn a_wrong_or_missing_secret_ends_it() {
        let pay = || Program::needs("pw", b"good").or(b"better").exit(3);
        assert_eq!(run(pay(), &[("pw", b"good")]).ends, None);
        assert_eq!(run(pay(), &[("pw", b"better")]).ends, None);
        assert_eq!(run(pay(), &[("pw", b"bad")]).ends.unwrap().code, 3);
        assert_eq!(run(pay(), &[("other", b"good")]).ends.unwrap().code, 3);
        assert_eq!(run(Program::refuses("pw", b"bad"), &[("pw", b"other")]).ends, None);
        assert_eq!(run(Program::refuses("pw", b"bad"), &[("pw", b"bad")]).ends.unwrap().code, 1);
        assert_eq!(run(pay().and_needs("k", b"v"), &[("pw", b"good")]).ends.unwrap().code, 3);
    }

    #[test]
    fn an_unhealthy_one_goes_on() {
        let run = run(Program::needs("pw", b"good").unhealthy(), &[("pw", b"bad")]);
        assert_eq!((run.healthy, run.ends), (false, None));
    }
}
