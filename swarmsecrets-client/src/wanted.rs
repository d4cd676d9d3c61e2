//! A change that somebody asks for, of which not everything is known before the world and the sources are read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swarmsecrets_core::generate::GenerateSpec;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::{
    Allowances, Canary, CreateRequest, Rollout, RotationRequest, Strategy, Timing, ValueRecipe,
};
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_settings::Credentials;

/// How a value comes about that is not handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Way {
    /// It is made at random when the change is carried out.
    Generate(GenerateSpec),
    /// It is what stands in a source when the change is planned.
    From {
        /// The name of the source.
        source: String,
        /// Where it stands there.
        reference: String,
    },
}

/// The recipe of a value, as plans have it. Without a way it is handed over.
async fn recipe(way: Option<&Way>, sources: &Sources) -> Result<ValueRecipe> {
    match way {
        None => Ok(ValueRecipe::Supplied),
        Some(Way::Generate(spec)) => Ok(ValueRecipe::Generate(spec.clone())),
        Some(Way::From { source, reference }) => sources.current(source, reference).await.map(ValueRecipe::Source),
    }
}

/// A rotation that is asked for. What is left out is as in [`RotationRequest::of`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// The secrets, each by its logical name or the name of one of its versions. Without any, the group is meant.
    pub secrets: Vec<String>,
    /// The group: the secrets of this stack.
    pub stack: Option<String>,
    /// The group: the secrets whose current version carries all of these labels.
    pub labels: Vec<(String, String)>,
    /// How the new values come about. Without it they are handed over.
    pub value: Option<Way>,
    /// How those of some secrets come about that are not as the others, by the names that `secrets` has. Nothing is one that is handed over.
    pub values: BTreeMap<String, Option<Way>>,
    /// How the consumers change over: in step with the passwords, if there are any, where this is not said.
    pub strategy: Option<Strategy>,
    /// How long the old version is kept.
    #[serde(with = "durations", skip_serializing_if = "Option::is_none")]
    pub grace: Option<Duration>,
    /// How long every task must run with the new version before a service counts as good.
    #[serde(with = "durations", skip_serializing_if = "Option::is_none")]
    pub stability: Option<Duration>,
    /// How long one service may take.
    #[serde(with = "durations", skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Duration>,
    /// The service to update first, alone.
    pub canary: Option<String>,
    /// Whether no service goes first.
    pub skip_canary: bool,
    /// How many services are updated at a time.
    pub concurrency: Option<u32>,
    /// How many times a service may fail before everything is put back.
    pub failures: Option<u32>,
    /// Pairs of services, of which the first is updated after the second.
    pub after: Vec<(String, String)>,
    /// What is allowed that is refused otherwise.
    pub allow: Allowances,
    /// Why.
    pub reason: Option<String>,
}

impl Wanted {
    /// The rotation in this world, with the versions that stand in the sources now and those of the passwords that are its own.
    ///
    /// # Errors
    /// `NotFound` if nothing belongs to the group, `Invalid` for a value of a secret that is not among them, and those of [`Inventory::find`] and
    /// [`Sources::current`].
    pub async fn in_world(
        self,
        world: &Inventory,
        passwords: &Credentials,
        sources: &Sources,
    ) -> Result<RotationRequest> {
        let names = self.names(world)?;
        if let Some(stray) = self.values.keys().find(|name| !names.contains(name)) {
            let text = format!("there is a value for {}, which is not among the secrets", quoted(stray));
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        let (mut secrets, mut logical) = (Vec::new(), BTreeSet::new());
        for name in names {
            logical.insert(world.find(&name)?.name.as_str());
            let way = self.values.get(&name).unwrap_or(&self.value);
            secrets.push((name, recipe(way.as_ref(), sources).await?));
        }
        let mut credentials = passwords.accounts();
        credentials.retain(|secret, _| logical.contains(secret.as_str()));
        let strategy = self.strategy.unwrap_or(match credentials.is_empty() {
            true => Strategy::Swap,
            false => Strategy::Overlap,
        });
        let base = match strategy {
            Strategy::Revoke => RotationRequest::revoking(secrets),
            Strategy::Swap | Strategy::Overlap => RotationRequest::of(secrets),
        };
        Ok(RotationRequest {
            strategy,
            credentials,
            timing: Timing {
                grace: self.grace.unwrap_or(base.timing.grace),
                stability: self.stability.unwrap_or(base.timing.stability),
                deadline: self.deadline.unwrap_or(base.timing.deadline),
            },
            canary: match self.canary {
                Some(service) => Canary::Service(service),
                None if self.skip_canary => Canary::Skipped,
                None => Canary::Labelled,
            },
            rollout: Rollout {
                concurrency: self.concurrency.unwrap_or(base.rollout.concurrency),
                failures: self.failures.unwrap_or(base.rollout.failures),
            },
            after: self.after,
            allow: self.allow,
            reason: self.reason,
            ..base
        })
    }

    /// Whether any value is to be handed over when it is carried out.
    #[must_use]
    pub fn takes_values(&self) -> bool {
        let others = self.secrets.is_empty() || self.secrets.iter().any(|name| !self.values.contains_key(name));
        others && self.value.is_none() || self.values.values().any(Option::is_none)
    }

    fn names(&self, world: &Inventory) -> Result<Vec<String>> {
        if !self.secrets.is_empty() {
            return Ok(self.secrets.clone());
        }
        if self.stack.is_none() && self.labels.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "which secrets? name them, or a stack, or labels"));
        }
        let group = world.select(self.stack.as_deref(), &self.labels);
        if group.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "no secret belongs to that group: see the inventory"));
        }
        Ok(group.into_iter().map(|secret| secret.name.clone()).collect())
    }
}

/// A first version that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WantedFirst {
    /// The name of the secret.
    pub name: String,
    /// How its value comes about. Without it the value is handed over.
    pub value: Option<Way>,
    /// Labels that it gets.
    pub labels: BTreeMap<String, String>,
    /// Why.
    pub reason: Option<String>,
}

impl WantedFirst {
    /// The first version, with what stands in its source now.
    ///
    /// # Errors
    /// As [`Sources::current`].
    pub async fn request(self, sources: &Sources) -> Result<CreateRequest> {
        Ok(CreateRequest {
            recipe: recipe(self.value.as_ref(), sources).await?,
            name: self.name,
            labels: self.labels.into_iter().collect(),
            reason: self.reason,
            agent: None,
        })
    }
}

/// Durations as people write them.
mod durations {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use swarmsecrets_core::duration::parse_duration;

    pub(super) fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => to.serialize_str(&format!("{}ms", duration.as_millis())),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| parse_duration(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use swarmsecrets_core::generate::Alphabet;

    use super::*;

    fn read(text: &str) -> serde_json::Result<Wanted> {
        serde_json::from_str(text)
    }

    #[test]
    fn what_is_asked_for_is_written_as_people_write_it_and_reads_back() {
        let text = r#"{
            "secrets": ["db", "key"],
            "value": {"generate": "length=24,alphabet=hex"},
            "values": {"key": {"from": {"source": "vault", "reference": "kv/key"}}},
            "strategy": "swap", "grace": "1h30m", "deadline": "5m", "concurrency": 4,
            "after": [["web", "db"]], "reason": "old"
        }"#;
        let wanted = read(text).unwrap();
        assert_eq!(wanted.grace, Some(Duration::from_secs(5400)));
        assert_eq!(wanted.value, Some(Way::Generate(GenerateSpec::new(24, Alphabet::Hex).unwrap())));
        assert!(!wanted.takes_values());
        let again = read(&serde_json::to_string(&wanted).unwrap()).unwrap();
        assert_eq!(again, wanted);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, part) in [
            (r#"{"secret": "db"}"#, "unknown field `secret`"),
            (r#"{"value": {"generate": "0"}}"#, "cannot be made"),
            (r#"{"value": {"supplied": "made-up"}}"#, "unknown variant"),
            (r#"{"grace": "24"}"#, "a unit is missing"),
            (r#"{"strategy": "overwrite"}"#, "unknown variant"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn values_are_handed_over_where_nothing_else_is_said() {
        let generated = || Some(Way::Generate(GenerateSpec::default()));
        let named = |names: &[&str], value, values: Vec<(&str, Option<Way>)>| Wanted {
            secrets: names.iter().map(|name| (*name).to_owned()).collect(),
            value,
            values: values.into_iter().map(|(name, way)| (name.to_owned(), way)).collect(),
            ..Wanted::default()
        };
        for (wanted, takes) in [
            (named(&["db"], None, vec![]), true),
            (named(&["db"], generated(), vec![]), false),
            (named(&["db"], None, vec![("db", generated())]), false),
            (named(&["db", "key"], None, vec![("db", generated())]), true),
            (named(&["db", "key"], generated(), vec![("db", None)]), true),
            (named(&[], generated(), vec![]), false),
            (named(&[], None, vec![]), true),
        ] {
            assert_eq!(wanted.takes_values(), takes, "{wanted:?}");
        }
    }
}
