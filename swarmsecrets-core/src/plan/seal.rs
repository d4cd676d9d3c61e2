//! A plan as it is handed around: sealed, so that a change tells.

use std::mem::take;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::document::{Content, SCHEMA};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::PlanDigest;
use crate::parallel::parts;

/// A plan that cannot be changed without its digest telling.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    digest: PlanDigest,
    content: Content,
}

impl Plan {
    /// Seals a plan: computes its digest.
    pub(crate) fn seal(mut content: Content) -> Result<Self> {
        Ok(Self { digest: digest(&mut content)?, content })
    }

    /// What it says, unsealed.
    pub(super) fn into_content(self) -> Content {
        self.content
    }

    /// Reads a plan from its JSON and checks that it is the plan that was made.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is not a plan, is of another format, or was changed since it was made.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let not = |e: serde_json::Error| Error::new(ErrorKind::Invalid, format!("not a plan: {e}"));
        let plan: Self = serde_json::from_slice(bytes).map_err(not)?;
        if plan.schema != SCHEMA {
            let text = format!("the plan has format {}, this version knows {SCHEMA}: make it again", plan.schema);
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        let read: serde_json::Value = serde_json::from_slice(bytes).map_err(not)?;
        let ours = serde_json::to_value(&plan).map_err(not)?;
        // The digest is checked as it is read, and covers what is known alone.
        if read != ours {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the plan was changed after it was made: it has fields that this version does not know; make it again",
            ));
        }
        Ok(plan)
    }

    /// The SHA-256 over `swarmsecrets plan 1` and a line feed; the content; and the members of its lists `consumers`, `steps`
    /// and `warnings`. The content, without the members of these lists, and each member are there by the SHA-256 (32 bytes) of
    /// their compact JSON, the fields in the order in which they are declared; a line feed ends the content and each list.
    #[must_use]
    pub fn digest(&self) -> &PlanDigest {
        &self.digest
    }
}

impl Deref for Plan {
    type Target = Content;
    fn deref(&self) -> &Content {
        &self.content
    }
}

impl Serialize for Plan {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            digest: &'a PlanDigest,
            #[serde(flatten)]
            content: &'a Content,
        }
        Document { digest: &self.digest, content: &self.content }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Plan {
    /// Use [`Plan::from_json`], which also checks the digest; this is for documents that hold a plan.
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Document {
            digest: PlanDigest,
            #[serde(flatten)]
            content: Content,
        }
        let Document { digest: claimed, mut content } = Document::deserialize(from)?;
        match digest(&mut content) {
            Ok(real) if real == claimed => Ok(Self { digest: claimed, content }),
            _ => Err(serde::de::Error::custom(
                "the plan was changed after it was made: its content does not fit its digest",
            )),
        }
    }
}

/// The lists are out of the content while it is encoded; those of a long plan are encoded on all cores.
fn digest(content: &mut Content) -> Result<PlanDigest> {
    let (consumers, steps, warnings) =
        (take(&mut content.consumers), take(&mut content.steps), take(&mut content.warnings));
    let head = each(std::slice::from_ref(content));
    let lists = [vec![head], parts(&consumers, each), parts(&steps, each), parts(&warnings, each)];
    (content.consumers, content.steps, content.warnings) = (consumers, steps, warnings);
    let mut sha = Sha256::new_with_prefix(format!("swarmsecrets plan {SCHEMA}\n"));
    for list in lists {
        for digests in list {
            sha.update(digests?.as_flattened());
        }
        sha.update("\n");
    }
    Ok(PlanDigest::from_sha256(sha.finalize().into()))
}

/// The digest of each as compact JSON.
fn each<T: Serialize>(items: &[T]) -> Result<Vec<[u8; 32]>> {
    let mut json = Vec::new();
    let digest = |item| {
        json.clear();
        serde_json::to_writer(&mut json, item)
            .map_err(|e| Error::new(ErrorKind::Invalid, "the plan cannot be encoded").with_source(e))?;
        Ok(Sha256::digest(&json).into())
    };
    items.iter().map(digest).collect()
}
