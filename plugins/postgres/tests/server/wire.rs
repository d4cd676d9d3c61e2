//! A wire to the server whose connections can fall silent, as when a process or its network stands still.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// It ends with the test's runtime.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    silent: watch::Sender<bool>,
}

impl Wire {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (silence, silent) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut silent = silent.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(server).await else { return };
                    let fell_silent = tokio::select! {
                        biased;
                        told = silent.wait_for(|silent| *silent) => told.is_ok(),
                        _ = copy_bidirectional(&mut near, &mut far) => false,
                    };
                    if fell_silent {
                        // Nobody is told: both ends wait.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { address, silent: silence }
    }

    /// Lets the connections that are open fall silent, for good, and those that are opened from now on.
    pub(crate) fn silence(&self) {
        self.silent.send_replace(true);
    }

    /// Passes on what new connections say.
    pub(crate) fn speak(&self) {
        self.silent.send_replace(false);
    }
}
