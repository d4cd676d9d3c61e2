//! Filling in the variables of a compose file.

use serde_json::Value;

/// Fills in the variables in every text of a file.
pub(crate) fn fill(value: Value, variables: &[(String, String)]) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(&text, variables)?),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| fill(item, variables)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => Value::Object(
            map.into_iter().map(|(key, item)| Ok((key, fill(item, variables)?))).collect::<Result<_, String>>()?,
        ),
        other => other,
    })
}

/// `$V`, `${V}`, `${V:-default}`, `${V-default}`, `${V:?why}`, `${V?why}`, and `$$` for a dollar sign.
fn fill_text(text: &str, variables: &[(String, String)]) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or_else(|| invalid(text))?;
            out.push_str(&substitute(&after[..end], variables, text)?);
            rest = &after[end + 1..];
        } else {
            let end = name_length(rest);
            if end == 0 {
                return Err(invalid(text));
            }
            out.push_str(value(&rest[..end], variables).unwrap_or_default());
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn substitute(expression: &str, variables: &[(String, String)], text: &str) -> Result<String, String> {
    let (name, rule) = expression.split_at(name_length(expression));
    if name.is_empty() {
        return Err(invalid(text));
    }
    let set = value(name, variables);
    let set_and_filled = set.filter(|value| !value.is_empty());
    let (kept, rule) = match rule.strip_prefix(':') {
        Some(rule) => (set_and_filled, rule),
        None => (set, rule),
    };
    match (kept, rule.chars().next()) {
        (_, None) => Ok(set.unwrap_or_default().to_owned()),
        (Some(value), _) => Ok(value.to_owned()),
        (None, Some('-')) => Ok(rule[1..].to_owned()),
        (None, Some('?')) => Err(format!("required variable {name} is missing a value: {}", &rule[1..])),
        (None, Some(_)) => Err(invalid(text)),
    }
}

fn value<'a>(name: &str, variables: &'a [(String, String)]) -> Option<&'a str> {
    variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn name_length(text: &str) -> usize {
    text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_')).unwrap_or(text.len())
}

fn invalid(text: &str) -> String {
    format!("invalid interpolation format: {text:?}; you may need to escape any $ with another $")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        fill_text(text, &[("A".into(), "x".into()), ("EMPTY".into(), String::new())])
    }

    #[test]
    fn every_form_is_filled_in() {
        for (text, expected) in [
            ("$A-${A}", "x-x"),
            ("${B:-d}${A:-d}", "dx"),
            ("${EMPTY:-d}|${EMPTY-d}", "d|"),
            ("${B}", ""),
            ("$$A", "$A"),
            ("no variables", "no variables"),
        ] {
            assert_eq!(filled(text).unwrap(), expected, "{text}");
        }
        assert_eq!(filled("${B:?say so}").unwrap_err(), "required variable B is missing a value: say so");
        assert!(filled("${A").is_err() && filled("$ ").is_err());
    }
}
