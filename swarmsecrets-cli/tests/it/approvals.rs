//! Policies, change requests and approvals, as operators and approvers use them; and what must not get past them.

use std::path::PathBuf;

use crate::command::{Place, Run};

/// A place with two approvers, and a policy by which everything needs an approval.
pub(crate) struct Office {
    pub(crate) place: Place,
}

impl Office {
    pub(crate) fn new(people: u32) -> Self {
        Self::with(people, "")
    }

    fn with(people: u32, more: &str) -> Self {
        let office = Self { place: Place::new() };
        let key = |name: &str| office.place.run(&format!("keygen {name}.key")).code(0).stdout.trim().to_owned();
        let approvers = ["alice", "bob"].map(|name| format!("{{ identity = '{name}', key = '{}' }}", key(name)));
        let folder = office.place.root().display();
        let policy = format!(
            "schema = 1\nphase = 'assisted'\n{more}\n[approval]\nfolder = '{folder}/requests'\nstate = '{folder}/state'\npeople = {people}\napprovers = [{}]\n",
            approvers.join(", ")
        );
        std::fs::write(office.place.path("policy.toml"), policy).unwrap();
        office
    }

    /// Asks for the rotation of `db_password`, and gives the file of the change request.
    pub(crate) fn ask(&self) -> PathBuf {
        let before = self.requests();
        let asked =
            self.sim("rotate db_password --generate length=32 --reason monthly --agent-id agent-7 --json").code(4);
        assert_eq!(asked.json()["outcome"], "awaiting_approval");
        let file = self.requests().into_iter().find(|file| !before.contains(file)).unwrap();
        let said = asked.json()["warnings"][0].as_str().unwrap().to_owned();
        assert!(said.ends_with(&format!("`swarmsecrets apply {}`", file.display())), "{said}");
        file
    }

    pub(crate) fn requests(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(self.place.path("requests")) else { return Vec::new() };
        let files = folder.map(|entry| entry.unwrap().path());
        files.filter(|file| file.to_string_lossy().ends_with(".request.json")).collect()
    }

    pub(crate) fn sim(&self, line: &str) -> Run {
        self.place.sim(&format!("{line} --yes --policy policy.toml --journal journal"))
    }

    pub(crate) fn says(&self, verb: &str, file: &std::path::Path, who: &str) -> Run {
        self.place.run(&format!("{verb} {} --key {who}.key --as {who} --yes", file.display()))
    }

    pub(crate) fn apply(&self, file: &std::path::Path) -> Run {
        self.sim(&format!("apply {} --agent-id agent-7 --json", file.display()))
    }

    /// Whether nothing was changed, and nothing was about to be.
    pub(crate) fn untouched(&self) -> bool {
        let shown = self.place.sim("inventory --json").json().to_string();
        let trail = std::fs::read_to_string(self.place.path("journal/audit.jsonl")).unwrap_or_default();
        !shown.contains("db_password_v2") && !trail.contains("\"phase\":\"intent\"")
    }
}

#[test]
fn what_needs_an_approval_is_asked_for_approved_by_another_and_carried_out_once() {
    let office = Office::new(1);
    let file = office.ask();
    assert!(office.untouched());
    let waiting = office.apply(&file).code(4);
    assert!(waiting.json()["warnings"][0].as_str().unwrap().contains("1 more"), "{waiting:?}");
    let shown = office.says("approve", &file, "alice").code(0);
    assert!(shown.stderr.contains("db_password -> db_password_v2") && shown.stderr.contains("agent-7"), "{shown:?}");
    let done = office.apply(&file).code(0);
    assert_eq!(done.json()["outcome"], "applied");
    let trail = std::fs::read_to_string(office.place.path("journal/audit.jsonl")).unwrap();
    let mut intents = trail.lines().filter(|line| line.contains("\"phase\":\"intent\""));
    assert!(intents.all(|line| line.contains("\"approvers\":[\"alice\"]")), "{trail}");
    let found = office.place.run("audit query journal/audit.jsonl").code(0);
    assert!(found.stdout.contains("approved by alice"), "{found:?}");
    // Used once: neither the same file nor a copy of it works again.
    let again = office.apply(&file);
    assert!([3, 5].contains(&again.code), "{again:?}");
}

#[test]
fn a_replay_in_a_world_that_is_as_before_is_refused() {
    let office = Office::new(1);
    let file = office.ask();
    let world = office.place.path("world.json");
    let before = std::fs::read(&world).ok();
    office.says("approve", &file, "alice").code(0);
    office.apply(&file).code(0);
    match before {
        Some(before) => std::fs::write(&world, before).unwrap(),
        None => std::fs::remove_file(&world).unwrap(),
    }
    let again = office.sim(&format!("apply {} --agent-id agent-7 --json", file.display()));
    let said = again.json()["warnings"][0].as_str().unwrap().to_owned();
    assert!(again.code != 0 && said.contains("was used before"), "{said}");
    let told = office.place.run("audit query journal/audit.jsonl --outcome refused --json").code(0);
    assert!(told.stdout.contains("was used before"), "{told:?}");
}

#[test]
fn two_people_are_two_people() {
    let office = Office::new(2);
    let file = office.ask();
    office.says("approve", &file, "alice").code(0);
    assert!(office.apply(&file).code(4).stdout.contains("1 more"));
    office.says("approve", &file, "bob").code(0);
    office.apply(&file).code(0);
}

#[test]
fn a_denial_counts_more_than_any_approval() {
    let office = Office::new(1);
    let file = office.ask();
    office.says("approve", &file, "alice").code(0);
    office.says("deny", &file, "bob").code(0);
    let refused = office.apply(&file).code(3);
    assert!(refused.json()["warnings"][0].as_str().unwrap().contains("bob"), "{refused:?}");
    assert!(office.untouched());
}

#[test]
fn who_asks_does_not_approve_and_keys_are_their_owners() {
    let office = Office::new(1);
    let asked = office.sim("rotate db_password --generate length=32 --agent-id alice --json").code(4);
    drop(asked);
    let file = office.requests().pop().unwrap();
    office.says("approve", &file, "alice").code(0);
    assert!(office.apply(&file).code(3).stdout.contains("alice"), "approved by who asked");
    let other = office.ask();
    office.place.run("keygen mallory.key").code(0);
    office.says("approve", &other, "mallory").code(0);
    office.apply(&other).code(3);
    let third = office.ask();
    let line = format!("approve {} --key alice.key --as bob --yes", third.display());
    office.place.run(&line).code(0);
    office.apply(&third).code(3);
    assert!(office.untouched());
    let told = office.place.run("audit query journal/audit.jsonl --outcome refused --json").code(0);
    assert!(told.stdout.contains("asked for the change and cannot approve it"), "{told:?}");
    assert_eq!(told.json()["records"].as_array().unwrap().len(), 3, "{told:?}");
}

#[test]
fn a_request_that_was_edited_is_refused_before_anybody_signs_it() {
    let office = Office::new(1);
    let file = office.ask();
    office.says("approve", &file, "alice").code(0);
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to) in [("length=32", "length=9"), ("\"approvals\":1", "\"approvals\":0"), ("monthly", "monthlz")] {
        let edited = text.replace(from, to);
        if edited == text {
            continue;
        }
        std::fs::write(&file, edited).unwrap();
        assert_eq!(office.apply(&file).code, 2, "{from}");
        assert_eq!(office.says("approve", &file, "bob").code, 2, "{from}");
    }
    assert!(office.untouched());
    let told = office.place.run("audit query journal/audit.jsonl --outcome refused --json").code(0);
    assert!(told.stdout.contains("begin with a document that cannot be believed"), "{told:?}");
    assert!(told.stdout.contains("refused: the plan `"), "{told:?}");
}

#[test]
fn a_request_or_a_decision_that_was_cut_off_is_refused_and_told() {
    let office = Office::new(1);
    let file = office.ask();
    office.says("approve", &file, "alice").code(0);
    let decision = std::fs::read_dir(office.place.path("requests")).unwrap().map(|entry| entry.unwrap().path());
    let decision = decision.into_iter().find(|path| path.to_string_lossy().ends_with(".decision.json")).unwrap();
    for cut in [&decision, &file] {
        let whole = std::fs::read(cut).unwrap();
        std::fs::write(cut, &whole[..whole.len() / 2]).unwrap();
        assert_ne!(office.apply(&file).code, 0);
        std::fs::write(cut, whole).unwrap();
    }
    assert!(office.untouched());
    let told = office.place.run("audit query journal/audit.jsonl --outcome refused --json").code(0).json();
    let refused: Vec<String> =
        told["records"].as_array().unwrap().iter().map(|one| one["outcome"].to_string()).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].contains(".decision.json") && refused[1].contains("refused: the plan `"), "{refused:?}");
    office.apply(&file).code(0);
}

const TERMINAL: &str = "\n[approvers.desk]\nkind = 'terminal'\n";

/// Applies a change request at a terminal, where this is typed.
fn at_a_terminal(office: &Office, file: &std::path::Path, who: &str, typed: &str) -> std::process::Output {
    let line = format!(
        "apply {} --key {who}.key --as {who} --agent-id agent-7 --yes --policy policy.toml --journal journal --sim --sim-state world.json",
        file.display()
    );
    let command = format!("{} {line}", env!("CARGO_BIN_EXE_swarmsecrets"));
    let mut terminal = std::process::Command::new("script");
    terminal.args(["-qec", &command, "/dev/null"]).current_dir(office.place.root());
    let mut child = terminal.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), typed.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_person_at_the_terminal_approves_with_a_key_and_not_who_asks() {
    let office = Office::new(1);
    let policy = std::fs::read_to_string(office.place.path("policy.toml")).unwrap();
    let line =
        |file: &std::path::Path| format!("apply {} --key alice.key --as alice --agent-id agent-7", file.display());
    let _ = office.sim(&line(&office.ask())).code(2).says("no approver of the kind `terminal`");
    std::fs::write(office.place.path("policy.toml"), format!("{policy}{TERMINAL}")).unwrap();
    let file = office.ask();
    let _ = office.sim(&line(&file)).code(2).says("no terminal to show it on");
    assert_ne!(at_a_terminal(&office, &file, "alice", "n\n").status.code(), Some(0));
    office.apply(&file).code(4);
    let said = at_a_terminal(&office, &file, "alice", "y\n");
    let shown = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && shown.contains("Approve this change request as alice?"), "{shown}");
    assert!(shown.contains("needs: 1 person to approve, none of them who asks"), "{shown}");
    let asked = office.sim("rotate report_password --generate length=32 --agent-id alice --json").code(4);
    drop(asked);
    let own =
        office.requests().into_iter().max_by_key(|file| std::fs::metadata(file).unwrap().modified().unwrap()).unwrap();
    let said = at_a_terminal(&office, &own, "alice", "y\n");
    let shown = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.code() == Some(3) && shown.contains("asked for the change and cannot approve it"), "{shown}");
}

#[test]
fn a_policy_that_was_exchanged_since_and_a_world_that_has_moved_need_another_approval() {
    let office = Office::new(1);
    let file = office.ask();
    office.says("approve", &file, "alice").code(0);
    let policy = office.place.path("policy.toml");
    let before = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, format!("{before}\n# another comment\n")).unwrap();
    let refused = office.apply(&file).code(3);
    assert!(refused.stdout.contains("policy"), "{refused:?}");
    std::fs::write(&policy, before).unwrap();
    office.place.sim("rotate db_password --generate length=32 --yes --journal other").code(0);
    let moved = office.apply(&file).code(5);
    assert_eq!(moved.json()["outcome"], "conflict");
}

#[test]
fn a_plan_beside_the_request_is_no_way_round() {
    let office = Office::new(1);
    let made = office.place.sim("plan rotate db_password --generate length=32 --out plan.json --policy policy.toml");
    made.code(0);
    office.sim("apply plan.json").code(4);
    let without = office.place.sim("plan rotate db_password --generate length=32 --out plain.json");
    without.code(0);
    office.sim("apply plain.json").code(4);
    assert_eq!(office.requests().len(), 2, "each is asked for");
    // A plan keeps the decision that was made of it, also where its policy is left out.
    office.place.sim("apply plan.json --yes --journal journal").code(4);
    assert!(office.untouched());
}

#[test]
fn without_anybody_to_approve_the_command_says_so() {
    let place = Place::new();
    std::fs::write(place.path("p.toml"), "schema = 1\nphase = 'assisted'\n").unwrap();
    let said = place.sim("rotate db_password --generate length=32 --yes --policy p.toml --journal j").code(4);
    let _ = said.says("no policy says who approves");
    let critical = place.sim("rotate payment_api_key --generate length=32 --yes --journal j").code(4);
    let _ = critical.says("tier=critical");
}

#[test]
fn a_private_key_is_never_overwritten_and_is_its_owner_s() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let first = place.run("keygen mine.key").code(0).stdout;
    assert!(first.starts_with("ed25519:"));
    let kept = std::fs::read(place.path("mine.key")).unwrap();
    place.run("keygen mine.key").code(1);
    assert_eq!(std::fs::read(place.path("mine.key")).unwrap(), kept);
    assert_eq!(std::fs::metadata(place.path("mine.key")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_policy_is_checked_and_explained() {
    let office = Office::with(
        1,
        "[[rules]]\nname = 'payments'\neffect = 'deny'\nreason = 'by people'\nselect = { secrets = ['payment_*'] }\n",
    );
    office.place.run("policy check policy.toml").code(0);
    std::fs::write(office.place.path("bad.toml"), "schema = 1\nphase = 'often'\n").unwrap();
    let _ = office.place.run("policy check bad.toml").code(2).says("line 2, column 9");
    let explained = office.place.sim("policy explain payment_api_key --policy policy.toml --json").code(0).json();
    assert_eq!(explained["decision"]["decision"], "deny");
    assert_eq!(explained["policies"][0]["rulings"][0]["by"], "rule `payments`");
    let by_variable =
        office.place.with("policy explain db_password --sim", &[("SWARMSECRETS_POLICY", "policy.toml")], b"");
    assert!(by_variable.code == 0 && by_variable.stdout.contains("phase assisted"), "{by_variable:?}");
}

#[test]
fn a_value_in_hand_is_bound_to_its_approval() {
    let office = Office::new(1);
    std::fs::write(office.place.path("fingerprint.key"), "made-up-fingerprint-key").unwrap();
    let key = [("SWARMSECRETS_FINGERPRINT_KEY_FILE", "fingerprint.key")];
    let run = |line: &str| {
        let line = format!("{line} --yes --policy policy.toml --journal journal --sim --sim-state world.json --json");
        office.place.with(&line, &key, b"")
    };
    run("rotate db_password --value-file value").code(4);
    let file = office.requests().pop().unwrap();
    assert!(std::fs::read_to_string(&file).unwrap().contains("hmac-sha256:"));
    office.says("approve", &file, "alice").code(0);
    std::fs::write(office.place.path("other"), "another-made-up-value").unwrap();
    let apply = |value: &str| run(&format!("apply {} --value-file {value}", file.display()));
    assert!(apply("other").code(3).stdout.contains("db_password"), "another value");
    let plain = format!("apply {} --value-file value", file.display());
    office.sim(&plain).code(3);
    assert_eq!(apply("value").code(0).json()["outcome"], "applied");
}

/// Otherwise whoever may write a file could approve by it.
#[test]
fn a_policy_on_the_command_line_does_not_say_who_approves_where_another_one_holds() {
    let office = Office::new(1);
    let key = office.place.run("keygen mallory.key").code(0).stdout;
    let (mine, theirs) = (office.place.path("mine.toml"), office.place.path("policy.toml"));
    let text = std::fs::read_to_string(&theirs).unwrap();
    let approvers = text.find("approvers = ").unwrap();
    let own = format!("{}approvers = [{{ identity = 'mallory', key = '{}' }}]\n", &text[..approvers], key.trim());
    std::fs::write(mine, own).unwrap();
    let operators = [("SWARMSECRETS_POLICY", "policy.toml")];
    let run = |line: &str| {
        let line = format!("{line} --yes --policy mine.toml --journal journal --sim --sim-state world.json --json");
        office.place.with(&line, &operators, b"")
    };
    run("rotate db_password --generate length=32").code(4);
    let file = office.requests().pop().unwrap();
    office.says("approve", &file, "mallory").code(0);
    run(&format!("apply {}", file.display())).code(3);
    assert!(office.untouched());
}
