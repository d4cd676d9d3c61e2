//! The policy file as it is written: TOML, every key known.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::systems::SystemEntry;
use super::values::ValueEntry;

/// The version of the file's format.
pub(super) const SCHEMA: i64 = 1;

/// A policy of swarmsecrets: who may change which secrets, when, and with whose leave.
///
/// Rules are not ordered: of all that hold, the strictest decides. A label of the Swarm never loosens what the file says, unless
/// the file itself selects by it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Policy")]
pub(super) struct Document {
    /// The version of this format: 1.
    #[schemars(with = "i64", range(min = 1, max = 1))]
    pub schema: Spanned<i64>,
    /// The phase of whatever no entry of `phases` selects.
    #[serde(default)]
    pub phase: PhaseWord,
    /// What holds where no rule does.
    #[serde(default)]
    pub default: Effect,
    /// Phases of their own for what they select. Of several, the strictest holds.
    #[serde(default)]
    pub phases: Vec<PhaseEntry>,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<RuleEntry>,
    /// Maintenance windows: what they select is changed in one of them only.
    #[serde(default)]
    pub windows: Vec<WindowEntry>,
    /// Times in which what they select is not changed.
    #[serde(default)]
    pub freezes: Vec<FreezeEntry>,
    /// What new values must be like. All that select a secret hold.
    #[serde(default)]
    #[schemars(with = "Vec<ValueEntry>")]
    pub values: Vec<Spanned<ValueEntry>>,
    /// How long replaced versions are kept. All that select a secret hold. Revocations keep nothing.
    #[serde(default)]
    #[schemars(with = "Vec<GraceEntry>")]
    pub grace: Vec<Spanned<GraceEntry>>,
    /// What stops everything.
    #[serde(default)]
    #[schemars(with = "Option<KillSwitchEntry>")]
    pub kill_switch: Option<Spanned<KillSwitchEntry>>,
    /// Who approves what needs an approval. Without it nobody can.
    #[serde(default)]
    pub approval: Option<ApprovalEntry>,
    /// Where the audit trail goes beside its file. One of the policies in force says it.
    #[serde(default)]
    pub audit: Option<AuditEntry>,
    /// Other ways to those who approve, beside the folder: each has a name of its own.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, SystemEntry>")]
    pub approvers: BTreeMap<String, Spanned<SystemEntry>>,
    /// How often what they select is begun, and how much of it is in hand at once. All that select a secret hold.
    #[serde(default)]
    #[schemars(with = "Vec<LimitEntry>")]
    pub limits: Vec<Spanned<LimitEntry>>,
    /// When what they select is to be rotated. Of several, and of the label `rotation-policy`, the soonest holds.
    #[serde(default)]
    #[schemars(with = "Vec<RotationEntry>")]
    pub rotation: Vec<Spanned<RotationEntry>>,
    /// The folder in which what limits count, and which values secrets have had, is remembered; that of `approval` if left out.
    /// Nobody but the account that swarmsecrets runs as should be able to write to it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub state: Option<Spanned<String>>,
    /// Whether programs in Python may take values back out of a `SecretValue`. The package's own work needs it not, plugins in
    /// Python that are handed values do.
    #[serde(default = "yes")]
    pub expose_values: bool,
}

fn yes() -> bool {
    true
}

/// How far swarmsecrets may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PhaseWord {
    /// What the rules allow is done.
    Automated,
    /// What the rules allow is done with an approval.
    Assisted,
    /// Nothing is changed.
    #[default]
    ReadOnly,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Effect {
    /// It may be done, and `default` does not hold. Other rules, the phase and labels do.
    #[default]
    Allow,
    /// It may be done with an approval.
    NeedsApproval,
    /// It may not be done.
    Deny,
}

/// What is meant. All keys that are given must hold; of a list, one entry. Without any key everything is meant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Select {
    /// Names of logical secrets. `*` stands for any text, `?` for one character.
    #[schemars(length(min = 1))]
    pub secrets: Option<Vec<String>>,
    /// Labels and their values, with `*` and `?`. What tightens holds if any version of the secret or any service that would be
    /// restarted carries them; what loosens, if every version of the secret does.
    pub labels: Option<BTreeMap<String, String>>,
    /// Names of the stacks whose services use the secret or whose files name it.
    #[schemars(length(min = 1))]
    pub stacks: Option<Vec<String>>,
    /// Portainer's numbers of environments.
    #[schemars(length(min = 1))]
    pub environments: Option<Vec<u64>>,
    /// Names or numbers of the teams that own the secret. What tightens also holds for a team whose name the account may not
    /// read.
    #[schemars(length(min = 1))]
    pub teams: Option<Vec<String>>,
    /// What is to be done.
    #[schemars(length(min = 1))]
    pub actions: Option<Vec<Action>>,
    /// Ids of AI agents, with `*` and `?`; `["*"]` is any agent. Whoever names no agent is not meant.
    #[schemars(length(min = 1))]
    pub agents: Option<Vec<String>>,
}

/// What is to be done to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Make its first version.
    Create,
    /// Make its next version and move its consumers to it.
    Rotate,
    /// The same at once, as its value has leaked.
    Revoke,
}

/// A phase for what it selects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseEntry {
    /// The phase.
    pub phase: PhaseWord,
    /// What it is for.
    #[schemars(with = "Select")]
    pub select: Spanned<Select>,
}

/// A rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    /// Its name, which no other rule has.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// What it says.
    pub effect: Effect,
    /// Why, for whoever it stops.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
    /// What it is about.
    #[schemars(with = "Option<Select>")]
    pub select: Option<Spanned<Select>>,
}

/// A maintenance window.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowEntry {
    /// Its name, which no other window or freeze has.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The time zone by its IANA name, such as `Europe/Berlin`.
    #[schemars(with = "String")]
    pub zone: Spanned<String>,
    /// The days on which it opens; every day if left out.
    #[schemars(with = "Option<Vec<Day>>")]
    pub days: Option<Spanned<Vec<Day>>>,
    /// When it opens, such as `01:30`.
    #[schemars(with = "String", regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: Spanned<String>,
    /// When it closes; `24:00` is the end of the day. A time before `from` is on the next day.
    #[schemars(with = "String", regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"))]
    pub until: Spanned<String>,
    /// What it is for.
    #[schemars(with = "Option<Select>")]
    pub select: Option<Spanned<Select>>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub(super) enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A time in which nothing is changed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FreezeEntry {
    /// Its name, which no other window or freeze has.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The time zone by its IANA name.
    #[schemars(with = "String")]
    pub zone: Spanned<String>,
    /// The first day, such as `2026-12-20`.
    #[schemars(with = "String", regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub from: Spanned<String>,
    /// The last day.
    #[schemars(with = "String", regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Spanned<String>,
    /// What it is for.
    #[schemars(with = "Option<Select>")]
    pub select: Option<Spanned<Select>>,
}

/// How long replaced versions are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GraceEntry {
    /// The least, such as `24h`.
    #[schemars(with = "Option<String>")]
    pub min: Option<Spanned<String>>,
    /// The most.
    #[schemars(with = "Option<String>")]
    pub max: Option<Spanned<String>>,
    /// What it is for.
    #[schemars(with = "Option<Select>")]
    pub select: Option<Spanned<Select>>,
}

/// What stops everything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KillSwitchEntry {
    /// A file: while it is there, or cannot be looked for, nothing is changed.
    #[schemars(with = "Option<String>")]
    pub file: Option<Spanned<String>>,
    /// A label of the Swarm itself: while the Swarm carries it, whatever its value, or its labels cannot be read, nothing is changed.
    #[schemars(with = "Option<String>")]
    pub label: Option<Spanned<String>>,
    /// What becomes of a rotation that is under way.
    #[serde(default)]
    pub on_kill: OnKill,
}

/// What becomes of a rotation that is under way when the switch is turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnKill {
    /// It stops where it is, and can be resumed.
    #[default]
    Stop,
    /// What was begun is put back.
    Restore,
}

/// Who approves, and where requests and decisions lie.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalEntry {
    /// The folder for change requests and the decisions on them. Approvers must be able to write to it.
    #[schemars(with = "String")]
    pub folder: Spanned<String>,
    /// The folder in which used approvals are remembered. Nobody but the account that swarmsecrets runs as should be able to write
    /// to it.
    #[schemars(with = "String")]
    pub state: Spanned<String>,
    /// How many different people must approve: 1 if left out.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub people: Option<Spanned<u32>>,
    /// How long a request is valid: `30m` if left out, `24h` at most.
    #[schemars(with = "Option<String>")]
    pub valid_for: Option<Spanned<String>>,
    /// The keys that may approve.
    #[schemars(with = "Option<Vec<ApproverEntry>>")]
    pub approvers: Option<Spanned<Vec<ApproverEntry>>>,
}

/// A key that may approve.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproverEntry {
    /// Whose it is. Several keys of one person count once.
    #[schemars(with = "String")]
    pub identity: Spanned<String>,
    /// The public key, as `swarmsecrets keygen` prints it.
    #[schemars(with = "String")]
    pub key: Spanned<String>,
}

/// Where the audit trail goes beside its file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditEntry {
    /// How many of the file and of the sinks that may not lag must take a record before anything is changed: all, if left out.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub quorum: Option<Spanned<u32>>,
    /// The file with the private key that signs how far the trail goes, after each record, as `swarmsecrets keygen` writes it.
    #[schemars(with = "Option<String>")]
    pub checkpoint_key: Option<Spanned<String>>,
    /// Where that goes: `audit.checkpoint.json` beside the trail, if left out.
    #[schemars(with = "Option<String>")]
    pub checkpoint_file: Option<Spanned<String>>,
    /// The sinks. The file beside the journals is always written.
    #[serde(default)]
    #[schemars(with = "Vec<SinkEntry>")]
    pub sinks: Vec<Spanned<SinkEntry>>,
}

/// What a sink is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SinkKind {
    /// A trail in another folder, as of another disk.
    File,
    /// A table in PostgreSQL.
    Postgres,
    /// An index in OpenSearch or Elasticsearch.
    Opensearch,
    /// A receiver of syslog (RFC 5424) over TLS, which acknowledges nothing, and so may always lag.
    Syslog,
    /// A receiver of OpenTelemetry's logs (OTLP/HTTP), which says that it has a record and not that it is stored, and so may always lag.
    Opentelemetry,
}

/// A sink.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SinkEntry {
    /// Its name, which no other sink has: lower-case letters, digits and hyphens.
    #[schemars(with = "String", regex(pattern = r"^[a-z0-9-]{1,64}$"))]
    pub name: Spanned<String>,
    /// What it is.
    pub kind: SinkKind,
    /// How many records it may lack before nothing is changed any more. If left out, it must take each record at once.
    #[schemars(with = "Option<u64>", range(min = 1))]
    pub may_lag: Option<Spanned<u64>>,
    /// How long it may take for a record: `10s` if left out.
    #[schemars(with = "Option<String>")]
    pub within: Option<Spanned<String>>,
    /// The folder of the other trail.
    #[schemars(with = "Option<String>")]
    pub folder: Option<Spanned<String>>,
    /// Where the server is, such as `https://search.example.org:9200`.
    pub url: Option<String>,
    /// A file with the URL of the database, which holds a password.
    #[schemars(with = "Option<String>")]
    pub url_file: Option<Spanned<String>>,
    /// The index or data stream: `swarmsecrets-audit` if left out.
    pub index: Option<String>,
    /// Who logs in.
    pub user: Option<String>,
    /// A file with their password.
    #[schemars(with = "Option<String>")]
    pub password_file: Option<Spanned<String>>,
    /// A file with the API key or token that is sent instead.
    #[schemars(with = "Option<String>")]
    pub token_file: Option<Spanned<String>>,
    /// The header in which the token is sent as it stands, such as `api-key`: `Authorization`, after `Bearer`, if left out.
    pub header: Option<String>,
    /// The host and port of a receiver, such as `siem.example.org:6514`.
    pub address: Option<String>,
    /// A file (PEM) with the authorities whose certificates are believed, and no others.
    #[schemars(with = "Option<String>")]
    pub ca_file: Option<Spanned<String>>,
    /// A file (PEM) with the certificate that is shown to the receiver.
    #[schemars(with = "Option<String>")]
    pub client_certificate_file: Option<Spanned<String>>,
    /// A file (PEM) with its key.
    #[schemars(with = "Option<String>")]
    pub client_key_file: Option<Spanned<String>>,
    /// Sends without encryption, to a receiver on this machine.
    #[serde(default)]
    pub unencrypted: bool,
}

/// How often something is begun, and how much of it is in hand at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitEntry {
    /// Its name, which no other limit has. What was counted is kept under it.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Why, for whoever it stops.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
    /// How many secrets may be begun with in `per`. A plan for three secrets counts three.
    #[schemars(with = "Option<u32>", range(min = 1, max = 10_000))]
    pub at_most: Option<Spanned<u32>>,
    /// The time that is looked back on, such as `1h`.
    #[schemars(with = "Option<String>")]
    pub per: Option<Spanned<String>>,
    /// How many rotations may be in hand at once. One that broke off is in hand until it is taken up and ends.
    #[schemars(with = "Option<u32>", range(min = 1, max = 10_000))]
    pub at_once: Option<Spanned<u32>>,
    /// Whose count it is: one for each agent, secret or environment. One for all if left out.
    pub for_each: Option<ForEach>,
    /// What it is for.
    #[schemars(with = "Option<Select>")]
    pub select: Option<Spanned<Select>>,
}

/// Whose count a limit keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ForEach {
    /// One for each id of an AI agent, and one for all who name none.
    Agent,
    /// One for each logical secret.
    Secret,
    /// One for each environment.
    Environment,
}

/// When something is to be rotated: one of `every`, `cron` and `expires`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotationEntry {
    /// Its name, which no other rotation has.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The age at which a version is to be replaced: `daily`, `weekly`, `monthly` (30 days), `quarterly` (90), `yearly` (365), or
    /// such as `90d`.
    #[schemars(with = "Option<String>")]
    pub every: Option<Spanned<String>>,
    /// A calendar: minute, hour, day of the month, month and day of the week, such as `0 3 1 * *`. A version is to be replaced at
    /// the next of these times.
    #[schemars(with = "Option<String>")]
    pub cron: Option<Spanned<String>>,
    /// The day by whose beginning versions that were made before are to be replaced, such as `2027-03-01`.
    #[schemars(with = "Option<String>", regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub expires: Option<Spanned<String>>,
    /// The time zone of `cron` and `expires` by its IANA name.
    #[schemars(with = "Option<String>")]
    pub zone: Option<Spanned<String>>,
    /// What it is for.
    #[schemars(with = "Option<Select>")]
    pub select: Option<Spanned<Select>>,
}
