//! From flags and environment to a [`Connection`]: a pure function, so that every case has a test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use swarmsecrets_core::ids::{listed, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use super::{Connection, KeySource, Portainer, ServerAt, lookalike};
use crate::args::ConnectionArgs;

/// What a command is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Look. Without any setting the demo world is shown.
    Read,
    /// Change something. Never on a guess.
    Change,
}

/// Decides what is meant. Flags win over the environment; nothing that was set is ignored without a word.
///
/// # Errors
/// [`ErrorKind::Settings`] if settings are missing, contradictory, or misspelt; [`ErrorKind::Invalid`] for a bad number.
pub(crate) fn resolve(
    flags: &ConnectionArgs,
    environment: &BTreeMap<String, String>,
    intent: Intent,
) -> Result<Connection> {
    if flags.sim {
        return simulation(flags, environment);
    }
    if flags.sim_state.is_some() {
        return Err(settings("--sim-state keeps the simulated world: give --sim as well, or leave it out"));
    }
    let found = Found::new(flags, environment)?;
    if let Some(server) = server(flags, environment)? {
        return match found.nothing() {
            true => Ok(Connection::Server(server)),
            false => Err(settings(
                "a server is set, and so is a Portainer or an agent: the server has its own, and its token says who acts. Unset \
                 SWARMSECRETS_SERVER and SWARMSECRETS_TOKEN_FILE, or all settings of Portainer and SWARMSECRETS_AGENT_ID",
            )),
        };
    }
    let slips = lookalike::find(environment);
    match found.complete()? {
        Ok(portainer) => Ok(Connection::Portainer(portainer)),
        Err(missing) if found.nothing() && slips.is_empty() => match intent {
            Intent::Read => Ok(Connection::Simulation { state: None, asked: false, agent: None }),
            Intent::Change => Err(settings(format!(
                "no Portainer is set, and nothing is changed on a guess: set {}, or try it on the simulator with --sim",
                listed(&missing)
            ))),
        },
        Err(missing) => Err(settings(incomplete(&missing, &slips))),
    }
}

fn simulation(flags: &ConnectionArgs, environment: &BTreeMap<String, String>) -> Result<Connection> {
    let flag = [
        ("--url", flags.url.is_some()),
        ("--api-key-file", flags.api_key_file.is_some()),
        ("--endpoint", flags.endpoint.is_some()),
        ("--ca-file", flags.ca_file.is_some()),
        ("--server", flags.server.is_some()),
        ("--token-file", flags.token_file.is_some()),
    ]
    .into_iter()
    .find_map(|(name, given)| given.then_some(name));
    if let Some(name) = flag {
        return Err(settings(format!(
            "--sim runs on the simulator and {name} names something else: give one of the two"
        )));
    }
    let agent = flags.agent_id.clone().or_else(|| environment.get("SWARMSECRETS_AGENT_ID").cloned());
    Ok(Connection::Simulation { state: flags.sim_state.clone(), asked: true, agent: agent.filter(|a| !a.is_empty()) })
}

/// Whether a server is meant, be the settings good or not.
pub(crate) fn names_server(flags: &ConnectionArgs, environment: &BTreeMap<String, String>) -> bool {
    let set = |name: &str| environment.contains_key(name);
    flags.server.is_some() || flags.token_file.is_some() || set("SWARMSECRETS_SERVER") || set("SWARMSECRETS_TOKEN_FILE")
}

/// The server that is set, if one is.
fn server(flags: &ConnectionArgs, environment: &BTreeMap<String, String>) -> Result<Option<ServerAt>> {
    let address = match &flags.server {
        Some(address) => Some(address.as_str()),
        None => lookalike::variable(environment, "SWARMSECRETS_SERVER")?,
    };
    let token_file = match &flags.token_file {
        Some(path) => Some(path.clone()),
        None => lookalike::variable(environment, "SWARMSECRETS_TOKEN_FILE")?.map(PathBuf::from),
    };
    match (address, token_file) {
        (None, None) => Ok(None),
        (Some(address), Some(token_file)) => Ok(Some(ServerAt { address: address.to_owned(), token_file })),
        (Some(_), None) => {
            Err(settings("the settings are not complete: set SWARMSECRETS_TOKEN_FILE (or --token-file)"))
        }
        (None, Some(_)) => Err(settings("the settings are not complete: set SWARMSECRETS_SERVER (or --server)")),
    }
}

/// Every setting, wherever it was found.
struct Found<'a> {
    url: Option<&'a str>,
    key: Option<Key<'a>>,
    endpoint: Option<&'a str>,
    agent: Option<&'a str>,
    ca_file: Option<PathBuf>,
}

enum Key<'a> {
    File(PathBuf),
    Variable(&'a str),
}

impl<'a> Found<'a> {
    fn new(flags: &'a ConnectionArgs, environment: &'a BTreeMap<String, String>) -> Result<Self> {
        let variable = |name: &str| match environment.get(name).map(String::as_str) {
            // An empty variable is a slip, such as a template that was not filled in, and not "no Portainer".
            Some("") => Err(settings(format!("{name} is set but empty: give it a value or unset it"))),
            value => Ok(value),
        };
        let either = |flag: &'a Option<String>, name: &str| match flag {
            Some(text) => Ok(Some(text.as_str())),
            None => variable(name),
        };
        let file = |flag: &Option<PathBuf>, name: &str| match flag {
            Some(path) => Ok(Some(path.clone())),
            None => Ok::<_, Error>(variable(name)?.map(PathBuf::from)),
        };
        let key_variable = variable("PORTAINER_API_KEY")?;
        let key = match (&flags.api_key_file, variable("PORTAINER_API_KEY_FILE")?, key_variable) {
            (Some(path), _, _) => Some(Key::File(path.clone())),
            (None, Some(_), Some(_)) => {
                return Err(settings("PORTAINER_API_KEY and PORTAINER_API_KEY_FILE are both set: unset one of them"));
            }
            (None, Some(path), None) => Some(Key::File(path.into())),
            (None, None, key) => key.map(Key::Variable),
        };
        Ok(Self {
            url: either(&flags.url, "PORTAINER_URL")?,
            key,
            endpoint: either(&flags.endpoint, "PORTAINER_ENDPOINT")?,
            agent: either(&flags.agent_id, "SWARMSECRETS_AGENT_ID")?,
            ca_file: file(&flags.ca_file, "PORTAINER_CA_FILE")?,
        })
    }

    fn nothing(&self) -> bool {
        self.url.is_none()
            && self.key.is_none()
            && self.endpoint.is_none()
            && self.agent.is_none()
            && self.ca_file.is_none()
    }

    /// The settings if they are complete, else which are missing.
    fn complete(&self) -> Result<std::result::Result<Portainer, Vec<&'static str>>> {
        let (Some(url), Some(key), Some(endpoint)) = (self.url, &self.key, self.endpoint) else {
            let all = [
                ("PORTAINER_URL (or --url)", self.url.is_none()),
                ("PORTAINER_API_KEY or PORTAINER_API_KEY_FILE (or --api-key-file)", self.key.is_none()),
                ("PORTAINER_ENDPOINT (or --endpoint)", self.endpoint.is_none()),
            ];
            return Ok(Err(all.into_iter().filter_map(|(name, missing)| missing.then_some(name)).collect()));
        };
        Ok(Ok(Portainer {
            url: url.to_owned(),
            key: match key {
                Key::File(path) => KeySource::File(path.clone()),
                Key::Variable(text) => KeySource::Given(SecretValue::credential(text.as_bytes().to_vec())),
            },
            environment: endpoint.trim().parse().map_err(|e: Error| e.context("PORTAINER_ENDPOINT or --endpoint"))?,
            agent: self.agent.map(str::to_owned),
            ca_file: self.ca_file.clone(),
        }))
    }
}

fn incomplete(missing: &[&str], slips: &[(String, &str)]) -> String {
    let mut text = format!("the settings are not complete: set {}", listed(missing));
    for (name, meant) in slips {
        let _ = write!(text, "; {} is set, which is not read: is {meant} meant?", quoted(name));
    }
    text.push_str("; or unset them all to see the simulated demo world");
    text
}

fn settings(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Settings, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: (&str, &str) = ("PORTAINER_URL", "https://p:9443");
    const KEY: (&str, &str) = ("PORTAINER_API_KEY", "ptr_made-up");
    const KEY_FILE: (&str, &str) = ("PORTAINER_API_KEY_FILE", "/run/secrets/key");
    const ENDPOINT: (&str, &str) = ("PORTAINER_ENDPOINT", "3");

    /// What is given, what must be named as missing, and what must not.
    type Partial = (&'static [(&'static str, &'static str)], &'static [&'static str], &'static [&'static str]);

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn from_environment(pairs: &[(&str, &str)], intent: Intent) -> Result<Connection> {
        resolve(&ConnectionArgs::default(), &map(pairs), intent)
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        let read = from_environment(pairs, Intent::Read).unwrap_err();
        let change = from_environment(pairs, Intent::Change).unwrap_err();
        assert!(matches!(read.kind(), ErrorKind::Settings | ErrorKind::Invalid), "{read}");
        assert_eq!(read.message(), change.message(), "reading and changing commands agree");
        assert!(!read.message().contains("ptr_made-up"));
        read.message().to_owned()
    }

    #[test]
    fn nothing_at_all_shows_the_demo_and_changes_nothing() {
        let demo = from_environment(&[("PATH", "/bin")], Intent::Read).unwrap();
        assert!(matches!(demo, Connection::Simulation { state: None, asked: false, .. }));
        let error = from_environment(&[], Intent::Change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings);
        for part in ["PORTAINER_URL", "PORTAINER_API_KEY", "PORTAINER_ENDPOINT", "--sim"] {
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn complete_settings_come_from_either_place() {
        for pairs in [[URL, KEY, ENDPOINT], [URL, KEY_FILE, ENDPOINT]] {
            let Connection::Portainer(p) = from_environment(&pairs, Intent::Change).unwrap() else { panic!() };
            assert_eq!((p.url.as_str(), p.environment.0, p.agent), ("https://p:9443", 3, None));
        }
        let flags = ConnectionArgs {
            url: Some("https://flag".into()),
            api_key_file: Some("/flag".into()),
            agent_id: Some("bot".into()),
            ..ConnectionArgs::default()
        };
        let Connection::Portainer(p) = resolve(&flags, &map(&[URL, KEY, ENDPOINT]), Intent::Read).unwrap() else {
            panic!()
        };
        assert_eq!((p.url.as_str(), p.agent.as_deref()), ("https://flag", Some("bot")), "flags win");
        assert!(matches!(p.key, KeySource::File(path) if path.ends_with("flag")));
    }

    #[test]
    fn every_partial_set_names_what_is_missing() {
        let cases: [Partial; 6] = [
            (&[URL], &["PORTAINER_API_KEY", "PORTAINER_ENDPOINT"], &["PORTAINER_URL"]),
            (&[KEY], &["PORTAINER_URL", "PORTAINER_ENDPOINT"], &["PORTAINER_API_KEY"]),
            (&[ENDPOINT], &["PORTAINER_URL", "PORTAINER_API_KEY"], &["PORTAINER_ENDPOINT"]),
            (&[URL, KEY], &["PORTAINER_ENDPOINT"], &["PORTAINER_URL", "PORTAINER_API_KEY"]),
            (&[("SWARMSECRETS_AGENT_ID", "bot")], &["PORTAINER_URL"], &["SWARMSECRETS"]),
            (&[("PORTAINER_CA_FILE", "/ca")], &["PORTAINER_URL"], &["CA_FILE"]),
        ];
        for (given, missing, not_missing) in cases {
            let text = refusal(given);
            assert!(missing.iter().all(|name| text.contains(name)), "{given:?}: {text}");
            assert!(!not_missing.iter().any(|name| text.contains(name)), "{given:?}: {text}");
        }
    }

    #[test]
    fn slips_are_named_with_what_was_meant() {
        for (name, meant) in [
            ("PORTAINER_TOKEN", "PORTAINER_API_KEY"),
            ("PORTAINER_APIKEY", "PORTAINER_API_KEY"),
            ("PORTAINER_HOST", "PORTAINER_URL"),
        ] {
            for given in [vec![(name, "ptr_made-up")], vec![(name, "ptr_made-up"), ENDPOINT]] {
                let text = refusal(&given);
                assert!(
                    text.contains(&format!("`{name}` is set")) && text.contains(&format!("is {meant} meant")),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn contradictions_empty_values_and_bad_numbers_are_refused() {
        assert!(refusal(&[URL, KEY, KEY_FILE, ENDPOINT]).contains("both set"));
        assert!(refusal(&[("PORTAINER_URL", ""), KEY, ENDPOINT]).contains("PORTAINER_URL is set but empty"));
        assert!(refusal(&[("PORTAINER_URL", "")]).contains("PORTAINER_URL is set but empty"));
        assert!(refusal(&[URL, KEY, ("PORTAINER_ENDPOINT", "primary")]).contains("`primary` is not an environment"));
        assert!(refusal(&[URL, KEY, ("PORTAINER_ENDPOINT", "0")]).contains("`0` is not an environment"));
    }

    #[test]
    fn the_simulator_is_asked_for_by_name_and_never_mixed() {
        let sim = ConnectionArgs { sim: true, sim_state: Some("s.json".into()), ..ConnectionArgs::default() };
        // A whole Portainer in the environment does not matter then, nor does a partial one.
        for environment in [map(&[URL, KEY, ENDPOINT]), map(&[URL]), map(&[])] {
            let connection = resolve(&sim, &environment, Intent::Change).unwrap();
            assert!(matches!(connection, Connection::Simulation { state: Some(_), asked: true, .. }));
        }
        let both = ConnectionArgs { url: Some("https://p".into()), ..sim };
        assert!(resolve(&both, &map(&[]), Intent::Read).unwrap_err().message().contains("--url"));
        let state = ConnectionArgs { sim_state: Some("s.json".into()), ..ConnectionArgs::default() };
        assert!(
            resolve(&state, &map(&[URL, KEY, ENDPOINT]), Intent::Read).unwrap_err().message().contains("--sim-state")
        );
    }
}
