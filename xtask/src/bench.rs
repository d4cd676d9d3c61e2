//! Measures, and writes what was measured into docs/performance.md.

mod criterion;
mod page;
mod pairs;
mod python;

pub(crate) use self::criterion::code;
pub(crate) use self::pairs::engine;
pub(crate) use self::python::python;
