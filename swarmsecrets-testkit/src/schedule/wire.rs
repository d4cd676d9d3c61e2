//! The way of one operation to the simulated Portainer: where faults are met, and each mutation is looked at before it
//! arrives and after.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use swarmsecrets_core::audit::AuditRecord;
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::ChangeRecord;
use swarmsecrets_core::policy::Permit;
use swarmsecrets_core::transport::{Chunks, Method, Read, RequestView, Response, Transport, Write};

use super::providers;
use super::records::{Leave, Records};
use super::rules;
use super::stage::Fired;
use super::trouble::Class;
use super::values;
use super::watch::By;
use crate::portainer::{PortainerClient, PortainerRequest, WireFault};

/// Carries the requests of one operation.
pub(super) struct Wire {
    records: Arc<Records>,
    client: PortainerClient,
    user: &'static str,
    fault: Arc<Mutex<Option<WireFault>>>,
    /// The specs of services as they were last given out, by service.
    served: Mutex<BTreeMap<String, String>>,
}

/// How a mutation is carried out.
enum Carried {
    Now,
    /// After this time, when its client has given up.
    Late(Duration),
    Twice,
    /// Read from what was so at most this long ago.
    Stale(Duration),
}

impl Wire {
    pub(super) fn new(records: Arc<Records>, user: &'static str) -> Result<Self> {
        let client = records.stage.swarm.client_as(user)?;
        let fault = Arc::new(Mutex::new(None));
        let slot = fault.clone();
        client.on_request(move |_| slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(Self { records, client, user, fault, served: Mutex::default() })
    }

    fn meet(&self, fault: WireFault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    /// Comes to a point before a request or after it. Gives how else than once and at once it is to be carried out.
    async fn pass(&self, class: Class, what: &str) -> Carried {
        let Records { stage, who, .. } = &*self.records;
        let mut carried = Carried::Now;
        match stage.reach(*who, class) {
            Fired::Crash(leaves) => self.records.die(leaves).await,
            Fired::Stall(time) => {
                stage.note(|| format!("process {who}: stands still for {time:?} before: {what}"));
                stage.stand_still(*who, time).await;
            }
            Fired::Wire(fault) => {
                stage.note(|| format!("process {who}: {fault:?} at: {what}"));
                // Slow answers let the other process go on meanwhile.
                if let WireFault::Delay(time) = fault {
                    stage.sleep(*who, time).await;
                } else {
                    self.meet(fault);
                }
            }
            Fired::Late(after) => carried = Carried::Late(after),
            Fired::Twice => carried = Carried::Twice,
            Fired::Stale(age) => carried = Carried::Stale(age),
            Fired::Nothing | Fired::System(_) => {}
        }
        stage.give_way().await;
        carried
    }

    /// What must be there before a mutation may arrive.
    fn check_leave(&self, view: &RequestView<'_>, permit: &Permit) -> std::result::Result<AuditRecord, String> {
        let what = view.what;
        let Leave { intent, change, state } = self.records.take_leave(what)?;
        if *permit.plan() != intent.plan || permit.direction() != intent.direction {
            return Err(format!("{what}: the permit is for something else than its audit intent"));
        }
        let fits = match (view.method, &change) {
            (Method::Post, ChangeRecord::Create { .. }) => view.path.ends_with("/secrets/create"),
            (Method::Put, ChangeRecord::Stack { id, commit: None, .. }) => {
                view.path.ends_with(&format!("/stacks/{id}"))
            }
            (Method::Put, ChangeRecord::Stack { id, .. }) => view.path.ends_with(&format!("/stacks/{id}/git/redeploy")),
            (Method::Put, ChangeRecord::Own { control }) => view.path.ends_with(&format!("/{control}")),
            (Method::Post, ChangeRecord::Update { service } | ChangeRecord::Restore { service }) => {
                view.path.ends_with(&format!("/services/{service}/update"))
            }
            (Method::Delete, ChangeRecord::Retire { id } | ChangeRecord::Withdraw { id }) => {
                view.path.ends_with(&format!("/secrets/{id}"))
            }
            _ => false,
        };
        if !fits {
            return Err(format!("{what}: the journal's last intent is another one ({change:?})"));
        }
        let lacks = |service: &str| providers::lacks(&self.records.stage.live(), &intent.rotation, service);
        let turn = rules::in_turn(&state, &change, lacks);
        turn.map(|()| intent).map_err(|why| format!("{what}: {why}"))
    }

    /// Nothing of a spec may change but the references that the plan names.
    fn check_update(&self, view: &RequestView<'_>, rotation: &RotationId) -> std::result::Result<(), String> {
        let Some(service) = updated(view.path) else { return Ok(()) };
        let wrong = |why: &str| Err(format!("{}: {why}", view.what));
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner).get(service).cloned();
        let Some(served) = served else { return wrong("sent without reading the service") };
        let live = self.records.stage.live();
        let Some(begun) = live.begun.get(rotation) else { return wrong("its rotation was never begun") };
        rules::only_references(begun, service, &served, &text(view.body)).map_err(|why| format!("{}: {why}", view.what))
    }

    /// A value that was made by chance is looked for from now on too.
    fn learn(&self, view: &RequestView<'_>) {
        use base64::Engine as _;
        let data = view.path.ends_with("/secrets/create").then(|| serde_json::from_slice::<Value>(view.body?).ok());
        let data = data.flatten().and_then(|body| body["Data"].as_str().map(str::to_owned));
        let value = data.and_then(|data| base64::engine::general_purpose::STANDARD.decode(data).ok());
        let known = |value: &Vec<u8>| values::GOOD.iter().chain([&values::BAD]).any(|one| *one == value.as_slice());
        if let Some(value) = value.filter(|value| !known(value)) {
            self.records.stage.live().needles.add(&value);
        }
    }

    fn remember(&self, path: &str, body: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Service<'a> {
            #[serde(rename = "Spec", borrow)]
            spec: &'a serde_json::value::RawValue,
        }
        let Some((_, id)) = path.rsplit_once("/services/") else { return };
        if let Ok(service) = serde_json::from_slice::<Service<'_>>(body) {
            let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
            served.insert(id.to_owned(), service.spec.get().to_owned());
        }
    }

    fn in_process(&self, view: &RequestView<'_>) -> PortainerRequest {
        let path = percent_decode_str(view.path).decode_utf8_lossy();
        let mut request = PortainerRequest::new(view.method.as_str(), &path);
        request.query = view.query.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        request.body = view.body.unwrap_or_default().to_vec();
        request
    }
}

/// The service that an update is for.
fn updated(path: &str) -> Option<&str> {
    path.rsplit_once("/services/")?.1.strip_suffix("/update")
}

fn text(body: Option<&[u8]>) -> String {
    String::from_utf8_lossy(body.unwrap_or_default()).into_owned()
}

#[async_trait]
impl Transport for Wire {
    async fn read(&self, request: &Read) -> Result<Response> {
        let view = request.view();
        let carried = self.pass(Class::Read, view.what).await;
        let Records { stage, who, .. } = &*self.records;
        let asked = format!("{} {} {:?}", self.user, view.path, view.query);
        let old = if let Carried::Stale(age) = carried { stage.answered(&asked, age) } else { None };
        let (at, answer) = match old {
            Some((at, answer)) => {
                stage.note(|| format!("process {who}: {}: a stale answer, of {:.3}s", view.what, at.as_secs_f64()));
                (at, Ok(answer))
            }
            None => {
                let answer = self.client.read(request).await;
                if let Ok(answer) = &answer {
                    stage.live().answers.keep(asked, stage.mono(), answer);
                }
                (stage.mono(), answer)
            }
        };
        stage.live().tally.requests += 1;
        stage.look(&By::Engine, None);
        if view.path.ends_with("/services") {
            stage.live().processes[*who].listed = Some(at);
        }
        if let Ok(answer) = &answer {
            self.remember(view.path, &answer.body);
        }
        answer
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        self.client.stream(request).await
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        let view = request.view();
        let (stage, who) = (self.records.stage.clone(), self.records.who);
        // A process that is paused between this and the sending has only the fences left.
        let intent = match self.check_leave(&view, &permit) {
            Ok(intent) => intent,
            Err(why) => {
                stage.violated(why.clone());
                return Err(Error::new(ErrorKind::Protocol, why));
            }
        };
        stage.check(self.check_update(&view, &intent.rotation));
        let carried = self.pass(Class::Write, view.what).await;
        stage.look(&By::Engine, None);
        stage.live().processes[who].sent += 1;
        self.learn(&view);
        stage.live().tally.requests += 1;
        if let Carried::Late(after) = carried {
            stage.note(|| format!("process {who}: {}: no answer; it arrives after {after:?}", view.what));
            stage.post_late(after, self.user, self.in_process(&view), &intent.rotation);
            return Err(Error::new(ErrorKind::Timeout, format!("cannot {}: no answer came", view.what)));
        }
        let rotation = intent.rotation.to_string();
        // Of whom another one has taken over nobody waits any more for what is sent.
        let by = if stage.is_overtaken(who) { By::Late(rotation) } else { By::Rotation(rotation) };
        let (what, only) = (view.what.to_owned(), updated(view.path).map(str::to_owned));
        if let Carried::Twice = carried {
            let done = stage.swarm.ask(self.user, self.in_process(&request.view()));
            stage.note(|| {
                let said = done.as_ref().map_or_else(ToString::to_string, |_| "done".into());
                format!("process {who}: {what}: {said}; and once more")
            });
            stage.look(&by, only.as_deref());
        }
        let answer = self.client.write(request, permit).await;
        stage.note(|| {
            let said = answer.as_ref().map_or_else(ToString::to_string, |answer| answer.status.to_string());
            format!("process {who}: {what}: {said}")
        });
        stage.look(&by, only.as_deref());
        self.pass(Class::Answer, &what).await;
        answer
    }

    fn simulated(&self) -> bool {
        true
    }
}
