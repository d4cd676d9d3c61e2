//! The old version goes after its grace period, and never while something uses it.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::command::{self, rotate};
use crate::docker;
use crate::scene::{RETIRING, Scene};

#[test]
fn with_no_grace_it_goes_before_the_command_ends() {
    let scene = Scene::new("at-once");
    let secret = scene.own("db");
    docker::create_secret(&secret, &scene.value("old"));
    scene.plain_service("app", &secret);
    rotate(&secret, &scene.value_file(&scene.value("new")), "0s", &scene.journal()).expect(0, "applied");
    assert_eq!(docker::secrets(&secret), [format!("{secret}_v2")]);
}

fn retire_all(args: &[&str]) -> command::Ended {
    let _alone = RETIRING.write().unwrap_or_else(PoisonError::into_inner);
    command::run(args)
}

#[test]
fn it_stays_during_grace_and_while_another_stack_uses_it_and_goes_then() {
    let scene = Scene::new("later");
    let (secret, new) = (scene.own("db"), scene.value("new"));
    docker::create_secret(&secret, &scene.value("old"));
    let service = [scene.plain_service("app", &secret)];
    let began = Instant::now();
    rotate(&secret, &scene.value_file(&new), "20s", &scene.journal()).expect(0, "applied");
    let both = [secret.clone(), format!("{secret}_v2")];
    let journal = scene.journal();
    let retire = ["retire", "--yes", "--journal", journal.to_str().unwrap()];

    let early = retire_all(&retire);
    if began.elapsed() < Duration::from_secs(20) {
        assert_eq!(docker::secrets(&secret), both, "it went before its grace was over: {}", early.printed);
    }

    // Another stack's service takes the old version up.
    let flags = ["--label=com.docker.stack.namespace=elsewhere"];
    let other = scene.serve(&crate::scene::Service {
        name: "elsewhere",
        secret: &secret,
        target: "pw",
        replicas: 1,
        flags: &flags,
        first: "",
    });
    while began.elapsed() < Duration::from_secs(40) {
        std::thread::sleep(Duration::from_millis(200));
    }
    let refused = retire_all(&retire);
    assert_eq!(docker::secrets(&secret), both, "it went although {other} uses it: {}", refused.printed);
    assert!(refused.json.to_string().contains(&other), "the service is not named: {}", refused.printed);

    docker::docker(&["service", "rm", &other]);
    docker::wait_until("the service is gone", || docker::containers(&other).is_empty());
    // Its last task may still count for a moment.
    docker::wait_until("the old version is retired", || {
        retire_all(&retire);
        docker::secrets(&secret) == [format!("{secret}_v2")]
    });
    scene.assert_all_read(&service, &new);
}
