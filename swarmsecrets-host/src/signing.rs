//! What approvers do: make a key, and sign a decision.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use swarmsecrets_core::approval::{ChangeRequest, SignedDecision, Verdict};
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::keys::{PublicKey, SigningKey};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::line_file::private;
use crate::{OsRandom, SystemClock};

/// Makes a key. The private half is written into a file for its owner alone, which must not be there yet.
///
/// # Errors
/// [`ErrorKind::Io`] if the file is there or cannot be written.
pub fn make_key(file: &Path) -> Result<PublicKey> {
    let key = SigningKey::generate(&mut OsRandom)?;
    let failed = |e| {
        let shown = quoted(&file.to_string_lossy());
        Error::new(ErrorKind::Io, format!("cannot write the private key to {shown}: {e}"))
    };
    let mut to = private(OpenOptions::new().write(true).create_new(true)).open(file).map_err(failed)?;
    to.write_all(key.to_text().expose()).and_then(|()| to.write_all(b"\n")).map_err(failed)?;
    to.sync_all().map_err(failed)?;
    Ok(key.public())
}

/// Signs what somebody says to a change request, now. A request of a simulation, which has a time of its own, is decided on when
/// it was made.
///
/// # Errors
/// [`ErrorKind::NeedsApproval`] if the request has expired; [`ErrorKind::Invalid`] for what is no key, and as
/// [`SignedDecision::sign`].
pub fn sign_decision(
    request: &ChangeRequest,
    verdict: Verdict,
    identity: &str,
    comment: Option<String>,
    key: &SecretValue,
) -> Result<SignedDecision> {
    let key = SigningKey::from_text(key.expose())?;
    let now = if request.plan.simulated { request.created } else { SystemClock::new().now().wall };
    if now >= request.expires {
        let text = format!("the change request has expired at {}: ask for another one", request.expires);
        return Err(Error::new(ErrorKind::NeedsApproval, text));
    }
    SignedDecision::sign(request, verdict, identity, now, comment, &key)
}
