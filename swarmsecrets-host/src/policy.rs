//! Policies from files, and kill switches that are files.

use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZoneDatabase;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::policy::{Counters, Equipment, Guard, KillSwitch, PastValues, Policy, WordLists};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::counters::FileCounters;
use crate::past::FilePast;
use crate::words::read_words;

/// Where an operator installs the policy that holds for everybody on a machine.
pub const INSTALLED_POLICY: &str = "/etc/swarmsecrets/policy.toml";

/// On while its file is there.
#[derive(Clone, Debug)]
pub struct FileSwitch {
    file: PathBuf,
}

impl FileSwitch {
    /// The switch of this file.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }
}

#[async_trait]
impl KillSwitch for FileSwitch {
    async fn is_on(&self) -> Result<bool> {
        let failed = |e| Error::new(ErrorKind::Io, "the file of the kill switch cannot be looked for").with_source(e);
        match std::fs::symlink_metadata(&self.file) {
            Ok(_) => Ok(true),
            // A folder that is not there, as of a volume that is not mounted, tells nothing.
            Err(e) if e.kind() == Io::NotFound => {
                let folder = self.file.parent().unwrap_or(Path::new("/"));
                std::fs::read_dir(folder).map(|_| false).map_err(failed)
            }
            Err(e) => Err(failed(e)),
        }
    }
}

/// Reads a policy from its file.
///
/// # Errors
/// [`ErrorKind::Settings`] if the file cannot be read or is no policy; then with the line and column.
pub fn read_policy(file: &Path) -> Result<Policy> {
    parse_policy(&policy_text(file)?).map_err(|error| error.context(quoted(&file.to_string_lossy())))
}

/// The text of a policy's file.
///
/// # Errors
/// [`ErrorKind::Settings`] if it cannot be read.
pub fn policy_text(file: &Path) -> Result<String> {
    let failed = |e: std::io::Error| {
        let text = format!("cannot read the policy {}: {e}", quoted(&file.to_string_lossy()));
        Error::new(ErrorKind::Settings, text).with_source(e)
    };
    std::fs::read_to_string(file).map_err(failed)
}

/// Reads a policy from its text. Its time zones are those that this version was built with, whatever the machine says.
///
/// # Errors
/// [`ErrorKind::Settings`], with the line and column, if it is no policy.
pub fn parse_policy(text: &str) -> Result<Policy> {
    Policy::parse(text, &TimeZoneDatabase::bundled())
}

/// The policies that are in force: the one that is installed on this machine, if one is, and behind it the given ones. All hold,
/// so that a given one can only tighten; who approves is said by the first alone. In a simulation the installed one does not
/// hold.
///
/// # Errors
/// As [`read_policy`]. What is there and cannot be read is not passed over.
pub fn policies_in_force(given: &[&Path], simulated: bool) -> Result<Vec<Guard>> {
    let installed = Path::new(INSTALLED_POLICY);
    let there = !simulated && installed.symlink_metadata().map_or_else(|e| e.kind() != Io::NotFound, |_| true);
    in_order(there.then_some(installed), given)
}

fn in_order(installed: Option<&Path>, given: &[&Path]) -> Result<Vec<Guard>> {
    let files = installed.into_iter().chain(given.iter().copied());
    files.map(|file| policy_in_force(&file.to_string_lossy(), read_policy(file)?)).collect()
}

/// Puts a policy in force that was not read by [`policies_in_force`], with the switch that it names: while that file is there, nothing
/// is changed; and with the lists of words that it names, which are read now. Its limits are counted, and values are remembered, in the
/// folder that it names. The policy that is installed holds beside it: what is given alone is not all that is in force.
///
/// # Errors
/// Those of [`Guard::equipped`] and [`read_words`].
pub fn policy_in_force(name: &str, policy: Policy) -> Result<Guard> {
    let file = policy.kill_switch().and_then(|named| named.file.as_ref());
    let switch = file.map(|file| Arc::new(FileSwitch::new(file)) as Arc<dyn KillSwitch>);
    let counters = policy.state().map(|state| Arc::new(FileCounters::new(state)) as Arc<dyn Counters>);
    let past = policy.state().map(|state| Arc::new(FilePast::new(state)) as Arc<dyn PastValues>);
    let words: WordLists =
        policy.dictionaries().map(|file| Ok((file.to_owned(), read_words(Path::new(file))?))).collect::<Result<_>>()?;
    Guard::equipped(name, policy, Equipment { switch, counters, past, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_switch_is_on_while_its_file_is_there_and_what_cannot_be_told_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stop");
        assert!(!FileSwitch::new(&file).is_on().await.unwrap());
        std::fs::write(&file, "").unwrap();
        assert!(FileSwitch::new(&file).is_on().await.unwrap());
        assert!(FileSwitch::new(folder.path().join("no/such/folder/stop")).is_on().await.is_err());
        assert!(FileSwitch::new(file.join("below-a-file")).is_on().await.is_err());
        std::os::unix::fs::symlink("/nowhere", folder.path().join("dangling")).unwrap();
        assert!(FileSwitch::new(folder.path().join("dangling")).is_on().await.unwrap());
    }

    #[test]
    fn a_policy_that_cannot_be_read_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("policy.toml");
        let error = policies_in_force(&[&missing], true).err().unwrap();
        assert!(error.to_string().contains("policy.toml"), "{error}");
        std::fs::write(&missing, "schema = 1\nphases = 3\n").unwrap();
        let error = policies_in_force(&[&missing], true).err().unwrap();
        assert!(error.to_string().contains("line 2, column 10"), "{error}");
        std::fs::write(&missing, "schema = 1\n").unwrap();
        assert_eq!(policies_in_force(&[&missing, &missing], true).unwrap().len(), 2);
    }

    /// Otherwise whoever gives a policy could name approvers of their own.
    #[test]
    fn the_installed_policy_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let (installed, given) = (folder.path().join("installed"), folder.path().join("given"));
        std::fs::write(&installed, "schema = 1\n").unwrap();
        std::fs::write(&given, "schema = 1\n").unwrap();
        let guards = in_order(Some(&installed), &[&given]).unwrap();
        let names: Vec<&str> = guards.iter().map(Guard::name).collect();
        assert_eq!(names, [installed.to_str().unwrap(), given.to_str().unwrap()]);
    }

    #[test]
    fn a_policy_from_text_is_in_force_with_its_switch() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stop");
        let text = format!("schema = 1\n[kill_switch]\nfile = '{}'\n", file.display());
        let guard = policy_in_force("given", parse_policy(&text).unwrap()).unwrap();
        assert_eq!(guard.name(), "given");
        assert!(Guard::new("given", guard.policy().clone()).is_err(), "a switch that is named is needed");
        assert!(policy_in_force("none", parse_policy("schema = 1\n").unwrap()).is_ok());
        let error = parse_policy("schema = 2\n").unwrap_err();
        assert!(error.to_string().contains("line 1, column 10"), "{error}");
    }

    /// Those of docs/governance.md.
    #[test]
    fn the_ready_policies_say_what_their_first_lines_say() {
        use swarmsecrets_core::ids::EnvironmentId;
        use swarmsecrets_core::inventory::{Labels, Owner};
        use swarmsecrets_core::policy::{Act, Action, Decision};
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policies");
        let read = |name: &str| read_policy(&folder.join(name)).unwrap();
        let low: Labels = [("tier".to_owned(), "low".to_owned())].into_iter().collect();
        let none = Labels::new();
        let payments = Owner {
            names: vec!["team payments".into()],
            teams: vec![swarmsecrets_core::ids::TeamId(7)],
            ..Owner::default()
        };
        let act = |action, agent, environment, labels| Act {
            action,
            agent,
            environment: EnvironmentId(environment),
            secret: "db",
            versions: vec![("db", labels)],
            services: Vec::new(),
            stacks: Vec::new(),
            owner: None,
        };
        let word = |policy: &Policy, act: &Act<'_>| match policy.judge(act).decision() {
            Decision::Allow => "allow",
            Decision::NeedsApproval { .. } => "approval",
            Decision::Deny { .. } => "deny",
        };
        let agent = Some("agent-7");
        let audit = read("read-only-audit.toml");
        assert_eq!(word(&audit, &act(Action::Revoke, None, 1, &low)), "deny");
        let production = read("assisted-production.toml");
        assert_eq!(word(&production, &act(Action::Rotate, agent, 1, &none)), "approval");
        assert_eq!(word(&production, &act(Action::Create, agent, 1, &none)), "deny");
        assert_eq!(word(&production, &act(Action::Create, None, 1, &none)), "approval");
        let hers = Act { owner: Some(&payments), ..act(Action::Rotate, agent, 1, &none) };
        assert_eq!(word(&production, &hers), "deny");
        let rotate = act(Action::Rotate, agent, 1, &none);
        let noon: jiff::Timestamp = "2026-11-24T11:00:00Z".parse().unwrap();
        let night: jiff::Timestamp = "2026-11-24T01:00:00Z".parse().unwrap();
        let frozen: jiff::Timestamp = "2026-12-22T01:00:00Z".parse().unwrap();
        let open = |act: &Act<'_>, at| production.hours(act).are_open(at);
        assert_eq!([open(&rotate, noon), open(&rotate, night), open(&rotate, frozen)], [false, true, false]);
        assert!(open(&act(Action::Revoke, agent, 1, &none), frozen), "a leaked value does not wait");
        let tests = read("automated-non-production.toml");
        assert_eq!(word(&tests, &act(Action::Rotate, agent, 2, &low)), "allow");
        assert_eq!(word(&tests, &act(Action::Rotate, agent, 2, &none)), "approval");
        assert_eq!(word(&tests, &act(Action::Rotate, agent, 1, &low)), "deny");
    }

    /// The published schema is the one of this version: after a change, write it anew with `swarmsecrets policy schema`.
    #[test]
    fn the_published_schema_is_this_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.schema.json");
        let published: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert!(
            published == Policy::schema(),
            "docs/policy.schema.json is not what `swarmsecrets policy schema` prints"
        );
    }
}
