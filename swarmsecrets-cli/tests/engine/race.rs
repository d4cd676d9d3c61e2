//! Two commands that rotate the same secret at once.

use std::path::Path;

use crate::command::{rotate_args, start};
use crate::scene::Scene;
use crate::{docker, place};

#[test]
fn one_wins_one_reports_a_conflict_and_nothing_is_half_done() {
    let scene = Scene::new("race");
    let secret = scene.own("db");
    docker::create_secret(&secret, &scene.value("old"));
    let services = ["a", "b", "c"].map(|name| scene.plain_service(name, &secret));
    let values = [scene.value("one"), scene.value("two")];
    let files = values.each_ref().map(|value| scene.value_file(value));
    // As from two machines: neither knows of the other's journal.
    let journals = ["first", "second"].map(|name| scene.journal().join(name));

    let begin = |n: usize| start(&place::admin_key(), &rotate_args(&secret, &files[n], "24h", Path::new(&journals[n])));
    let [first, second] = [begin(0), begin(1)];
    let ended = [first.end(), second.end()];

    let mut codes = ended.each_ref().map(|ended| ended.code);
    let winner = usize::from(codes[1] == 0);
    codes.sort_unstable();
    assert_eq!(codes, [0, 5], "{}\n{}", ended[0].printed, ended[1].printed);
    assert_eq!(ended[winner].json["outcome"], "applied");
    assert_eq!(ended[1 - winner].json["outcome"], "conflict", "{}", ended[1 - winner].printed);
    scene.assert_all_read(&services, &values[winner]);
    assert_eq!(docker::secrets(&secret), [secret.clone(), format!("{secret}_v2")]);
}
