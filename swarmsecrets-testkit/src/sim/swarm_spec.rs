//! What a Swarm was told to be.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The spec of the Swarm itself, and its version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SwarmSpec {
    pub(crate) index: u64,
    pub(crate) spec: Value,
}

/// As `docker swarm init` leaves it.
impl Default for SwarmSpec {
    fn default() -> Self {
        Self {
            index: 10,
            spec: json!({
                "Name": "default",
                "Labels": {},
                "Orchestration": {"TaskHistoryRetentionLimit": 5},
                "Raft": {
                    "SnapshotInterval": 10000,
                    "KeepOldSnapshots": 0,
                    "LogEntriesForSlowFollowers": 500,
                    "ElectionTick": 10,
                    "HeartbeatTick": 1,
                },
                "Dispatcher": {"HeartbeatPeriod": 5_000_000_000_u64},
                "CAConfig": {"NodeCertExpiry": 7_776_000_000_000_000_u64},
                "TaskDefaults": {},
                "EncryptionConfig": {"AutoLockManagers": false},
            }),
        }
    }
}
