//! The labels that say more than names.

/// The logical secret.
pub const SECRET: &str = "io.swarmsecrets.secret";
/// The number of the version.
pub const VERSION: &str = "io.swarmsecrets.version";
/// The name of the version before.
pub const PREVIOUS: &str = "io.swarmsecrets.previous";
/// The rotation that made it.
pub const ROTATION: &str = "io.swarmsecrets.rotation";
/// How long the version before is kept.
pub const GRACE: &str = "io.swarmsecrets.grace";
/// Where its value came from, and which version it is there: `source:reference@version`.
pub const SOURCE: &str = "io.swarmsecrets.source";
/// A keyed fingerprint of its value, where a key was at hand.
pub const FINGERPRINT: &str = "io.swarmsecrets.fingerprint";
/// How the consumers were to change over, where it was more than an exchange of references.
pub const STRATEGY: &str = "io.swarmsecrets.strategy";
/// What all of ours begin with.
pub const PREFIX: &str = "io.swarmsecrets.";
/// On a service: the services that must be updated before it, with commas between.
pub const AFTER: &str = "io.swarmsecrets.after";
/// On a service: `true` makes it go first.
pub const CANARY: &str = "io.swarmsecrets.canary";
/// The user's: how often the secret is to be rotated, such as `monthly` or `90d`.
pub const ROTATION_POLICY: &str = "rotation-policy";
/// Docker's: the stack that an object belongs to.
pub const STACK: &str = "com.docker.stack.namespace";
