//! A service's spec as the text that it is, read and edited in place.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::oversized::first_oversized;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::SpecDigest;
use crate::model::service_spec::ServiceSpec;
use crate::model::text::{Text, or_default};
use crate::model::unreadable::unreadable;
use crate::model::{Labels, SecretReference, ServiceMode, UpdateConfig};

/// A service's spec: the text exactly as it was sent. Edits splice byte ranges of it, so that every key, value and
/// number literal but the intended ones stays as it was.
///
/// It prints as its length and digest: environment variables in it may hold credentials.
#[derive(Clone)]
pub struct SpecText(Box<RawValue>);

/// The SHA-256 of a spec's text.
#[must_use]
pub fn spec_digest(text: impl AsRef<[u8]>) -> SpecDigest {
    SpecDigest::from_sha256(Sha256::digest(text).into())
}

/// One environment variable of a service. It prints its name only.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvVariable {
    /// Its name.
    pub name: String,
    /// Its value; none for a bare name.
    pub value: Option<String>,
}

impl fmt::Debug for EnvVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=[REDACTED]", self.name)
    }
}

impl fmt::Debug for SpecText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpecText {{ {} bytes, sha256 {} }}", self.as_str().len(), self.digest())
    }
}

impl PartialEq for SpecText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SpecText {}

impl SpecText {
    /// Takes the text of a spec.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if it is not one JSON object.
    pub fn new(text: String) -> Result<Self> {
        let raw = RawValue::from_string(text).map_err(|error| unreadable("a service's spec", &error))?;
        if raw.get().starts_with('{') {
            Ok(Self(raw))
        } else {
            Err(Error::new(ErrorKind::Protocol, "cannot read a service's spec: it is not a JSON object"))
        }
    }

    /// The text, as a request takes it.
    #[must_use]
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> SpecDigest {
        spec_digest(self.as_str())
    }

    /// The path of the first number whose magnitude is 2^53 or more. Portainer rounds such numbers, so that a spec which
    /// has one must not be written.
    #[must_use]
    pub fn oversized(&self) -> Option<String> {
        first_oversized(self.as_str())
    }

    /// The read view of the spec.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if a field has another type than the Engine gives it.
    pub fn view(&self) -> Result<ServiceSpec<'_>> {
        serde_json::from_str(self.as_str()).map_err(|error| unreadable("a service's spec", &error))
    }

    /// The references to secrets, in the order of the spec.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn references(&self) -> Result<Vec<SecretReference>> {
        Ok(self.view()?.references().collect())
    }

    /// The service's labels.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn labels(&self) -> Result<Labels> {
        Ok(self.view()?.labels.to_labels())
    }

    /// The image as the spec names it.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn image(&self) -> Result<String> {
        Ok(self.view()?.image().to_owned())
    }

    /// How the service is updated, with the Engine's defaults filled in.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn update_config(&self) -> Result<UpdateConfig> {
        Ok(self.view()?.update())
    }

    /// How long its health check takes to call a container unhealthy, in nanoseconds.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn health_check_ns(&self) -> Result<Option<u64>> {
        Ok(self.view()?.health_check_ns())
    }

    /// How many tasks it asks for.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn mode(&self) -> Result<ServiceMode> {
        Ok(self.view()?.mode())
    }

    /// Whether it publishes a port in host mode.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn host_port(&self) -> Result<bool> {
        Ok(self.view()?.host_port())
    }

    /// The environment variables of its containers, in the order of the spec. Any of them may be a credential.
    ///
    /// # Errors
    /// As [`SpecText::view`].
    pub fn env(&self) -> Result<Vec<EnvVariable>> {
        let spec: EnvSpec<'_> =
            serde_json::from_str(self.as_str()).map_err(|error| unreadable("a service's environment", &error))?;
        let variables = spec.task_template.container_spec.env.into_iter();
        Ok(variables
            .map(|line| match line.split_once('=') {
                Some((name, value)) => EnvVariable { name: name.to_owned(), value: Some(value.to_owned()) },
                None => EnvVariable { name: line.into_string(), value: None },
            })
            .collect())
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnvSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    task_template: EnvTemplate<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnvTemplate<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    container_spec: EnvContainer<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnvContainer<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    env: Vec<Text<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_is_a_spec() {
        for bad in ["", "[]", "7", "{", "{} {}"] {
            assert_eq!(SpecText::new(bad.to_owned()).unwrap_err().kind(), ErrorKind::Protocol, "{bad}");
        }
        assert_eq!(SpecText::new(" {\"a\":1.0} ".to_owned()).unwrap().as_str(), "{\"a\":1.0}");
    }

    #[test]
    fn the_digest_is_that_of_the_text() {
        let digest = spec_digest("{}");
        assert_eq!(digest.as_str(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        assert_eq!(SpecText::new("{}".to_owned()).unwrap().digest(), digest);
    }

    #[test]
    fn environment_variables_are_read_and_not_printed() {
        let text = r#"{"TaskTemplate":{"ContainerSpec":{"Env":["A=x=y\u0021","BARE"]}}}"#;
        let spec = SpecText::new(text.to_owned()).unwrap();
        let env = spec.env().unwrap();
        assert_eq!((env[0].name.as_str(), env[0].value.as_deref()), ("A", Some("x=y!")));
        assert_eq!((env[1].name.as_str(), env[1].value.as_deref()), ("BARE", None));
        assert!(!format!("{spec:?} {env:?}").contains("x=y"));
    }
}
