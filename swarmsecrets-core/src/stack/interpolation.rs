//! Variables in compose text: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR-default}`, `${VAR:?error}`, `${VAR:+other}`
//! and `$$`, as `docker stack deploy` fills them in.

use std::ops::Range;

use super::text::Variables;

/// How deep a default may hold further variables.
const DEPTH: usize = 16;

/// A piece of a text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as it stands; for `$$`, the range of one `$`.
    Literal(Range<usize>),
    /// A variable.
    Variable(Variable),
}

/// A variable in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// Where its name stands.
    pub(super) name: Range<usize>,
    /// What stands behind the name: none, `-`, `:-`, `?`, `:?`, `+`, `:+`, and the text behind that.
    pub(super) otherwise: Option<(Operator, Range<usize>)>,
    /// All of it, with `$` and braces.
    pub(super) whole: Range<usize>,
}

/// What an expression does when the variable is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// The text stands for a variable that is not set; with `true`, for an empty one too.
    Default(bool),
    /// The deploy fails when the variable is not set; with `true`, when it is empty too.
    Required(bool),
    /// The text stands for a variable that is set; with `true`, for one that is not empty.
    Alternative(bool),
}

/// The pieces of a text.
///
/// # Errors
/// What is wrong with it, quoting nothing.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, String> {
    let bytes = text.as_bytes();
    let (mut found, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(offset) = text[at..].find('$') {
        let dollar = at + offset;
        let literal_end = if bytes.get(dollar + 1) == Some(&b'$') { dollar + 1 } else { dollar };
        if from < literal_end {
            found.push(Part::Literal(from..literal_end));
        }
        if literal_end > dollar {
            at = dollar + 2;
        } else {
            let variable = variable(text, dollar)?;
            at = variable.whole.end;
            found.push(Part::Variable(variable));
        }
        from = at;
    }
    if from < text.len() {
        found.push(Part::Literal(from..text.len()));
    }
    Ok(found)
}

fn variable(text: &str, dollar: usize) -> Result<Variable, String> {
    let braced = text.as_bytes().get(dollar + 1) == Some(&b'{');
    let start = dollar + 1 + usize::from(braced);
    let name = start..start + name_length(&text[start..]);
    if name.is_empty() {
        return Err("a `$` that begins no variable: write `$$` for the character itself".into());
    }
    if !braced {
        return Ok(Variable { whole: dollar..name.end, name, otherwise: None });
    }
    let end = closing(text, name.end).ok_or("a `${` without its `}`")?;
    let rest = &text[name.end..end];
    let otherwise = if rest.is_empty() {
        None
    } else {
        let (operator, length) = operator(rest).ok_or("an operator in `${…}` that is not known")?;
        Some((operator, name.end + length..end))
    };
    Ok(Variable { whole: dollar..end + 1, name, otherwise })
}

fn name_length(text: &str) -> usize {
    match text.bytes().next() {
        Some(b'_' | b'a'..=b'z' | b'A'..=b'Z') => {
            text.bytes().take_while(|b| *b == b'_' || b.is_ascii_alphanumeric()).count()
        }
        _ => 0,
    }
}

/// The place of the brace that closes an expression, past those of expressions in its default.
fn closing(text: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    for at in from..bytes.len() {
        match bytes[at] {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn operator(text: &str) -> Option<(Operator, usize)> {
    let (empty_too, rest) = text.strip_prefix(':').map_or((false, text), |rest| (true, rest));
    let operator = match rest.bytes().next()? {
        b'-' => Operator::Default(empty_too),
        b'?' => Operator::Required(empty_too),
        b'+' => Operator::Alternative(empty_too),
        _ => return None,
    };
    Some((operator, usize::from(empty_too) + 1))
}

/// The text with its variables filled in.
///
/// # Errors
/// What is wrong with it, quoting no value.
pub(super) fn interpolate(text: &str, variables: &Variables) -> Result<String, String> {
    filled(text, variables, 0)
}

fn filled(text: &str, variables: &Variables, depth: usize) -> Result<String, String> {
    if depth > DEPTH {
        return Err("variables nest too deep".into());
    }
    let mut out = String::new();
    for part in parts(text)? {
        match part {
            Part::Literal(range) => out.push_str(&text[range]),
            Part::Variable(variable) => out.push_str(&value(text, &variable, variables, depth)?),
        }
    }
    Ok(out)
}

fn value(text: &str, variable: &Variable, variables: &Variables, depth: usize) -> Result<String, String> {
    let name = &text[variable.name.clone()];
    let set = variables.get(name);
    let present = |empty_too: bool| set.filter(|value| !(empty_too && value.is_empty()));
    let Some((operator, range)) = &variable.otherwise else { return Ok(set.unwrap_or_default().to_owned()) };
    let inner = || filled(&text[range.clone()], variables, depth + 1);
    match operator {
        Operator::Default(empty_too) => present(*empty_too).map_or_else(inner, |value| Ok(value.to_owned())),
        Operator::Alternative(empty_too) => present(*empty_too).map_or_else(|| Ok(String::new()), |_| inner()),
        Operator::Required(empty_too) => {
            present(*empty_too).map(str::to_owned).ok_or_else(|| format!("the variable {name} is required and not set"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(text: &str) -> Result<String, String> {
        let set = [("A", "x"), ("EMPTY", "")];
        interpolate(text, &set.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
    }

    #[test]
    fn variables_are_filled_in_as_docker_does() {
        for (text, filled) in [
            ("plain", "plain"),
            ("$A-${A}", "x-x"),
            ("$$A$$$A", "$A$x"),
            ("${A:-d}${B:-d}${B-d}${EMPTY:-d}${EMPTY-d}", "xddd"),
            ("${B}", ""),
            ("${A:+alt}${B:+alt}", "alt"),
            ("${B:-${A}-${C:-deep}}", "x-deep"),
            ("db_${A}_v2", "db_x_v2"),
            ("ü${A}ü", "üxü"),
        ] {
            assert_eq!(with(text).as_deref(), Ok(filled), "{text}");
        }
    }

    #[test]
    fn bad_expressions_are_errors() {
        for bad in ["$", "${", "${A", "${}", "${A!x}", "$1", "${B:?no}", "${EMPTY:?no}"] {
            assert!(with(bad).is_err(), "{bad}");
        }
        assert_eq!(with("${EMPTY?no}").as_deref(), Ok(""));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{}x{}", "${B:-".repeat(50), "}".repeat(50));
        assert!(with(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_text_without_dollars_stays(text in "[ab${}:?+ü-]{0,24}") {
            let filled = with(&text);
            if !text.contains('$') {
                prop_assert_eq!(filled, Ok(text));
            }
        }
    }
}
