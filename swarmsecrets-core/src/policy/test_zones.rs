//! Time zones for tests.

use jiff::tz::TimeZoneDatabase;

/// Those that come with the library, whatever the machine has.
pub(crate) fn zones() -> TimeZoneDatabase {
    TimeZoneDatabase::bundled()
}
