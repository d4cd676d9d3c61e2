//! Redis.

use super::Started;
use super::certificate::Certificate;
use super::place::{Place, free_port};
use super::server::{self, listens};
use crate::Failure;
use crate::install::ServerTools;
use crate::log::Log;

/// Where Redis keeps its users.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Users {
    InAclFile,
    InConfigFile,
}

/// Starts it, with a second port for TLS. Nobody but `admin` may do anything.
pub(crate) fn start(log: &Log, place: Place, tools: &ServerTools, users: Users) -> Result<Started, Failure> {
    let certificate = Certificate::make(log, &place)?;
    let tls_port = free_port()?;
    let accounts = ["user default off".to_owned(), format!("user admin on >{} ~* &* +@all", place.password)].join("\n");
    let mut settings = format!(
        "bind 127.0.0.1\nport {}\ntls-port {tls_port}\ntls-cert-file {}\ntls-key-file {}\ntls-auth-clients no\n\
         dir {}\nsave \"\"\n",
        place.port,
        certificate.certificate.display(),
        certificate.key.display(),
        place.dir.display(),
    );
    let kept = match users {
        Users::InConfigFile => {
            settings += &accounts;
            place.dir.join("redis.conf")
        }
        Users::InAclFile => {
            let file = place.write(log, "users.acl", &accounts)?;
            settings += &format!("aclfile {}\n", file.display());
            file
        }
    };
    let config = place.write(log, "redis.conf", &settings)?;
    let mut redis = place.command(&tools.redis);
    redis.arg(config);
    let server = server::start(&place, "TERM", &redis, || listens(place.port) && listens(tls_port))?;
    let told = vec![
        ("_USERS", kept.display().to_string()),
        ("_TLS", format!("127.0.0.1:{tls_port}")),
        ("_AUTHORITY", certificate.authority.display().to_string()),
    ];
    Ok((server, told))
}
