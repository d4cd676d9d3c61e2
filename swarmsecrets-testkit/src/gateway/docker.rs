//! A real Docker Engine, by its socket and the `docker` command.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::net::UnixStream;

use super::stack::StackCommand;
use crate::engine::{Engine, EngineRequest, EngineResponse, EngineStream, Pieces, StackDeployment};

/// What may not stand in a path as it is. A slash may: images have them.
const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'%');

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A real Docker Engine in swarm mode. Each request takes a connection of its own, as an exec needs it.
#[derive(Clone, Debug)]
pub struct DockerEngine {
    socket: PathBuf,
    stacks: StackCommand,
}

impl DockerEngine {
    /// The Engine behind a unix socket; `docker` is the command that deploys stacks.
    #[must_use]
    pub fn new(socket: &Path, docker: &Path) -> Self {
        Self { socket: socket.to_owned(), stacks: StackCommand::new(socket, docker) }
    }

    async fn send(&self, call: EngineRequest) -> Result<Response<Incoming>, Failure> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It carries the bytes until the answer has been read, and then ends; its failure is the answer's, too.
        tokio::spawn(connection);
        let mut target = utf8_percent_encode(&call.path, IN_PATH).to_string();
        if !call.query.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
            target = format!("{target}?{query}");
        }
        let mut request = Request::builder().method(call.method.as_str()).uri(target).header(header::HOST, "docker");
        if !call.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        Ok(sender.send_request(request.body(Full::<Bytes>::from(call.body))?).await?)
    }

    async fn whole(&self, call: EngineRequest) -> Result<EngineResponse, Failure> {
        let answer = self.send(call).await?;
        let (status, content_type) = head(&answer);
        let body = answer.into_body().collect().await?.to_bytes().to_vec();
        Ok(EngineResponse { status, content_type, body })
    }

    fn failed(&self, why: &Failure) -> EngineResponse {
        let message = format!("cannot reach the Docker Engine at {}: {why}", self.socket.display());
        let body = serde_json::json!({ "message": message }).to_string().into_bytes();
        EngineResponse { status: 502, content_type: "application/json".into(), body }
    }
}

fn head(answer: &Response<Incoming>) -> (u16, String) {
    let content_type = answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    (answer.status().as_u16(), content_type.to_owned())
}

struct Frames(Incoming);

#[async_trait]
impl Pieces for Frames {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let frame = self.0.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                return Some(data.to_vec());
            }
        }
    }
}

#[async_trait]
impl Engine for DockerEngine {
    async fn call(&self, request: EngineRequest) -> EngineResponse {
        self.whole(request).await.unwrap_or_else(|why| self.failed(&why))
    }

    async fn stream(&self, request: EngineRequest) -> EngineStream {
        match self.send(request).await {
            Ok(answer) => {
                let (status, content_type) = head(&answer);
                EngineStream { status, content_type, body: Box::new(Frames(answer.into_body())) }
            }
            Err(why) => self.failed(&why).into(),
        }
    }

    async fn deploy(&self, stack: StackDeployment) -> Result<(), String> {
        self.stacks.deploy(stack).await
    }

    async fn undeploy(&self, stack: &str) -> Result<(), String> {
        self.stacks.remove(stack).await
    }

    fn simulated(&self) -> bool {
        false
    }
}
