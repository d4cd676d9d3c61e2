//! What must be so on the real Engine when a rotation is over, whatever went wrong in it.

use serde_json::Value;
use swarmsecrets_testkit::faults::What;
use swarmsecrets_testkit::portainer::WireFault;

use super::play::Play;
use crate::docker;
use crate::scene::{but_for_the_secret, references};

/// Fails unless the world is whole and the report says what it is.
pub(super) fn check(play: &Play, report: Option<&Value>) {
    let after: Vec<Value> = play.services.iter().map(|name| docker::service(name)).collect();
    for (before, after) in play.before.iter().zip(&after) {
        assert!(
            but_for_the_secret(before.clone()) == but_for_the_secret(after.clone()),
            "more than the reference changed: {after}"
        );
    }
    let mounted: Vec<&str> =
        after.iter().map(|service| references(service)[0]["SecretName"].as_str().unwrap()).collect();
    let (old, new) = (play.secret.as_str(), format!("{}_v2", play.secret));
    let is_new = mounted.iter().all(|name| *name == new);
    assert!(
        is_new || mounted.iter().all(|name| *name == old),
        "some are on the new version and some are not: {mounted:?}"
    );
    let current = if is_new { new.as_str() } else { old };
    let id = docker::docker(&["secret", "inspect", "--format", "{{.ID}}", current]);
    let id = id.trim();
    for service in &after {
        assert_eq!(references(service)[0]["SecretID"], id, "it mounts a secret that is not there");
    }
    assert!(!(is_new && play.script.breaks()), "a service does not take the new value and was left on it");
    for (name, served) in play.services.iter().zip(&play.script.services) {
        docker::wait_for_containers(name, served.replicas);
    }
    play.scene.assert_all_read(&play.services, if is_new { &play.new } else { &play.old });

    let versions = docker::secrets(&play.secret);
    let expected: Vec<String> = match (is_new, play.script.grace) {
        (true, true) => vec![old.to_owned(), new.clone()],
        (true, false) => vec![new.clone()],
        (false, _) => vec![old.to_owned()],
    };
    let told = report.is_some_and(|report| report["warnings"].to_string().contains(old));
    // A refused retirement is reported; a request that is carried out after all was over can make a version again.
    let kept = is_new && told && versions == [old.to_owned(), new.clone()];
    let made_late = !is_new && create_was_late(play) && versions == [old.to_owned(), new];
    assert!(versions == expected || kept || made_late, "left behind: {versions:?}, expected {expected:?}");
    if let Some(report) = report {
        agrees(report, is_new, id);
    }
}

/// Whether a create may have arrived after its rotation was over.
fn create_was_late(play: &Play) -> bool {
    let late = |what: &What| matches!(what, What::Late(_) | What::Wire { fault: WireFault::Delay(_), .. });
    play.met().iter().any(|(what, at)| late(what) && at.ends_with("/secrets/create"))
}

/// Fails unless the report says what is.
fn agrees(report: &Value, is_new: bool, id: &str) {
    let outcome = report["outcome"].as_str().unwrap();
    assert_eq!(outcome == "applied", is_new, "the report says {outcome}: {report}");
    assert_eq!(report["secrets"][0]["current"]["id"], id, "{report}");
    for consumer in report["consumers"].as_array().unwrap() {
        let said = consumer["outcome"].as_str().unwrap();
        let fits = if is_new { said == "applied" } else { ["rolled_back", "not_started"].contains(&said) };
        assert!(fits, "a consumer is said to be {said}: {report}");
    }
}
