//! The ways to those who approve, beside the folder: systems whose accounts are known.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::ids::quoted;
use crate::keys::Keyring;

/// What a field of a ticket can be filled with.
pub const FACTS: [&str; 10] =
    ["digest", "plan", "account", "agent", "reasoning", "risk", "expires", "environment", "secrets", "services"];

/// Something that is wrong, and where in the text.
type Wrong = (Range<usize>, String);

/// A way to those who approve.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemEntry {
    /// What it is.
    pub kind: KindWord,
    /// Whose the accounts there are: each account, as the system identifies it to programs, with the name of the approver.
    /// Decisions that are read back there count for these alone.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub identities: BTreeMap<String, Spanned<String>>,
    /// Of a webhook: where requests are sent. Of Jira and ServiceNow: where it is.
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<String>>,
    /// Of a webhook: where it is asked what was decided, with the digest as another part of the path.
    #[schemars(with = "Option<String>")]
    pub answers: Option<Spanned<String>>,
    /// The file with the API token, the password or the shared secret.
    #[schemars(with = "Option<String>")]
    pub secret_file: Option<Spanned<String>>,
    /// The user whose token or password it is. ServiceNow takes a token without one.
    #[schemars(with = "Option<String>")]
    pub user: Option<Spanned<String>>,
    /// A file with the certificate authorities (PEM) that are believed, and no others.
    #[schemars(with = "Option<String>")]
    pub ca_file: Option<Spanned<String>>,
    /// Of Jira: the key of the project.
    #[schemars(with = "Option<String>")]
    pub project: Option<Spanned<String>>,
    /// Of Jira: the kind of issue, `Task` if left out.
    #[schemars(with = "Option<String>")]
    pub issue_type: Option<Spanned<String>>,
    /// Of Jira: the statuses, by name or number, to which moving an issue approves.
    #[schemars(with = "Option<Vec<String>>")]
    pub approved: Option<Spanned<Vec<String>>>,
    /// Of Jira: the statuses to which moving an issue denies.
    #[schemars(with = "Option<Vec<String>>")]
    pub denied: Option<Spanned<Vec<String>>>,
    /// Of Jira and ServiceNow: further fields of the ticket, each with a fact of the request (`digest`, `plan`, `account`, `agent`,
    /// `reasoning`, `risk`, `expires`, `environment`, `secrets`, `services`) or, after `=`, a text.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub fields: Option<Spanned<BTreeMap<String, String>>>,
}

/// What a way to those who approve is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum KindWord {
    /// An approver that the program hands over which embeds swarmsecrets.
    Program,
    /// A person at the terminal of whoever carries the change out, who signs with a key of theirs.
    Terminal,
    /// A URL to which requests are sent, signed.
    Webhook,
    /// Issues of Jira Cloud.
    Jira,
    /// Change requests of ServiceNow.
    Servicenow,
}

/// A way to those who approve, beside the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Its name in the policy.
    pub name: String,
    /// What it is, with its settings.
    pub kind: SystemKind,
}

/// What a way to those who approve is, with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SystemKind {
    /// An approver that the program hands over which embeds swarmsecrets.
    Program,
    /// A person at the terminal of whoever carries the change out.
    Terminal,
    /// A URL to which requests are sent, signed.
    Webhook {
        /// Where requests are sent, and the secret that both sides have.
        server: Server,
        /// Where it is asked what was decided.
        answers: Option<String>,
    },
    /// Issues of Jira Cloud.
    Jira {
        /// Where it is.
        server: Server,
        /// The key of the project.
        project: String,
        /// The kind of issue.
        issue_type: String,
        /// The statuses to which moving an issue approves.
        approved: Vec<String>,
        /// The statuses to which moving an issue denies.
        denied: Vec<String>,
        /// Further fields of the issue.
        fields: BTreeMap<String, String>,
    },
    /// Change requests of ServiceNow.
    ServiceNow {
        /// Where it is.
        server: Server,
        /// Further fields of the record.
        fields: BTreeMap<String, String>,
    },
}

/// A server, and how it is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its URL.
    pub url: String,
    /// The user, if it wants one.
    pub user: Option<String>,
    /// The file with the token, password or secret.
    pub secret_file: String,
    /// The file with the certificate authorities that are believed, if not those of the system.
    pub ca_file: Option<String>,
}

impl System {
    /// Puts its accounts into the keyring.
    ///
    /// # Errors
    /// Where and why it could not be used.
    pub(super) fn new(name: String, entry: Spanned<SystemEntry>, keyring: &mut Keyring) -> Result<Self, Wrong> {
        let at = entry.span();
        if !is_system_name(&name) {
            let why = format!(
                "{} cannot be the name of an approver: 1 to 64 lower-case letters, digits, `-` and `_`",
                quoted(&name)
            );
            return Err((at, why));
        }
        let mut entry = entry.into_inner();
        let accounts = std::mem::take(&mut entry.identities);
        if accounts.is_empty() && matches!(entry.kind, KindWord::Jira | KindWord::Servicenow) {
            return Err((at, "it has no `identities`: nothing that is read back there would count".into()));
        }
        for (account, identity) in accounts {
            let added = keyring.add_account(identity.get_ref(), &name, &account);
            added.map_err(|e| (identity.span(), e.message().to_owned()))?;
        }
        Ok(Self { name, kind: Settings { entry, at }.kind()? })
    }
}

/// The settings of an entry, of which each is taken by its kind or stands there in vain.
struct Settings {
    entry: SystemEntry,
    at: Range<usize>,
}

impl Settings {
    fn kind(mut self) -> Result<SystemKind, Wrong> {
        let kind = match self.entry.kind {
            KindWord::Program => SystemKind::Program,
            KindWord::Terminal => SystemKind::Terminal,
            KindWord::Webhook => {
                let answers = self.entry.answers.take().map(Spanned::into_inner);
                SystemKind::Webhook { server: self.server()?, answers }
            }
            KindWord::Jira => {
                let user = self.entry.user.take();
                let user = self.needed("user", user)?;
                let project = self.entry.project.take();
                let approved = self.entry.approved.take().map(Spanned::into_inner).unwrap_or_default();
                if approved.is_empty() {
                    return Err((self.at, "no status approves: name one in `approved`".into()));
                }
                SystemKind::Jira {
                    project: self.needed("project", project)?,
                    issue_type: self.entry.issue_type.take().map_or_else(|| "Task".to_owned(), Spanned::into_inner),
                    approved,
                    denied: self.entry.denied.take().map(Spanned::into_inner).unwrap_or_default(),
                    fields: self.fields()?,
                    server: Server { user: Some(user), ..self.server()? },
                }
            }
            KindWord::Servicenow => {
                let user = self.entry.user.take().map(Spanned::into_inner);
                SystemKind::ServiceNow { fields: self.fields()?, server: Server { user, ..self.server()? } }
            }
        };
        self.nothing_is_left()?;
        Ok(kind)
    }

    fn needed(&self, name: &str, text: Option<Spanned<String>>) -> Result<String, Wrong> {
        match text.map(Spanned::into_inner).filter(|text| !text.trim().is_empty()) {
            Some(text) => Ok(text),
            None => Err((self.at.clone(), format!("it has no `{name}`, which this kind needs"))),
        }
    }

    fn server(&mut self) -> Result<Server, Wrong> {
        let (url, secret_file) = (self.entry.url.take(), self.entry.secret_file.take());
        let absolute = |file: Option<Spanned<String>>| match file {
            Some(file) if !file.get_ref().starts_with('/') => {
                let why = format!("{} is no absolute path: it must mean the same file for all", quoted(file.get_ref()));
                Err((file.span(), why))
            }
            file => Ok(file),
        };
        Ok(Server {
            url: self.needed("url", url)?,
            user: None,
            secret_file: self.needed("secret_file", absolute(secret_file)?)?,
            ca_file: absolute(self.entry.ca_file.take())?.map(Spanned::into_inner),
        })
    }

    fn fields(&mut self) -> Result<BTreeMap<String, String>, Wrong> {
        let Some(fields) = self.entry.fields.take() else { return Ok(BTreeMap::new()) };
        let at = fields.span();
        let fields = fields.into_inner();
        match fields.values().find(|what| !what.starts_with('=') && !FACTS.contains(&what.as_str())) {
            Some(what) => {
                let why = format!(
                    "{} is no fact of a change request: {}, or `=` and a text",
                    quoted(what),
                    FACTS.map(|fact| format!("`{fact}`")).join(", ")
                );
                Err((at, why))
            }
            None => Ok(fields),
        }
    }

    fn nothing_is_left(self) -> Result<(), Wrong> {
        let entry = self.entry;
        let texts = [
            ("url", entry.url),
            ("answers", entry.answers),
            ("secret_file", entry.secret_file),
            ("user", entry.user),
            ("ca_file", entry.ca_file),
            ("project", entry.project),
            ("issue_type", entry.issue_type),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?.span())));
        let lists = [("approved", entry.approved), ("denied", entry.denied)];
        let lists = lists.into_iter().filter_map(|(name, list)| Some((name, list?.span())));
        let fields = entry.fields.map(|fields| ("fields", fields.span()));
        match texts.chain(lists).chain(fields).next() {
            Some((name, at)) => Err((at, format!("`{name}` does not belong to this kind: leave it out"))),
            None => Ok(()),
        }
    }
}

/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// Whether a way to those who approve can be called so: names stand in policies, messages and audit trails.
pub(crate) fn is_system_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)
}
