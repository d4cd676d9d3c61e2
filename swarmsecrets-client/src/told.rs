//! What happens while something is carried out, as a document.

use serde::{Deserialize, Serialize};
use swarmsecrets_core::executor::{Observer, Progress};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::Event;

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Told {
    /// An event was written to the journal.
    Event {
        /// The rotation.
        rotation: RotationId,
        /// The event.
        event: Box<Event>,
    },
    /// A mutation is sent now.
    Sending {
        /// What it does.
        text: String,
    },
    /// A look had no good answer and will be tried again.
    Trouble {
        /// What was said.
        text: String,
    },
}

impl Told {
    /// What was told, if there are words for it.
    #[must_use]
    pub fn of(progress: &Progress<'_>) -> Option<Self> {
        Some(match progress {
            Progress::Event { rotation, event } => {
                Self::Event { rotation: (*rotation).clone(), event: Box::new((*event).clone()) }
            }
            Progress::Sending { words } => Self::Sending { text: (*words).to_owned() },
            Progress::Trouble { message } => Self::Trouble { text: (*message).to_owned() },
            _ => return None,
        })
    }

    /// Tells it to another one.
    pub fn tell(&self, observer: &dyn Observer) {
        observer.tell(&match self {
            Self::Event { rotation, event } => Progress::Event { rotation, event },
            Self::Sending { text } => Progress::Sending { words: text },
            Self::Trouble { text } => Progress::Trouble { message: text },
        });
    }
}
