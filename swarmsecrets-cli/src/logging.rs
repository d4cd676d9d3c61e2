//! What the libraries say while they work, on standard error.

use std::io;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging. `RUST_LOG` wins over the number of times that `--verbose` was given; without either nothing is
/// logged, as the command says errors in its own words.
pub(crate) fn start(verbose: u8, rust_log: Option<&str>, colour: bool) {
    let default = match verbose {
        0 => "off",
        1 => "info",
        _ => "debug",
    };
    let wanted = rust_log.filter(|text| !text.is_empty()).and_then(|text| EnvFilter::try_new(text).ok());
    let _ = tracing_subscriber::registry()
        .with(fmt::layer().with_writer(io::stderr).with_ansi(colour))
        .with(wanted.unwrap_or_else(|| EnvFilter::new(default)))
        .with(filter_fn(may_show))
        // A second call, as in tests, leaves the first in place.
        .try_init();
}

/// Our own crates say nothing secret at any level. An HTTP library at `trace` may show what it sends, so of others only
/// warnings and errors are shown, whatever `RUST_LOG` says.
fn may_show(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("swarmsecrets") || *metadata.level() <= Level::WARN
}
