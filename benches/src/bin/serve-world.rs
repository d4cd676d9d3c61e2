//! Serves a Swarm of 10,000 services (or as many as the argument says) over HTTP, as Portainer and as an Engine would. Says where, and ends with its input.

use std::io::{Read as _, Write as _};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::get;
use swarmsecrets_benches::world;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let services = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let world = world::snapshot(services);
    let mut router = answering(Router::new(), "/api/users/me", world.me);
    router = answering(router, "/api/stacks", world.stacks);
    for engine in ["/api/endpoints/1/docker", "/v1.41"] {
        router = answering(router, &format!("{engine}/swarm"), world.swarm.clone());
        router = answering(router, &format!("{engine}/secrets"), world.secrets.clone());
        router = answering(router, &format!("{engine}/services"), world.services.clone());
        router = answering(router, &format!("{engine}/tasks"), world.tasks.clone());
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let router = router.fallback(|| async { StatusCode::FORBIDDEN });
    tokio::select! {
        served = async { axum::serve(listener, router).await } => served,
        _ = ended => Ok(()),
    }
}

fn answering(router: Router, path: &str, body: Bytes) -> Router {
    router.route(path, get(move || async move { body }))
}
