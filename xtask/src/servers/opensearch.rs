//! OpenSearch.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Started;
use super::place::{Place, free_port};
use super::server;
use crate::Failure;
use crate::install::ServerTools;
use crate::log::Log;

/// Starts it alone, with what it needs of memory and nothing else. It has no users: this distribution is without the plugin for that.
pub(crate) fn start(log: &Log, place: Place, tools: &ServerTools) -> Result<Started, Failure> {
    // Unpacked where the user that it runs as comes to: it keeps its settings and logs beside its programs.
    log.run(Command::new("unzip").arg("-q").arg(&tools.opensearch).arg("-d").arg(&place.dir))?;
    let home = std::fs::read_dir(&place.dir)
        .ok()
        .and_then(|entries| {
            entries.flatten().map(|entry| entry.path()).find(|path| path.join("bin/opensearch").exists())
        })
        .ok_or_else(|| format!("{} holds no OpenSearch", tools.opensearch.display()))?;
    place.hand_over_all(log, &home)?;
    let mut opensearch = place.command(Path::new("env"));
    opensearch.arg(format!("OPENSEARCH_JAVA_HOME={}", tools.java_home.display()));
    opensearch.arg("OPENSEARCH_JAVA_OPTS=-Xms256m -Xmx256m").arg(home.join("bin/opensearch"));
    for setting in [
        "http.host=127.0.0.1".to_owned(),
        format!("http.port={}", place.port),
        "transport.host=127.0.0.1".into(),
        format!("transport.port={}", free_port()?),
        "discovery.type=single-node".into(),
        // However full the disk of the machine is: the tests write little.
        "cluster.routing.allocation.disk.threshold_enabled=false".into(),
    ] {
        opensearch.arg(format!("-E{setting}"));
    }
    let port = place.port;
    let server = server::start(&place, "TERM", &opensearch, || is_well(port))?;
    Ok((server, Vec::new()))
}

/// Whether it says so itself: it listens before it can do anything.
fn is_well(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let patience = Some(Duration::from_secs(5));
    if stream.set_read_timeout(patience).and_then(|()| stream.set_write_timeout(patience)).is_err() {
        return false;
    }
    let asks = b"GET /_cluster/health?wait_for_status=yellow&timeout=2s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n";
    let mut answer = [0; 15];
    stream.write_all(asks).is_ok() && stream.read_exact(&mut answer).is_ok() && answer.ends_with(b" 200 OK")
}
