//! A simulated Swarm over HTTP, whose virtual time goes with the real one.

use std::io;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::{Serving, serve};
use crate::SimSwarm;

/// How often virtual time catches up.
const TICK: Duration = Duration::from_millis(20);

/// Serves a simulated Swarm. Its time passes `speed` times as fast as the real one, for clients that wait in real time.
///
/// # Errors
/// As [`serve`].
pub async fn serve_live(swarm: &SimSwarm, listener: TcpListener, speed: u32) -> io::Result<Serving> {
    let serving = serve(swarm.portainer().clone(), listener).await?;
    let clock = swarm.clock();
    let ticking = tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(TICK).await;
            let now = Instant::now();
            clock.advance(now.duration_since(last).saturating_mul(speed));
            last = now;
        }
    });
    Ok(serving.beside(ticking))
}
