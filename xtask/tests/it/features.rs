//! What the dependency graph must not hold.

use std::process::Command;

use crate::tree::root;

/// The normal dependencies, one `name version feature,feature` for each line.
fn dependencies(selection: &[&str]) -> Vec<(String, Vec<String>)> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p} {f}"]);
    let ran = cargo.args(selection).current_dir(root()).output().unwrap();
    assert!(ran.status.success(), "cargo tree: {}", String::from_utf8_lossy(&ran.stderr));
    let read = |line: &str| {
        let mut words = line.trim_end_matches(" (*)").split_whitespace();
        let name = words.next()?.to_owned();
        // After the version, and the path of a workspace member.
        let features = words.last().unwrap_or_default().split(',').map(str::to_owned).collect();
        Some((name, features))
    };
    String::from_utf8(ran.stdout).unwrap().lines().filter_map(read).collect()
}

/// Cargo unites features: switched on here, these would be switched on in every program that embeds a crate of ours, and
/// change how it reads numbers and orders keys.
#[test]
fn no_feature_of_serde_json_that_changes_its_values_is_on() {
    let all = dependencies(&["--workspace", "--all-features"]);
    let seen: Vec<_> = all.iter().filter(|(name, _)| name == "serde_json").collect();
    assert!(seen.iter().any(|(_, features)| features.iter().any(|f| f == "raw_value")), "{seen:?}");
    for (_, features) in seen {
        for off in ["arbitrary_precision", "preserve_order"] {
            assert!(
                !features.iter().any(|f| f == off),
                "serde_json's `{off}` is on: cargo tree -e features -i serde_json"
            );
        }
    }
}

#[test]
fn the_core_has_no_runtime_and_no_http_client() {
    let core = dependencies(&["--package", "swarmsecrets-core", "--all-features"]);
    assert!(core.iter().any(|(name, _)| name == "serde_json"), "the core's dependencies were not read");
    for absent in ["tokio", "reqwest", "hyper", "rustls", "getrandom", "rand", "async-std"] {
        assert!(!core.iter().any(|(name, _)| name == absent), "swarmsecrets-core depends on {absent}");
    }
}

/// With it a program could write to a Swarm past the guardrails.
#[test]
fn the_cores_feature_for_tests_is_off() {
    let core = |all: Vec<(String, Vec<String>)>| -> Vec<(String, Vec<String>)> {
        all.into_iter().filter(|(name, _)| name == "swarmsecrets-core").collect()
    };
    let seen = core(dependencies(&["--workspace"]));
    assert!(!seen.is_empty());
    assert!(!seen.iter().any(|(_, features)| features.iter().any(|f| f == "testing")), "{seen:?}");
}
