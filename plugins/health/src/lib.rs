//! Health probes for the rotations of swarmsecrets: core's [`HealthProbe`](swarmsecrets_core::health::HealthProbe) over HTTP(S), over
//! TCP, and by a command in the service's container.
//!
//! ```
//! use std::time::Duration;
//! use swarmsecrets_health::{CommandProbe, HttpProbe, TcpProbe, Trust};
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! let web = HttpProbe::builder("https://pay.example.org/healthz").body_contains("ok").build()?;
//! let database = TcpProbe::new("db.example.org:5432")?.deadline(Duration::from_secs(3));
//! let tls = TcpProbe::new("mail.example.org:465")?.tls(&Trust::System)?;
//! let login = CommandProbe::new(&["pg_isready", "-q"])?;
//! # let _ = (web, database, tls, login);
//! # Ok(())
//! # }
//! ```
//!
//! | probe | healthy | unhealthy | inconclusive |
//! | --- | --- | --- | --- |
//! | [`HttpProbe`] | each request has the wanted answer, about as quickly as before | more than half have not, or nothing answers | some have not, or it takes much longer than before |
//! | [`TcpProbe`] | a connection is taken and kept, and TLS agreed on if asked for | it is not, or nothing answers | never |
//! | [`CommandProbe`] | exit code 0 in each container that can be reached | another exit code | it cannot be run, or does not end in time |
//!
//! What does not answer is unhealthy to the first two: it did when the baseline was taken, from the same place. A container
//! that cannot be reached is inconclusive: commands reach those of the endpoint's own node alone.

mod command;
mod failure;
mod http;
mod latency;
mod page;
mod tcp;
mod tls;

pub use self::command::CommandProbe;
pub use self::failure::words as connection_failure;
pub use self::http::{HttpProbe, HttpProbeBuilder};
pub use self::tcp::TcpProbe;
pub use self::tls::{Trust, config as tls_config};
