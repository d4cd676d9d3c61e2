//! The server.

mod plans;
mod routes;
mod running;
mod seat;
#[cfg(unix)]
mod socket;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;

use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_webhook::WebhookApprover;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::running::Running;
pub use self::seat::{Held, Seat};
use crate::wire::Token;

/// Holds the clients that callers act by, each behind a token of its own.
pub struct Server {
    seats: BTreeMap<Token, Arc<Seat>>,
    webhooks: BTreeMap<String, Arc<WebhookApprover>>,
    running: Running,
}

impl Server {
    /// A server for these callers.
    ///
    /// # Errors
    /// `Settings` if there is none, or if two have the same token or the same agent.
    pub fn new(seats: impl IntoIterator<Item = (Token, Seat)>) -> Result<Self> {
        let mut known: BTreeMap<Token, Arc<Seat>> = BTreeMap::new();
        for (token, seat) in seats {
            if known.values().any(|other| other.agent() == seat.agent()) {
                let text = format!("two callers are the agent {}: give each an agent of its own", quoted(seat.agent()));
                return Err(Error::new(ErrorKind::Settings, text));
            }
            if let Some(other) = known.insert(token, Arc::new(seat)) {
                let text = format!("{} and another caller have the same token", quoted(other.agent()));
                return Err(Error::new(ErrorKind::Settings, text));
            }
        }
        if known.is_empty() {
            return Err(Error::new(ErrorKind::Settings, "nobody is named who may call: name one, with its token"));
        }
        Ok(Self { seats: known, webhooks: BTreeMap::new(), running: Running::default() })
    }

    /// The same server, which also takes what the receivers of these webhooks send by themselves, each under its name in the policy. The
    /// clients must have the same approvers.
    #[must_use]
    pub fn receiving(self, webhooks: impl IntoIterator<Item = (String, Arc<WebhookApprover>)>) -> Self {
        Self { webhooks: webhooks.into_iter().collect(), ..self }
    }

    /// Begins to serve. Needs a Tokio runtime with I/O and time.
    #[must_use]
    pub fn start(self) -> Serving {
        Serving {
            server: Arc::new(self),
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
            #[cfg(unix)]
            sockets: Vec::new(),
        }
    }
}

/// A server at work.
pub struct Serving {
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<io::Result<()>>,
    #[cfg(unix)]
    sockets: Vec<socket::Socket>,
}

impl Serving {
    /// Also listens on a socket of the file system, for this user and group. Who calls is still said by a token.
    ///
    /// # Errors
    /// `Settings` if somebody listens there or something else is there, `Io` if it cannot be made.
    #[cfg(unix)]
    pub fn listen_on_socket(&mut self, path: &Path) -> Result<()> {
        let (listener, socket) = socket::bind(path)?;
        self.sockets.push(socket);
        let server = axum::serve(listener, routes::router(Arc::clone(&self.server)));
        let stopped = stopped(&self.stop);
        self.tasks.spawn(async { server.with_graceful_shutdown(stopped).await });
        Ok(())
    }

    /// Also listens on a port, of the loopback interface alone: tokens are not sent over a network in the clear. Gives the address.
    ///
    /// # Errors
    /// `Settings` if it is another interface, `Io` if the port cannot be had.
    pub async fn listen_on_port(&mut self, address: SocketAddr) -> Result<SocketAddr> {
        if !address.ip().is_loopback() {
            let text = format!(
                "{address} can be reached from other machines, and tokens would travel in the clear: listen on 127.0.0.1 or [::1], or on a socket"
            );
            return Err(Error::new(ErrorKind::Settings, text));
        }
        let failed = |e: io::Error| Error::new(ErrorKind::Io, format!("cannot listen on {address}: {e}"));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let server = axum::serve(listener, routes::router(Arc::clone(&self.server)));
        let stopped = stopped(&self.stop);
        self.tasks.spawn(async { server.with_graceful_shutdown(stopped).await });
        Ok(bound)
    }

    /// Takes nothing new, asks what is under way to stop, and waits until the services in hand are finished or put back.
    pub async fn stop(self) {
        self.server.running.stop().await;
        self.stop.send_replace(true);
        // Connections that are kept open end with this.
        drop(self.tasks);
    }
}

fn stopped(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut stop = stop.subscribe();
    async move {
        // A sender that is gone means the same.
        drop(stop.wait_for(|stopped| *stopped).await);
    }
}
