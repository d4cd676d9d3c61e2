//! The list of branches and tags that a server advertises: `git help protocol-http`, version 0.

use gix_packetline::PacketLineRef;
use gix_packetline::decode::{Stream, streaming};
use swarmsecrets_core::{Error, ErrorKind, Result};

/// The commit that a branch or tag stands at.
///
/// # Errors
/// `Protocol` if this is no such list, `NotFound` if the branch or tag is not in it.
pub(crate) fn commit(list: &[u8], reference: &str) -> Result<String> {
    let lines = texts(list)?;
    if lines.first() != Some(&b"# service=git-upload-pack".as_slice()) {
        return Err(no_list());
    }
    for line in &lines[1..] {
        // The first one has the server's capabilities behind a zero.
        let named = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let (hash, name) =
            named.iter().position(|byte| *byte == b' ').map(|at| named.split_at(at)).ok_or_else(no_list)?;
        if &name[1..] == reference.as_bytes() {
            return hash_of(hash);
        }
    }
    Err(Error::new(ErrorKind::NotFound, "the git repository has no such branch or tag any more"))
}

/// The lines that hold text, without their line ends.
fn texts(mut list: &[u8]) -> Result<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !list.is_empty() {
        let Ok(Stream::Complete { line, bytes_consumed }) = streaming(list) else { return Err(no_list()) };
        if let PacketLineRef::Data(data) = line {
            found.push(data.strip_suffix(b"\n").unwrap_or(data));
        }
        list = &list[bytes_consumed..];
    }
    Ok(found)
}

/// A hash of SHA-1 or SHA-256.
fn hash_of(text: &[u8]) -> Result<String> {
    let hash = std::str::from_utf8(text).map_err(|_| no_list())?;
    let hexadecimal = hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if hexadecimal && matches!(hash.len(), 40 | 64) { Ok(hash.to_owned()) } else { Err(no_list()) }
}

fn no_list() -> Error {
    Error::new(ErrorKind::Protocol, "what answered for the git repository is no list of its branches")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "c34028d59973b5935c95c3e9ec6b619e034d9009";

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    fn list(heads: &[&str]) -> String {
        let heads: String = heads.iter().map(|head| line(head)).collect();
        format!("{}0000{heads}0000", line("# service=git-upload-pack\n"))
    }

    #[test]
    fn a_branch_is_found_by_its_whole_name() {
        let other = "d".repeat(40);
        let text = list(&[
            &format!("{other} HEAD\0multi_ack agent=git/2\n"),
            &format!("{other} refs/heads/main-old\n"),
            &format!("{MAIN} refs/heads/main\n"),
        ]);
        assert_eq!(commit(text.as_bytes(), "refs/heads/main").unwrap(), MAIN);
        assert_eq!(commit(text.as_bytes(), "HEAD").unwrap(), other);
        for missing in ["main", "refs/heads/mai", "refs/heads/main-old2", ""] {
            assert_eq!(commit(text.as_bytes(), missing).unwrap_err().kind(), ErrorKind::NotFound, "{missing}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused_without_a_word_of_it() {
        let whole = list(&[&format!("{MAIN} refs/heads/main\n")]);
        let cut = &whole[..whole.len() - 6];
        let odd = list(&["made-up-words refs/heads/main\n"]);
        let bare = line(&format!("{MAIN} refs/heads/main\n"));
        for bad in ["", "<html>made-up-words</html>", "zzzz", cut, &odd, &bare, "0000"] {
            let error = commit(bad.as_bytes(), "refs/heads/main").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{bad}");
            assert!(!error.to_string().contains("made-up"), "{error}");
        }
    }
}
