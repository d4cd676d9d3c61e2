//! A signed statement of how far a trail went: whoever cuts its tail off later, or writes it anew, cannot sign another one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Link;
use crate::approval::encoding::{Encoding, check_schema, unreadable};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::KeyId;
use crate::keys::{PublicKey, SigningKey};

const WHAT: &str = "checkpoint of an audit trail";

/// How far a trail went at a time, signed.
///
/// The signature (Ed25519) is over `swarmsecrets audit checkpoint 1` and a line feed, and the fields `records`, `hash`, `key` and `at` in
/// the encoding of [`ChangeRequest::digest`](crate::approval::ChangeRequest::digest). A document that can be read is not yet to be
/// believed: [`Checkpoint::check`] holds it against a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    records: u64,
    hash: String,
    key: KeyId,
    at: Timestamp,
    signature: [u8; 64],
}

/// The document, as it is written and read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    records: u64,
    hash: String,
    key: KeyId,
    at: Timestamp,
    signature: String,
}

impl Checkpoint {
    /// Signs that a trail goes to this end.
    #[must_use]
    pub fn sign(end: &Link, at: Timestamp, key: &SigningKey) -> Self {
        let mut signed = Self {
            records: end.records(),
            hash: end.hash().to_owned(),
            key: key.public().id(),
            at,
            signature: [0; 64],
        };
        signed.signature = key.sign(&signed.message());
        signed
    }

    /// Reads a checkpoint from its JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is no checkpoint, is cut off, or is of another format.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        check_schema(WHAT, bytes)?;
        let read: Document = serde_json::from_slice(bytes).map_err(|e| unreadable(WHAT, &e))?;
        let bad = |why: &str| Error::new(ErrorKind::Invalid, format!("not a {WHAT}: {why}"));
        let signature = STANDARD.decode(&read.signature).ok().and_then(|bytes| bytes.try_into().ok());
        let signature = signature.ok_or_else(|| bad("its signature is not the base64 of 64 bytes"))?;
        if read.hash.len() != 64 || !read.hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(bad("its hash is not 64 hexadecimal digits"));
        }
        Ok(Self { records: read.records, hash: read.hash, key: read.key, at: read.at, signature })
    }

    /// Its JSON, which [`Checkpoint::from_json`] reads.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it cannot be encoded.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let document = Document {
            schema: 1,
            records: self.records,
            hash: self.hash.clone(),
            key: self.key.clone(),
            at: self.at,
            signature: STANDARD.encode(self.signature),
        };
        let mut json = serde_json::to_vec_pretty(&document)
            .map_err(|e| Error::new(ErrorKind::Invalid, "the checkpoint cannot be encoded").with_source(e))?;
        json.push(b'\n');
        Ok(json)
    }

    /// How many records the trail had.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The hash of the last of them; of none, 64 zeros.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The name of the key that it is signed with.
    #[must_use]
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// When it was signed, by the signer's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Checks that this key has signed it.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if another one has, or if it was changed since.
    pub fn check(&self, key: &PublicKey) -> Result<()> {
        if self.key == key.id() && key.signed(&self.message(), &self.signature) {
            return Ok(());
        }
        let why = match self.key == key.id() {
            true => "it was changed after it was signed".to_owned(),
            false => format!("it says that the key {} has signed it", self.key),
        };
        let text = format!("the {WHAT} is not signed with the key {}: {why}", key.id());
        Err(Error::new(ErrorKind::Audit, text))
    }

    /// Whether a chain that has come this far agrees; nothing where the checkpoint says nothing about it.
    pub(super) fn agrees(&self, end: &Link) -> Option<bool> {
        (end.records() == self.records).then(|| end.hash() == self.hash)
    }

    fn message(&self) -> Vec<u8> {
        let mut to = Encoding::of("swarmsecrets audit checkpoint");
        to.field("records", self.records.to_string()).field("hash", &self.hash);
        to.field("key", self.key.as_str()).time("at", self.at);
        to.bytes().to_vec()
    }
}

/// How a trail stands to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// How many records the trail had then.
    pub records: u64,
    /// When that was signed.
    pub at: Timestamp,
    /// The key that signed it.
    pub key: KeyId,
    /// Whether the trail still has them. Nothing if it could not be read that far, because something before is wrong.
    pub held: Option<bool>,
}

impl Compared {
    pub(super) fn of(checkpoint: &Checkpoint, held: Option<bool>) -> Self {
        Self { records: checkpoint.records, at: checkpoint.at, key: checkpoint.key.clone(), held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::testing::key;

    fn checkpoint() -> Checkpoint {
        Checkpoint::sign(&Link::default(), Timestamp::UNIX_EPOCH, &key(1))
    }

    #[test]
    fn a_checkpoint_reads_back_and_its_signature_covers_all_of_it() {
        let signed = checkpoint();
        assert_eq!(Checkpoint::from_json(&signed.to_json().unwrap()).unwrap(), signed);
        signed.check(&key(1).public()).unwrap();
        let other = signed.check(&key(2).public()).unwrap_err();
        assert!(other.kind() == ErrorKind::Audit && other.message().contains(key(1).public().id().as_str()), "{other}");
        let changes: [fn(&mut Checkpoint); 4] =
            [|c| c.records = 1, |c| c.hash = "1".repeat(64), |c| c.at = Timestamp::MAX, |c| c.signature[0] ^= 1];
        for change in changes {
            let mut changed = signed.clone();
            change(&mut changed);
            let error = changed.check(&key(1).public()).unwrap_err();
            assert!(error.message().contains("changed after it was signed"), "{error}");
        }
    }

    /// So that a signature on a decision can never be taken for one on a checkpoint, and what is signed can be made elsewhere.
    #[test]
    fn the_message_is_as_documented() {
        let (signed, zeros) = (checkpoint(), "0".repeat(64));
        let wanted = format!(
            "swarmsecrets audit checkpoint 1\nrecords 1\n0\nhash 64\n{zeros}\nkey 16\n{}\nat 1\n0\n",
            signed.key()
        );
        assert_eq!(String::from_utf8(signed.message()).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let json = String::from_utf8(checkpoint().to_json().unwrap()).unwrap();
        for (bad, why) in [
            (String::new(), "EOF"),
            (json[..json.len() / 2].to_owned(), "EOF"),
            (json.replace("\"schema\": 1", "\"schema\": 2"), "format 2"),
            (json.replace("\"records\": 0", "\"records\": -1"), "-1"),
            (json.replace("\"records\": 0", "\"records\": 0, \"x\\u001b\": 1"), "unknown field"),
            (json.replace("==\"", "\""), "64 bytes"),
            (json.replace(&"0".repeat(64), &"G".repeat(64)), "hexadecimal"),
        ] {
            assert_ne!(bad, json);
            let error = Checkpoint::from_json(bad.as_bytes()).unwrap_err();
            assert!(error.kind() == ErrorKind::Invalid && error.message().contains(why), "{error}");
            assert!(!error.message().contains('\u{1b}'), "{error}");
        }
    }
}
