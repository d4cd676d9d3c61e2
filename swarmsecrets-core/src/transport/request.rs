//! What a request is made of.

use std::fmt;

use zeroize::Zeroizing;

/// The methods that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or updates an Engine object.
    Post,
    /// Replaces a Portainer object.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Which node's Engine a request is for. On an environment of one Engine it is for that; on an environment of agents it is
/// told by headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Node {
    /// A manager: services, tasks, secrets and all else that the Swarm knows.
    #[default]
    Manager,
    /// All nodes, whose answers come as one: the containers that run.
    Each,
    /// The node of this name.
    Named(String),
}

/// What the paths that Portainer hands on to the Engine have in common.
const DOCKER: &str = "/docker/";

impl Node {
    /// The header that a request to this path needs, by name and value. On an environment of agents Portainer has to be told
    /// whose answer is asked for: a manager's, or that of one node. Without either, agents answer together, or one of them by
    /// chance.
    #[must_use]
    pub fn header(&self, path: &str) -> Option<(&'static str, &str)> {
        match self {
            Self::Manager if path.contains(DOCKER) => Some(("x-portaineragent-manageroperation", "1")),
            Self::Named(name) => Some(("x-portaineragent-target", name)),
            Self::Manager | Self::Each => None,
        }
    }
}

pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Zeroizing<Vec<u8>>>,
    pub(super) node: Node,
    pub(super) what: String,
}

/// What a transport needs to send a request. The body of a [`Write`](super::Write) may hold a secret: send it, print nothing of it.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// The method.
    pub method: Method,
    /// The path from the server's root, as `/api/…`, encoded.
    pub path: &'a str,
    /// The query, not yet encoded.
    pub query: &'a [(&'static str, String)],
    /// The JSON body.
    pub body: Option<&'a [u8]>,
    /// The node whose Engine it is for, if it is for an Engine.
    pub node: &'a Node,
    /// What it does, for messages: "create secret `db_v2`".
    pub what: &'a str,
}

impl Request {
    pub(super) fn view(&self) -> RequestView<'_> {
        RequestView {
            method: self.method,
            path: &self.path,
            query: &self.query,
            body: self.body.as_ref().map(|b| b.as_slice()),
            node: &self.node,
            what: &self.what,
        }
    }

    pub(super) fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.path)?;
        for (n, (key, value)) in self.query.iter().enumerate() {
            write!(f, "{}{key}={value}", if n == 0 { '?' } else { '&' })?;
        }
        if self.body.is_some() {
            f.write_str(" [body not shown]")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_to_an_engine_is_told_whose_answer_is_asked_for() {
        let engine = "/api/endpoints/1/docker/services";
        assert_eq!(Node::Manager.header(engine), Some(("x-portaineragent-manageroperation", "1")));
        assert_eq!(Node::Named("n1".into()).header(engine), Some(("x-portaineragent-target", "n1")));
        assert_eq!(Node::Each.header(engine), None);
        assert_eq!(Node::Manager.header("/api/stacks"), None);
    }
}
