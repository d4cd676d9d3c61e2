//! A change request as a ticket, and what is read back of it.

use std::collections::BTreeMap;

use swarmsecrets_core::approval::ChangeRequest;
use swarmsecrets_core::ids::{RequestDigest, one_line, quoted};
use swarmsecrets_core::policy::FACTS;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// What stands before the digest, at the beginning of [`ChangeRequest::text`].
const BEFORE: &str = "change request ";
/// What stands at the end of a text that was cut.
const CUT: &str = "\n[cut here: the whole request is in its file]";
/// Longest title, in characters.
const LONGEST_TITLE: usize = 160;

/// The title of a ticket: what is done, in one line.
#[must_use]
pub fn summary(request: &ChangeRequest) -> String {
    let names: Vec<&str> = request.plan.secrets.iter().map(|planned| planned.secret.as_str()).collect();
    let simulated = if request.plan.simulated { "SIMULATED: " } else { "" };
    one_line(&format!("{simulated}Approve the change of {}", names.join(", ")), LONGEST_TITLE)
}

/// The text of a ticket: that of [`ChangeRequest::text`], which begins with the digest, cut to so many bytes.
#[must_use]
pub fn ticket_text(request: &ChangeRequest, longest: usize) -> String {
    let text = request.text();
    if text.len() <= longest {
        return text.trim_end().to_owned();
    }
    let mut end = longest.saturating_sub(CUT.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{CUT}", &text[..end])
}

/// The digest of the request that a ticket is about, as it stands there.
///
/// # Errors
/// [`ErrorKind::Denied`] if none does: somebody has changed the ticket.
pub fn digest_of(text: &str, ticket: &str) -> Result<RequestDigest> {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let digest = first.strip_prefix(BEFORE).and_then(|digest| digest.trim_end().parse().ok());
    digest.ok_or_else(|| changed(ticket, "it does not begin with the digest of a change request any more"))
}

/// Whether a ticket still says what was asked for: who approves it approves what they read. White space at the ends of lines and
/// how lines end do not count.
///
/// # Errors
/// [`ErrorKind::Denied`] if it says something else.
pub fn check_text(text: &str, wanted: &str, ticket: &str) -> Result<()> {
    let plain = |text: &str| text.trim().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<String>>();
    match plain(text) == plain(wanted) {
        true => Ok(()),
        false => Err(changed(ticket, "it does not say any more what was asked for")),
    }
}

fn changed(ticket: &str, why: &str) -> Error {
    let text =
        format!("the ticket {ticket} was changed: {why}; make the change request again, and find out who did that");
    Error::new(ErrorKind::Denied, text)
}

/// The fields that the policy maps, each with what it says: a fact of the request, or, after `=`, this text.
///
/// # Errors
/// [`ErrorKind::Settings`] for a fact that there is not.
pub fn fill(request: &ChangeRequest, fields: &BTreeMap<String, String>) -> Result<Vec<(String, String)>> {
    let filled = fields.iter().map(|(field, what)| Ok((field.clone(), fact(request, what)?)));
    filled.collect()
}

fn fact(request: &ChangeRequest, what: &str) -> Result<String> {
    if let Some(text) = what.strip_prefix('=') {
        return Ok(text.to_owned());
    }
    let line = |text: &str| one_line(text, 1000);
    Ok(match what {
        "digest" => request.digest().to_string(),
        "plan" => request.plan.digest().to_string(),
        "account" => line(&request.requester.account),
        "agent" => line(request.requester.agent.as_deref().unwrap_or("none")),
        "reasoning" => line(&request.reasoning),
        "risk" => request.risk.level.word().to_owned(),
        "expires" => request.expires.to_string(),
        "environment" => request.environment.to_string(),
        "secrets" => {
            let names: Vec<&str> = request.plan.secrets.iter().map(|planned| planned.secret.as_str()).collect();
            line(&names.join(", "))
        }
        "services" => line(&request.blast.services.join(", ")),
        _ => {
            let text = format!(
                "there is no fact {} of a change request: {}, or `=` and a text",
                quoted(what),
                FACTS.join(", ")
            );
            return Err(Error::new(ErrorKind::Settings, text));
        }
    })
}
