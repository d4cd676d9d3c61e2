//! Portainer's rules over HTTP, and before a real Docker Engine: the test gateway.

mod docker;
mod live;
mod serve;
mod stack;
mod wall;

pub use self::docker::DockerEngine;
pub use self::live::serve_live;
pub use self::serve::{Serving, serve};
pub use self::wall::WallClock;
