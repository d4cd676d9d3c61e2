//! A rotation that another host has in hand is left alone, until that host is gone.

use crate::database::Database;
use crate::host::{Ended, Host, Started, until};
use crate::served::Served;

/// Long enough to be met in the middle.
const ROTATE: &str = "--value-file value --stability 5s --yes";

/// One test, as it waits for leases to end: half a minute.
#[test]
fn a_rotation_is_taken_over_when_its_holder_is_gone_and_its_lease_has_ended() {
    let (database, served) = (Database::make("cli_takeover"), Served::start());
    let [killed, stopped, other] =
        ["takeover-killed", "takeover-stopped", "takeover-other"].map(|name| Host::new(name, &served, &database));
    let before = ["report_password", "redis_password"].map(|secret| other.versions(secret));

    let mut at_work = killed.start(&format!("rotate report_password {ROTATE}"));
    at_work.wait_until_it_says("updating");
    killed.assert_nothing_shown(&at_work.arguments(), "the arguments");
    let first = at_work.rotation();
    let told = other.run("resume --yes").code(5);
    assert!(lease_of(&at_work, &told).is_some(), "{told:#?}");
    at_work.signal("KILL");
    let mut stands_still = stopped.start(&format!("rotate redis_password {ROTATE}"));
    stands_still.wait_until_it_says("updating");
    stands_still.signal("STOP");
    let second = stands_still.rotation();

    // Nobody else may have it yet, also if the holder is gone: that cannot be told from a holder that is slow.
    for (line, holder) in [
        (format!("resume {first} --value-file value --yes"), &at_work),
        (format!("rollback {first} --yes"), &at_work),
        (format!("resume {second} --value-file value --yes"), &stands_still),
    ] {
        let told = other.run(&line).code(5);
        assert_eq!(told.json["error"]["kind"], "conflict", "{told:#?}");
        assert!((1..=30).contains(&lease_of(holder, &told).unwrap()), "{told:#?}");
    }
    assert_eq!(at_work.end().code, -1);

    until("the leases end", || database.leases_held().is_empty().then_some(()));
    for (id, old) in [(&first, &before[0]), (&second, &before[1])] {
        let ended = other.run(&format!("resume {id} --value-file value --yes")).code(0).outcome("applied");
        let secret = ended.json["secrets"][0]["name"].as_str().unwrap();
        let (current, count) = other.versions(secret);
        assert!(current != old.0 && count == old.1 + 1, "{secret}: {current}, {count} versions");
    }

    // Whoever wakes up finds out, and does nothing more.
    stands_still.signal("CONT");
    let woken = stands_still.end().code(5).outcome("conflict");
    assert!(woken.json.to_string().contains("lease"), "{woken:#?}");
    assert_eq!(other.versions("redis_password").1, before[1].1 + 1);
    let over = other.run("resume --yes").code(0);
    assert_eq!(over.json["outcome"], "applied", "{over:#?}");
}

/// The seconds until the lease ends, if it is said to be this process's.
fn lease_of(holder: &Started<'_>, told: &Ended) -> Option<u32> {
    let (_, about) = told.stderr.split_once(&format!("is being carried out by process {} on ", holder.process()))?;
    let (_, end) = about.split_once("its lease ends in ")?;
    end.split(' ').next()?.parse().ok()
}
