//! What is told of a redeployment.

use std::fmt;

use crate::ids::quoted;

/// Something that a redeployment would change in a live service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The service's name in the Swarm.
    pub service: String,
    /// What would change: `replicas`, `environment variable MODE`, or the path in the service's spec.
    pub field: String,
    /// As the file and its variables have it: what the redeployment would write.
    pub stored: Shown,
    /// As the live service has it.
    pub live: Shown,
}

/// One side of a [`Difference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It is not there.
    Absent,
    /// It is there. Environment variables, commands, labels and options may hold credentials, and are not shown.
    Hidden,
    /// Its value.
    Value(String),
}

impl Difference {
    /// A service that stands on one side only.
    pub(super) fn whole(service: &str, stored: bool) -> Self {
        let there = Shown::Value("defined".to_owned());
        let (stored, live) = if stored { (there, Shown::Absent) } else { (Shown::Absent, there) };
        Self { service: service.to_owned(), field: "service".to_owned(), stored, live }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, field, stored, live } = self;
        write!(f, "service {}: {}: ", quoted(service), Plain(field))?;
        match (stored, live) {
            (Shown::Hidden, Shown::Hidden) => f.write_str("another value in the stack than in the service, not shown"),
            _ => write!(f, "the stack has {stored}, the service {live}"),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Hidden => f.write_str("a value that is not shown"),
            Self::Value(value) => Plain(value).fmt(f),
        }
    }
}

/// That nobody can tell what a redeployment would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotTell {
    /// The place in the compose file, such as `services.web.env_file`, or `networks` for what is known of the live ones; empty
    /// for the file as a whole.
    pub at: String,
    /// Why, quoting nothing of the file.
    pub why: String,
}

impl CannotTell {
    pub(super) fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into() }
    }
}

impl fmt::Display for CannotTell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot tell what a redeployment of the stack would change")?;
        let at = if self.at.is_empty() { String::new() } else { format!(" at {}", Plain(&self.at)) };
        write!(f, "{at}: {}", Plain(&self.why))
    }
}

impl std::error::Error for CannotTell {}

/// A text from the file or the Swarm without what a terminal would take for a command.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.contains(crate::ids::is_unprintable) {
            true => write!(f, "{}", quoted(self.0)),
            false => f.write_str(self.0),
        }
    }
}
