//! JSON bytes to usage graph, beside serde_json reading the same bytes into borrowed typed structs.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use swarmsecrets_benches::{baseline, world};
use swarmsecrets_core::inventory::Inventory;

fn inventory(c: &mut Criterion) {
    let mut group = c.benchmark_group("inventory");
    group.sample_size(20);
    for services in [625, 2_500, 10_000] {
        let snapshot = world::snapshot(services);
        group.throughput(Throughput::Bytes(world::size(&snapshot) as u64));
        group.bench_with_input(BenchmarkId::new("serde_json", services), &snapshot, |b, snapshot| {
            // Both read bytes that were just written, so neither finds them warmer than the other.
            b.iter_batched(
                || snapshot.clone(),
                |snapshot| {
                    let read = baseline::read(black_box(&snapshot)).is_ok();
                    (snapshot, read)
                },
                BatchSize::PerIteration,
            );
        });
        group.bench_with_input(BenchmarkId::new("usage_graph", services), &snapshot, |b, snapshot| {
            // The graph keeps the services' bytes; copying the rest of the input is not what is measured.
            b.iter_batched(
                || snapshot.clone(),
                |snapshot| Inventory::build(black_box(snapshot)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, inventory);
criterion_main!(benches);
