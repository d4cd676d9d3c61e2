//! The secret values that tests make up, written down so that `cargo xtask test` can look for them in all that the tests
//! print and keep.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Names the file. Not set outside of `cargo xtask test`, and then nothing is written.
const VARIABLE: &str = "SWARMSECRETS_TEST_VALUES";

/// Writes a made-up value down. It should be 8 bytes or longer: shorter ones are not looked for, because they stand in any text.
///
/// # Panics
/// If the file cannot be written: a value that is not looked for must not pass as one that was not found.
pub fn record(value: &[u8]) {
    if let Some(file) = std::env::var_os(VARIABLE) {
        append(file, value);
    }
}

#[allow(clippy::panic, reason = "for tests alone, which fail by panicking")]
fn append(file: OsString, value: &[u8]) {
    // One write of one line: tests of several processes append at the same time.
    let line = format!("{}\n", STANDARD.encode(value));
    let appended =
        OpenOptions::new().create(true).append(true).open(&file).and_then(|mut f| f.write_all(line.as_bytes()));
    if let Err(error) = appended {
        panic!("cannot write to {VARIABLE}={}: {error}", file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("values");
        append(file.clone().into(), b"made\nup");
        append(file.clone().into(), b"another");
        assert_eq!(std::fs::read_to_string(file).unwrap(), "bWFkZQp1cA==\nYW5vdGhlcg==\n");
    }
}
