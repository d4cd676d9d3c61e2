//! `swarmsecrets keygen`, `approve` and `deny`

use std::path::Path;

use serde::Serialize;
use swarmsecrets_core::approval::{ChangeRequest, Verdict};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::keys::SigningKey;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_host::{FileApprover, make_key, read_credential, sign_decision};

use crate::app::App;
use crate::args::{DecideArgs, KeygenArgs};
use crate::confirm::confirm;
use crate::exit::{Exit, Failure};
use crate::printable::printable_lines;

/// Makes a key.
pub(super) fn keygen(app: &App, args: &KeygenArgs) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Made {
        schema: u32,
        key: String,
        id: String,
    }
    let public = make_key(&args.file)?;
    let shown = quoted(&args.file.to_string_lossy());
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
    let key = read_credential(&args.key).map_err(Failure::input)?;
    SigningKey::from_text(key.expose()).map_err(Failure::input)?;
    let request = read_request(&args.file)?;
    if !app.console.json {
        app.console.show(&printable_lines(&request.text()));
    }
    confirm(&format!("{} this change request as {}?", capital(verdict), args.identity), args.yes, &app.console)?;
    let decision = sign_decision(&request, verdict, &args.identity, args.comment.clone(), &key)
        .map_err(|error| if error.kind() == ErrorKind::Invalid { Failure::input(error) } else { error.into() })?;
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
