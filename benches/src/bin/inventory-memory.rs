//! Peak memory of building the usage graph, as a share of the input. Exits 1 above 1.5.

use std::process::ExitCode;

use peak_alloc::PeakAlloc;
use swarmsecrets_benches::world;
use swarmsecrets_core::inventory::Inventory;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn main() -> ExitCode {
    let mut within = true;
    for services in [625, 2_500, 10_000] {
        let snapshot = world::snapshot(services);
        let input = world::size(&snapshot);
        ALLOCATOR.reset_peak_usage();
        let Ok(inventory) = Inventory::build(snapshot) else { return ExitCode::FAILURE };
        let (peak, held) = (ALLOCATOR.peak_usage(), ALLOCATOR.current_usage());
        let share = |bytes: usize| bytes as f64 / input as f64;
        println!(
            "{services} services, {} secrets: input {} MB, peak {:.2}x, held afterwards {:.2}x",
            inventory.secrets.len(),
            input / 1_000_000,
            share(peak),
            share(held)
        );
        within &= share(peak) <= 1.5;
    }
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
