//! `swarmsecrets audit`

use std::path::Path;

use serde::Serialize;
use swarmsecrets_core::audit::{Checkpoint, Query};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_host::{Checkpoints, query_audit, read_checkpoint, read_credential, sign_audit, verify_audit_against};
use swarmsecrets_postgres::PostgresAudit;

use crate::app::App;
use crate::args::{CheckpointArgs, QueryArgs, TrailArgs, VerifyArgs};
use crate::audit_text;
use crate::exit::{Exit, Failure};
use crate::printable::printable;

/// Where a trail is.
enum Trail<'a> {
    File(&'a Path),
    Database(Box<PostgresAudit>),
}

fn trail(args: &TrailArgs) -> Result<Trail<'_>, Failure> {
    match (&args.file, &args.db_file) {
        (Some(file), _) => Ok(Trail::File(file)),
        (None, Some(url)) => Ok(Trail::Database(Box::new(PostgresAudit::at(&read_credential(url)?)?))),
        (None, None) => Err(Failure::usage("which trail? name its file, or its database with --db-file")),
    }
}

/// Checks a trail.
pub(super) async fn verify(app: &App, args: &VerifyArgs) -> Result<Exit, Failure> {
    let checkpoints: Vec<Checkpoint> = match &args.key {
        Some(key) => args.checkpoint.iter().map(|file| read_checkpoint(file, key)).collect::<Result<_, Error>>()?,
        None => Vec::new(),
    };
    let verdict = match trail(&args.trail)? {
        Trail::File(file) => verify_audit_against(file, checkpoints)?,
        Trail::Database(trail) => trail.verify(checkpoints).await?,
    };
    match app.console.json {
        true => app.console.document(&verdict)?,
        false => app.console.text(&audit_text::verdict(&verdict))?,
    }
    let Some(problem) = verdict.problem else { return Ok(Exit::Done) };
    let text = format!("the audit trail {} is not whole: {problem}", quoted(&verdict.file));
    app.console.error_text(&Failure::from(Error::new(ErrorKind::Audit, text)));
    Ok(Exit::Failed)
}

/// Signs how far a trail goes.
pub(super) fn checkpoint(app: &App, args: &CheckpointArgs) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Signed<'a> {
        schema: u32,
        records: u64,
        hash: &'a str,
        key: &'a str,
        at: String,
    }
    let signed = sign_audit(&args.file, &Checkpoints::new(&args.key, &args.out).map_err(Failure::input)?)?;
    let (records, key) = (signed.records(), signed.key().as_str());
    if app.console.json {
        let at = signed.at().to_string();
        app.console.document(&Signed { schema: 1, records, hash: signed.hash(), key, at })?;
    } else {
        let out = args.out.to_string_lossy();
        app.console.text(&format!("signed: {records} records, with the key {key}, in {}\n", printable(&out)))?;
    }
    Ok(Exit::Done)
}

/// Shows records of a trail, all of which is checked before the first one is shown.
pub(super) async fn query(app: &App, args: QueryArgs) -> Result<Exit, Failure> {
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
    let found = match trail(&args.trail)? {
        Trail::File(file) => query_audit(file, &query)?,
        Trail::Database(trail) => trail.query(&query).await?,
    };
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
