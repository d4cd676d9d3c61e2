//! The recordings hold no credential of the machine that they were made on.

use crate::tree::{files, relative, root};

/// How credentials begin: join tokens, web tokens, Portainer's keys, key material.
const BEGINNINGS: &[&str] =
    &["SWMTKN-1-", "eyJhbGciOi", "ptr_", "PRIVATE KEY-----", "\"Bearer ", "CACertificate\": \"MII"];

#[test]
fn no_recording_holds_a_credential() {
    let recordings: Vec<_> = files(&["json"]).into_iter().filter(|f| f.starts_with(root().join("fixtures"))).collect();
    assert!(recordings.len() >= 7, "the recordings are not where they are looked for");
    for file in recordings {
        let text = std::fs::read_to_string(&file).unwrap();
        for beginning in BEGINNINGS {
            assert!(!text.contains(beginning), "{} holds `{beginning}…`", relative(&file));
        }
    }
}
