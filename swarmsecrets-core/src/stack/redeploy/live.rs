//! The services and networks that are there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Result;
use crate::model::{Service, SpecText, Text, for_each};

const NAMESPACE: &str = "com.docker.stack.namespace";

/// The live side of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Live {
    services: Vec<LiveService>,
    /// Names by ids.
    networks: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct LiveService {
    name: String,
    stack: Option<String>,
    spec: SpecText,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

impl Live {
    /// Reads the answers to `GET …/docker/services` and `GET …/docker/networks`. Specs name networks by their ids, so that
    /// both are needed.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol), quoting nothing of the answers.
    pub fn parse(services: &[u8], networks: &[u8]) -> Result<Self> {
        let mut live = Self::default();
        for_each("the list of networks", networks, |network: Network<'_>| {
            live.networks.insert(network.id.into_string(), network.name.into_string());
            Ok(())
        })?;
        Service::for_each(services, |service| live.add(&service))?;
        Ok(live)
    }

    fn add(&mut self, service: &Service<'_>) -> Result<()> {
        let (name, stack) = (service.spec.name.to_string(), service.spec.labels.get(NAMESPACE).map(str::to_owned));
        self.services.push(LiveService { name, stack, spec: SpecText::new(service.spec_text.to_owned())? });
        Ok(())
    }

    /// The services of a stack, and those whose names its services would take.
    pub(super) fn of_stack(&self, stack: &str, taken: impl Fn(&str) -> bool) -> Vec<(String, Value)> {
        let mine = self.services.iter().filter(|s| s.stack.as_deref() == Some(stack) || taken(&s.name));
        let spec = |s: &LiveService| serde_json::from_str(s.spec.as_str()).unwrap_or(Value::Null);
        mine.map(|service| (service.name.clone(), spec(service))).collect()
    }

    /// The name of a network.
    pub(super) fn network(&self, id: &str) -> Option<&str> {
        self.networks.get(id).map(String::as_str)
    }
}
