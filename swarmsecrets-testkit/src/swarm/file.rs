//! A simulated Swarm in a file.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::ids::quoted;

use super::SimSwarm;
use crate::portainer::State;
use crate::sim::SimEngine;

/// The version of the format.
const SCHEMA: u64 = 1;

#[derive(Serialize)]
struct Outgoing<'a> {
    schema: u64,
    simulated: bool,
    engine: Value,
    portainer: &'a State,
}

#[derive(Deserialize)]
struct Marker {
    #[serde(default)]
    simulated: bool,
    schema: Option<u64>,
}

#[derive(Deserialize)]
struct Incoming {
    engine: Value,
    portainer: State,
}

impl SimSwarm {
    /// Reads a Swarm from the file that [`SimSwarm::save`] wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be read, [`ErrorKind::NotFound`] if there is no such file, [`ErrorKind::Invalid`]
    /// if it is something else, or of another version.
    pub fn open(path: &Path) -> Result<Self> {
        let place = place(path);
        let bytes = std::fs::read(path).map_err(|e| {
            let missing = e.kind() == std::io::ErrorKind::NotFound;
            let kind = if missing { ErrorKind::NotFound } else { ErrorKind::Io };
            Error::new(kind, format!("cannot read the simulation's file {place}")).with_source(e)
        })?;
        let not_ours = |why: &str| Error::new(ErrorKind::Invalid, format!("{place} {why}"));
        let marker: Marker = serde_json::from_slice(&bytes).map_err(|_| not_ours("is not a saved simulation"))?;
        match (marker.simulated, marker.schema) {
            (true, Some(SCHEMA)) => {}
            (true, Some(other)) => {
                return Err(not_ours(&format!("has format {other}, this program reads format {SCHEMA}")));
            }
            _ => return Err(not_ours("is not a saved simulation")),
        }
        let damaged = "is damaged: begin a new simulation in another file";
        let saved: Incoming = serde_json::from_slice(&bytes).map_err(|e| not_ours(damaged).with_source(e))?;
        Ok(Self::of(SimEngine::from_value(saved.engine)?, saved.portainer))
    }

    /// Writes the Swarm to a file that only its owner may read. It holds no secret's value, but keyed hashes; it is
    /// there whole or, if this fails, as it was.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let failed = |e: std::io::Error| {
            Error::new(ErrorKind::Io, format!("cannot write the simulation's file {}", place(path))).with_source(e)
        };
        let engine = self.engine.to_value()?;
        let bytes = {
            let state = self.portainer.state();
            let saved = Outgoing { schema: SCHEMA, simulated: true, engine, portainer: &state };
            serde_json::to_vec(&saved).map_err(|e| failed(e.into()))?
        };
        let folder = folder(path);
        // Made with mode 0600, and gone again if it is not put in place.
        let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|e| failed(e.error))?;
        File::open(&folder).and_then(|f| f.sync_all()).map_err(failed)
    }
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn place(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}
