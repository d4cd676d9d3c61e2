//! What an approver says to a request, signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::encoding::{Encoding, check_schema, unreadable};
use super::{ChangeRequest, SCHEMA};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{KeyId, RequestDigest};
use crate::keys::{PublicKey, SigningKey, check_name};

/// Longest comment, in bytes.
const LONGEST_COMMENT: usize = 4 * 1024;
const WHAT: &str = "decision on a change request";

/// What an approver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be carried out.
    Approve,
    /// It must not be carried out.
    Deny,
}

impl Verdict {
    /// The word that documents use for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

/// What one approver says to one request, signed with a key of theirs.
///
/// The signature (Ed25519) is over `swarmsecrets decision 1` and a line feed, and the fields `request`, `decision`, `approver`,
/// `key`, `at` and `comment` in the encoding of [`ChangeRequest::digest`]. A document that can be read is not yet to be believed:
/// [`judge`](super::judge) checks the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDecision {
    request: RequestDigest,
    decision: Verdict,
    approver: String,
    key: KeyId,
    at: Timestamp,
    comment: Option<String>,
    signature: [u8; 64],
}

/// The document, as it is written and read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    request: RequestDigest,
    decision: Verdict,
    approver: String,
    key: KeyId,
    at: Timestamp,
    comment: Option<String>,
    signature: String,
}

impl SignedDecision {
    /// Signs what `approver` says to the request. Show them [`ChangeRequest::text`] before.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is blank, too long or unprintable, and for a comment longer than 4 KiB.
    pub fn sign(
        request: &ChangeRequest,
        decision: Verdict,
        approver: &str,
        at: Timestamp,
        comment: Option<String>,
        key: &SigningKey,
    ) -> Result<Self> {
        let mut signed = Self {
            request: request.digest().clone(),
            decision,
            approver: approver.trim().to_owned(),
            key: key.public().id(),
            at,
            comment,
            signature: [0; 64],
        };
        signed.check()?;
        signed.signature = key.sign(&signed.message());
        Ok(signed)
    }

    /// Reads a decision from its JSON. Its signature is checked when it is judged.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is not a decision, is cut off, or is of another format.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        check_schema(WHAT, bytes)?;
        let read: Document = serde_json::from_slice(bytes).map_err(|e| unreadable(WHAT, &e))?;
        let signature = STANDARD.decode(&read.signature).ok().and_then(|bytes| bytes.try_into().ok());
        let bad =
            || Error::new(ErrorKind::Invalid, format!("not a {WHAT}: its signature is not the base64 of 64 bytes"));
        let decision = Self {
            request: read.request,
            decision: read.decision,
            approver: read.approver,
            key: read.key,
            at: read.at,
            comment: read.comment,
            signature: signature.ok_or_else(bad)?,
        };
        decision.check()?;
        Ok(decision)
    }

    /// Its JSON, which [`SignedDecision::from_json`] reads.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it cannot be encoded.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Invalid, "the decision cannot be encoded").with_source(e))?;
        json.push(b'\n');
        Ok(json)
    }

    /// The digest of the request that it is about.
    #[must_use]
    pub fn request(&self) -> &RequestDigest {
        &self.request
    }

    /// Approve or deny.
    #[must_use]
    pub fn decision(&self) -> Verdict {
        self.decision
    }

    /// Who says so, in their own words: whose the key is says the keyring.
    #[must_use]
    pub fn approver(&self) -> &str {
        &self.approver
    }

    /// The name of the key that it is signed with.
    #[must_use]
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// When, by the approver's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What the approver adds.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Whether it is signed with this key, all that stands in it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.signed(&self.message(), &self.signature)
    }

    fn check(&self) -> Result<()> {
        check_name("approver", &self.approver)?;
        if self.comment.as_ref().is_some_and(|comment| comment.len() > LONGEST_COMMENT) {
            return Err(Error::new(ErrorKind::Invalid, "the comment of the decision is longer than 4 KiB: shorten it"));
        }
        Ok(())
    }

    fn message(&self) -> Vec<u8> {
        let mut to = Encoding::of("swarmsecrets decision");
        to.field("request", self.request.as_str()).field("decision", self.decision.word());
        to.field("approver", &self.approver).field("key", self.key.as_str());
        to.time("at", self.at).optional("comment", self.comment.as_ref());
        to.bytes().to_vec()
    }
}

impl Serialize for SignedDecision {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let this = self.clone();
        Document {
            schema: SCHEMA,
            request: this.request,
            decision: this.decision,
            approver: this.approver,
            key: this.key,
            at: this.at,
            comment: this.comment,
            signature: STANDARD.encode(self.signature),
        }
        .serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{at, key, request_as};
    use super::*;

    fn signed(comment: Option<&str>) -> SignedDecision {
        let comment = comment.map(str::to_owned);
        SignedDecision::sign(&request_as(|_| {}), Verdict::Approve, " alice ", at("12:05:00"), comment, &key(1))
            .unwrap()
    }

    #[test]
    fn a_decision_reads_back_and_its_signature_covers_all_of_it() {
        let decision = signed(Some("go\u{1b}"));
        assert_eq!(SignedDecision::from_json(&decision.to_json().unwrap()).unwrap(), decision);
        assert!(decision.is_signed_by(&key(1).public()));
        assert!(!decision.is_signed_by(&key(2).public()));
        let changes: [fn(&mut SignedDecision); 6] = [
            |d| d.request = RequestDigest::from_sha256([1; 32]),
            |d| d.decision = Verdict::Deny,
            |d| d.approver = "bob".into(),
            |d| d.key = key(2).public().id(),
            |d| d.at = at("12:05:01"),
            |d| d.comment = None,
        ];
        for change in changes {
            let mut changed = decision.clone();
            change(&mut changed);
            assert!(!changed.is_signed_by(&key(1).public()), "{changed:?}");
        }
    }

    #[test]
    fn the_message_is_as_documented() {
        let decision = signed(None);
        let (request, key) = (decision.request(), decision.key());
        let wanted = format!(
            "swarmsecrets decision 1\nrequest 64\n{request}\ndecision 7\napprove\napprover 5\nalice\nkey 16\n{key}\nat 19\n1778155500000000000\ncomment -\n"
        );
        assert_eq!(String::from_utf8(decision.message()).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_decision_is_refused() {
        let json = String::from_utf8(signed(None).to_json().unwrap()).unwrap();
        for (bad, why) in [
            (String::new(), "EOF"),
            (json[..json.len() / 2].to_owned(), "EOF"),
            (json.replace("\"schema\": 1", "\"schema\": 2"), "format 2"),
            (json.replace("\"comment\": null", "\"comment\": null, \"x\\u001b\": 1"), "unknown field"),
            (json.replace("\"approve\"", "\"perhaps\""), "perhaps"),
            (json.replace("\"alice\"", "\" \""), "blank"),
            (json.replace("==\"", "\""), "64 bytes"),
            (format!("{json}{json}"), "trailing"),
        ] {
            assert_ne!(bad, json);
            let error = SignedDecision::from_json(bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(why), "{error}");
            assert!(!error.message().contains('\u{1b}'), "{error}");
        }
        let long = Some("x".repeat(LONGEST_COMMENT + 1));
        let request = request_as(|_| {});
        assert!(SignedDecision::sign(&request, Verdict::Deny, "alice", at("12:05:00"), long, &key(1)).is_err());
    }
}
