//! An audit trail in a database, which the command checks and searches there.

use crate::database::Database;
use crate::host::Host;
use crate::served::Served;

const POLICY: &str = "schema = 1
phase = 'automated'
[audit]
[[audit.sinks]]
name = 'central'
kind = 'postgres'
url_file = 'url'
";

#[test]
fn a_trail_in_a_database_is_checked_and_searched_there() {
    let (database, served) = (Database::make("cli_audited"), Served::start());
    let host = Host::new("audited", &served, &database);
    host.write("policy.toml", &POLICY.replace("'url'", &format!("'{}'", host.path("url").display())));
    let done = host.run("rotate report_password --value-file value --stability 1s --yes --policy policy.toml").code(0);
    let ask = |line: &str| host.start_with(line, &[]).end();

    let whole = ask("audit verify --db-file url").code(0).json;
    assert!(whole["problem"].is_null() && whole["records"].as_u64() > Some(5), "{whole:#}");
    let found = ask(&format!("audit query --db-file url --rotation {}", done.rotation())).code(0).json;
    assert_eq!(found["records"].as_array().map(Vec::len), whole["records"].as_u64().map(|n| n as usize));

    database.change_as_superuser(
        "ALTER TABLE swarmsecrets.audit DISABLE TRIGGER audit_only_grows; \
         UPDATE swarmsecrets.audit SET line = replace(line, 'report_password', 'other_password') WHERE n = 3",
    );
    let broken = ask("audit verify --db-file url").code(1);
    assert!(broken.json["problem"].as_str().is_some_and(|why| why.contains("record 3")), "{broken:#?}");
    let hidden = ask("audit query --db-file url").code(1);
    assert!(hidden.stderr.contains("record 3"), "{hidden:#?}");
}
