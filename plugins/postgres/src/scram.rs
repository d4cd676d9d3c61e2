//! SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677), as PostgreSQL stores them in place of passwords.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use stringprep::saslprep;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use zeroize::Zeroizing;

/// PostgreSQL's own number: more would slow every login down.
const ITERATIONS: u32 = 4096;

/// The verifier of a password, with a new salt: what PostgreSQL would have computed from it. It holds nothing but ASCII
/// letters, digits and `-$:+/=`.
pub(crate) fn verifier(password: &SecretValue) -> Result<Zeroizing<String>> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|e| Error::new(ErrorKind::Io, format!("cannot make a salt: {e}")))?;
    verifier_with(password, &salt)
}

fn verifier_with(password: &SecretValue, salt: &[u8]) -> Result<Zeroizing<String>> {
    let prepared = prepared(password)?;
    let salted = Zeroizing::new(pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(prepared.as_bytes(), salt, ITERATIONS));
    let stored = Sha256::digest(keyed(&salted, b"Client Key")?);
    let server = keyed(&salted, b"Server Key")?;
    let [salt, stored, server] = [salt, &stored, &server].map(|bytes| STANDARD.encode(bytes));
    Ok(Zeroizing::new(format!("SCRAM-SHA-256${ITERATIONS}:{salt}${stored}:{server}")))
}

fn keyed(key: &[u8; 32], text: &[u8]) -> Result<[u8; 32]> {
    // HMAC takes keys of any length; the error cannot come about.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|e| Error::new(ErrorKind::Invalid, e.to_string()))?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().into())
}

/// The password as clients send it.
fn prepared(password: &SecretValue) -> Result<Zeroizing<String>> {
    let odd = || {
        Error::new(
            ErrorKind::Invalid,
            "PostgreSQL's clients do not agree on how to send this password: it must be UTF-8 text without control characters \
             (a line break at its end is one) and without characters newer than Unicode 3.2, such as emoji",
        )
    };
    let text = std::str::from_utf8(password.expose()).map_err(|_| odd())?;
    saslprep(text).map(|prepared| Zeroizing::new(prepared.into_owned())).map_err(|_| odd())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn it_is_the_verifier_of_rfc_7677() {
        // The RFC's own exchange: its server signature is checked with our server key, its client proof with our stored key.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = verifier_with(&password("pencil"), &salt).unwrap();
        let (_, keys) = verifier.rsplit_once('$').unwrap();
        let (stored, server) = keys.split_once(':').unwrap();
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server: [u8; 32] = STANDARD.decode(server).unwrap().try_into().unwrap();
        let signature = keyed(&server, message.as_bytes()).unwrap();
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let stored: [u8; 32] = STANDARD.decode(stored).unwrap().try_into().unwrap();
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let client = keyed(&stored, message.as_bytes()).unwrap();
        let key: Vec<u8> = proof.iter().zip(client).map(|(a, b)| a ^ b).collect();
        assert_eq!(Sha256::digest(key).as_slice(), stored);
    }

    #[test]
    fn each_salt_is_new_and_the_text_is_harmless() {
        let odd = password("made-up 'quoted' ünï");
        let (one, other) = (verifier(&odd).unwrap(), verifier(&odd).unwrap());
        assert!(one != other);
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric() || b"-$:+/=".contains(&b)));
    }

    #[test]
    fn what_clients_send_differently_is_refused() {
        for odd in ["made-up\n", "made\tup", "made-up-🔑", "made\u{0}up"] {
            assert_eq!(verifier(&password(odd)).unwrap_err().kind(), ErrorKind::Invalid);
        }
        assert!(verifier(&SecretValue::credential(vec![255, 254])).is_err());
        // U+2126 is sent as U+03A9.
        let salt = [7; 16];
        let [one, other] = ["\u{2126}", "\u{3a9}"].map(|text| verifier_with(&password(text), &salt).unwrap());
        assert!(one == other);
    }
}
