//! What stands behind Portainer's rules: a Docker Engine in swarm mode, simulated or real.

use std::fmt;

use async_trait::async_trait;

/// A request to the Engine, as it leaves Portainer: unversioned path, query decoded.
#[derive(Clone)]
pub struct EngineRequest {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: String,
    /// The path, such as `/services/create`.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The Engine's answer.
#[derive(Clone)]
pub struct EngineResponse {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

// Bodies and variables may hold a secret: only their sizes and names are printed.

impl fmt::Debug for EngineRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?} [{} bytes]", self.method, self.path, self.query, self.body.len())
    }
}

impl fmt::Debug for EngineResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} [{} bytes]", self.status, self.content_type, self.body.len())
    }
}

impl fmt::Debug for StackDeployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stack {} [{} bytes, {} variables]", self.name, self.file.len(), self.variables.len())
    }
}

/// A body that is read piece by piece.
#[async_trait]
pub trait Pieces: Send {
    /// The next piece, or `None` at the end.
    async fn next(&mut self) -> Option<Vec<u8>>;
}

/// An answer whose body may still be coming.
pub struct EngineStream {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Box<dyn Pieces>,
}

/// A body that was there at once.
struct Whole(Option<Vec<u8>>);

#[async_trait]
impl Pieces for Whole {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.0.take().filter(|piece| !piece.is_empty())
    }
}

impl From<EngineResponse> for EngineStream {
    fn from(answer: EngineResponse) -> Self {
        let body = Box::new(Whole(Some(answer.body)));
        Self { status: answer.status, content_type: answer.content_type, body }
    }
}

/// What is deployed when a stack is created or its file is `PUT`.
#[derive(Clone)]
pub struct StackDeployment {
    /// The stack's name: its services are called `<name>_<service>`.
    pub name: String,
    /// The compose file, with variables not yet filled in.
    pub file: String,
    /// The variables.
    pub variables: Vec<(String, String)>,
    /// Whether services that the file no longer names are removed.
    pub prune: bool,
}

/// A Docker Engine in swarm mode.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Answers a request as the Engine's API does.
    async fn call(&self, request: EngineRequest) -> EngineResponse;

    /// Answers a request whose body may come over time: events, logs, the output of an exec.
    async fn stream(&self, request: EngineRequest) -> EngineStream {
        self.call(request).await.into()
    }

    /// Does what `docker stack deploy --with-registry-auth` does.
    ///
    /// # Errors
    /// The text that the command prints when it fails.
    async fn deploy(&self, stack: StackDeployment) -> Result<(), String>;

    /// Does what `docker stack rm` does.
    ///
    /// # Errors
    /// The text that the command prints when it fails.
    async fn undeploy(&self, stack: &str) -> Result<(), String>;

    /// Whether this is a simulation.
    fn simulated(&self) -> bool;
}
