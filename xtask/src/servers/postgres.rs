//! PostgreSQL.

use super::Started;
use super::certificate::Certificate;
use super::place::Place;
use super::server;
use crate::Failure;
use crate::install::ServerTools;
use crate::log::Log;

/// Starts it with SCRAM for everybody, with TLS, and with a log of every statement.
pub(crate) fn start(log: &Log, place: Place, tools: &ServerTools) -> Result<Started, Failure> {
    let data = place.dir.join("data");
    let password = place.write(log, "password", &place.password)?;
    let mut initdb = place.command(&tools.postgres.join("initdb"));
    initdb.arg("--pgdata").arg(&data).args([
        "--username=admin",
        "--auth=scram-sha-256",
        "--no-sync",
        "--encoding=UTF8",
    ]);
    log.run(initdb.arg("--locale=C.UTF-8").arg("--pwfile").arg(password))?;

    let certificate = Certificate::make(log, &place)?;
    let mut postgres = place.command(&tools.postgres.join("postgres"));
    postgres.arg("-D").arg(&data).arg("-k").arg(&place.dir);
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={}", place.port),
        "fsync=off".into(),
        "log_statement=all".into(),
        "ssl=on".into(),
        format!("ssl_cert_file={}", certificate.certificate.display()),
        format!("ssl_key_file={}", certificate.key.display()),
    ] {
        postgres.arg("-c").arg(setting);
    }
    let ready = || {
        let mut asks = std::process::Command::new(tools.postgres.join("pg_isready"));
        let asks = asks.args(["--quiet", "--host=127.0.0.1"]).arg(format!("--port={}", place.port));
        asks.status().is_ok_and(|status| status.success())
    };
    let server = server::start(&place, "INT", &postgres, ready)?;
    let authority = certificate.authority.display().to_string();
    Ok((server, vec![("_LOG", place.log.display().to_string()), ("_AUTHORITY", authority)]))
}
