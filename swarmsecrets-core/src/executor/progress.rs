//! What is told while a rotation runs, and how it is asked to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ids::RotationId;
use crate::journal::Event;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// An event was written to the journal.
    Event {
        /// The rotation.
        rotation: &'a RotationId,
        /// The event.
        event: &'a Event,
    },
    /// A mutation is sent now.
    Sending {
        /// What it does.
        words: &'a str,
    },
    /// A look had no good answer and will be tried again.
    Trouble {
        /// What was said.
        message: &'a str,
    },
    /// The journal's last line had been written in part and was cut off.
    Torn {
        /// How many bytes.
        bytes: usize,
    },
}

/// Is told what happens. Must not block for long.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn tell(&self, progress: &Progress<'_>);
}

/// An observer that says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn tell(&self, _: &Progress<'_>) {}
}

/// A wish to stop. Clones share it: one is given to the executor, the other kept by whoever may stop it.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Asks to stop: no further consumer is begun, the one in hand is finished or undone.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether someone has asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
