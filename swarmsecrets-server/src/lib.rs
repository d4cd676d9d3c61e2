//! A process of its own that holds the API key, and what programs without one reach it by.
//!
//! An agent in the same process as the API key can read that key. [`Server`] keeps it elsewhere: it listens on a socket of the machine, and
//! offers reading, planning, asking people and carrying out to whoever shows a token. [`Remote`] is the other end, and does what
//! [`Client`](swarmsecrets_client::Client) does, as both are [`Operations`](swarmsecrets_client::Operations).
//!
//! What never crosses the socket, in either direction, is a value: a new one is made by the server, or comes from a source of its own. Nor does a plan
//! on its way in: the server carries out what it has planned itself, and callers name it by its digest. What only a person may say is not offered:
//! that a rotation is seen to (`close`), and that a service works although its probes cannot tell.
//!
//! # The protocol
//!
//! HTTP/1.1 on a Unix socket, or on a port of the loopback interface. `Authorization: Bearer TOKEN` says who calls; the agent that acts is the one
//! that the token was given to, whatever else is sent. Requests from web pages (with `Origin`) are refused.
//!
//! | request | body | answer |
//! | --- | --- | --- |
//! | `GET /v1` | | who one is there |
//! | `GET /v1/inventory` | | the document of `inventory --json` |
//! | `POST /v1/plans` | [`Wanted`](swarmsecrets_client::Wanted) | the plan |
//! | `POST /v1/plans/create` | [`WantedFirst`](swarmsecrets_client::WantedFirst) | the plan |
//! | `POST /v1/explain` | [`Question`](swarmsecrets_client::Question) | what the policies say |
//! | `GET /v1/due` | | when secrets are to be rotated |
//! | `GET /v1/rotations` | | the reports of those that have not ended |
//! | `POST /v1/requests` | `{"plan": DIGEST, "reason"}` | the change request |
//! | `GET /v1/requests/DIGEST` | | the same |
//! | `POST /v1/apply` | `{"plan": DIGEST, "request": DIGEST, "decisions": […], "reason"}` | lines |
//! | `POST /v1/rotations/ID/resume`, `…/rollback` | `{"reason"}` | lines |
//! | `POST /v1/retire` | `{"reason"}` | lines |
//! | `POST /v1/operations/N/stop` | | nothing |
//! | `POST /v1/webhooks/NAME` | decisions, signed instead of a token ([`swarmsecrets_webhook`]) | nothing |
//!
//! *Lines* are one JSON document each: `{"began": N}` first, `{"told": …}` for what happens meanwhile, and `{"done": REPORT}` or `{"failed": ERROR}`
//! last; empty ones say that the server is there. Whoever hangs up stops nothing: what was begun is carried on, and `operations/N/stop` asks it to stop in
//! good order. An error is `{"kind", "message", "causes"}`, with the kinds of [`ErrorKind`](swarmsecrets_core::ErrorKind).

mod remote;
mod serve;
mod wire;

pub use self::remote::Remote;
pub use self::serve::{Held, Seat, Server, Serving};
pub use self::wire::{Caller, Token};
