//! What a setter does when nothing stands in its way.

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::credential::Way;

use super::{Scene, Stage, made_of, must, must_not, password, rotation};

pub(super) async fn a_rotation_and_the_one_after_it(stage: &impl Stage) {
    let mut scene = Scene::of(stage, "whole").await;
    let account = scene.setter.account();
    assert!(account.user.contains(&scene.name), "the account names the user: {account}");
    assert!(!account.system.is_empty(), "the account names the system: {account}");
    let both = account.way.holds_two();
    // Two in a row: users that take turns come back to the first.
    for _ in 0..2 {
        scene.logs_in("before a rotation", true, false).await;
        for _ in 0..2 {
            must("a password is set, also twice", scene.set().await);
            scene.logs_in("after set", both, true).await;
        }
        for _ in 0..2 {
            must("the old password is revoked, also twice", scene.revoke().await);
            scene.logs_in("after revoke", false, true).await;
        }
        let newer = must("a further value is made", scene.setter.next_value(&scene.next, &password("newer")));
        crate::values::record(newer.expose());
        scene.rotation = rotation();
        scene.current = std::mem::replace(&mut scene.next, newer);
    }
}

pub(super) async fn undone_at_each_point(stage: &impl Stage) {
    let scene = Scene::of(stage, "undo").await;
    for _ in 0..2 {
        must("what was not set is undone, also twice", scene.undo().await);
        scene.logs_in("after undo before set", true, false).await;
    }
    for _ in 0..2 {
        must("a password is set again after undo", scene.set().await);
        must("a password that was set is undone", scene.undo().await);
        scene.logs_in("after undo", true, false).await;
    }
    must("a password is set again after undo", scene.set().await);
    must("a rotation ends well after all", scene.revoke().await);
    scene.logs_in("at the end", false, true).await;
}

pub(super) async fn nobody_is_locked_out(stage: &impl Stage) {
    let scene = Scene::of(stage, "only").await;
    must_not("revoke before set, which would leave no password", ErrorKind::Refused, scene.revoke().await);
    scene.logs_in("after a revoke that was refused", true, false).await;
}

pub(super) async fn what_others_did_stays(stage: &impl Stage) {
    let scene = Scene::of(stage, "other").await;
    let stranger = stage.value(&scene.name, &password("stranger"));
    let set = scene.setter.set(&scene.rotation, &stranger, &scene.next).await;
    must_not("set with a current password that the system does not hold", ErrorKind::Stale, scene.kept_secret(set));
    scene.logs_in("after a set that was refused", true, false).await;

    must("a password is set", scene.set().await);
    let third = must("a third value is made", scene.setter.next_value(&scene.current, &password("third")));
    let set = scene.setter.set(&rotation(), &scene.current, &third).await;
    let kind = if scene.way() == Way::Replaces { ErrorKind::Stale } else { ErrorKind::Conflict };
    must_not("set while another's rotation has set its own", kind, scene.kept_secret(set));
    scene.logs_in("after a third password was refused", scene.way().holds_two(), true).await;
    scene.one_logs_in("after it was refused", "the third value", &third, false).await;
}

pub(super) async fn odd_passwords(stage: &impl Stage) {
    let long = "0123456789abcdef-made-up-".repeat(8);
    for odd in [
        "made-up 'quoted' \"twice\" `thrice`",
        "made-up\\back\\\\slashes\\'",
        "made-up'; DROP ROLE postgres; -- #/*",
        "made-up $1 %s {} ? @host :p /0",
        "made-up-ünï-Ω-日本-Å",
        &long,
    ] {
        let scene = Scene::with(stage, "odd", password("old"), &made_of(odd)).await;
        must("an odd password is set", scene.set().await);
        scene.logs_in(&format!("with {odd:?}"), scene.way().holds_two(), true).await;
        must("the password before it is revoked", scene.revoke().await);
        scene.logs_in(&format!("with {odd:?} alone"), false, true).await;
    }
}

pub(super) async fn odd_names(stage: &impl Stage) {
    let bystander = Scene::of(stage, "bystander").await;
    for odd in stage.odd_names() {
        let scene = Scene::of(stage, odd).await;
        must("an odd name's password is set", scene.set().await);
        must("an odd name's password is undone", scene.undo().await);
        scene.logs_in(&format!("after undo for {odd:?}"), true, false).await;
        must("an odd name's password is set", scene.set().await);
        must("an odd name's password is revoked", scene.revoke().await);
        scene.logs_in(&format!("after revoke for {odd:?}"), false, true).await;
    }
    bystander.logs_in("after the passwords of others were changed", true, false).await;
}
