//! Where the servers are: `cargo xtask` tells it by the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use redis::{ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo};
use swarmsecrets_core::SecretValue;
use swarmsecrets_redis::{Builder, RedisSetter};
use swarmsecrets_testkit::values;

/// One of the two servers.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    WithAclFile,
    WithConfigFile,
}

impl Place {
    /// Reads one of the variables that `cargo xtask` sets.
    pub(crate) fn told(self, what: &str) -> String {
        let server = match self {
            Self::WithAclFile => "REDIS",
            Self::WithConfigFile => "REDIS_WITHOUT_ACL_FILE",
        };
        let name = format!("SWARMSECRETS_TEST_{server}{what}");
        std::env::var(&name).unwrap_or_else(|_| {
            panic!("{name} is not set: run these tests with `cargo xtask test`, which starts what they need")
        })
    }

    pub(crate) fn address(self) -> SocketAddr {
        self.told("").parse().unwrap()
    }

    /// The file that keeps its users.
    pub(crate) fn users(self) -> PathBuf {
        self.told("_USERS").into()
    }

    /// Runs `ACL SETUSER` as a user who may do everything.
    pub(crate) async fn user(self, name: &str, rules: &[&[u8]]) {
        let address = ConnectionAddr::Tcp("127.0.0.1".into(), self.address().port());
        let login = RedisConnectionInfo::default().set_username("admin").set_password(self.told("_PASSWORD"));
        let info = address.into_connection_info().unwrap().set_redis_settings(login);
        let client = redis::Client::open(info).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd("ACL");
        command.arg("SETUSER").arg(name).arg(rules);
        command.query_async::<()>(&mut connection).await.unwrap();
    }

    /// The password of `rotator`, who may do no more than the documentation asks for.
    pub(crate) async fn rotator(self) -> SecretValue {
        let password = format!("{}-of-rotator", self.told("_PASSWORD"));
        let may = "+acl|getuser +acl|setuser +acl|save +config|get +config|rewrite +info";
        let mut rules: Vec<&[u8]> = may.split(' ').map(str::as_bytes).collect();
        let hidden = format!(">{password}");
        rules.extend([b"on".as_slice(), hidden.as_bytes()]);
        self.user("rotator", &rules).await;
        values::record(password.as_bytes());
        SecretValue::new(password.into_bytes()).unwrap()
    }

    /// A setter for the server behind this address, with the administrator's password.
    pub(crate) async fn setter_at(self, address: SocketAddr) -> Builder {
        RedisSetter::at(&address.ip().to_string(), address.port()).administrator("rotator", self.rotator().await)
    }
}

/// The rule that gives a user a password.
pub(crate) fn password(value: &SecretValue) -> Vec<u8> {
    [b">", value.expose()].concat()
}
