//! A world in a file.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarmsecrets_core::error::{Error, ErrorKind, Result};

use super::world::World;

/// The version of the format.
const SCHEMA: u64 = 1;

#[derive(Serialize)]
struct Outgoing<'a> {
    schema: u64,
    simulated: bool,
    engine: &'a World,
}

#[derive(Deserialize)]
struct Incoming {
    engine: World,
}

pub(crate) fn to_value(world: &World) -> Result<Value> {
    serde_json::to_value(outgoing(world)).map_err(unwritable)
}

pub(crate) fn from_value(value: Value) -> Result<World> {
    let what = "read the state of a simulated Engine";
    if value.get("simulated") != Some(&Value::Bool(true)) || value.get("engine").is_none() {
        return Err(Error::new(ErrorKind::Invalid, format!("{what}: it is not a saved simulation")));
    }
    match value.get("schema").and_then(Value::as_u64) {
        Some(SCHEMA) => {}
        Some(other) => {
            let why = format!("{what}: it has format {other}, this program reads format {SCHEMA}");
            return Err(Error::new(ErrorKind::Invalid, why));
        }
        None => return Err(Error::new(ErrorKind::Invalid, format!("{what}: its format has no number"))),
    }
    serde_json::from_value::<Incoming>(value).map(|saved| saved.engine).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{what}: it is damaged; begin a new one")).with_source(error)
    })
}

pub(crate) fn save(world: &World) -> Result<Vec<u8>> {
    serde_json::to_vec(&outgoing(world)).map_err(unwritable)
}

pub(crate) fn load(bytes: &[u8]) -> Result<World> {
    let value = serde_json::from_slice(bytes).map_err(|error| {
        Error::new(ErrorKind::Invalid, "read the state of a simulated Engine: it is not JSON").with_source(error)
    })?;
    from_value(value)
}

fn outgoing(world: &World) -> Outgoing<'_> {
    Outgoing { schema: SCHEMA, simulated: true, engine: world }
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Io, "put the state of a simulated Engine into JSON").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::clock::default_base;

    #[test]
    fn what_is_no_saved_world_is_refused_with_the_reason() {
        let refusal = |bytes: &[u8]| load(bytes).err().unwrap().to_string();
        assert!(refusal(b"hello").contains("not JSON"));
        assert!(refusal(b"{}").contains("not a saved simulation"));
        assert!(refusal(br#"{"simulated": true, "schema": 2, "engine": {}}"#).contains("format 2"));
        assert!(refusal(br#"{"simulated": true, "schema": 1, "engine": {}}"#).contains("damaged"));
        let world = World::new(1, default_base());
        let bytes = save(&world).unwrap();
        assert_eq!(load(&bytes).unwrap().cluster, world.cluster);
    }
}
