//! The loop that joins it all: poll the machine, ask for leave, write journal and audit trail, send, and tell the machine.

mod access;
mod act;
mod approval;
mod counted;
mod earlier;
mod fresh;
mod guards;
mod heads;
mod labels;
mod leave;
mod limits;
mod made;
mod open;
mod parts;
mod passwords;
mod probes;
mod progress;
mod reach;
mod read;
mod refused;
mod run;
mod sources;
mod stopped;
mod trail;
mod values;

pub use self::approval::Approval;
pub use self::parts::{Parts, Supply};
pub use self::passwords::PasswordChange;
pub use self::probes::Probes;
pub use self::progress::{Cancellation, Observer, Progress, Silent};
pub use self::reach::check_reach;
pub use self::read::read_inventory;
pub use self::refused::Attempt;
pub use self::run::Executor;
pub use self::values::Values;
