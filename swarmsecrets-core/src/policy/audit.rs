//! Where the audit trail goes beside its file, as the policy says.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::document::{AuditEntry, SinkEntry, SinkKind};
use super::guard::Guard;
use crate::duration::parse_duration;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;

/// Something that is wrong, and where in the text.
type Wrong = (Range<usize>, String);

/// Where the audit trail goes beside its file, and who signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// How many of the file and of the sinks that do not lag must take a record; all, if nothing is said.
    pub quorum: Option<u32>,
    /// The file with the private key that signs checkpoints.
    pub checkpoint_key: Option<String>,
    /// Where checkpoints go; beside the trail, if nothing is said.
    pub checkpoint_file: Option<String>,
    /// The sinks.
    pub sinks: Vec<SinkSettings>,
}

/// A sink. Which of its settings are given was held against its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSettings {
    /// Its name, which no other one has.
    pub name: String,
    /// What it is.
    pub kind: SinkKind,
    /// How many records it may lack; none, if nothing is said.
    pub may_lag: Option<u64>,
    /// How long it may take for a record.
    pub within: Option<Duration>,
    /// The folder of another file.
    pub folder: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// The file with the URL of a database, which holds a password.
    pub url_file: Option<String>,
    /// The index of a search engine.
    pub index: Option<String>,
    /// Who logs in.
    pub user: Option<String>,
    /// The file with their password.
    pub password_file: Option<String>,
    /// The file with the token that is sent instead.
    pub token_file: Option<String>,
    /// The header that it is sent in.
    pub header: Option<String>,
    /// The host and port of a receiver.
    pub address: Option<String>,
    /// The file (PEM) with the authorities that are believed, and no others.
    pub ca_file: Option<String>,
    /// The file (PEM) with the certificate that is shown.
    pub client_certificate_file: Option<String>,
    /// The file (PEM) with its key.
    pub client_key_file: Option<String>,
    /// Whether nothing is encrypted.
    pub unencrypted: bool,
}

impl AuditSettings {
    /// # Errors
    /// Where and why the audit trail could not be kept like this.
    pub(super) fn new(entry: AuditEntry) -> Result<Self, Wrong> {
        let mut names = BTreeSet::new();
        let sinks: Vec<SinkSettings> =
            entry.sinks.into_iter().map(|sink| sink_settings(sink, &mut names)).collect::<Result<_, _>>()?;
        if let Some(quorum) = &entry.quorum {
            let (wanted, there) = (*quorum.get_ref(), 1 + sinks.iter().filter(|sink| sink.may_lag.is_none()).count());
            if wanted == 0 || u64::from(wanted) > there as u64 {
                let why = format!(
                    "{wanted} sinks must take a record, and {there} can: the file and those that may not lag; nothing could be done"
                );
                return Err((quorum.span(), why));
            }
        }
        if let (None, Some(file)) = (&entry.checkpoint_key, &entry.checkpoint_file) {
            return Err((file.span(), "checkpoints are signed: give `checkpoint_key` as well".into()));
        }
        Ok(Self {
            quorum: entry.quorum.map(Spanned::into_inner),
            checkpoint_key: entry.checkpoint_key.map(absolute).transpose()?,
            checkpoint_file: entry.checkpoint_file.map(absolute).transpose()?,
            sinks,
        })
    }
}

/// What the policies in force say of the audit trail, if one of them says something.
///
/// # Errors
/// [`ErrorKind::Settings`] if two of them do.
pub fn audit_in_force(guards: &[Guard]) -> Result<Option<&AuditSettings>> {
    let mut saying = guards.iter().filter_map(|guard| Some((guard.name(), guard.policy().audit()?)));
    match (saying.next(), saying.next()) {
        (Some((one, _)), Some((other, _))) => {
            let (one, other) = (quoted(one), quoted(other));
            let text =
                format!("the policies {one} and {other} both say where the audit trail goes: leave `audit` out of one");
            Err(Error::new(ErrorKind::Settings, text))
        }
        (first, _) => Ok(first.map(|(_, audit)| audit)),
    }
}

fn sink_settings(entry: Spanned<SinkEntry>, names: &mut BTreeSet<String>) -> Result<SinkSettings, Wrong> {
    let (at, entry) = (entry.span(), entry.into_inner());
    let name = entry.name.get_ref();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 64 || name == "file" || !name.chars().all(good) {
        let why = "the name of a sink has 1 to 64 lower-case letters, digits and hyphens, and is not `file`";
        return Err((entry.name.span(), why.into()));
    }
    if !names.insert(name.clone()) {
        return Err((entry.name.span(), format!("the name {} is taken: each sink has its own", quoted(name))));
    }
    belongs(&entry).map_err(|why| (at, why))?;
    if let Some(bound) = entry.may_lag.as_ref().filter(|bound| *bound.get_ref() == 0) {
        return Err((bound.span(), "a sink that may lag by no record may not lag: leave `may_lag` out".into()));
    }
    let within = match &entry.within {
        None => None,
        Some(text) => match parse_duration(text.get_ref()) {
            Ok(time) if time.is_zero() => return Err((text.span(), "no sink takes a record in no time".into())),
            parsed => Some(parsed.map_err(|why| (text.span(), why))?),
        },
    };
    Ok(SinkSettings {
        name: entry.name.into_inner(),
        kind: entry.kind,
        may_lag: entry.may_lag.map(Spanned::into_inner),
        within,
        folder: entry.folder.map(absolute).transpose()?,
        url: entry.url,
        url_file: entry.url_file.map(absolute).transpose()?,
        index: entry.index,
        user: entry.user,
        password_file: entry.password_file.map(absolute).transpose()?,
        token_file: entry.token_file.map(absolute).transpose()?,
        header: entry.header,
        address: entry.address,
        ca_file: entry.ca_file.map(absolute).transpose()?,
        client_certificate_file: entry.client_certificate_file.map(absolute).transpose()?,
        client_key_file: entry.client_key_file.map(absolute).transpose()?,
        unencrypted: entry.unencrypted,
    })
}

/// Whether all that a kind needs is given, and nothing else.
fn belongs(entry: &SinkEntry) -> Result<(), String> {
    use SinkKind::{File, Opensearch, Opentelemetry, Postgres, Syslog};
    let kind = entry.kind;
    let settings: [(&str, bool, &[SinkKind], &[SinkKind]); 13] = [
        ("folder", entry.folder.is_some(), &[File], &[File]),
        ("url", entry.url.is_some(), &[Opensearch, Opentelemetry], &[Opensearch, Opentelemetry]),
        ("url_file", entry.url_file.is_some(), &[Postgres], &[Postgres]),
        ("index", entry.index.is_some(), &[], &[Opensearch]),
        ("user", entry.user.is_some(), &[], &[Opensearch, Opentelemetry]),
        ("token_file", entry.token_file.is_some(), &[], &[Opensearch, Opentelemetry]),
        ("header", entry.header.is_some(), &[], &[Opentelemetry]),
        ("password_file", entry.password_file.is_some(), &[], &[Opensearch, Opentelemetry]),
        ("address", entry.address.is_some(), &[Syslog], &[Syslog]),
        ("ca_file", entry.ca_file.is_some(), &[], &[Opensearch, Syslog, Opentelemetry]),
        ("client_certificate_file", entry.client_certificate_file.is_some(), &[], &[Syslog, Opentelemetry]),
        ("client_key_file", entry.client_key_file.is_some(), &[], &[Syslog, Opentelemetry]),
        ("unencrypted", entry.unencrypted, &[], &[Syslog]),
    ];
    for (key, given, needed, taken) in settings {
        if needed.contains(&kind) && !given {
            return Err(format!("`{key}` is missing"));
        }
        if given && !taken.contains(&kind) {
            return Err(format!("`{key}` does not belong to a sink of this kind: leave it out"));
        }
    }
    let never_counts = match kind {
        Syslog => Some("syslog has no acknowledgements"),
        Opentelemetry => Some("a receiver of OpenTelemetry's logs does not say when a record is stored"),
        File | Postgres | Opensearch => None,
    };
    if let (Some(why), None) = (never_counts, &entry.may_lag) {
        return Err(format!("{why}, so it never counts: say how many records it `may_lag`"));
    }
    if entry.client_certificate_file.is_some() != entry.client_key_file.is_some() {
        return Err("`client_certificate_file` and `client_key_file` are given together".into());
    }
    if entry.header.is_some() && entry.token_file.is_none() {
        return Err("`header` is what the token is sent in: give `token_file` as well".into());
    }
    match (&entry.user, &entry.password_file, &entry.token_file) {
        (Some(_), None, _) | (None, Some(_), _) => Err("`user` and `password_file` are given together".into()),
        (Some(_), Some(_), Some(_)) => {
            Err("give `user` and `password_file`, or `token_file`: one of them logs in".into())
        }
        _ => Ok(()),
    }
}

fn absolute(text: Spanned<String>) -> Result<String, Wrong> {
    match text.get_ref().starts_with('/') {
        true => Ok(text.into_inner()),
        false => {
            let why = format!(
                "{} is no absolute path: it must mean the same file wherever a process begins",
                quoted(text.get_ref())
            );
            Err((text.span(), why))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;

    use super::super::Policy;
    use super::*;

    const GOOD: &str = r#"schema = 1

[audit]
quorum = 2
checkpoint_key = "/etc/swarmsecrets/checkpoints.key"
checkpoint_file = "/mnt/kept/checkpoint.json"

[[audit.sinks]]
name = "archive"
kind = "file"
folder = "/mnt/archive"
within = "5s"

[[audit.sinks]]
name = "central"
kind = "postgres"
url_file = "/etc/swarmsecrets/audit.url"

[[audit.sinks]]
name = "siem"
kind = "opensearch"
url = "https://search.example.org:9200"
index = "swarmsecrets-audit"
user = "writer"
password_file = "/etc/swarmsecrets/siem.password"
ca_file = "/etc/swarmsecrets/ca.pem"
may_lag = 1000

[[audit.sinks]]
name = "log"
kind = "syslog"
address = "siem.example.org:6514"
client_certificate_file = "/etc/swarmsecrets/siem.pem"
client_key_file = "/etc/swarmsecrets/siem.key"
may_lag = 500

[[audit.sinks]]
name = "collector"
kind = "opentelemetry"
url = "https://collector.example.org:4318"
token_file = "/etc/swarmsecrets/collector.token"
header = "api-key"
may_lag = 700
"#;

    fn read(text: &str) -> crate::Result<Policy> {
        Policy::parse(text, &TimeZoneDatabase::none())
    }

    #[test]
    fn sinks_are_read() {
        let policy = read(GOOD).unwrap();
        let audit = policy.audit().unwrap();
        assert_eq!((audit.quorum, audit.sinks.len()), (Some(2), 5));
        let [archive, central, siem, log, collector] = &audit.sinks[..] else { panic!("{audit:?}") };
        assert_eq!((archive.kind, archive.within), (SinkKind::File, Some(Duration::from_secs(5))));
        assert_eq!(central.url_file.as_deref(), Some("/etc/swarmsecrets/audit.url"));
        assert_eq!((siem.kind, siem.may_lag), (SinkKind::Opensearch, Some(1000)));
        assert_eq!((log.kind, log.unencrypted), (SinkKind::Syslog, false));
        assert_eq!((collector.kind, collector.header.as_deref()), (SinkKind::Opentelemetry, Some("api-key")));
        assert!(policy.to_string().ends_with("5 audit sinks"), "{policy}");
        assert!(read("schema = 1\n").unwrap().audit().is_none());
        assert!(read("schema = 1\n[audit]\n").unwrap().audit().unwrap().sinks.is_empty());
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, part) in [
            ("quorum = 2", "quorum = 0", "line 4, column 10: 0 sinks must take a record, and 3 can"),
            ("quorum = 2", "quorum = 4", "4 sinks must take a record, and 3 can"),
            ("checkpoint_key = \"/etc/swarmsecrets/checkpoints.key\"\n", "", "give `checkpoint_key`"),
            ("\"/mnt/kept/", "\"kept/", "line 6, column 19: `kept/checkpoint.json` is no absolute path"),
            ("\"archive\"\n", "\"central\"\n", "the name `central` is taken"),
            ("\"archive\"\n", "\"file\"\n", "is not `file`"),
            ("\"archive\"\n", "\"../archive\"\n", "lower-case letters"),
            ("\"5s\"", "\"0s\"", "in no time"),
            ("\"5s\"", "\"5\"", "unit"),
            ("folder = \"/mnt/archive\"\n", "", "`folder` is missing"),
            ("folder =", "index = \"x\"\nfolder =", "`index` does not belong"),
            ("folder =", "url_file = \"/x\"\nfolder =", "`url_file` does not belong"),
            ("kind = \"postgres\"", "kind = \"oracle\"", "oracle"),
            ("password_file = \"/etc/swarmsecrets/siem.password\"\n", "", "given together"),
            ("user = \"writer\"", "user = \"writer\"\ntoken_file = \"/x\"", "one of them logs in"),
            ("client_key_file = \"/etc/swarmsecrets/siem.key\"\n", "", "`client_key_file` are given together"),
            ("may_lag = 500", "", "syslog has no acknowledgements, so it never counts"),
            ("may_lag = 700", "", "does not say when a record is stored, so it never counts"),
            ("may_lag = 700", "may_lag = 700\nindex = \"x\"", "`index` does not belong"),
            ("may_lag = 700", "may_lag = 700\nunencrypted = true", "`unencrypted` does not belong"),
            ("url = \"https://collector.example.org:4318\"\n", "", "`url` is missing"),
            ("token_file = \"/etc/swarmsecrets/collector.token\"\n", "", "give `token_file` as well"),
            ("header =", "user = \"x\"\nheader =", "given together"),
            ("index = \"swarmsecrets-audit\"", "header = \"x\"", "`header` does not belong"),
            ("may_lag = 500", "may_lag = 500\nindex = \"x\"", "`index` does not belong"),
            ("may_lag = 1000", "may_lag = 0", "leave `may_lag` out"),
            ("may_lag = 1000", "may_lagg = 1000", "may_lagg"),
            ("password_file =", "password =", "password"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = read(&GOOD.replacen(from, to, 1)).err().unwrap_or_else(|| panic!("{to} is taken"));
            assert!(error.kind() == ErrorKind::Settings && error.message().contains(part), "{to}: {error}");
        }
    }

    #[test]
    fn one_policy_says_where_the_trail_goes() {
        let guard = |text: &str| Guard::new("p", read(text).unwrap()).unwrap();
        assert!(audit_in_force(&[]).unwrap().is_none());
        let both = [guard("schema = 1\n"), guard(GOOD)];
        assert_eq!(audit_in_force(&both).unwrap().unwrap().sinks.len(), 5);
        let error = audit_in_force(&[guard(GOOD), guard("schema = 1\n[audit]\n")]).unwrap_err();
        assert!(error.kind() == ErrorKind::Settings && error.message().contains("both say"), "{error}");
    }
}
