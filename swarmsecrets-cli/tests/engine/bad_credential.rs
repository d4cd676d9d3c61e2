//! A value that the services do not take is undone, whatever the Engine itself does about it.

use crate::command::rotate;
use crate::docker;
use crate::scene::{PICKY, Scene, Service, references};

fn undone_under(action: &str) {
    let scene = Scene::new(&format!("bad-{action}"));
    let (good, bad) = (scene.value("good"), scene.value("wrong"));
    let secret = scene.own("db");
    docker::create_secret(&secret, &good);
    let action = format!("--update-failure-action={action}");
    let flags = [action.as_str(), "--rollback-monitor=1s"];
    let service =
        scene.serve(&Service { name: "app", secret: &secret, target: "pw", replicas: 2, flags: &flags, first: PICKY });

    let ended = rotate(&secret, &scene.value_file(&bad), "24h", &scene.journal()).expect(1, "rolled_back");

    let consumer = &ended.json["consumers"][0];
    assert_eq!(consumer["service"], service.as_str());
    assert!(consumer["reason"].as_str().is_some_and(|reason| reason.contains("exited 3")), "{}", ended.printed);
    docker::wait_for_containers(&service, 2);
    scene.assert_all_read(std::slice::from_ref(&service), &good);
    assert_eq!(references(&docker::service(&service))[0]["SecretName"], secret.as_str());
    assert_eq!(docker::secrets(&secret), [secret], "the version that does not work is gone");
}

#[test]
fn under_pause() {
    undone_under("pause");
}

#[test]
fn under_continue() {
    undone_under("continue");
}

#[test]
fn under_rollback() {
    undone_under("rollback");
}

/// The service before the one that fails was already moved: it goes back too.
#[test]
fn what_was_moved_before_the_failure_is_put_back() {
    let scene = Scene::new("bad-second");
    let (good, bad) = (scene.value("good"), scene.value("wrong"));
    let secret = scene.own("db");
    docker::create_secret(&secret, &good);
    let easy = scene.plain_service("a-easy", &secret);
    let picky = Service { name: "b-picky", secret: &secret, target: "pw", replicas: 1, flags: &[], first: PICKY };
    let services = [easy, scene.serve(&picky)];

    rotate(&secret, &scene.value_file(&bad), "24h", &scene.journal()).expect(1, "rolled_back");

    docker::wait_for_containers(&services[1], 1);
    scene.assert_all_read(&services, &good);
    assert_eq!(docker::secrets(&secret), [secret]);
}
