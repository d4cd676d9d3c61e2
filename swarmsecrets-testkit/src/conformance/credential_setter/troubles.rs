//! What a setter says and leaves behind when something stands in its way.

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::credential::Login;

use super::{Scene, Stage, Trouble, must, must_be_unknown, must_not, must_not_reach, password, rotation};
use crate::credential::Step;

impl Scene {
    /// The same scene, seen through a setter with this trouble.
    async fn in_trouble(&self, stage: &impl Stage, trouble: Trouble) -> Self {
        Self {
            name: self.name.clone(),
            setter: stage.setter(&self.name, trouble).await,
            rotation: self.rotation.clone(),
            current: self.current.clone(),
            next: self.next.clone(),
        }
    }
}

pub(super) async fn a_user_that_is_not_there(stage: &impl Stage) {
    let name = "nobody-is-called-this";
    let setter = stage.setter(name, Trouble::None).await;
    let current = stage.value(name, &password("old"));
    let next = must("a value is made", setter.next_value(&current, &password("new")));
    let scene = Scene { name: name.into(), setter, rotation: rotation(), current, next };
    must_not("set for a user that is not there", ErrorKind::NotFound, scene.set().await);
    must_not("revoke for a user that is not there", ErrorKind::NotFound, scene.revoke().await);
    must_not("undo for a user that is not there", ErrorKind::NotFound, scene.undo().await);
    scene.logs_in("without a user", false, false).await;
}

pub(super) async fn a_wrong_administrator(stage: &impl Stage) {
    let well = Scene::of(stage, "admin").await;
    let scene = well.in_trouble(stage, Trouble::WrongAdmin).await;
    for result in [scene.set().await, scene.revoke().await, scene.undo().await] {
        let said = result.as_ref().map_err(ToString::to_string).err().unwrap_or_default();
        assert!(said.contains("administrator"), "it is said whose password is wrong: {said}");
        must_not("a change with a wrong administrator's password", ErrorKind::Unauthorized, result);
    }
    well.logs_in("after a wrong administrator", true, false).await;
}

pub(super) async fn a_system_that_is_down(stage: &impl Stage) {
    let well = Scene::of(stage, "down").await;
    let scene = well.in_trouble(stage, Trouble::Down).await;
    must_not_reach("set on a system that is down", scene.set().await);
    must_not_reach("revoke on a system that is down", scene.revoke().await);
    must_not_reach("undo on a system that is down", scene.undo().await);
    match scene.setter.verify(&scene.current).await {
        Login::Unclear(error) => {
            assert_eq!(error.kind(), ErrorKind::Unreachable, "verify says why: {error}");
            scene.says_no_value(&error);
        }
        login => assert!(matches!(login, Login::Unclear(_)), "a system that is down is not a refusal: {login:?}"),
    }
    well.logs_in("after it was down", true, false).await;
}

pub(super) async fn lost_answers(stage: &impl Stage) {
    let scene = Scene::of(stage, "lost").await;
    let both = scene.way().holds_two();
    must_be_unknown(
        "a set whose answer is lost",
        scene.in_trouble(stage, Trouble::LostAnswer(Step::Set)).await.set().await,
    );
    scene.logs_in("after a set whose answer was lost", both, true).await;
    must("set is sent again", scene.set().await);
    scene.logs_in("after set was sent again", both, true).await;

    must_be_unknown(
        "an undo whose answer is lost",
        scene.in_trouble(stage, Trouble::LostAnswer(Step::Undo)).await.undo().await,
    );
    must("undo is sent again", scene.undo().await);
    scene.logs_in("after undo was sent again", true, false).await;

    must("the password is set once more", scene.set().await);
    if both {
        let revoked = scene.in_trouble(stage, Trouble::LostAnswer(Step::Revoke)).await.revoke().await;
        must_be_unknown("a revoke whose answer is lost", revoked);
    }
    must("revoke is sent again", scene.revoke().await);
    scene.logs_in("after revoke was sent again", false, true).await;
}
