//! An OpenTelemetry Collector.

use super::Started;
use super::certificate::Certificate;
use super::place::{Place, free_port};
use super::server::{self, listens};
use crate::Failure;
use crate::install::ServerTools;
use crate::log::Log;

/// Starts it, with a second port for TLS where it asks for a token, the administrator's password, and a third where it asks for a certificate, which is
/// its own. What it gets on all of them it writes to one file.
pub(crate) fn start(log: &Log, place: Place, tools: &ServerTools) -> Result<Started, Failure> {
    // Copied where the user that it runs as comes to.
    let program = place.dir.join("otelcol");
    std::fs::copy(&tools.collector, &program).map_err(|e| format!("cannot write {}: {e}", program.display()))?;
    place.hand_over(log, &program)?;
    let certificate = Certificate::make(log, &place)?;
    let (tls_port, client_port, file) = (free_port()?, free_port()?, place.dir.join("logs.jsonl"));
    let settings = format!(
        "extensions:\n  bearertokenauth:\n    token: {token}\n\
         receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 127.0.0.1:{port}\n  \
           otlp/tls:\n    protocols:\n      http:\n        endpoint: 127.0.0.1:{tls_port}\n        \
             auth:\n          authenticator: bearertokenauth\n        \
             tls:\n          cert_file: {certificate}\n          key_file: {key}\n  \
           otlp/client:\n    protocols:\n      http:\n        endpoint: 127.0.0.1:{client_port}\n        \
             tls:\n          cert_file: {certificate}\n          key_file: {key}\n          client_ca_file: {certificate}\n\
         exporters:\n  file:\n    path: {file}\n    flush_interval: 50ms\n\
         service:\n  extensions: [bearertokenauth]\n  \
           telemetry:\n    metrics:\n      level: none\n    logs:\n      level: warn\n  \
           pipelines:\n    logs:\n      receivers: [otlp, otlp/tls, otlp/client]\n      exporters: [file]\n",
        token = place.password,
        port = place.port,
        certificate = certificate.certificate.display(),
        key = certificate.key.display(),
        file = file.display(),
    );
    let settings = place.write(log, "collector.yaml", &settings)?;
    let mut collector = place.command(&program);
    collector.arg("--config").arg(settings);
    let ports = [place.port, tls_port, client_port];
    let server = server::start(&place, "TERM", &collector, || ports.into_iter().all(listens))?;
    let told = vec![
        ("_TLS", format!("127.0.0.1:{tls_port}")),
        ("_CLIENT", format!("127.0.0.1:{client_port}")),
        ("_KEY", certificate.key.display().to_string()),
        ("_AUTHORITY", certificate.authority.display().to_string()),
        ("_FILE", file.display().to_string()),
    ];
    Ok((server, told))
}
