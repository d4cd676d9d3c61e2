//! Reads the inventory at the URL of its argument once for each line of its input, and says how many seconds it took.

use std::io::{BufRead as _, Write as _};
use std::time::Instant;

use swarmsecrets_core::executor::read_inventory;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_host::SystemClock;
use swarmsecrets_portainer::PortainerTransport;

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or_else(|| Error::new(ErrorKind::Invalid, "give the URL"))?;
    let key = SecretValue::new(b"made-up".to_vec())?;
    let transport = PortainerTransport::builder(&url).api_key(key).build()?;
    for line in std::io::stdin().lock().lines() {
        line.map_err(broken)?;
        let begun = Instant::now();
        let inventory = read_inventory(&transport, EnvironmentId(1), &SystemClock::new()).await?;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{seconds} {}", inventory.secrets.len());
        std::io::stdout().flush().map_err(broken)?;
    }
    Ok(())
}

fn broken(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, error.to_string())
}
