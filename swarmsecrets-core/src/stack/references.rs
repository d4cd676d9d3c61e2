//! Which Swarm secrets a compose file names.

use std::ops::Range;

use super::compose::{Declaration, External, place, read};
use super::interpolation::{Part, interpolate, parts};
use super::text::Variables;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;

/// A secret that a stack's file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackReference {
    /// The key under `secrets:`.
    pub key: String,
    /// The Swarm secret it means, with variables filled in.
    pub secret: String,
    /// Whether the secret lives outside the stack (`external: true`).
    pub external: bool,
    /// The variable that the name comes from, for `${VAR}` and `${VAR:-default}`.
    pub variable: Option<String>,
    /// Where the name stands in the file, in bytes: the scalar, with its quotes. None where the key itself is the name.
    pub span: Option<Range<usize>>,
}

/// The secrets that a compose file declares, in the order of the file, with the names that Swarm knows them by: as
/// `docker stack deploy` makes them.
///
/// # Errors
/// [`ErrorKind::Invalid`] if it cannot be read, quoting nothing of it; [`ErrorKind::TooLarge`].
pub fn references(stack_name: &str, file: &str, variables: &Variables) -> Result<Vec<StackReference>> {
    let declared = read(file)?.secrets.map_or_else(Vec::new, |declared| declared.0);
    let found = declared.into_iter().map(|(key, entry)| {
        let at =
            |why: String| Error::new(ErrorKind::Invalid, format!("secret {} of the stack file: {why}", quoted(&key)));
        reference(stack_name, &key, entry.value.as_ref(), file, variables).map_err(at)
    });
    found.collect()
}

fn reference(
    stack: &str,
    key: &str,
    declared: Option<&Declaration>,
    file: &str,
    variables: &Variables,
) -> Result<StackReference, String> {
    let external = declared.is_some_and(|d| d.external.is_some()) && is_external(declared, variables)?;
    let named = declared.and_then(name_scalar);
    let name = named.map(|scalar| interpolate(&scalar.value, variables)).transpose()?.filter(|name| !name.is_empty());
    Ok(StackReference {
        key: key.to_owned(),
        secret: name.unwrap_or_else(|| if external { key.to_owned() } else { format!("{stack}_{key}") }),
        external,
        variable: named.and_then(|scalar| only_variable(&scalar.value)),
        span: named.and_then(|scalar| place(&scalar.defined, file)),
    })
}

fn is_external(declared: Option<&Declaration>, variables: &Variables) -> Result<bool, String> {
    match declared.and_then(|d| d.external.as_ref()).map(|e| &e.value) {
        Some(External::Named(_)) => Ok(true),
        Some(External::Flag(text)) => {
            let text = interpolate(text, variables)?.to_ascii_lowercase();
            match text.as_str() {
                "true" | "yes" | "on" | "y" | "1" => Ok(true),
                "false" | "no" | "off" | "n" | "0" | "" => Ok(false),
                _ => Err("`external` is neither true nor false".into()),
            }
        }
        None => Ok(false),
    }
}

/// The scalar that names the secret: `name:`, or the name within the older form of `external:`.
pub(super) fn name_scalar(declared: &Declaration) -> Option<&serde_saphyr::Spanned<String>> {
    declared.name.as_ref().or_else(|| match declared.external.as_ref().map(|e| &e.value) {
        Some(External::Named(name)) => name.as_ref(),
        _ => None,
    })
}

/// The variable, if a name is one variable and nothing else.
fn only_variable(name: &str) -> Option<String> {
    match parts(name).ok()?.as_slice() {
        [Part::Variable(variable)] => Some(name[variable.name.clone()].to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    fn names(file: &str, variables: &[(&str, &str)]) -> Vec<(String, String, bool)> {
        let found = references("shop", file, &vars(variables)).unwrap();
        found.into_iter().map(|r| (r.key, r.secret, r.external)).collect()
    }

    fn triple(key: &str, secret: &str, external: bool) -> (String, String, bool) {
        (key.to_owned(), secret.to_owned(), external)
    }

    #[test]
    fn every_way_to_name_a_secret_is_read() {
        let file = "
version: '3.8'
x-ext: &ext {external: true}
services:
  web:
    image: a:${TAG:-1}
    secrets: [a, {source: b, target: t}]
secrets:
  a:
    external: true
  b: {external: true, name: \"real_b\"}
  c:
    external:
      name: old_form
  d:
    file: ./d.txt
  e:
    environment: E
    name: own_name
  f:
  g:
    external: \"${EXT:-true}\"
    name: ${G:-dflt}_v2
  h: *ext
";
        let expected = [
            triple("a", "a", true),
            triple("b", "real_b", true),
            triple("c", "old_form", true),
            triple("d", "shop_d", false),
            triple("e", "own_name", false),
            triple("f", "shop_f", false),
            triple("g", "dflt_v2", true),
            triple("h", "h", true),
        ];
        assert_eq!(names(file, &[]), expected);
        assert_eq!(names(file, &[("G", "x"), ("EXT", "false")])[6], triple("g", "x_v2", false));
    }

    #[test]
    fn the_place_of_a_name_is_that_of_its_scalar_with_quotes() {
        let file = "# ü\nsecrets:\n  a: {external: true, name: \"ü-${X}\" }\n  b:\n    name: plain_b # why\n    external: true\n  c: {external: true, name: 'q'}\n";
        let found = references("s", file, &vars(&[])).unwrap();
        let texts: Vec<&str> = found.iter().map(|r| &file[r.span.clone().unwrap()]).collect();
        assert_eq!(texts, ["\"ü-${X}\"", "plain_b", "'q'"]);
    }

    #[test]
    fn the_variable_is_told_only_where_it_is_the_whole_name() {
        let of = |name: &str| {
            let file = format!("secrets: {{a: {{external: true, name: \"{name}\"}}}}");
            references("s", &file, &vars(&[])).unwrap()[0].variable.clone()
        };
        assert_eq!((of("$V"), of("${V:-x}")), (Some("V".to_owned()), Some("V".to_owned())));
        assert_eq!((of("a_${V}"), of("plain")), (None, None));
    }

    #[test]
    fn bad_files_are_errors_that_quote_nothing() {
        for bad in ["secrets: [", "secrets: hunter2", "a: hunter2\na: hunter2", "\t- hunter2", "secrets: {a: hunter2}"]
        {
            let error = references("s", bad, &vars(&[])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
            assert!(!error.message().contains("hunter2"), "{error}");
        }
        let bomb = format!("{}secrets: {{}}\n", "a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n");
        assert!(references("s", &bomb, &vars(&[])).is_ok());
        assert!(references("s", "", &vars(&[])).unwrap().is_empty());
        assert!(references("s", &"[".repeat(100_000), &vars(&[])).is_err());
    }
}
