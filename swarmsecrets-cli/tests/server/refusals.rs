//! A database that cannot be used: what is said of it, and that nothing was done.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use crate::database::{Database, told};
use crate::host::Host;
use crate::served::Served;

const SECRET: &str = "report_password";

/// Every command that needs the journal.
const COMMANDS: [&str; 6] = [
    "rotate report_password --value-file value --yes",
    "revoke report_password --value-file value --yes",
    "create new_password --value-file value --yes",
    "resume --yes",
    "rollback r-0123456789abcdef0123 --yes",
    "retire --yes",
];

#[test]
fn a_database_that_cannot_be_used_is_named_and_its_password_is_not() {
    let (database, served) = (Database::make("cli_refusals"), Served::start());
    let mut host = Host::new("refusals", &served, &database);
    let before = host.versions(SECRET);
    let (wrong, good) = ("made-up-and-wrong-password", database.password.clone());
    host.hide(wrong);
    let away = free_address();
    let authority = told("_AUTHORITY");
    let refused = format!("cannot open the journal: database `cli_refusals` of PostgreSQL at 127.0.0.1:{}", port());
    for (url, code, part) in [
        (database.url_of("cli_refusals", wrong), 1, format!("{refused} refuses the login")),
        (database.url_of("nowhere", &good), 1, "has no such database".into()),
        (format!("postgres://nobody:{wrong}@127.0.0.1:{}/cli_refusals", port()), 1, "refuses the login".into()),
        (format!("postgres://cli_refusals:{good}@{away}/cli_refusals"), 1, format!("{away} cannot be reached")),
        (format!("{}?sslmode=verify-full", database.url()), 1, "certificate".into()),
        (format!("{}?sslmode=require&sslrootcert={authority}", database.url()), 2, "write verify-full".into()),
        (database.url().replace("postgres:", "mysql:"), 2, "does not begin with postgres://".into()),
        (database.url_of("", &good), 2, "it names no database".into()),
        (format!("cli_refusals:{good}@127.0.0.1/cli_refusals"), 2, "write postgres://user:password@host".into()),
        (format!("postgres://cli_refusals:@127.0.0.1/{good}@db/journal"), 2, "in a password write / as %2F".into()),
    ] {
        host.write("url", &url);
        for command in COMMANDS {
            let ended = host.run(command).code(code);
            assert!(ended.stderr.contains(&part), "{command}: {part:?} is not said: {ended:#?}");
            assert!(ended.json.is_object(), "{command}: not one JSON document: {ended:#?}");
        }
    }
    assert_eq!(host.versions(SECRET), before);
}

/// The two that are easily mixed up: the URL, and the name of the file that holds it.
#[test]
fn a_url_where_a_file_is_expected_is_not_shown() {
    let (database, served) = (Database::make("cli_mixed_up"), Served::start());
    let host = Host::new("mixed-up", &served, &database);
    let url = database.url();
    for command in COMMANDS {
        for ended in [
            host.start_with(&format!("{command} --journal-db-file {url}"), &[]).end(),
            host.start_with(&format!("{command} --journal-db {url}"), &[]).end(),
            host.start_with(&format!("{command} --journal-db={url}"), &[]).end(),
            host.start_with(command, &[("SWARMSECRETS_JOURNAL_DB_FILE", &url)]).end(),
            host.start_with(command, &[("SWARMSECRETS_JOURNAL_DB", "url")]).end(),
            host.start_with(command, &[("SWARMSECRETS_JOURNAL_DB_URL", &url)]).end(),
        ] {
            let _ = ended.code(2);
        }
    }
    assert!(!host.folder().exists(), "a journal was begun in a folder");
    // As it is meant.
    let told = host.start_with(COMMANDS[5], &[("SWARMSECRETS_JOURNAL_DB", &url)]).end().code(0);
    assert_eq!(told.json["rotations"], serde_json::json!([]));
}

/// Two connections that end at once are what a journal's reading does not bear.
#[test]
fn a_journal_that_cannot_be_read_is_not_taken_for_one_that_is_not_there() {
    let (database, served) = (Database::make("cli_unread"), Served::start());
    let host = Host::new("unread", &served, &database);
    let done = host.run(&format!("{} --stability 1s", COMMANDS[0])).code(0);
    let wire = wire_that_ends_the_first(2);
    host.write("url", &database.url().replace(&told(""), &wire.to_string()));
    let resume = format!("resume {} --value-file value --yes", done.rotation());
    let ended = host.run(&resume).code(1);
    assert!(ended.stderr.contains("cannot open the journal"), "{ended:#?}");
    assert_eq!(ended.json["error"]["kind"], "journal", "{ended:#?}");
    let _ = host.run(&resume).code(0).outcome("applied");
}

/// A way to the server whose first connections end without a word. It lasts as long as the tests.
fn wire_that_ends_the_first(count: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for near in listener.incoming().skip(count).map(|near| near.unwrap()) {
            let far = TcpStream::connect(told("")).unwrap();
            for (mut from, mut to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))].map(both) {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    address
}

fn both((from, to): (std::io::Result<TcpStream>, std::io::Result<TcpStream>)) -> (TcpStream, TcpStream) {
    (from.unwrap(), to.unwrap())
}

fn port() -> u16 {
    told("").parse::<SocketAddr>().unwrap().port()
}

/// Where nobody listens.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
