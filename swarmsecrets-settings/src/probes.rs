//! Which probes are asked whether which services work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::duration::parse_duration;
use swarmsecrets_core::executor::Probes;
use swarmsecrets_core::health::{HealthProbe, LogProbe};
use swarmsecrets_core::ids::{EnvironmentId, quoted};
use swarmsecrets_core::plan::Probed;
use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_health::{CommandProbe, HttpProbe, TcpProbe, Trust};

use crate::entries::{self, Settings};

/// Probes, with the services that each is for.
#[derive(Clone, Default)]
pub struct ProbeSet(Vec<(Probed, Ask)>);

/// How one asks.
#[derive(Clone)]
pub enum Ask {
    /// At an address of its own.
    Outside(Arc<dyn HealthProbe>),
    /// In the containers.
    Inside(Arc<dyn HealthProbe>),
    /// In the log, through Portainer; how long it may be read.
    Logs(Option<Duration>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    probes: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    service: Option<String>,
    /// `key=value`.
    label: Option<String>,
    kind: Kind,
    deadline: Option<String>,
    url: Option<String>,
    /// A file that holds the URL, whose query may be a credential.
    url_file: Option<PathBuf>,
    status: Option<u16>,
    body_contains: Option<String>,
    requests: Option<u32>,
    address: Option<String>,
    tls: Option<bool>,
    ca_file: Option<PathBuf>,
    command: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Http,
    Tcp,
    Command,
    Logs,
}

impl ProbeSet {
    /// Reads a file of `--probes`, and the files that it names.
    ///
    /// # Errors
    /// `Io` if one cannot be read, `Invalid` if it cannot be understood: with the number of the entry.
    pub fn read(path: &Path) -> Result<Self> {
        let file: File = entries::read(path)?;
        let (place, folder) = (quoted(&path.to_string_lossy()), entries::folder(path));
        let read = |(n, entry): (usize, Entry)| {
            entry.read(folder).map_err(|error| error.context(format!("probe {} of {place}", n + 1)))
        };
        file.probes.into_iter().enumerate().map(read).collect::<Result<_>>().map(Self)
    }

    /// These probes and another one.
    #[must_use]
    pub fn and(mut self, services: Probed, probe: Ask) -> Self {
        self.0.push((services, probe));
        self
    }

    /// The probes, for this environment. A simulated service says nothing of what answers at an address, nor the other way
    /// round.
    ///
    /// # Errors
    /// `Invalid` for a probe that asks a real server about a simulated service.
    pub fn of<'w>(
        &self,
        transport: &'w dyn Transport,
        environment: EnvironmentId,
        clock: &'w dyn Clock,
    ) -> Result<Probes<'w>> {
        let mut probes = Probes::none();
        for (services, ask) in &self.0 {
            let probe: Arc<dyn HealthProbe + 'w> = match ask {
                Ask::Outside(probe) if transport.simulated() => {
                    return Err(invalid(format!(
                        "{} asks a real server, and this world is simulated: only the kinds `command` and `logs` can be asked here",
                        quoted(probe.name())
                    )));
                }
                Ask::Outside(probe) | Ask::Inside(probe) => probe.clone(),
                Ask::Logs(deadline) => {
                    let probe = LogProbe::new(transport, environment, clock)?;
                    Arc::new(match deadline {
                        Some(deadline) => probe.deadline(*deadline),
                        None => probe,
                    })
                }
            };
            probes = probes.and(services.clone(), probe);
        }
        Ok(probes)
    }
}

/// A probe from the settings of an entry without its services. Files that it names start from the working folder.
///
/// # Errors
/// `Invalid` if the settings cannot be understood, `Io` if a file that they name cannot be read.
pub fn probe(settings: Settings) -> Result<Ask> {
    let entry: Entry = entries::understand(settings)?;
    entries::refuse_strays(&[("service", entry.service.is_some()), ("label", entry.label.is_some())])?;
    entry.ask(Path::new(""))
}

impl Entry {
    fn read(&self, folder: &Path) -> Result<(Probed, Ask)> {
        Ok((self.services()?, self.ask(folder)?))
    }

    fn ask(&self, folder: &Path) -> Result<Ask> {
        self.only_for_its_kind()?;
        Ok(match self.kind {
            Kind::Http => Ask::Outside(Arc::new(self.http(folder)?)),
            Kind::Tcp => Ask::Outside(Arc::new(self.tcp(folder)?)),
            Kind::Command => Ask::Inside(Arc::new(self.command()?)),
            Kind::Logs => Ask::Logs(self.deadline()?),
        })
    }

    /// Settings of one kind that another has no use for are refused.
    fn only_for_its_kind(&self) -> Result<()> {
        let (http, tcp) = (self.kind == Kind::Http, self.kind == Kind::Tcp);
        entries::refuse_strays(&[
            ("url", self.url.is_some() && !http),
            ("url-file", self.url_file.is_some() && !http),
            ("status", self.status.is_some() && !http),
            ("body-contains", self.body_contains.is_some() && !http),
            ("requests", self.requests.is_some() && !http),
            ("address", self.address.is_some() && !tcp),
            ("tls", self.tls.is_some() && !tcp),
            ("ca-file", self.ca_file.is_some() && !http && !(tcp && self.tls == Some(true))),
            ("command", self.command.is_some() && self.kind != Kind::Command),
        ])
    }

    fn services(&self) -> Result<Probed> {
        match (&self.service, &self.label) {
            (Some(name), None) if !name.is_empty() => Ok(Probed::Named(name.clone())),
            (None, Some(label)) => match label.split_once('=') {
                Some((key, value)) if !key.is_empty() => Ok(Probed::Labelled(key.to_owned(), value.to_owned())),
                _ => Err(invalid(format!("`label` is {}: give it like `tier=web`", quoted(label)))),
            },
            _ => Err(invalid("which service is it for? give `service`, or `label` for several")),
        }
    }

    fn deadline(&self) -> Result<Option<Duration>> {
        let parse = |text: &String| match parse_duration(text) {
            Ok(deadline) if deadline.is_zero() => Err(invalid("`deadline` is zero: give it like `20s`")),
            Ok(deadline) => Ok(deadline),
            Err(why) => Err(invalid(format!("`deadline`: {why}"))),
        };
        self.deadline.as_ref().map(parse).transpose()
    }

    fn url(&self, folder: &Path) -> Result<String> {
        match (&self.url, &self.url_file) {
            (Some(url), None) => Ok(url.clone()),
            (None, Some(path)) => {
                let value = swarmsecrets_host::read_value(&folder.join(path))?.value;
                let text = std::str::from_utf8(value.expose()).map(|text| text.trim().to_owned());
                text.map_err(|_| invalid("`url-file` holds no text"))
            }
            _ => Err(invalid("what is asked for? give `url` or `url-file`")),
        }
    }

    fn http(&self, folder: &Path) -> Result<HttpProbe> {
        let mut probe = HttpProbe::builder(&self.url(folder)?);
        if let Some(pem) = entries::authority(folder, self.ca_file.as_deref())? {
            probe = probe.ca_certificate(&pem);
        }
        if let Some(status) = self.status {
            probe = probe.status(status);
        }
        if let Some(text) = &self.body_contains {
            probe = probe.body_contains(text);
        }
        if let Some(requests) = self.requests {
            probe = probe.requests(requests);
        }
        if let Some(deadline) = self.deadline()? {
            probe = probe.deadline(deadline);
        }
        probe.build()
    }

    fn tcp(&self, folder: &Path) -> Result<TcpProbe> {
        let address = self.address.as_deref();
        let address = address.ok_or_else(|| invalid("where is it? give `address`"))?;
        let mut probe = TcpProbe::new(address)?;
        if self.tls == Some(true) {
            let trust = entries::authority(folder, self.ca_file.as_deref())?.map_or(Trust::System, Trust::Only);
            probe = probe.tls(&trust)?;
        }
        if let Some(deadline) = self.deadline()? {
            probe = probe.deadline(deadline);
        }
        Ok(probe)
    }

    fn command(&self) -> Result<CommandProbe> {
        let words: Vec<&str> = self.command.iter().flatten().map(String::as_str).collect();
        if words.is_empty() {
            return Err(invalid("what is run? give `command`, as a list of the program and its arguments"));
        }
        let probe = CommandProbe::new(&words)?;
        Ok(match self.deadline()? {
            Some(deadline) => probe.deadline(deadline),
            None => probe,
        })
    }
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ProbeSet> {
        let folder = tempfile::tempdir().unwrap();
        let authority = rcgen::generate_simple_self_signed(vec!["h".into()]).unwrap().cert.pem();
        std::fs::write(folder.path().join("p.toml"), text).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority).unwrap();
        std::fs::write(folder.path().join("url"), "https://pay.example.org/healthz?token=made-up-token\n").unwrap();
        ProbeSet::read(&folder.path().join("p.toml"))
    }

    fn names(file: &ProbeSet) -> Vec<(Probed, String)> {
        let name = |ask: &Ask| match ask {
            Ask::Outside(probe) | Ask::Inside(probe) => probe.name().to_owned(),
            Ask::Logs(deadline) => format!("logs {deadline:?}"),
        };
        file.0.iter().map(|(services, ask)| (services.clone(), name(ask))).collect()
    }

    const GOOD: &str = r#"
[[probes]]
service = "pay"
kind = "http"
url-file = "url"
status = 200
body-contains = "ok"
requests = 3
deadline = "20s"
ca-file = "ca.pem"

[[probes]]
service = "db"
kind = "tcp"
address = "db.example.org:5432"
tls = true
ca-file = "ca.pem"

[[probes]]
service = "db"
kind = "command"
command = ["pg_isready", "-q"]

[[probes]]
label = "tier=web"
kind = "logs"
deadline = "30s"
"#;

    #[test]
    fn probes_are_read_and_the_query_of_a_url_is_not_shown() {
        let file = read(GOOD).unwrap_or_else(|error| panic!("{}", error));
        let (named, web) = (|name: &str| Probed::Named(name.into()), Probed::Labelled("tier".into(), "web".into()));
        let expected = [
            (named("pay"), "http https://pay.example.org/healthz".to_owned()),
            (named("db"), "tls db.example.org:5432".to_owned()),
            (named("db"), "command `pg_isready`".to_owned()),
            (web, "logs Some(30s)".to_owned()),
        ];
        assert_eq!(names(&file), expected);
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, part) in [
            ("kind = \"logs\"", "kind = \"smoke\"", "smoke"),
            ("service = \"pay\"", "sevrice = \"pay\"", "sevrice"),
            ("service = \"pay\"\n", "", "probe 1 of `"),
            ("service = \"pay\"", "service = \"pay\"\nlabel = \"tier=web\"", "give `service`, or `label`"),
            ("label = \"tier=web\"", "label = \"web\"", "`label` is `web`"),
            ("url-file = \"url\"\n", "", "give `url` or `url-file`"),
            ("url-file = \"url\"", "url-file = \"nosuch\"", "nosuch"),
            ("url-file = \"url\"", "url = \"pay.example.org\"", "https://"),
            ("status = 200", "status = 99", "status"),
            ("deadline = \"20s\"", "deadline = \"20\"", "`deadline`: at character 3"),
            ("deadline = \"20s\"", "deadline = \"0s\"", "`deadline` is zero"),
            ("address = \"db.example.org:5432\"", "address = \"db\"", "address"),
            ("tls = true", "tls = false", "`ca-file` does not belong"),
            ("command = [\"pg_isready\", \"-q\"]", "command = []", "give `command`"),
            ("command = [\"pg_isready\", \"-q\"]", "command = \"pg_isready\"", "command"),
            ("deadline = \"30s\"", "requests = 3", "`requests` does not belong"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = read(&GOOD.replacen(from, to, 1)).err().unwrap_or_else(|| panic!("{to} is taken"));
            assert!(error.to_string().contains(part), "{to}: {}", error);
        }
    }
}
