//! A certificate for 127.0.0.1, for the tests of encrypted connections.

use std::path::PathBuf;
use std::process::Command;

use super::place::Place;
use crate::Failure;
use crate::log::Log;

/// Without it, openssl makes an authority's certificate, which no server may show.
const CONFIG: &str = "[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\nCN=made-up\n[ext]\n\
                      basicConstraints=critical,CA:FALSE\nsubjectAltName=IP:127.0.0.1\n";

/// A certificate that is its own authority, and its key.
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// A copy of the certificate that everybody may read, also when the server has ended.
    pub(crate) authority: PathBuf,
}

impl Certificate {
    /// Makes both in the server's folder.
    pub(crate) fn make(log: &Log, place: &Place) -> Result<Self, Failure> {
        let (certificate, key) = (place.dir.join("server.crt"), place.dir.join("server.key"));
        let config = place.write(log, "openssl.cnf", CONFIG)?;
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-config"]).arg(config);
        log.run(openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate))?;
        let authority = place.log.with_extension("crt");
        std::fs::copy(&certificate, &authority).map_err(|e| format!("cannot write {}: {e}", authority.display()))?;
        log.run(Command::new("chmod").arg("600").arg(&key))?;
        place.hand_over(log, &key)?;
        place.hand_over(log, &certificate)?;
        Ok(Self { certificate, key, authority })
    }
}
