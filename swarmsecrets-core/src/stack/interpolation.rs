//! Variables in compose text, as `docker stack deploy` fills them in: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR-default}`,
//! `${VAR:?why}`, `${VAR?why}`, and `$$` for a dollar sign.
//!
//! Other programs that read compose files go further. This one ends an expression at its first brace, fills in nothing
//! within a default, and takes an operator behind a bare `$VAR` too: `$VAR-x` is `${VAR-x}` as far as the text goes.

use std::ops::Range;

use super::text::Variables;

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
    /// What stands behind the name, and the text behind that.
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
}

/// In this order they are looked for, wherever in the expression they stand.
const OPERATORS: [(&str, Operator); 4] = [
    (":-", Operator::Default(true)),
    ("-", Operator::Default(false)),
    (":?", Operator::Required(true)),
    ("?", Operator::Required(false)),
];

/// The pieces of a text.
///
/// # Errors
/// What is wrong with it, quoting nothing.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, &'static str> {
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

fn variable(text: &str, dollar: usize) -> Result<Variable, &'static str> {
    let braced = text.as_bytes().get(dollar + 1) == Some(&b'{');
    let start = dollar + 1 + usize::from(braced);
    let name_end = start + name_length(&text[start..]);
    if name_end == start {
        return Err("a `$` that begins no variable: write `$$` for the character itself");
    }
    let rest = &text[name_end..];
    let operated = rest.strip_prefix(':').unwrap_or(rest).starts_with(['-', '?']);
    let end = if operated { name_end + rest.find('}').unwrap_or(rest.len()) } else { name_end };
    if braced && text.as_bytes().get(end) != Some(&b'}') {
        return Err("a `${…}` that is not closed, or has an operator that docker does not know");
    }
    let expression = &text[start..end];
    let operator = OPERATORS.iter().find_map(|(sign, operator)| Some((expression.find(sign)?, sign.len(), *operator)));
    Ok(Variable {
        name: start..operator.map_or(end, |(at, ..)| start + at),
        otherwise: operator.map(|(at, length, operator)| (operator, start + at + length..end)),
        whole: dollar..end + usize::from(braced),
    })
}

fn name_length(text: &str) -> usize {
    match text.bytes().next() {
        Some(b'_' | b'a'..=b'z' | b'A'..=b'Z') => {
            text.bytes().take_while(|b| *b == b'_' || b.is_ascii_alphanumeric()).count()
        }
        _ => 0,
    }
}

/// The text with its variables filled in.
///
/// # Errors
/// What is wrong with it, quoting no value.
pub(super) fn interpolate(text: &str, variables: &Variables) -> Result<String, String> {
    let mut out = String::new();
    for part in parts(text)? {
        match part {
            Part::Literal(range) => out.push_str(&text[range]),
            Part::Variable(variable) => out.push_str(value(text, &variable, variables)?),
        }
    }
    Ok(out)
}

fn value<'a>(text: &'a str, variable: &Variable, variables: &'a Variables) -> Result<&'a str, String> {
    let name = &text[variable.name.clone()];
    let set = variables.get(name);
    let present = |empty_too: bool| set.filter(|value| !(empty_too && value.is_empty()));
    match &variable.otherwise {
        None => Ok(set.unwrap_or_default()),
        Some((Operator::Default(empty_too), range)) => Ok(present(*empty_too).unwrap_or(&text[range.clone()])),
        Some((Operator::Required(empty_too), _)) => {
            present(*empty_too).ok_or_else(|| format!("the variable {name} is required and not set"))
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

    /// What `docker stack config` 28.2 made of the same texts.
    #[test]
    fn variables_are_filled_in_as_docker_does() {
        for (text, filled) in [
            ("plain", "plain"),
            ("$A ${A}", "x x"),
            ("$$A$$$A", "$A$x"),
            ("${A:-d}${B:-d}${B-d}${EMPTY:-d}${EMPTY-d}", "xddd"),
            ("${B}", ""),
            ("${B:-}", ""),
            ("$A-${A}", "x}"),
            ("$B-rest", "rest"),
            ("${B:-${A}-${C:-deep}}", "${A-deep}"),
            ("${A?see x-y}", "y"),
            ("${A-b:-c}", "c"),
            ("db_${A}_v2", "db_x_v2"),
            ("ü${A}ü", "üxü"),
        ] {
            assert_eq!(with(text).as_deref(), Ok(filled), "{text}");
        }
    }

    #[test]
    fn bad_expressions_are_errors() {
        for bad in ["$", "${", "${A", "${}", "${A!x}", "${A:+x}", "$1", "${B:?no}", "${EMPTY:?no}"] {
            assert!(with(bad).is_err(), "{bad}");
        }
        assert_eq!(with("${EMPTY?no}").as_deref(), Ok(""));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_text_without_dollars_stays(text in "[ab${}:?+ü-]{0,24}") {
            let filled = with(&text);
            if !text.contains('$') {
                prop_assert_eq!(filled, Ok(text));
            }
        }

        #[test]
        fn the_parts_cover_the_text(text in "[abA${}:?ü-]{0,24}") {
            if let Ok(parts) = parts(&text) {
                let mut at = 0;
                for part in parts {
                    let range = match part { Part::Literal(range) => range, Part::Variable(variable) => variable.whole };
                    prop_assert!(range.start - at <= 1, "only the second `$` of two is left out");
                    at = range.end;
                }
                prop_assert!(text.len() - at <= 1);
            }
        }
    }
}
