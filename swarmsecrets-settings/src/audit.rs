//! Where the audit trail goes, as the operator's policy says: the file beside the journals, and sinks beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmsecrets_core::audit::AuditSink;
use swarmsecrets_core::policy::{AuditSettings, SinkKind, SinkSettings};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_elasticsearch::ElasticsearchAudit;
use swarmsecrets_host::{AuditSinks, Checkpoints, FileAudit, NamedSink, read_credential};
use swarmsecrets_opentelemetry::OpenTelemetryAudit;
use swarmsecrets_postgres::PostgresAudit;
use swarmsecrets_syslog::SyslogAudit;

use crate::entries;

/// The name of the checkpoint that is kept beside its trail.
const CHECKPOINT: &str = "audit.checkpoint.json";

/// The audit trail in a folder and the sinks beside it. Nothing is connected yet.
///
/// # Errors
/// `Audit` if the trail cannot be written, was cut off after its last checkpoint, or is not as it was written at its end; `Settings` or `Invalid`, with the sink's name, if
/// a file that the settings name cannot be read or holds something else.
pub fn audit_trail(folder: &Path, settings: Option<&AuditSettings>) -> Result<AuditSinks> {
    let mut file = FileAudit::open(folder)?;
    let Some(settings) = settings else { return Ok(AuditSinks::beside(file)) };
    if let Some(key) = &settings.checkpoint_key {
        let kept = settings.checkpoint_file.as_ref().map_or_else(|| folder.join(CHECKPOINT), PathBuf::from);
        file = file.signed(Checkpoints::new(Path::new(key), kept)?)?;
    }
    let mut sinks = AuditSinks::beside(file);
    for one in &settings.sinks {
        let made = sink(folder, one).map_err(|e| e.context(format!("audit sink {}", one.name)))?;
        let named = NamedSink::new(&one.name, made);
        let named = one.within.map_or_else(|| named.clone(), |within| named.clone().within(within));
        sinks = match one.may_lag {
            Some(bound) => sinks.lagging(named, bound)?,
            None => sinks.durable(named)?,
        };
    }
    match settings.quorum {
        Some(quorum) => sinks.quorum(quorum as usize),
        None => Ok(sinks),
    }
}

fn sink(folder: &Path, settings: &SinkSettings) -> Result<Arc<dyn AuditSink>> {
    Ok(match settings.kind {
        SinkKind::File => Arc::new(other_file(folder, Path::new(given("folder", settings.folder.as_ref())?))?),
        SinkKind::Postgres => {
            let url = read_credential(Path::new(given("url_file", settings.url_file.as_ref())?))?;
            Arc::new(PostgresAudit::at(&url)?)
        }
        SinkKind::Opensearch => Arc::new(opensearch(settings)?),
        SinkKind::Syslog => Arc::new(syslog(settings)?),
        SinkKind::Opentelemetry => Arc::new(opentelemetry(settings)?),
    })
}

fn opensearch(settings: &SinkSettings) -> Result<ElasticsearchAudit> {
    let mut sink = ElasticsearchAudit::at(given("url", settings.url.as_ref())?);
    if let Some(index) = &settings.index {
        sink = sink.index(index);
    }
    if let Some(pem) = authority(settings)? {
        sink = sink.ca_certificate(&pem);
    }
    if let (Some(user), Some(file)) = (&settings.user, &settings.password_file) {
        sink = sink.password(user, &read_credential(Path::new(file))?);
    }
    if let Some(file) = &settings.token_file {
        sink = sink.api_key(&read_credential(Path::new(file))?);
    }
    sink.build()
}

fn syslog(settings: &SinkSettings) -> Result<SyslogAudit> {
    let mut sink = SyslogAudit::at(given("address", settings.address.as_ref())?);
    if let Some(pem) = authority(settings)? {
        sink = sink.ca_certificate(&pem);
    }
    if let Some((certificate, key)) = identity(settings)? {
        sink = sink.client_certificate(&certificate, key);
    }
    if settings.unencrypted {
        sink = sink.unencrypted();
    }
    sink.build()
}

fn opentelemetry(settings: &SinkSettings) -> Result<OpenTelemetryAudit> {
    let mut sink = OpenTelemetryAudit::at(given("url", settings.url.as_ref())?);
    if let Some(pem) = authority(settings)? {
        sink = sink.ca_certificate(&pem);
    }
    if let Some((certificate, key)) = identity(settings)? {
        sink = sink.client_certificate(&certificate, key);
    }
    if let (Some(user), Some(file)) = (&settings.user, &settings.password_file) {
        sink = sink.password(user, &read_credential(Path::new(file))?);
    }
    if let Some(file) = &settings.token_file {
        let token = read_credential(Path::new(file))?;
        sink = match &settings.header {
            Some(header) => sink.header(header, &token),
            None => sink.token(&token),
        };
    }
    sink.build()
}

/// The certificate that is shown, and its key.
fn identity(settings: &SinkSettings) -> Result<Option<(Vec<u8>, SecretValue)>> {
    let (Some(certificate), Some(key)) = (&settings.client_certificate_file, &settings.client_key_file) else {
        return Ok(None);
    };
    let failed = |e| Error::new(ErrorKind::Io, format!("cannot read the client certificate's file: {e}"));
    Ok(Some((std::fs::read(certificate).map_err(failed)?, read_credential(Path::new(key))?)))
}

fn authority(settings: &SinkSettings) -> Result<Option<Vec<u8>>> {
    entries::authority(Path::new("/"), settings.ca_file.as_deref().map(Path::new))
}

/// A trail in another folder: in the same one, each record would stand twice in one chain.
fn other_file(folder: &Path, other: &Path) -> Result<FileAudit> {
    let there = FileAudit::open(other)?;
    match (folder.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(same)) if one == same => {
            let text = "its folder is the one of the trail that is always written: name another one";
            Err(Error::new(ErrorKind::Settings, text))
        }
        _ => Ok(there),
    }
}

fn given<'s>(key: &str, setting: Option<&'s String>) -> Result<&'s String> {
    // The policy was read with the same demands.
    setting.ok_or_else(|| Error::new(ErrorKind::Settings, format!("`{key}` is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> AuditSettings {
        let policy = swarmsecrets_host::parse_policy(&format!("schema = 1\n[audit]\n{text}"));
        policy.unwrap_or_else(|e| panic!("{e}")).audit().unwrap().clone()
    }

    #[test]
    fn sinks_are_made_and_what_is_wrong_is_said_with_their_name() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there, url, key) =
            (dir.path().join("here"), dir.path().join("there"), dir.path().join("url"), dir.path().join("key"));
        std::fs::write(&url, "postgres://auditor:made-up-password@db.example.org/audit\n").unwrap();
        std::fs::write(&key, "no key").unwrap();
        assert!(audit_trail(&here, None).is_ok());
        let good = format!(
            "quorum = 2\n[[sinks]]\nname = 'a'\nkind = 'file'\nfolder = '{}'\nwithin = '2s'\n[[sinks]]\nname = 'b'\nkind = 'postgres'\nurl_file = '{}'\nmay_lag = 9\n",
            there.display(),
            url.display()
        )
        .replace("[[sinks]]", "[[audit.sinks]]");
        let made = audit_trail(&here, Some(&settings(&good)));
        assert!(made.is_ok(), "{:?}", made.err());
        assert!(there.join("audit.jsonl").exists());
        let signed = format!("checkpoint_key = '{}'\n{good}", key.display());
        let same = good.replace("there'", "here'");
        let no_file = good.replace("url'", "nosuch'");
        for (bad, part) in [
            (&signed, "is not a private key"),
            (&same, "audit sink a: its folder is the one"),
            (&no_file, "audit sink b: the credential file"),
        ] {
            let error = audit_trail(&here, Some(&settings(bad))).err().unwrap();
            assert!(error.message().contains(part), "{error}");
        }
        let search = format!(
            "[[audit.sinks]]\nname = 's'\nkind = 'opensearch'\nurl = 'http://127.0.0.1:9200'\nindex = 'audit'\nuser = 'writer'\npassword_file = '{}'\n",
            key.display()
        );
        assert!(audit_trail(&here, Some(&settings(&search))).is_ok());
        let log = "[[audit.sinks]]\nname = 'l'\nkind = 'syslog'\naddress = '127.0.0.1:601'\nunencrypted = true\nmay_lag = 5\n";
        assert!(audit_trail(&here, Some(&settings(log))).is_ok());
        let error = audit_trail(&here, Some(&settings(&log.replace("127.0.0.1", "192.0.2.1")))).err().unwrap();
        assert!(
            error.message().starts_with("audit sink l: cannot set up an audit sink for syslog: without"),
            "{error}"
        );
        let collector = format!(
            "[[audit.sinks]]\nname = 'o'\nkind = 'opentelemetry'\nurl = 'http://127.0.0.1:4318'\ntoken_file = '{}'\nmay_lag = 5\n",
            key.display()
        );
        let basic = collector.replace("token_file", "user = 'sender'\npassword_file");
        for good in [&collector, &collector.replace("may_lag", "header = 'api-key'\nmay_lag"), &basic] {
            let made = audit_trail(&here, Some(&settings(good)));
            assert!(made.is_ok(), "{good}: {:?}", made.err());
        }
        for (from, to, part) in [
            ("http://127.0.0.1", "http://192.0.2.1", "cannot set up an audit sink for OpenTelemetry: over a network"),
            ("may_lag", "header = 'host'\nmay_lag", "the header is none"),
            ("key'", "nosuch'", "the credential file"),
            (
                "may_lag",
                "client_certificate_file = '/no/such/file'\nclient_key_file = '/no/such/file'\nmay_lag",
                "cannot read the client certificate's file",
            ),
        ] {
            let error = audit_trail(&here, Some(&settings(&collector.replace(from, to)))).err().unwrap();
            assert!(error.message().starts_with("audit sink o: ") && error.message().contains(part), "{error}");
        }
        for (from, to, part) in [
            (
                "http://127.0.0.1:9200",
                "http://search.example.org:9200",
                "audit sink s: cannot set up an audit sink in OpenSearch: over a",
            ),
            ("key'", "nosuch'", "audit sink s: the credential file"),
            (
                "user =",
                "ca_file = '/no/such/file'\nuser =",
                "audit sink s: cannot read the certificate authority's file",
            ),
        ] {
            let error = audit_trail(&here, Some(&settings(&search.replace(from, to)))).err().unwrap();
            assert!(error.message().contains(part), "{error}");
        }
        std::fs::write(&url, "mysql://auditor:made-up-password@db.example.org/audit\n").unwrap();
        let error = audit_trail(&here, Some(&settings(&good))).err().unwrap();
        assert!(error.message().contains("the URL of the audit trail's database"), "{error}");
        assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
    }
}
