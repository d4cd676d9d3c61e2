//! What is offered, and to whom.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use swarmsecrets_client::{Question, Wanted, WantedFirst};
use swarmsecrets_core::approval::{Given, SignedDecision};
use swarmsecrets_core::executor::{Attempt, Values};
use swarmsecrets_core::ids::{RequestDigest, RotationId};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_webhook::Headers;

use super::Server;
use super::running::Work;
use super::seat::Turn;
use crate::wire::{Asked, Fault, Ordered, Token, Why};

/// Longest body, in bytes. Plans do not come in.
const LONGEST_BODY: usize = 1 << 20;

/// What is offered.
pub(super) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/v1", get(caller))
        .route("/v1/inventory", get(inventory))
        .route("/v1/plans", post(plan))
        .route("/v1/plans/create", post(plan_create))
        .route("/v1/explain", post(explain))
        .route("/v1/due", get(due))
        .route("/v1/rotations", get(unfinished))
        .route("/v1/requests", post(ask_people))
        .route("/v1/requests/{digest}", get(change_request))
        .route("/v1/apply", post(apply))
        .route("/v1/webhooks/{name}", post(receive))
        .route("/v1/rotations/{id}/resume", post(resume))
        .route("/v1/rotations/{id}/rollback", post(rollback))
        .route("/v1/retire", post(retire))
        .route("/v1/operations/{number}/stop", post(stop))
        .fallback(async || Refused(Error::new(ErrorKind::NotFound, "the server offers no such thing")))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(server)
}

/// Who calls. Without a token that is known nothing else is looked at.
struct By(Turn);

impl FromRequestParts<Arc<Server>> for By {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Answer<Self> {
        if parts.headers.contains_key(header::ORIGIN) {
            return Err(Error::new(ErrorKind::Forbidden, "web pages are not served").into());
        }
        let shown = parts.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let token = shown.and_then(|shown| shown.strip_prefix(b"Bearer ")).map(Token::of);
        match token.and_then(|token| server.seats.get(&token)) {
            Some(seat) => Ok(Self(Turn::of(seat).await)),
            None => {
                tracing::warn!("a request without a token that is known was refused");
                Err(Error::new(ErrorKind::Unauthorized, "the server does not know this token, or none was sent").into())
            }
        }
    }
}

type Answer<T> = std::result::Result<T, Refused>;

/// An error as an answer.
struct Refused(Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        let status = match self.0.kind() {
            ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden | ErrorKind::Denied | ErrorKind::NeedsApproval => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict | ErrorKind::Stale | ErrorKind::InUse | ErrorKind::Refused => StatusCode::CONFLICT,
            ErrorKind::Invalid | ErrorKind::Ambiguous => StatusCode::BAD_REQUEST,
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Protocol => StatusCode::BAD_GATEWAY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = serde_json::to_vec(&Fault::from(&self.0)).unwrap_or_default();
        let mut response = answered(body.into(), "application/json");
        *response.status_mut() = status;
        response
    }
}

fn answered(body: Body, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn json(document: &impl Serialize) -> Answer<Response<Body>> {
    let failed = |e| Error::new(ErrorKind::Protocol, format!("the answer cannot be written: {e}"));
    Ok(answered(serde_json::to_vec(document).map_err(failed)?.into(), "application/json"))
}

/// Reads a body. One that is empty is an empty document.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|e| Error::new(ErrorKind::Invalid, format!("the request cannot be read: {e}")))
}

async fn caller(By(seat): By) -> Answer<Response<Body>> {
    json(&seat.caller())
}

async fn inventory(By(seat): By) -> Answer<Response<Body>> {
    let read = seat.reading().inventory().await?;
    Ok(answered(read.to_json().into(), "application/json"))
}

async fn plan(By(seat): By, body: Bytes) -> Answer<Response<Body>> {
    let wanted: Wanted = read(&body)?;
    made_here(!wanted.takes_values())?;
    json(&*seat.plans.keep(seat.reading().plan(wanted).await?))
}

async fn plan_create(By(seat): By, body: Bytes) -> Answer<Response<Body>> {
    let wanted: WantedFirst = read(&body)?;
    made_here(wanted.value.is_some())?;
    json(&*seat.plans.keep(seat.reading().plan_create(wanted).await?))
}

/// Values do not cross the socket: better said before there is a plan that cannot be carried out.
fn made_here(known: bool) -> Result<()> {
    if known {
        return Ok(());
    }
    let text = "a value cannot be handed over to a server: let it generate one, or name a source of its own";
    Err(Error::new(ErrorKind::Invalid, text))
}

async fn explain(By(seat): By, body: Bytes) -> Answer<Response<Body>> {
    let question: Question = read(&body)?;
    json(&seat.reading().explain(&question).await?)
}

async fn due(By(seat): By) -> Answer<Response<Body>> {
    json(&seat.reading().due().await?)
}

async fn unfinished(By(seat): By) -> Answer<Response<Body>> {
    json(&seat.reading().unfinished().await?)
}

async fn ask_people(By(seat): By, body: Bytes) -> Answer<Response<Body>> {
    let asked: Asked = read(&body)?;
    let plan = seat.plans.find(&asked.plan)?;
    let request = seat.reading().ask_people(&plan, &Values::none(), asked.reason.as_deref()).await?;
    Ok(answered(request.to_json()?.into(), "application/json"))
}

async fn change_request(By(seat): By, Path(digest): Path<String>) -> Answer<Response<Body>> {
    let request = seat.reading().change_request(&RequestDigest::new(&digest)?).await?;
    Ok(answered(request.to_json()?.into(), "application/json"))
}

/// Decisions that the receiver of a webhook sends by itself. It has no token: it signs.
async fn receive(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<StatusCode> {
    let unknown = || Error::new(ErrorKind::NotFound, "the server knows no such webhook");
    let webhook = server.webhooks.get(&name).ok_or_else(unknown)?;
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = Headers {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
    };
    let about = webhook.receive(signed, &body)?;
    tracing::info!(%about, webhook = name, "decisions were received");
    Ok(StatusCode::NO_CONTENT)
}

/// What is carried out, or why not. An attempt with something that the server does not have is told to the audit trail.
async fn apply(State(server): State<Arc<Server>>, By(seat): By, body: Bytes) -> Answer<Response<Body>> {
    let client = seat.writing("apply, through a server").await?;
    let found = async {
        let ordered: Ordered = read(&body)?;
        let request = match &ordered.request {
            Some(digest) => Some(client.change_request(digest).await?),
            None => None,
        };
        // Also where a request is given, the plan is named: one that is not the request's is refused.
        let plan = match &request {
            Some(request) if *request.plan.digest() == ordered.plan => Arc::new(request.plan.clone()),
            _ => seat.plans.find(&ordered.plan)?,
        };
        let signed = |json: &RawValue| SignedDecision::from_json(json.get().as_bytes()).map(Given::from);
        let in_hand = ordered.decisions.iter().map(|json| signed(json)).collect::<Result<Vec<Given>>>()?;
        Ok((request, plan, in_hand, ordered.reason))
    };
    let (request, plan, in_hand, reason) = match found.await {
        Ok(found) => found,
        Err(error) => {
            client.tell_refused(Attempt::Document(&body), &error, None).await?;
            return Err(error.into());
        }
    };
    let reason = reason.or_else(|| plan.reason.clone());
    let work: Work = Box::new(|client, order| {
        Box::pin(async move {
            let done = match &request {
                None => client.apply(&plan, Values::none(), order).await?,
                Some(request) => client.apply_approved(request, &plan, in_hand, Values::none(), order).await?,
            };
            raw(&done)
        })
    });
    lines(&server, client, reason, work)
}

async fn resume(
    State(server): State<Arc<Server>>,
    By(seat): By,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Response<Body>> {
    let (id, why): (_, Why) = (RotationId::new(&id)?, read(&body)?);
    let client = seat.writing(&format!("resume rotation {id}, through a server")).await?;
    let work: Work =
        Box::new(|client, order| Box::pin(async move { raw(&client.resume(&id, Values::none(), order).await?) }));
    lines(&server, client, why.reason, work)
}

async fn rollback(
    State(server): State<Arc<Server>>,
    By(seat): By,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Response<Body>> {
    let (id, why): (_, Why) = (RotationId::new(&id)?, read(&body)?);
    let client = seat.writing(&format!("put rotation {id} back, through a server")).await?;
    let why = why.reason.unwrap_or_else(|| format!("the agent `{}` asked for it", seat.agent()));
    let work: Work = Box::new(|client, order| Box::pin(async move { raw(&client.rollback(&id, order).await?) }));
    lines(&server, client, Some(why), work)
}

async fn retire(State(server): State<Arc<Server>>, By(seat): By, body: Bytes) -> Answer<Response<Body>> {
    let why: Why = read(&body)?;
    let client = seat.writing("retire, through a server").await?;
    let work: Work = Box::new(|client, order| Box::pin(async move { raw(&client.retire(order).await?) }));
    lines(&server, client, why.reason, work)
}

async fn stop(State(server): State<Arc<Server>>, By(seat): By, Path(number): Path<u64>) -> Answer<StatusCode> {
    server.running.ask_to_stop(seat.agent(), number)?;
    Ok(StatusCode::NO_CONTENT)
}

fn lines(
    server: &Server,
    client: Arc<swarmsecrets_client::Client>,
    reason: Option<String>,
    work: Work,
) -> Answer<Response<Body>> {
    Ok(answered(server.running.begin(client, reason, work)?, "application/x-ndjson"))
}

fn raw(document: &impl Serialize) -> Result<Box<RawValue>> {
    to_raw_value(document).map_err(|e| Error::new(ErrorKind::Protocol, format!("the report cannot be written: {e}")))
}
