//! The way to a Portainer over HTTP: core's [`Transport`](swarmsecrets_core::transport::Transport) with reqwest and rustls.
//!
//! ```no_run
//! use swarmsecrets_core::{SecretValue, transport::{Read, Transport}};
//! use swarmsecrets_portainer::PortainerTransport;
//!
//! # async fn run() -> swarmsecrets_core::Result<()> {
//! let portainer = PortainerTransport::builder("https://portainer.example.org:9443")
//!     .api_key(SecretValue::credential(b"ptr_made_up".to_vec()))
//!     .agent_id("billing-agent")
//!     .build()?;
//! let me = portainer.read(&Read::me()).await?;
//! # let _ = me;
//! # Ok(())
//! # }
//! ```
//!
//! What it does and does not do:
//! - It speaks HTTP/1.1 and keeps connections open. HTTP/2 is left out: its servers may refuse a stream after the fact and
//!   its clients then send again by themselves, and a mutation is sent **once**.
//! - Reads are sent again after a broken connection, a time-out, 429, 502, 503 and 504, with exponential back-off and jitter.
//!   Mutations never are.
//! - It keeps no cookies (Portainer answers 403 to clients that do), follows no redirects (the credential would go along) and
//!   asks for no compression (a small answer could unpack into an endless one).
//! - TLS is rustls with ring, set up for this client alone: nothing is installed for the whole process. Certificates are
//!   checked against the system's authorities or, once [`Builder::ca_certificate`] is given, against that one alone. The check
//!   cannot be switched off.
//! - The credential and the bodies of mutations are sent from the buffers they were handed over in, which are overwritten when
//!   they are dropped; neither stands in an error or in `Debug`.

mod address;
mod attempt;
mod body;
mod builder;
mod credential;
mod failure;
mod proxy;
mod retry;
mod tls;
mod transport;

pub use self::builder::Builder;
pub use self::transport::PortainerTransport;
