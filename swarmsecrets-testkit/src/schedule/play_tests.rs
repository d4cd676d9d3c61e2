//! What the oracle finds, shown on rotations in which nothing went wrong.

use std::sync::Arc;

use swarmsecrets_core::journal::ChangeRecord;
use swarmsecrets_core::rotation::{Outcome, Progress, Report, Stage as Step};

use super::begun::{Begun, Pair};
use super::disk::lock;
use super::manner::Said;
use super::play::{Run, play};
use super::providers;
use super::rules::{in_turn, only_references};
use super::scene::SECRETS;
use super::script::Script;
use super::stage::Stage;
use super::watch::By;
use crate::portainer::PortainerRequest;

/// A rotation in which nothing goes wrong: the first seed that has one, what was run, and the report.
fn applied(from: u64) -> (u64, Run, Report) {
    applied_if(from, |_, _| true)
}

/// The same of a rotation that is as wanted.
fn applied_if(from: u64, wanted: impl Fn(&Begun, &Report) -> bool) -> (u64, Run, Report) {
    for seed in from.. {
        let mut script = Script::of(seed);
        script.happenings.clear();
        script.rounds.truncate(1);
        script.rounds[0].before.clear();
        let stage = Arc::new(Stage::of(&script.scene, false).unwrap());
        let mut run = Run::new(stage, &script);
        run.rounds(&script);
        let report = run.oracle.last.values().next().cloned();
        let good = |report: &Report| report.outcome == Outcome::Applied && !report.consumers.is_empty();
        let Some(report) = report.filter(good) else { continue };
        let fits = {
            let live = run.stage.live();
            let begun = report.rotation.as_ref().and_then(|id| live.begun.get(id));
            begun.is_some_and(|begun| wanted(begun, &report))
        };
        if fits {
            return (seed, run, report);
        }
    }
    unreachable!("the seeds do not end")
}

#[test]
fn a_report_that_is_not_true_is_found() {
    type Lie = fn(&mut Report);
    let lies: [(&str, Lie); 6] = [
        ("", |_| ()),
        ("still there", |report| report.outcome = Outcome::RolledBack),
        ("a version of it, is there", |report| report.outcome = Outcome::NotStarted),
        ("it is not on the old version", |report| report.consumers[0].outcome = "rolled_back".into()),
        ("it was updated", |report| report.consumers[0].outcome = "not_started".into()),
        ("not the one that it made", |report| report.secrets[0].current = report.secrets[0].previous.clone()),
    ];
    let (seed, ..) = applied(0);
    for (found, lie) in lies {
        let (_, mut run, mut report) = applied(seed);
        lie(&mut report);
        if report.outcome != Outcome::Applied {
            report.consumers.clear();
        }
        run.oracle.reported(report);
        let violation = run.stage.violation().unwrap_or_default();
        assert!(violation.contains(found) && violation.is_empty() == found.is_empty(), "{found}: {violation}");
    }
}

#[test]
fn an_update_that_changes_more_or_less_than_its_references_is_found() {
    let (_, run, report) = applied(0);
    let live = run.stage.live();
    let service = report.consumers[0].id.as_str();
    let begun = &live.begun[report.rotation.as_ref().unwrap()];
    let sent = run.stage.swarm.engine().world().services[service].current.spec.to_string();
    let back = |text: String, (_, pair): &(&str, Pair<'_>)| {
        let text = text.replace(pair.new.unwrap(), pair.old_id());
        text.replace(&format!("\"{}\"", pair.new_name), &format!("\"{}\"", pair.old.unwrap().name))
    };
    let served = begun.mounts(service).iter().fold(sent.clone(), back);
    let judged = |sent: &str| only_references(begun, service, &served, sent);
    assert_eq!(judged(&sent), Ok(()));
    assert!(judged(&served).unwrap_err().contains("some of the references"));
    assert!(judged(&sent.replace("local/app:1", "local/app:2")).unwrap_err().contains("more of the spec"));
}

#[test]
fn what_we_put_back_in_part_is_found() {
    let two = |begun: &Begun, report: &Report| begun.mounts(report.consumers[0].id.as_str()).len() > 1;
    let (_, run, report) = applied_if(0, two);
    let live = run.stage.live();
    let service = report.consumers[0].id.as_str();
    let begun = &live.begun[report.rotation.as_ref().unwrap()];
    let served = run.stage.swarm.engine().world().services[service].current.spec.to_string();
    let back = |only: Option<&str>| {
        let mut spec: serde_json::Value = serde_json::from_str(&served).unwrap();
        for reference in spec["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap() {
            let target = reference["File"]["Name"].as_str().unwrap().to_owned();
            let mounts = begun.mounts(service);
            let Some((_, pair)) = mounts.into_iter().find(|(at, _)| *at == target) else { continue };
            if only.is_none_or(|only| only == target) {
                reference["SecretID"] = pair.old_id().into();
                reference["SecretName"] = pair.old.unwrap().name.as_str().into();
            }
        }
        spec.to_string()
    };
    assert_eq!(only_references(begun, service, &served, &back(None)), Ok(()));
    for (target, _) in begun.mounts(service) {
        let why = only_references(begun, service, &served, &back(Some(target))).unwrap_err();
        assert!(why.contains("some of the references"), "{target}: {why}");
    }
}

#[test]
fn a_service_that_is_called_good_against_its_probe_is_found() {
    let probed = |begun: &Begun, report: &Report| {
        begun.plan.consumers[0].id == report.consumers[0].id && !begun.plan.consumers[0].probes.is_empty()
    };
    let (seed, run, report) = applied_if(0, probed);
    drop(run);
    for said in [Said::Healthy, Said::Unhealthy] {
        let (_, mut run, _) = applied_if(seed, probed);
        let (id, service) = (report.rotation.as_ref().unwrap(), report.consumers[0].id.as_str());
        run.stage.live().looks.add(id, service, (0, Some(said)));
        run.oracle.reported(report.clone());
        let violation = run.stage.violation().unwrap_or_default();
        assert_eq!(violation.contains("its probe has said last"), said == Said::Unhealthy, "{violation}");
    }
}

/// A rotation of several services in which commands in the first one changed the password, applied.
fn provided() -> (Run, Report) {
    let wanted = |begun: &Begun, _: &Report| {
        providers::besides(begun).count() == 1 && begun.plan.consumers.len() > 1 && begun.plan.secrets.len() == 1
    };
    let (_, run, report) = applied_if(0, wanted);
    (run, report)
}

#[test]
fn what_a_provider_has_beside_is_looked_at() {
    let (mut run, report) = provided();
    let stage = run.stage.clone();
    let id = report.rotation.clone().unwrap();
    let (service, both, done, version) = {
        let live = stage.live();
        let begun = &live.begun[&id];
        let one = providers::besides(begun).next().unwrap();
        let world = stage.swarm.engine().world();
        let service = &world.services[one.service];
        let done = service.current.spec.clone();
        let mut both = done.clone();
        let all = both["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap();
        let mut old = all.iter().find(|r| r["File"]["Name"] == one.target).unwrap().clone();
        old["File"]["Name"] = one.beside.clone().into();
        old["SecretID"] = one.pair.old_id().into();
        old["SecretName"] = one.pair.old.unwrap().name.as_str().into();
        all.push(old.clone());
        let judged = |service: &str, from: &serde_json::Value, to: &serde_json::Value| {
            only_references(begun, service, &from.to_string(), &to.to_string())
        };
        assert_eq!(judged(one.service, &both, &done), Ok(()));
        assert_eq!(judged(one.service, &done, &both), Ok(()));
        // With another mode, and in a service of the plan that is no provider.
        let mut other = both.clone();
        let list = other["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap();
        list.last_mut().unwrap()["File"]["Mode"] = 0o777.into();
        assert!(judged(one.service, &done, &other).unwrap_err().contains("it changes what stands at"));
        let mut consumers = begun.plan.consumers.iter().map(|consumer| consumer.id.as_str());
        let other = consumers.find(|id| *id != one.service).unwrap();
        assert!(judged(other, &done, &both).unwrap_err().contains("more of the spec"));
        // No command may run any more.
        let number = SECRETS.iter().position(|name| *name == begun.plan.secrets[0].secret);
        let why = providers::ready(&live, 0, &id, number.unwrap()).unwrap_err();
        assert!(why.contains("without both versions"), "{why}");
        assert!(providers::is_beside(&live, one.service, &one.beside, one.pair.old_id()));
        assert!(!providers::is_beside(&live, other, &one.beside, one.pair.old_id()));
        assert!(!providers::is_beside(&live, one.service, one.target, one.pair.old_id()));
        (one.service.to_owned(), both, done, service.version)
    };
    assert_ne!(both, done);
    let path = format!("/api/endpoints/1/docker/services/{service}/update");
    let update = PortainerRequest::new("POST", &path).param("version", &version.to_string()).json(&both);
    // A grace of no time may have ended the old version.
    if stage.swarm.ask("admin", update).is_ok() {
        stage.look(&By::Rotation(id.to_string()), None);
        run.oracle.reported(report);
        let violation = stage.violation().unwrap_or_default();
        assert!(violation.contains("the old version is left at"), "{violation}");
    }
}

#[test]
fn a_provider_that_is_updated_without_need_is_found() {
    let (run, report) = provided();
    let mut state = lock(&run.hosts[0]).state(report.rotation.as_ref().unwrap()).unwrap();
    let good = Progress::Converged(None);
    for (stage, progress, lacks, may) in [
        (Step::Credential, &Progress::Begun, true, true),
        (Step::Credential, &good, false, false),
        (Step::Credential, &good, true, true),
        (Step::Update, &Progress::Begun, true, false),
        (Step::Close, &Progress::Begun, false, true),
        (Step::Close, &good, false, false),
        (Step::Close, &good, true, true),
        (Step::Undo, &good, true, true),
        (Step::Undo, &Progress::Begun, false, false),
    ] {
        state.stage = stage;
        assert_eq!(providers::in_turn(&state, progress, lacks).is_ok(), may, "{stage:?} {progress:?} {lacks}");
    }
    let providers = state.plan.consumers.iter().filter(|planned| providers::provides(&state, planned));
    assert_eq!(providers.count(), 1);
    // All passwords are ended: no provider goes back any more.
    assert!(!state.plan.consumers.iter().any(|planned| providers::goes_back(&state, planned.id.as_str())));
}

#[test]
fn a_consumer_that_is_moved_when_all_is_over_is_found() {
    let (_, run, report) = applied_if(0, |begun, _| providers::besides(begun).count() == 0);
    let mut state = lock(&run.hosts[0]).state(report.rotation.as_ref().unwrap()).unwrap();
    let service = state.plan.consumers[0].id.clone();
    let update = ChangeRecord::Update { service };
    state.consumers[0] = Progress::Begun;
    state.stage = Step::Update;
    assert_eq!(in_turn(&state, &update, |_| false), Ok(()));
    state.stage = Step::Grace;
    assert!(in_turn(&state, &update, |_| false).unwrap_err().contains("it is moved in Grace"));
}

#[test]
fn a_seed_gives_the_same_trace_each_time() {
    let mut lines = 0;
    for seed in 0..5 {
        let script = Script::of(seed);
        let (one, two) = (play(&script, true), play(&script, true));
        assert_eq!(one.trace, two.trace);
        assert_eq!(one.tally, two.tally);
        lines += one.trace.len();
    }
    assert!(lines > 100, "{lines}");
}
