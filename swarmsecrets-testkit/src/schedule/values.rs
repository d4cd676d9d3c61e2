//! The values that simulated people rotate to. They are made up, the same for all seeds, and looked for in all that is written.

use std::sync::Once;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use swarmsecrets_core::credential::Way;
use swarmsecrets_core::ids::hex;

/// What every secret holds at first.
pub(super) const FIRST: &[u8] = b"made-up-first-value-4f1c";
/// The same for a system of two users that take turns.
const FIRST_OF_TWO: &[u8] = br#"{"username": "app_a", "password": "made-up-first-value-4f1c"}"#;
/// Values that services run with, but for those that are narrow.
pub(super) const GOOD: [&[u8]; 3] =
    [b"made-up-good-value-one-77", b"made-up-good-value-two-78", b"made-up-good-value-three-79"];
/// The value that picky services do not run with.
pub(super) const BAD: &[u8] = b"made-up-bad-value-d00d-80";

/// What a secret holds at first, by the system that it opens, if it opens one.
pub(super) fn first(way: Option<Way>) -> &'static [u8] {
    if way == Some(Way::Alternates) { FIRST_OF_TWO } else { FIRST }
}

/// Writes the values down for the leak scan, once in a process.
pub(super) fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let all = GOOD.iter().chain([&FIRST, &BAD]);
        all.for_each(|value| crate::values::record(value));
    });
}

/// What is looked for in all that is written.
pub(super) struct Needles(Vec<String>);

impl Needles {
    /// The fixed values, in the forms in which they could come to stand somewhere.
    pub(super) fn new() -> Self {
        let mut needles = Self(Vec::new());
        GOOD.iter().chain([&FIRST, &BAD]).for_each(|value| needles.add(value));
        needles
    }

    /// Looks for this value too.
    pub(super) fn add(&mut self, value: &[u8]) {
        self.0.extend(std::str::from_utf8(value).map(str::to_owned));
        self.0.push(STANDARD_NO_PAD.encode(value));
        self.0.push(hex(value));
        self.0.push(value.iter().map(u8::to_string).collect::<Vec<_>>().join(","));
    }

    /// Whether a value stands in a text.
    pub(super) fn stand_in(&self, text: &str) -> bool {
        self.0.iter().any(|needle| text.contains(needle.as_str()))
    }
}
