//! What happened in a rotation, as versioned events, and where they are kept.

mod event;
mod memory;
mod store;

pub use self::event::{
    Access, ChangeRecord, ChangeResult, CredentialStep, End, Entry, Event, FORMAT, Found, MadeVersion, Measured,
    StackPatch,
};
pub use self::memory::MemoryJournal;
pub use self::store::{Journal, JournalStore, Lease};
