//! `swarmsecrets audit`

use swarmsecrets_core::audit::Query;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_host::{query_audit, verify_audit};

use crate::app::App;
use crate::args::{QueryArgs, VerifyArgs};
use crate::audit_text;
use crate::exit::{Exit, Failure};

/// Checks a trail. It reads and prints, and waits for nothing else.
pub(super) fn verify(app: &App, args: &VerifyArgs) -> Result<Exit, Failure> {
    let verdict = verify_audit(&args.file)?;
    match app.console.json {
        true => app.console.document(&verdict)?,
        false => app.console.text(&audit_text::verdict(&verdict))?,
    }
    let Some(problem) = verdict.problem else { return Ok(Exit::Done) };
    let text = format!("the audit trail {} is not whole: {problem}", quoted(&verdict.file));
    app.console.error_text(&Failure::from(Error::new(ErrorKind::Audit, text)));
    Ok(Exit::Failed)
}

/// Shows records of a trail, all of which is checked before the first one is shown.
pub(super) fn query(app: &App, args: QueryArgs) -> Result<Exit, Failure> {
    let query = Query {
        secret: args.secret,
        rotation: args.rotation,
        agent: args.agent,
        account: args.account,
        since: args.since,
        until: args.until,
        outcome: args.outcome,
        limit: args.limit,
    };
    let found = query_audit(&args.file, &query)?;
    if found.torn_bytes > 0 {
        app.console.note(&format!(
            "note: {} bytes at the end of the trail are no whole record, and are passed over: see `audit verify`",
            found.torn_bytes
        ));
    }
    match app.console.json {
        true => app.console.document(&found)?,
        false => app.console.text(&audit_text::records(&found, app.console.width))?,
    }
    Ok(Exit::Done)
}
