//! Signatures of what is sent, and of what comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

/// The shortest secret, in bytes.
const SHORTEST: usize = 24;
/// How old a message may be, and by how much the clocks of two machines may differ.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// So many signatures of one message are tried: more than one while a secret is exchanged.
const MOST_SIGNATURES: usize = 8;

/// The secret that both sides have.
#[derive(Clone, Debug)]
pub struct Secret(SecretValue);

/// The headers of a message, as they came.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    /// `webhook-id`
    pub id: &'a str,
    /// `webhook-timestamp`
    pub timestamp: &'a str,
    /// `webhook-signature`
    pub signature: &'a str,
}

impl Secret {
    /// Takes a secret of at least 24 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if it is shorter.
    pub fn new(secret: SecretValue) -> Result<Self> {
        match secret.len() < SHORTEST {
            true => Err(Error::new(
                ErrorKind::Settings,
                "the secret of the webhook is shorter than 24 bytes: make a longer one",
            )),
            false => Ok(Self(secret)),
        }
    }

    /// The timestamp and the signature of a message.
    #[must_use]
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> (String, String) {
        let timestamp = at.as_second().to_string();
        let mac = self.mac(id, &timestamp, body).map(|mac| mac.finalize().into_bytes());
        let signature = mac.map(|mac| format!("v1,{}", STANDARD.encode(mac))).unwrap_or_default();
        (timestamp, signature)
    }

    /// Whether a message is one of the other side's, and not an old one.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`], saying what is wrong and nothing of the message.
    pub fn check(&self, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<()> {
        let refused = |why: &str| Error::new(ErrorKind::Denied, format!("the answer of the webhook is refused: {why}"));
        let sent = headers.timestamp.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let sent = sent.ok_or_else(|| refused("its timestamp is none"))?;
        let given = headers.signature.split(' ').take(MOST_SIGNATURES).filter_map(|one| one.strip_prefix("v1,"));
        let known = |one: &str| {
            let mac = self.mac(headers.id, headers.timestamp, body);
            STANDARD.decode(one).ok().zip(mac).is_some_and(|(given, mac)| mac.verify_slice(&given).is_ok())
        };
        // Its time counts only once it is known whose it is.
        if !given.into_iter().any(known) {
            return Err(refused(
                "its signature is not that of the secret, or it was changed; find out where it came from",
            ));
        }
        if sent.duration_since(now).abs() > WINDOW {
            return Err(refused("it is older or newer than five minutes: it was sent again, or a clock is wrong"));
        }
        Ok(())
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        // A key of any length is taken: only a fixed length could be wrong.
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose()).ok()?;
        Some(mac.chain_update(id).chain_update(".").chain_update(timestamp).chain_update(".").chain_update(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(SecretValue::new(text.into()).unwrap()).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn check(secret: &Secret, id: &str, timestamp: &str, signature: &str, body: &[u8]) -> Result<()> {
        secret.check(Headers { id, timestamp, signature }, body, at(1_614_265_330))
    }

    /// The example of Standard Webhooks' own documents.
    #[test]
    fn the_signature_is_that_of_the_convention() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = Secret::new(SecretValue::new(key).unwrap()).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let (timestamp, signature) = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), body);
        assert_eq!(
            (timestamp.as_str(), signature.as_str()),
            ("1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
        assert!(
            check(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", &timestamp, &format!("v1,AAAA {signature}"), body).is_ok()
        );
    }

    #[test]
    fn what_was_changed_is_old_or_another_s_is_refused() {
        let secret = secret("made-up-secret-of-a-webhook");
        let (timestamp, signature) = secret.sign("id", at(1_614_265_330), b"body");
        let other = self::secret("made-up-secret-of-another-one").sign("id", at(1_614_265_330), b"body").1;
        for (id, timestamp, signature, body) in [
            ("io", timestamp.as_str(), signature.as_str(), "body"),
            ("id", "1614265331", &signature, "body"),
            ("id", &timestamp, &signature, "bodi"),
            ("id", &timestamp, &other, "body"),
            ("id", &timestamp, "", "body"),
            ("id", &timestamp, "v1,", "body"),
            ("id", "soon", &signature, "body"),
        ] {
            let error = check(&secret, id, timestamp, signature, body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Denied, "{id} {timestamp} {signature} {body}");
        }
        for (second, good) in
            [(1_614_265_030, true), (1_614_265_029, false), (1_614_265_630, true), (1_614_265_631, false)]
        {
            let (timestamp, signature) = secret.sign("id", at(second), b"body");
            assert_eq!(check(&secret, "id", &timestamp, &signature, b"body").is_ok(), good, "{second}");
        }
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_shown() {
        let short = SecretValue::new(b"made-up-short".to_vec()).unwrap();
        let error = Secret::new(short).unwrap_err();
        assert!(error.kind() == ErrorKind::Settings && !error.to_string().contains("made-up"), "{error}");
        assert!(!format!("{:?}", secret("made-up-secret-of-a-webhook")).contains("made-up"));
    }
}
