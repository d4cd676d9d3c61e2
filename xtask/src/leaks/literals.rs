//! The values that stand in the sources: the literals handed to the constructors of `SecretValue`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::repository;

// In two pieces, so that this file does not hold a call itself.
const TYPE: &str = concat!("SecretValue", "::");

/// The literals of all Rust sources under `root`.
pub(super) fn from_sources(root: &Path) -> Result<BTreeSet<Vec<u8>>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    repository::walk(root, &mut files).map_err(|e| format!("cannot list {}: {e}", root.display()))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let mut values = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
        values.extend(text.split(TYPE).skip(1).filter_map(literal));
    }
    Ok(values)
}

/// The plain string or byte string at the start of a call's argument; one with escapes is left to what tests record.
fn literal(call: &str) -> Option<Vec<u8>> {
    let (function, argument) = call.split_once('(')?;
    if !function.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return None;
    }
    let argument = argument.trim_start().trim_start_matches('*');
    let inside = argument.strip_prefix("b\"").or_else(|| argument.strip_prefix('"'))?;
    let (text, _) = inside.split_once('"')?;
    (!text.contains('\\')).then(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_other_arguments_are_not() {
        assert_eq!(literal("new(b\"made up\".to_vec())"), Some(b"made up".to_vec()));
        assert_eq!(literal("credential(\n    \"made up\")"), Some(b"made up".to_vec()));
        assert_eq!(literal("} else { f(\"text\") }"), None);
        assert_eq!(literal("new(value.to_vec()) // \"text\""), None);
        assert_eq!(literal("new(b\"a\\n\".to_vec())"), None);
    }
}
