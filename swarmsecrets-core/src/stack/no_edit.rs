//! Why no edit of a stack makes it name another secret.

use crate::ids::{SecretName, quoted};

/// Why no edit of a stack's file or variables makes it name other secrets. Each says what a person can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEdit {
    /// Nothing in the file means one of the secrets.
    #[error("the stack's file names none of these secrets: nothing has to change in it")]
    NotNamed,
    /// The file is not known here.
    #[error("the stack's file is not known here: whoever deployed it has to name the new secret in it")]
    NoFile,
    /// The file cannot be read; in words.
    #[error("{0}: it has to be put right by hand")]
    Unreadable(String),
    /// The file makes the secret itself, from a file, a variable or a driver.
    #[error(
        "secret {} of the stack file belongs to the stack, which makes {from} from a value of its own at each deployment: \
         to hand it over, replace what stands under this key by `external: true` and `name: {to}`, deploy, and remove the \
         value from where the stack took it",
        quoted(.key)
    )]
    OwnedByStack {
        /// The key under `secrets:`.
        key: String,
        /// The name that Swarm knows it by.
        from: SecretName,
        /// The name to write.
        to: SecretName,
    },
    /// The text that names the secret stands for other things too.
    #[error(
        "secret {} of the stack file is written by an anchor, alias or merge that other parts of the file share: write \
         `name: {to}` out for this one",
        quoted(.key)
    )]
    Shared {
        /// The key under `secrets:`.
        key: String,
        /// The name to write.
        to: SecretName,
    },
    /// No edit was found that changes this name and nothing else.
    #[error(
        "secret {} of the stack file is written in a way in which no edit was found that changes its name and nothing \
         else: write `name: {to}` for it by hand",
        quoted(.key)
    )]
    Layout {
        /// The key under `secrets:`.
        key: String,
        /// The name to write.
        to: SecretName,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_says_what_to_do() {
        let (from, to): (SecretName, SecretName) = ("shop_db".parse().unwrap(), "shop_db_v2".parse().unwrap());
        let owned = NoEdit::OwnedByStack { key: "db".into(), from, to: to.clone() };
        let all = [
            NoEdit::NotNamed,
            NoEdit::NoFile,
            NoEdit::Unreadable("the stack file is not a compose file that can be read at line 3 column 1".into()),
            owned,
            NoEdit::Shared { key: "db".into(), to: to.clone() },
            NoEdit::Layout { key: "d\u{202e}b".into(), to },
        ];
        insta::assert_snapshot!(all.map(|reason| reason.to_string()).join("\n\n"));
    }
}
