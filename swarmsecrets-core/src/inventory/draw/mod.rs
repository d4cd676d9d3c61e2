//! The usage graph as a drawing: stacks on the left, services in the middle, secrets on the right.
//!
//! - `picture`: what is drawn. `dot`, `mermaid`, `svg`: how it is written.

mod dot;
mod mermaid;
mod picture;
mod svg;

use std::str::FromStr;

use self::picture::Picture;
use super::Inventory;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;

/// How a drawing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Graphviz.
    Dot,
    /// A picture that needs nothing else.
    Svg,
    /// Mermaid, which many wikis and forges draw.
    Mermaid,
}

impl FromStr for Format {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "dot" => Ok(Self::Dot),
            "svg" => Ok(Self::Svg),
            "mermaid" => Ok(Self::Mermaid),
            other => Err(Error::new(
                ErrorKind::Invalid,
                format!("there is no drawing format {}: use dot, svg or mermaid", quoted(other)),
            )),
        }
    }
}

impl Inventory {
    /// Draws which stack deploys which service, and which service uses which secret. All names are escaped: they are data.
    #[must_use]
    pub fn draw(&self, format: Format) -> String {
        let picture = Picture::of(self);
        match format {
            Format::Dot => dot::write(&picture),
            Format::Svg => svg::write(&picture),
            Format::Mermaid => mermaid::write(&picture),
        }
    }
}
