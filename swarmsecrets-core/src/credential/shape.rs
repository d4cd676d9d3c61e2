//! Where the password stands in a secret's value.

mod json;
mod url;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;
use crate::secret::SecretValue;

/// What a secret's value says: the password, and the user where the shape has a place for one.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The user, if the value names one.
    pub user: Option<String>,
    /// The password, decoded. Not empty.
    pub password: SecretValue,
}

impl Credential {
    /// The password, if the value names this user or none.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the value is another user's.
    pub fn of(self, user: &str) -> Result<SecretValue> {
        match self.user {
            Some(other) if other != user => Err(Error::new(
                ErrorKind::Invalid,
                format!("the value is for user {}, but the setter is for {}", quoted(&other), quoted(user)),
            )),
            _ => Ok(self.password),
        }
    }
}

/// Where the password stands in a secret's value. As text: `whole`, `url-password`, or `json:` and a JSON pointer.
///
/// ```
/// use swarmsecrets_core::SecretValue;
/// use swarmsecrets_core::credential::{Credential, Shape};
///
/// # fn main() -> swarmsecrets_core::Result<()> {
/// let shape: Shape = "url-password".parse()?;
/// let value = SecretValue::new(b"postgres://app:made-up-old@db/shop".to_vec())?;
/// let next = Credential { user: None, password: SecretValue::new(b"made-up/new".to_vec())? };
/// assert!(shape.write(&value, &next)?.expose() == b"postgres://app:made-up%2Fnew@db/shop");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Shape {
    /// The value is the password, to the last byte.
    Whole,
    /// The value is a URL, `scheme://user:password@host…`. User and password are percent-encoded there.
    UrlPassword,
    /// The value is JSON, and this JSON pointer (RFC 6901) leads to the password. The user is what stands under
    /// `username` beside it, if anything does.
    Json(Pointer),
}

/// The steps of a JSON pointer, unescaped; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Shape {
    /// Takes a value apart.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the value is not of this shape or holds no password.
    pub fn read(&self, value: &SecretValue) -> Result<Credential> {
        match self {
            Self::Whole => Ok(Credential { user: None, password: value.clone() }),
            Self::UrlPassword => url::read(text(value)?),
            Self::Json(pointer) => json::read(text(value)?, &pointer.0),
        }
        .and_then(|credential| match credential.password.is_empty() {
            true => Err(bad("holds an empty password")),
            false => Ok(credential),
        })
    }

    /// A copy of the value with another password in it, and with another user if one is named. Everything else stays as it
    /// was, to the byte.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the value is not of this shape, if there is no place for the user, or if the password
    /// cannot stand there.
    pub fn write(&self, value: &SecretValue, credential: &Credential) -> Result<SecretValue> {
        if credential.password.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "the new password is empty"));
        }
        match (self, &credential.user) {
            (Self::Whole, None) => SecretValue::new(credential.password.expose().to_vec()),
            (Self::Whole, Some(_)) => Err(bad("has no place for a user: give it as a URL or as JSON")),
            (Self::UrlPassword, _) => url::write(text(value)?, credential),
            (Self::Json(pointer), _) => json::write(text(value)?, &pointer.0, credential),
        }
    }
}

fn text(value: &SecretValue) -> Result<&str> {
    std::str::from_utf8(value.expose()).map_err(|_| bad("is not UTF-8 text"))
}

fn bad(why: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the secret's value {why}"))
}

/// The text with its parts replaced, put together without a reallocation that would leave a copy behind.
fn spliced(parts: &[&str]) -> Result<SecretValue> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes()));
    SecretValue::new(bytes)
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::UrlPassword => f.write_str("url-password"),
            Self::Json(pointer) => {
                f.write_str("json:")?;
                pointer.0.iter().try_for_each(|step| write!(f, "/{}", step.replace('~', "~0").replace('/', "~1")))
            }
        }
    }
}

impl FromStr for Shape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match (text, text.strip_prefix("json:/")) {
            ("whole", _) => Ok(Self::Whole),
            ("url-password", _) => Ok(Self::UrlPassword),
            (_, Some(steps)) => {
                let step = |step: &str| step.replace("~1", "/").replace("~0", "~");
                Ok(Self::Json(Pointer(steps.split('/').map(step).collect())))
            }
            _ => Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "{} is no shape of a value: give `whole`, `url-password`, or `json:` and a pointer such as `json:/password`",
                    quoted(text)
                ),
            )),
        }
    }
}

impl TryFrom<String> for Shape {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Shape> for String {
    fn from(shape: Shape) -> Self {
        shape.to_string()
    }
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
