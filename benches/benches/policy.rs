//! A policy of many rules that judges every secret of a large Swarm.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use swarmsecrets_benches::world;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::policy::{Act, Action, Decision, Policy};

/// Rules of each kind: by name, label, stack, team, agent and environment.
fn rules(count: usize) -> String {
    let mut text = "schema = 1\nphase = 'automated'\n".to_owned();
    for n in 0..count {
        let select = match n % 5 {
            0 => format!("{{ secrets = ['app{n:05}_*', '*_{n:03}'] }}"),
            1 => format!("{{ labels = {{ team = 'team-{n}', tier = '*' }} }}"),
            2 => format!("{{ stacks = ['stack{n:03}*'], actions = ['rotate'] }}"),
            3 => format!("{{ teams = ['team-{n}'], environments = [7, 8, 9] }}"),
            _ => format!("{{ agents = ['agent-{n}-*'], secrets = ['*'] }}"),
        };
        let _ = write!(text, "[[rules]]\nname = 'r{n}'\neffect = 'deny'\nreason = 'x'\nselect = {select}\n");
    }
    text
}

fn policy(c: &mut Criterion) {
    let mut group = c.benchmark_group("policy");
    group.sample_size(20);
    let Ok(inventory) = Inventory::build(world::snapshot(10_000)) else { return };
    let acts: Vec<Act<'_>> = inventory
        .secrets
        .iter()
        .map(|secret| Act::on(&inventory, secret, Action::Rotate, Some("agent-7")))
        .cycle()
        .take(10_000)
        .collect();
    for count in [50, 200] {
        let Ok(policy) = Policy::parse(&rules(count), &jiff::tz::TimeZoneDatabase::none()) else { continue };
        // A world without secrets would measure nothing.
        assert_eq!(acts.len(), 10_000);
        group.throughput(Throughput::Elements(acts.len() as u64));
        group.bench_with_input(BenchmarkId::new("secrets_10000_rules", count), &policy, |b, policy| {
            b.iter(|| acts.iter().filter(|act| policy.decide(black_box(act)) == Decision::Allow).count());
        });
    }
    group.finish();
}

criterion_group!(benches, policy);
criterion_main!(benches);
