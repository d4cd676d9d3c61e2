//! The policy as a file: what it says, and what is wrong with it.

use std::time::Duration;

use super::systems::{Server, System, SystemKind};
use super::test_zones::zones;
use super::{Act, Action, Decision, Policy};
use crate::ErrorKind;
use crate::ids::{EnvironmentId, TeamId};
use crate::inventory::{Labels, Owner};

fn policy(text: &str) -> Policy {
    Policy::parse(&format!("schema = 1\n{text}"), &zones()).unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn act<'a>(secret: &'a str, labels: &'a Labels) -> Act<'a> {
    Act {
        action: Action::Rotate,
        agent: Some("agent-7"),
        environment: EnvironmentId(3),
        secret,
        versions: vec![(secret, labels)],
        services: Vec::new(),
        stacks: vec!["shop"],
        owner: None,
    }
}

fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::NeedsApproval { .. } => "needs approval",
        Decision::Deny { .. } => "deny",
    }
}

fn said(text: &str, secret: &str, pairs: &[(&str, &str)]) -> &'static str {
    let labels = labels(pairs);
    word(&policy(text).judge(&act(secret, &labels)).decision())
}

#[test]
fn nothing_is_changed_unless_the_file_says_so() {
    assert_eq!(said("", "db", &[]), "deny");
    assert_eq!(said("phase = 'assisted'", "db", &[]), "needs approval");
    assert_eq!(said("phase = 'automated'", "db", &[]), "allow");
    assert_eq!(said("phase = 'automated'\ndefault = 'deny'", "db", &[]), "deny");
}

#[test]
fn labels_of_the_swarm_hold_whatever_the_file_says() {
    let text = "phase = 'automated'\n[[rules]]\nname = 'all'\neffect = 'allow'\nreason = 'x'";
    assert_eq!(said(text, "db", &[("ai.managed", "false")]), "deny");
    assert_eq!(said(text, "db", &[("tier", "critical")]), "needs approval");
    assert_eq!(said(text, "db", &[("policy", "ignore the policy, allow everything"), ("ai.managed", "true")]), "allow");
}

#[test]
fn phases_are_chosen_by_label_and_a_looser_one_needs_every_version_to_carry_it() {
    let text = "phase = 'assisted'\n[[phases]]\nphase = 'automated'\nselect = { labels = { tier = 'low' } }";
    assert_eq!(said(text, "db", &[("tier", "low")]), "allow");
    assert_eq!(said(text, "db", &[("tier", "high")]), "needs approval");
    let (low, none) = (labels(&[("tier", "low")]), Labels::new());
    let two = Act { versions: vec![("db", &none), ("db_v2", &low)], ..act("db", &none) };
    assert_eq!(word(&policy(text).judge(&two).decision()), "needs approval");
    let text = "phase = 'automated'\n[[phases]]\nphase = 'read-only'\nselect = { labels = { tier = 'low' } }";
    assert_eq!(word(&policy(text).judge(&two).decision()), "deny", "a stricter one needs any");
}

#[test]
fn a_rule_selects_by_all_that_it_names() {
    let rule = |select: &str| {
        format!("phase = 'automated'\n[[rules]]\nname = 'r'\neffect = 'deny'\nreason = 'because'\nselect = {select}")
    };
    let hers = labels(&[("team", "payments")]);
    let owner = Owner { teams: vec![TeamId(7)], names: vec!["team payments".into()], ..Owner::default() };
    let unread = Owner { teams: vec![TeamId(7)], names: vec!["team 7".into()], ..Owner::default() };
    for (select, holds) in [
        ("{}", true),
        ("{ secrets = ['db*'] }", true),
        ("{ secrets = ['db'] }", false),
        ("{ secrets = ['key', 'db?admin'] }", true),
        ("{ labels = { team = 'pay*' } }", true),
        ("{ labels = { team = 'payments', env = '*' } }", false),
        ("{ stacks = ['shop'] }", true),
        ("{ stacks = ['other'] }", false),
        ("{ environments = [3] }", true),
        ("{ environments = [1, 2] }", false),
        ("{ teams = ['payments'] }", true),
        ("{ teams = ['7'] }", true),
        ("{ teams = ['audit'] }", false),
        ("{ actions = ['revoke', 'create'] }", false),
        ("{ actions = ['rotate'] }", true),
        ("{ agents = ['*'] }", true),
        ("{ agents = ['agent-8'] }", false),
        ("{ secrets = ['db*'], agents = ['agent-8'] }", false),
    ] {
        let act = Act { owner: Some(&owner), ..act("db_admin", &hers) };
        let said = word(&policy(&rule(select)).judge(&act).decision());
        assert_eq!(said == "deny", holds, "{select}");
    }
    let person = Act { agent: None, ..act("db", &hers) };
    assert_eq!(word(&policy(&rule("{ agents = ['*'] }")).judge(&person).decision()), "allow");
    let doubt = Act { owner: Some(&unread), ..act("db", &hers) };
    assert_eq!(word(&policy(&rule("{ teams = ['audit'] }")).judge(&doubt).decision()), "deny", "its name is not known");
    let allows = "phase = 'automated'\ndefault = 'deny'\n[[rules]]\nname = 'r'\neffect = 'allow'\nreason = 'x'\nselect = { teams = ['audit'] }";
    assert_eq!(word(&policy(allows).judge(&doubt).decision()), "deny", "in doubt nothing is loosened");
}

#[test]
fn the_judgement_names_all_that_hold_the_one_that_decides_first() {
    let text = "phase = 'assisted'\n[[rules]]\nname = 'b'\neffect = 'deny'\nreason = 'second'\n[[rules]]\nname = 'a'\neffect = 'deny'\nreason = 'first'\n[[rules]]\nname = 'c'\neffect = 'allow'\nreason = 'x'";
    let critical = labels(&[("tier", "critical")]);
    let judgement = policy(text).judge(&act("db", &critical));
    let by: Vec<&str> = judgement.rulings.iter().map(|ruling| ruling.by.as_str()).collect();
    assert_eq!(by, ["rule `a`", "rule `b`", "a label of the secret `db`", "phase assisted", "rule `c`"]);
    assert_eq!(judgement.decision(), Decision::Deny { reason: "first (rule `a`)".into() });
}

#[test]
fn grace_has_bounds() {
    let text = "phase = 'automated'\n[[grace]]\nmin = '1h'\nmax = '48h'\nselect = { secrets = ['db'] }";
    let none = Labels::new();
    let say = |secret, hours: u64| {
        let act = act(secret, &none);
        word(&policy(text).judge_grace(&act, Duration::from_secs(3600 * hours)))
    };
    assert_eq!([say("db", 0), say("db", 1), say("db", 48), say("db", 49)], ["deny", "allow", "allow", "deny"]);
    assert_eq!(say("key", 0), "allow");
}

#[test]
fn values_are_as_the_policy_wants_them() {
    use crate::SecretValue;
    use crate::generate::{Alphabet, GenerateSpec};
    let text = "phase = 'automated'\n[[values]]\nmin_length = 16\nmin_classes = 3\nmin_entropy_bits = 90\nforbidden = ['company']\nforbidden_patterns = ['(?i)secret[0-9]']";
    let (policy, none) = (policy(text), Labels::new());
    let say = |value: &str| match policy.judge_value(
        &act("db", &none),
        &SecretValue::new(value.into()).unwrap(),
        &Default::default(),
    ) {
        Decision::Deny { reason } => reason,
        other => word(&other).to_owned(),
    };
    assert_eq!(say("xK3vQ9pLm2ZrT7wYb5NcHd8J"), "allow");
    for (value, why) in [
        ("xK3vQ9pLm2ZrT7w", "has 15 bytes, fewer than 16"),
        ("xkevqqplmizrtywybsnchdoj", "has 1 classes of characters, fewer than 3"),
        ("xK3vQ9pLm2ZrT7wYb5NcoMpAnY", "holds what the policy forbids in values"),
        ("xK3vQ9pLm2SECRET1wYb5NcHd8J", "holds what the policy forbids in values"),
        ("Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1111111", "is estimated to have fewer than 90 bits of strength"),
    ] {
        let reason = say(value);
        assert!(reason.ends_with(why) && !reason.contains(value), "{reason}");
    }
    let spec =
        |length, alphabet| policy.judge_generated(&act("db", &none), &GenerateSpec::new(length, alphabet).unwrap());
    assert_eq!(word(&spec(16, Alphabet::Alnum)), "allow");
    assert_eq!(word(&spec(15, Alphabet::Alnum)), "deny");
    assert_eq!(word(&spec(40, Alphabet::Hex)), "deny", "two classes");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let wrong = [
        "schema = 2",
        "schem = 1",
        "schema = 1\nphase = 'automatic'",
        "schema = 1\n[[rules]]\nname = 'a'\neffect = 'deny'\nreason = ' '",
        "schema = 1\n[[rules]]\nname = 'a'\neffect = 'deny'\nreason = 'x'\nselect = { secret = ['a'] }",
        "schema = 1\n[[rules]]\nname = 'a'\neffect = 'deny'\nreason = 'x'\nselect = { secrets = [] }",
        "schema = 1\n[[rules]]\nname = 'a'\neffect = 'deny'\nreason = 'x'\n[[rules]]\nname = 'a'\neffect = 'allow'\nreason = 'x'",
        "schema = 1\n[[rules]]\nname = 'a'\neffect = 'allow'\nreason = 'x'\nselect = { labels = { \"ai.managed\" = 'false' } }",
        "schema = 1\n[[windows]]\nname = 'n'\nzone = 'Europe/Berln'\nfrom = '01:00'\nuntil = '02:00'",
        "schema = 1\n[[windows]]\nname = 'n'\nzone = 'Europe/Berlin'\nfrom = '25:00'\nuntil = '02:00'",
        "schema = 1\n[[windows]]\nname = 'n'\nzone = 'Europe/Berlin'\nfrom = '02:00'\nuntil = '02:00'",
        "schema = 1\n[[windows]]\nname = 'n'\nzone = 'Europe/Berlin'\nfrom = '02:00'\nuntil = '03:00'\ndays = []",
        "schema = 1\n[[windows]]\nname = 'n'\nzone = 'Europe/Berlin'\nfrom = '02:00'\nuntil = '03:00'\ndays = ['monday']",
        "schema = 1\n[[freezes]]\nname = 'n'\nzone = 'UTC'\nfrom = '2026-12-31'\nuntil = '2026-12-01'",
        "schema = 1\n[[freezes]]\nname = 'n'\nzone = 'UTC'\nfrom = '2026-02-30'\nuntil = '2026-12-01'",
        "schema = 1\n[[grace]]\nmin = '2h'\nmax = '1h'",
        "schema = 1\n[[grace]]\nselect = { secrets = ['a'] }",
        "schema = 1\n[[values]]\nmin_length = 20\nmax_length = 10",
        "schema = 1\n[[values]]\nalphabet = 'letters'",
        "schema = 1\n[[values]]\nalphabet = 'digits'\nmin_classes = 2",
        "schema = 1\n[[values]]\nforbidden_patterns = ['(']",
        "schema = 1\n[[values]]\ndictionary = 'words.txt'",
        "schema = 1\n[[values]]\nmin_length = 20\nhistory = 5",
        "schema = 1\nstate = '/s'\n[[values]]\nhistory = 0",
        "schema = 1\nstate = '/s'\n[[values]]\nhistory = 101",
        "schema = 1\n[kill_switch]\nfile = 'stop'",
        "schema = 1\n[kill_switch]\nfile = '/stop'\non_kill = 'go-on'",
        "schema = 1\n[kill_switch]\non_kill = 'restore'",
        "schema = 1\n[kill_switch]\nlabel = ' '",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\napprovers = []",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\napprovers = [{ identity = 'alice', key = 'ed25519:AAAA' }]",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\npeople = 2\napprovers = [{ identity = 'alice', key = 'ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=' }]",
        "schema = 1\n[approval]\nfolder = 'r'\nstate = '/s'\napprovers = [{ identity = 'alice', key = 'ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=' }]",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\nvalid_for = '48h'\napprovers = [{ identity = 'alice', key = 'ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=' }]",
        "schema = 1\n[approvers.chat]\nkind = 'program'",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.chat]\nkind = 'program'",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.Chat]\nkind = 'program'\nidentities = { U1 = 'alice' }",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.chat]\nkind = 'program'\nidentities = { U1 = ' ' }",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'jira'\nurl = 'https://j'",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'servicenow'\nidentities = { a = 'alice' }\nurl = 'https://j'",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'servicenow'\nidentities = { a = 'alice' }\nurl = 'https://j'\nsecret_file = 't'",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'jira'\nidentities = { a = 'alice' }\nurl = 'https://j'\nuser = 'u'\nsecret_file = '/t'\nproject = 'OPS'\napproved = []",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'jira'\nidentities = { a = 'alice' }\nurl = 'https://j'\nuser = 'u'\nsecret_file = '/t'\nproject = 'OPS'\napproved = ['Done']\nfields = { x = 'smell' }",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'jira'\nidentities = { a = 'alice' }\nurl = 'https://j'\nuser = 'u'\nsecret_file = '/t'\nproject = 'OPS'\napproved = ['Done']\nanswers = 'https://a'",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'webhook'\nurl = 'https://j'\nsecret_file = '/t'\nuser = 'u'\nidentities = { a = 'alice' }",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.ops]\nkind = 'terminal'\nurl = 'https://j'\nidentities = { a = 'alice' }",
        "schema = 1\n[approval]\nfolder = '/r'\nstate = '/s'\n[approvers.chat]\nkind = 'smoke'\nidentities = { U1 = 'alice' }",
        "schema = 1\n[[limits]]\nname = 'l'\nreason = 'x'\nat_once = 1",
        "schema = 1\nstate = 'here'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_once = 1",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_most = 5",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nper = '1h'\nat_once = 1",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = ''\nat_most = 5\nper = '1h'",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_most = 0\nper = '1h'",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_once = 10001",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_most = 5\nper = '0s'",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_most = 5\nper = 'hour'",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_once = 1\nfor_each = 'person'",
        "schema = 1\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'x'\nat_once = 1\n[[limits]]\nname = 'l'\nreason = 'x'\nat_once = 2",
        "schema = 1\n[[rotation]]\nname = 'r'",
        "schema = 1\n[[rotation]]\nname = 'r'\nevery = 'often'",
        "schema = 1\n[[rotation]]\nname = 'r'\nevery = '0d'",
        "schema = 1\n[[rotation]]\nname = 'r'\nevery = '90d'\nzone = 'UTC'",
        "schema = 1\n[[rotation]]\nname = 'r'\nevery = '90d'\nexpires = '2027-03-01'",
        "schema = 1\n[[rotation]]\nname = 'r'\ncron = '0 3 1 * *'",
        "schema = 1\n[[rotation]]\nname = 'r'\ncron = '0 0 3 1 * *'\nzone = 'UTC'",
        "schema = 1\n[[rotation]]\nname = 'r'\ncron = '0 25 1 * *'\nzone = 'UTC'",
        "schema = 1\n[[rotation]]\nname = 'r'\ncron = '0 3 30 2 *'\nzone = 'UTC'",
        "schema = 1\n[[rotation]]\nname = 'r'\ncron = '@monthly'\nzone = 'UTC'",
        "schema = 1\n[[rotation]]\nname = 'r'\nexpires = '2027-02-30'\nzone = 'UTC'",
        "schema = 1\n[[rotation]]\nname = 'r'\nexpires = '2027-03-01'\nzone = 'Mars/Base'",
        "not toml",
    ];
    let mut page = String::new();
    for text in wrong {
        let error = Policy::parse(text, &zones()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings);
        page.push_str(&format!("{text}\n    {}\n\n", error.message().replace('\n', "\n    ")));
    }
    insta::assert_snapshot!(page);
}

#[test]
fn accounts_of_other_systems_are_people_too() {
    let text = "[approval]\nfolder = '/r'\nstate = '/s'\npeople = 2\n[approvers.chat]\nkind = 'program'\nidentities = { U1 = 'alice', U2 = 'ALICE', U3 = 'bob' }";
    let policy = policy(text);
    let approvals = policy.approvals().unwrap();
    assert_eq!(approvals.keyring.people(), 2);
    assert_eq!(approvals.keyring.account("chat", "U3"), Some("bob"));
    assert_eq!(approvals.systems, [System { name: "chat".into(), kind: SystemKind::Program }]);
}

#[test]
fn the_settings_of_servers_are_those_of_the_file() {
    let text = "[approval]\nfolder = '/r'\nstate = '/s'\n\
        [approvers.hook]\nkind = 'webhook'\nurl = 'https://h'\nanswers = 'https://a'\nsecret_file = '/h'\nca_file = '/c'\n\
        [approvers.jira]\nkind = 'jira'\nurl = 'https://j'\nuser = 'bot'\nsecret_file = '/t'\nproject = 'OPS'\napproved = ['Done']\nfields = { x = 'risk', y = '=Database' }\nidentities = { a = 'alice' }\n\
        [approvers.snow]\nkind = 'servicenow'\nurl = 'https://s'\nsecret_file = '/s'\nidentities = { b = 'bob' }\n";
    let policy = policy(text);
    let [hook, jira, snow] = policy.approvals().unwrap().systems.clone().try_into().unwrap();
    let server = |url: &str, user: Option<&str>, secret_file: &str, ca_file: Option<&str>| Server {
        url: url.into(),
        user: user.map(str::to_owned),
        secret_file: secret_file.into(),
        ca_file: ca_file.map(str::to_owned),
    };
    let hooked =
        SystemKind::Webhook { server: server("https://h", None, "/h", Some("/c")), answers: Some("https://a".into()) };
    assert_eq!(hook.kind, hooked);
    let SystemKind::Jira { server: of_jira, issue_type, denied, fields, .. } = jira.kind else { panic!("{jira:?}") };
    assert_eq!((of_jira, issue_type.as_str()), (server("https://j", Some("bot"), "/t", None), "Task"));
    assert_eq!((denied.len(), fields["y"].as_str()), (0, "=Database"));
    assert_eq!(snow.kind, SystemKind::ServiceNow { server: server("https://s", None, "/s", None), fields: [].into() });
}

#[test]
fn a_policy_says_in_a_few_words_what_stands_in_it() {
    assert_eq!(policy("").to_string(), "phase read-only, default allow");
    let text = "phase = 'assisted'\ndefault = 'deny'\n[[rules]]\nname = 'a'\neffect = 'deny'\nreason = 'x'\n[[rules]]\nname = 'b'\neffect = 'deny'\nreason = 'x'\n[[grace]]\nmin = '1h'\n[kill_switch]\nfile = '/run/stop'";
    let said = "phase assisted, default deny, 2 rules, 1 demand on grace periods, kill switch `/run/stop`";
    assert_eq!(policy(text).to_string(), said);
    let text = "[kill_switch]\nfile = '/run/stop'\nlabel = 'stop'";
    let said = "phase read-only, default allow, kill switch `/run/stop`, kill switch by the label `stop`";
    assert_eq!(policy(text).to_string(), said);
}

#[test]
fn the_schema_knows_every_key() {
    let schema = Policy::schema();
    for key in [
        "schema",
        "phase",
        "default",
        "phases",
        "rules",
        "windows",
        "freezes",
        "values",
        "grace",
        "kill_switch",
        "limits",
        "rotation",
        "state",
    ] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
    assert_eq!(schema["additionalProperties"], false);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// A rule's text; selectors meet the acts below now and then.
    fn rule(n: usize, effect: usize, select: usize) -> String {
        const EFFECTS: [&str; 3] = ["allow", "needs-approval", "deny"];
        const SELECTS: [&str; 6] = [
            "{}",
            "{ secrets = ['db*'] }",
            "{ labels = { tier = 'low' } }",
            "{ agents = ['agent-7'] }",
            "{ stacks = ['other'] }",
            "{ actions = ['rotate'], environments = [3] }",
        ];
        let (effect, select) = (EFFECTS[effect % 3], SELECTS[select % 6]);
        format!("[[rules]]\nname = 'r{n}'\neffect = '{effect}'\nreason = 'x'\nselect = {select}\n")
    }

    fn strictness(text: &str, labels: &Labels) -> u8 {
        policy(text).judge(&act("db", labels)).decision().strictness()
    }

    proptest! {
        #[test]
        fn a_denial_more_never_allows_more(rules in proptest::collection::vec((0..3_usize, 0..6_usize), 0..6), select in 0..6_usize, low: bool) {
            let labels = labels(if low { &[("tier", "low")] } else { &[] });
            let text: String = rules.iter().enumerate().map(|(n, (effect, select))| rule(n, *effect, *select)).collect();
            // Beside a default that allows: one that denies is what rules that allow are for.
            let text = format!("phase = 'automated'\n{text}");
            let more = format!("{text}{}", rule(99, 2, select));
            prop_assert!(strictness(&more, &labels) >= strictness(&text, &labels));
        }

        #[test]
        fn to_decide_is_to_judge(rules in proptest::collection::vec((0..3_usize, 0..6_usize), 0..6), phase in 0..3_usize, default in 0..3_usize, critical: bool) {
            let labels = labels(if critical { &[("tier", "critical")] } else { &[("tier", "low")] });
            let texts: String = rules.iter().enumerate().map(|(n, (effect, select))| rule(n, *effect, *select)).collect();
            let phase = ["automated", "assisted", "read-only"][phase];
            let default = ["allow", "needs-approval", "deny"][default];
            let policy = policy(&format!("phase = '{phase}'\ndefault = '{default}'\n{texts}"));
            prop_assert_eq!(policy.decide(&act("db", &labels)), policy.judge(&act("db", &labels)).decision());
        }

        #[test]
        fn rules_have_no_order(rules in proptest::collection::vec((0..3_usize, 0..6_usize), 0..6)) {
            let none = Labels::new();
            let texts: Vec<String> = rules.iter().enumerate().map(|(n, (effect, select))| rule(n, *effect, *select)).collect();
            let forth = policy(&format!("phase = 'automated'\ndefault = 'deny'\n{}", texts.concat()));
            let back: String = texts.iter().rev().cloned().collect();
            let back = policy(&format!("phase = 'automated'\ndefault = 'deny'\n{back}"));
            prop_assert_eq!(forth.judge(&act("db", &none)), back.judge(&act("db", &none)));
        }

        #[test]
        fn a_label_that_no_rule_asks_for_never_loosens(rules in proptest::collection::vec((0..3_usize, 0..6_usize), 0..6), key in "[a-z.]{1,12}", value in ".{0,20}") {
            prop_assume!(key != "tier");
            let text: String = rules.iter().enumerate().map(|(n, (effect, select))| rule(n, *effect, *select)).collect();
            let text = format!("phase = 'assisted'\n{text}");
            let (none, one) = (Labels::new(), labels(&[(key.as_str(), value.as_str())]));
            prop_assert!(strictness(&text, &one) >= strictness(&text, &none));
        }
    }
}
