//! An Engine that does not always answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::clock::Clock;

use crate::engine::{Engine, EngineRequest, EngineResponse, StackDeployment};

/// The status of an [`EngineResponse`] that never came: whoever stands before the Engine breaks the connection off.
pub const NO_ANSWER: u16 = 0;

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives: nothing is done, and there is no answer.
    LoseRequest,
    /// The request is carried out, and the answer is lost.
    LoseAnswer,
    /// The request is carried out after this time has passed on the clock.
    Delay(Duration),
    /// The request is not carried out, and this is the answer.
    Status(u16, String),
}

type Hook = Box<dyn FnMut(&EngineRequest) -> Option<Fault> + Send>;

/// Stands before an Engine and lets a test decide what goes wrong with each request.
pub struct FaultyEngine<E, C> {
    engine: E,
    clock: C,
    hook: Mutex<Hook>,
}

impl<E: Engine, C: Clock> FaultyEngine<E, C> {
    /// An Engine with which nothing goes wrong yet.
    pub fn new(engine: E, clock: C) -> Self {
        Self { engine, clock, hook: Mutex::new(Box::new(|_| None)) }
    }

    /// Asks `hook` about each request from now on.
    pub fn on_request(&self, hook: impl FnMut(&EngineRequest) -> Option<Fault> + Send + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(hook);
    }

    fn fault(&self, request: &EngineRequest) -> Option<Fault> {
        let mut hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        hook(request)
    }
}

#[async_trait]
impl<E: Engine, C: Clock> Engine for FaultyEngine<E, C> {
    async fn call(&self, request: EngineRequest) -> EngineResponse {
        match self.fault(&request) {
            None => self.engine.call(request).await,
            Some(Fault::LoseRequest) => no_answer(),
            Some(Fault::LoseAnswer) => {
                self.engine.call(request).await;
                no_answer()
            }
            Some(Fault::Delay(time)) => {
                self.clock.sleep(time).await;
                self.engine.call(request).await
            }
            Some(Fault::Status(status, body)) => {
                EngineResponse { status, content_type: "application/json".into(), body: body.into_bytes() }
            }
        }
    }

    async fn deploy(&self, stack: StackDeployment) -> Result<(), String> {
        self.engine.deploy(stack).await
    }

    async fn undeploy(&self, stack: &str) -> Result<(), String> {
        self.engine.undeploy(stack).await
    }

    fn simulated(&self) -> bool {
        self.engine.simulated()
    }
}

fn no_answer() -> EngineResponse {
    EngineResponse { status: NO_ANSWER, content_type: String::new(), body: Vec::new() }
}
