//! The statements that change a role.

use zeroize::Zeroizing;

/// Sets the password, with a verifier from [`scram`](crate::scram), and lets the role log in.
pub(crate) fn open(role: &str, verifier: &str) -> Zeroizing<String> {
    Zeroizing::new(["ALTER ROLE ", &identifier(role), " LOGIN PASSWORD '", verifier, "'"].concat())
}

/// Sets the password, and changes nothing else.
pub(crate) fn change(role: &str, verifier: &str) -> Zeroizing<String> {
    Zeroizing::new(["ALTER ROLE ", &identifier(role), " PASSWORD '", verifier, "'"].concat())
}

/// Takes the password away, and the right to log in.
pub(crate) fn shut(role: &str) -> Zeroizing<String> {
    Zeroizing::new(["ALTER ROLE ", &identifier(role), " NOLOGIN PASSWORD NULL"].concat())
}

/// A name as an identifier that means just this name.
fn identifier(name: &str) -> String {
    ["\"", &name.replace('"', "\"\""), "\""].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!(*shut(r#"a"; DROP ROLE b; --"#), r#"ALTER ROLE "a""; DROP ROLE b; --" NOLOGIN PASSWORD NULL"#);
        assert_eq!(*change("A b", "SCRAM-x"), r#"ALTER ROLE "A b" PASSWORD 'SCRAM-x'"#);
    }
}
