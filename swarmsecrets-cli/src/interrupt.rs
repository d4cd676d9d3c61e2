//! Ctrl-C and the polite kill: the first stops in good order, the second at once.

use std::sync::Arc;

use swarmsecrets_core::executor::Cancellation;
use swarmsecrets_core::{Error, ErrorKind};

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::progress::Teller;

/// Listens for signals in the background, until the process ends.
pub(crate) fn watch(console: Console, cancellation: Cancellation, teller: Arc<Teller>) {
    tokio::spawn(async move {
        if !asked_to_stop().await {
            // Without handlers a signal ends the process at once, which the journal is made for.
            return;
        }
        cancellation.cancel();
        teller.line("stopping: the service in hand is finished or put back; press Ctrl-C again to leave at once");
        if asked_to_stop().await {
            teller.finish();
            console.failure(&left(&teller));
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
}

/// Returns once somebody asks to stop; with `false` if that cannot be heard here.
#[cfg(unix)]
pub(crate) async fn asked_to_stop() -> bool {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
    tokio::select! {
        heard = tokio::signal::ctrl_c() => heard.is_ok(),
        _ = terminate.recv() => true,
    }
}

/// Returns once somebody asks to stop; with `false` if that cannot be heard here.
#[cfg(not(unix))]
pub(crate) async fn asked_to_stop() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

fn left(teller: &Teller) -> Failure {
    let text = match teller.rotation() {
        Some(id) => format!("interrupted half-way: go on with `swarmsecrets resume {id}`"),
        None => "interrupted: nothing was changed".to_owned(),
    };
    Failure { exit: Exit::Interrupted, error: Error::new(ErrorKind::Refused, text) }
}
