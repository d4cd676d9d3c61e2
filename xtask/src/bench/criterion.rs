//! Runs the criterion benchmarks and reads what they measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::page;
use crate::{Failure, repository};

/// One benchmark.
struct Row {
    name: String,
    nanoseconds: f64,
    throughput: String,
}

/// Runs all benchmarks and writes their table.
pub(crate) fn code() -> Result<(), Failure> {
    let results = repository::target().join("criterion");
    // What earlier versions measured must not stand among it.
    let _ = std::fs::remove_dir_all(&results);
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--package", "swarmsecrets-benches"]).current_dir(repository::root());
    let status = bench.status().map_err(|e| format!("cannot start `cargo bench`: {e}"))?;
    if !status.success() {
        return Err(format!("`cargo bench` failed ({status})"));
    }
    page::write("criterion", &table(rows(&results)?))
}

fn rows(results: &Path) -> Result<Vec<Row>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    repository::walk(results, &mut files).map_err(|e| format!("cannot list {}: {e}", results.display()))?;
    files.retain(|file| file.ends_with("new/benchmark.json"));
    files.sort();
    files.iter().map(|file| row(file)).collect()
}

fn row(benchmark: &Path) -> Result<Row, Failure> {
    let what = read(benchmark)?;
    let measured = read(&benchmark.with_file_name("estimates.json"))?;
    let unreadable = || format!("{} is not as criterion writes it", benchmark.display());
    let name = what["full_id"].as_str().ok_or_else(unreadable)?.to_owned();
    let nanoseconds = measured["median"]["point_estimate"].as_f64().ok_or_else(unreadable)?;
    Ok(Row { name, nanoseconds, throughput: throughput(&what["throughput"], nanoseconds) })
}

fn read(path: &Path) -> Result<Value, Failure> {
    let unreadable = |e: &dyn std::fmt::Display| format!("cannot read {}: {e}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(&e))?;
    serde_json::from_str(&text).map_err(|e| unreadable(&e))
}

fn throughput(of: &Value, nanoseconds: f64) -> String {
    if let Some(bytes) = of["Bytes"].as_f64() {
        return format!("{:.0} MB/s", bytes / nanoseconds * 1e3);
    }
    match of["Elements"].as_f64() {
        Some(elements) => format!("{:.2} µs each", nanoseconds / elements / 1e3),
        None => String::new(),
    }
}

fn table(rows: Vec<Row>) -> String {
    let mut table = "| benchmark | median | throughput |\n| --- | ---: | ---: |\n".to_owned();
    for row in rows {
        let median = match row.nanoseconds {
            ns if ns < 1e3 => format!("{ns:.0} ns"),
            ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
            ns => format!("{:.2} ms", ns / 1e6),
        };
        table.push_str(&format!("| {} | {median} | {} |\n", row.name, row.throughput));
    }
    table
}
