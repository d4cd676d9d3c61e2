//! `swarmsecrets keygen`, `approve` and `deny`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::Serialize;
use swarmsecrets_core::approval::{ChangeRequest, SignedDecision, Verdict};
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::keys::SigningKey;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_host::{FileApprover, SystemClock, read_credential};

use crate::app::App;
use crate::args::{DecideArgs, KeygenArgs};
use crate::confirm::confirm;
use crate::exit::{Exit, Failure};
use crate::printable::printable_lines;
use crate::world::random;

/// Makes a key.
pub(super) fn keygen(app: &App, args: &KeygenArgs) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Made {
        schema: u32,
        key: String,
        id: String,
    }
    let key = SigningKey::generate(&mut *random())?;
    let shown = quoted(&args.file.to_string_lossy());
    let failed = |e| Error::new(ErrorKind::Io, format!("cannot write the private key to {shown}: {e}"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.file).map_err(failed)?;
    file.write_all(key.to_text().expose()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let public = key.public();
    if app.console.json {
        app.console.document(&Made { schema: 1, key: public.to_string(), id: public.id().to_string() })?;
    } else {
        app.console.text(&format!("{public}\n"))?;
        app.console.note(&format!(
            "the private half is in {shown}; the line above goes into the policy's `approval.approvers`"
        ));
    }
    Ok(Exit::Done)
}

/// Signs a decision on a change request and puts it beside it.
pub(super) async fn decide(app: &App, args: &DecideArgs, verdict: Verdict) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Decided<'a> {
        schema: u32,
        request: String,
        decision: &'a str,
        approver: &'a str,
    }
    let key =
        read_credential(&args.key).and_then(|text| SigningKey::from_text(text.expose())).map_err(Failure::input)?;
    let request = read_request(&args.file)?;
    if !app.console.json {
        app.console.show(&printable_lines(&request.text()));
    }
    confirm(&format!("{} this change request as {}?", capital(verdict), args.identity), args.yes, &app.console)?;
    // A simulation has a time of its own.
    let now = if request.plan.simulated { request.created } else { SystemClock::new().now().wall };
    if now >= request.expires {
        let text = format!("the change request has expired at {}: ask for another one", request.expires);
        return Err(Failure::from(Error::new(ErrorKind::NeedsApproval, text)));
    }
    let decision = SignedDecision::sign(&request, verdict, &args.identity, now, args.comment.clone(), &key)
        .map_err(Failure::input)?;
    let folder = args.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    FileApprover::open(folder)?.answer(&decision).await?;
    let (word, request) = (verdict.word(), request.digest().to_string());
    if app.console.json {
        app.console.document(&Decided { schema: 1, request, decision: word, approver: &args.identity })?;
    } else {
        app.console.text(&format!("signed: {word} {request}\n"))?;
    }
    Ok(Exit::Done)
}

/// Reads a change request, which tells if it was changed.
fn read_request(file: &Path) -> Result<ChangeRequest, Failure> {
    let place = format!("the change request {}", quoted(&file.to_string_lossy()));
    let bytes = std::fs::read(file)
        .map_err(|e| Failure::input(Error::new(ErrorKind::Io, format!("cannot read {place}: {e}"))))?;
    ChangeRequest::from_json(&bytes).map_err(|e| Failure::input(e.context(place)))
}

fn capital(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "Approve",
        Verdict::Deny => "Deny",
    }
}
