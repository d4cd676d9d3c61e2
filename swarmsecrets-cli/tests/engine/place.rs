//! Where the Engine and the gateway are: `cargo xtask` tells it by the environment.

use std::path::PathBuf;

/// Reads one of the variables that `cargo xtask` sets.
fn told(name: &str) -> String {
    std::env::var(format!("SWARMSECRETS_TEST_{name}")).unwrap_or_else(|_| {
        panic!(
            "SWARMSECRETS_TEST_{name} is not set: run these tests with `cargo xtask test`, which starts what they need"
        )
    })
}

/// The gateway's address.
pub(crate) fn url() -> String {
    told("URL")
}

/// The key of an administrator.
pub(crate) fn admin_key() -> String {
    told("KEY_ADMIN")
}

/// The number of the environment.
pub(crate) fn endpoint() -> String {
    told("ENDPOINT")
}

/// The key of `alice`, another standard user in the team `payments`.
pub(crate) fn alice_key() -> String {
    told("KEY_ALICE")
}

/// The key of `svc-agent`, a standard user in the team `payments`.
pub(crate) fn agent_key() -> String {
    told("KEY_SVC_AGENT")
}

/// The Docker client.
pub(crate) fn docker() -> String {
    told("DOCKER")
}

/// The Engine's socket.
pub(crate) fn socket() -> String {
    told("SOCKET")
}

/// The image of every service.
pub(crate) fn image() -> String {
    told("IMAGE")
}

/// A folder of this test's own, kept after it: the leak scan reads what is in it.
pub(crate) fn kept(name: &str) -> PathBuf {
    let folder = PathBuf::from(told("KEPT")).join("engine").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
