//! The ways in which a value may come to stand in an output.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The forms of a value, each with its name.
pub(super) fn of(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("plain", value.to_vec())];
    if let Ok(text) = std::str::from_utf8(value) {
        // With its quotes, line ends and control characters escaped, as `{:?}` and JSON write it.
        forms.push(("escaped", text.escape_debug().to_string().into_bytes()));
    }
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = value.iter().map(u8::to_string).collect();
    forms.push(("base64", STANDARD_NO_PAD.encode(value).into_bytes()));
    forms.push(("base64", URL_SAFE_NO_PAD.encode(value).into_bytes()));
    forms.push(("hex", hex.to_uppercase().into_bytes()));
    forms.push(("hex", hex.into_bytes()));
    forms.push(("bytes", list.join(", ").into_bytes()));
    forms.push(("bytes", list.join(",").into_bytes()));
    forms
}
