//! What is shown while a rotation runs: a bar on a terminal, plain lines otherwise. Always on standard error.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swarmsecrets_core::executor::{Observer, Progress};
use swarmsecrets_core::ids::{RotationId, ServiceId};
use swarmsecrets_core::journal::{ChangeResult, Event};
use swarmsecrets_core::plan::Plan;

use crate::console::Console;
use crate::printable::printable;

/// Tells a person what the executor does.
pub(crate) struct Teller {
    console: Console,
    bar: ProgressBar,
    seen: Mutex<Seen>,
}

/// What was learnt on the way.
#[derive(Default)]
struct Seen {
    rotation: Option<RotationId>,
    services: BTreeMap<ServiceId, String>,
    retired: Vec<String>,
}

impl Teller {
    /// A teller that is silent until something happens.
    pub(crate) fn new(console: Console) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { console, bar, seen: Mutex::default() }
    }

    /// Draws a bar if standard error is a terminal. Not before the key holder was asked: it would be drawn over the
    /// question.
    pub(crate) fn start(&self) {
        if !self.console.errors_on_terminal {
            return;
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner} [{pos}/{len}] {wide_msg} {elapsed}") {
            self.bar.set_style(style);
        }
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.reset_elapsed();
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    /// The rotation that is being carried out, once it is known.
    pub(crate) fn rotation(&self) -> Option<RotationId> {
        self.seen().rotation.clone()
    }

    /// The versions that were removed.
    pub(crate) fn retired(&self) -> Vec<String> {
        self.seen().retired.clone()
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Says a line above the bar, or on its own.
    pub(crate) fn line(&self, text: &str) {
        self.bar.suspend(|| self.console.note(text));
    }

    /// Keeps what later lines need.
    fn learn(&self, rotation: &RotationId, event: &Event) {
        let mut seen = self.seen();
        seen.rotation = Some(rotation.clone());
        match event {
            Event::Begun { plan, .. } => {
                seen.services = names(plan);
                self.bar.set_length(plan.consumers.len() as u64);
            }
            Event::Retired { name, .. } => seen.retired.push(name.to_string()),
            _ => {}
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // A panic while it was held leaves nothing half-written that matters here.
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Observer for Teller {
    fn tell(&self, progress: &Progress<'_>) {
        match progress {
            Progress::Event { rotation, event } => {
                self.learn(rotation, event);
                if matches!(event, Event::ConsumerConverged { .. }) {
                    self.bar.inc(1);
                }
                let words = words(rotation, event, &self.seen().services);
                if let Some(text) = words {
                    self.line(&text);
                }
            }
            Progress::Sending { words } => self.bar.set_message(printable(words).into_owned()),
            Progress::Trouble { message } => self.line(&format!("no good answer, trying again: {message}")),
            Progress::Torn { bytes } => {
                self.line(&format!("the journal's last line was written in part: {bytes} bytes were cut off"));
            }
            _ => {}
        }
    }
}

fn names(plan: &Plan) -> BTreeMap<ServiceId, String> {
    plan.consumers.iter().map(|c| (c.id.clone(), c.service.clone())).collect()
}

fn words(rotation: &RotationId, event: &Event, services: &BTreeMap<ServiceId, String>) -> Option<String> {
    let name = |id: &ServiceId| services.get(id).map_or_else(|| id.to_string(), |name| printable(name).into_owned());
    Some(match event {
        Event::Begun { plan, .. } => format!("rotation {rotation} of {} begins", plan.names()),
        Event::Created { .. } => "the new version is there".to_owned(),
        Event::Owned { .. } => "the new version has its owner".to_owned(),
        Event::Baseline { service, .. } => format!("{}: its probes have seen how it is", name(service)),
        Event::ConsumerUnsure { service, reason } => format!("{}: {reason}", name(service)),
        Event::ConsumerBegun { service } => format!("{}: updating", name(service)),
        Event::ConsumerConverged { service, note: None } => format!("{}: runs on the new version", name(service)),
        Event::ConsumerConverged { service, note: Some(note) } => {
            format!("{}: runs on the new version ({note})", name(service))
        }
        Event::ConsumerFailed { service, reason } => format!("{}: failed: {reason}", name(service)),
        Event::ConsumerLeft { service, reason } => format!("{}: left as it is: {reason}", name(service)),
        Event::UndoBegun { reason } => format!("undoing: {reason}"),
        Event::ConsumerRestored { service } => format!("{}: runs on the old version again", name(service)),
        Event::RestoreFailed { service, reason } => format!("{}: could not be put back: {reason}", name(service)),
        Event::GraceBegun { until } => format!("the old version is kept until {until}"),
        Event::Retired { name, .. } => format!("{name} is retired"),
        Event::RetireRefused { reason, .. } => format!("the old version was not removed: {reason}"),
        Event::Interrupted => "stopping: no further service is begun".to_owned(),
        Event::Stopped { reason, .. } => format!("stopped: {reason}"),
        Event::Resumed { .. } => format!("rotation {rotation} goes on"),
        Event::Outcome { result: ChangeResult::Unknown { message }, .. } => {
            format!("no answer, looking whether it was done: {message}")
        }
        _ => return None,
    })
}
