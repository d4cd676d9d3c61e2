//! MariaDB.

use super::Started;
use super::certificate::Certificate;
use super::place::Place;
use super::server::{self, listens};
use crate::Failure;
use crate::install::ServerTools;
use crate::log::Log;

/// Starts it with TLS, and with a log of every statement.
pub(crate) fn start(log: &Log, place: Place, tools: &ServerTools) -> Result<Started, Failure> {
    let data = place.dir.join("data");
    let mut install = place.command(&tools.mariadb_install);
    install.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    log.run(install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]))?;

    let password = &place.password;
    let first = place.write(
        log,
        "first.sql",
        &format!(
            "CREATE USER admin@'%' IDENTIFIED BY '{password}';\nGRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;\n\
             ALTER USER root@localhost ACCOUNT LOCK;\n"
        ),
    )?;
    let certificate = Certificate::make(log, &place)?;
    let statements = place.dir.join("statements.log");
    let mut mariadbd = place.command(&tools.mariadbd);
    mariadbd.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    mariadbd.arg(format!("--port={}", place.port)).arg("--bind-address=127.0.0.1");
    for (setting, path) in [
        ("socket", &place.dir.join("socket")),
        ("pid-file", &place.dir.join("pid")),
        ("init-file", &first),
        ("general-log-file", &statements),
        ("ssl-cert", &certificate.certificate),
        ("ssl-key", &certificate.key),
    ] {
        mariadbd.arg(format!("--{setting}={}", path.display()));
    }
    mariadbd.args(["--general-log=1", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"]);
    let server = server::start(&place, "TERM", &mariadbd, || listens(place.port))?;
    let authority = certificate.authority.display().to_string();
    Ok((server, vec![("_LOG", statements.display().to_string()), ("_AUTHORITY", authority)]))
}
