//! What one host rotates, another one goes on with: it has the database, and no file.

use serde_json::json;

use crate::database::Database;
use crate::host::{Host, until};
use crate::served::Served;

const SECRET: &str = "report_password";

const ROTATE: &str = "rotate report_password --value-file value --stability 1s --yes";

#[test]
fn a_rotation_is_gone_on_with_and_undone_on_another_host() {
    let (database, served) = (Database::make("cli_two_hosts"), Served::start());
    let [blue, green] = ["two-blue", "two-green"].map(|name| Host::new(name, &served, &database));
    let before = blue.versions(SECRET);

    let done = blue.run(&format!("{ROTATE} --grace 24h")).code(0).outcome("applied");
    let id = done.rotation();
    assert_eq!(blue.versions(SECRET).1, before.1 + 1);

    // Read from the journal, and not from what the Swarm shows.
    let found = green.run("resume --yes").code(0).outcome("applied");
    assert_eq!((found.rotation(), &found.json["warnings"]), (id.clone(), &done.json["warnings"]), "{found:#?}");
    let kept = green.run("retire --yes").code(0).json;
    assert_eq!((&kept["retired"], &kept["rotations"][0]["rotation"]), (&json!([]), &json!(id)), "{kept:#}");
    let _ = green.run(&format!("rollback {id} --yes")).code(0).outcome("rolled_back");
    assert_eq!(green.versions(SECRET), before);

    let over = blue.run("resume --yes").code(1);
    assert!(over.stderr.contains("no rotation to go on with"), "{over:#?}");
    only_the_audit_trail_is_in_a_folder(&[&blue, &green]);
    let (rows, text) = database.rows();
    assert!(rows > 5 && text.contains(&id), "the journal is not in the database");
    blue.assert_nothing_shown(&text, "the database");
}

#[test]
fn the_old_version_is_removed_by_another_host_after_its_grace() {
    let (database, served) = (Database::make("cli_retire"), Served::start());
    let [blue, green] = ["retire-blue", "retire-green"].map(|name| Host::new(name, &served, &database));
    let (old, _) = blue.versions(SECRET);
    let _ = blue.run(&format!("{ROTATE} --grace 1s")).code(0).outcome("applied");
    let retired = until("the grace is over", || {
        let json = green.run("retire --yes").code(0).json;
        (json["retired"] != json!([])).then_some(json)
    });
    assert_eq!(retired["retired"], json!([old]));
    assert_eq!(green.versions(SECRET).1, 1);
    only_the_audit_trail_is_in_a_folder(&[&blue, &green]);
}

fn only_the_audit_trail_is_in_a_folder(hosts: &[&Host<'_>]) {
    for host in hosts {
        let files = std::fs::read_dir(host.folder()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(files.collect::<Vec<_>>(), ["audit.jsonl"]);
    }
}
