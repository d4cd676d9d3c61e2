//! From the usage graph to the plan of a rotation, for a secret with very many consumers.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use swarmsecrets_benches::world;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::{RotationRequest, ValueRecipe, plan_rotation};

/// The secret that every service of a sharing world mounts.
const SHARED: &str = "app00001_api_key";

fn plan(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan");
    group.sample_size(20);
    let request = RotationRequest::new(SHARED, ValueRecipe::Supplied);
    for consumers in [625, 2_500, 10_000] {
        let Ok(inventory) = Inventory::build(world::sharing(consumers)) else { continue };
        // A plan that is refused would measure nothing.
        assert!(plan_rotation(&inventory, &request).is_ok_and(|plan| plan.consumers.len() == consumers));
        group.throughput(Throughput::Elements(consumers as u64));
        group.bench_with_input(BenchmarkId::new("rotation", consumers), &inventory, |b, inventory| {
            b.iter_with_large_drop(|| plan_rotation(black_box(inventory), &request));
        });
    }
    group.finish();
}

criterion_group!(benches, plan);
criterion_main!(benches);
