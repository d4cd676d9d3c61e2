//! Several audit sinks at once: the file beside the journal, and others beside it.
//!
//! - `durable`: asks a sink within its time, so that one which blocks is one that fails.
//! - `feed`: brings a sink that may lag what stands in the file and it does not have yet.
//! - `cursor`: how far that is, on the disk.

mod cursor;
mod durable;
mod feed;

use std::collections::BTreeMap;
use std::iter::once;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink, Phase};
use swarmsecrets_core::{Error, ErrorKind, Result};

use self::durable::Asked;
use self::feed::Feed;
use crate::audit::FileAudit;

/// How long a sink may take for a record unless something else is said.
const WITHIN: Duration = Duration::from_secs(10);

/// How long is waited at the end for a sink that takes nothing.
const SETTLE: Duration = Duration::from_secs(5);

/// A sink beside the file, with the name that its settings give it.
#[derive(Clone)]
pub struct NamedSink {
    name: String,
    sink: Arc<dyn AuditSink>,
    within: Duration,
}

impl NamedSink {
    /// A sink of this name, which may take ten seconds for a record. The name stands in messages and in names of files: lower-case
    /// letters, digits and hyphens.
    #[must_use]
    pub fn new(name: &str, sink: Arc<dyn AuditSink>) -> Self {
        Self { name: name.to_owned(), sink, within: WITHIN }
    }

    /// The same with another time for each record. A sink that takes longer has failed.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    fn check(&self) -> Result<()> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match !self.name.is_empty() && self.name.len() <= 64 && self.name.chars().all(good) {
            true => Ok(()),
            false => {
                Err(settings("the name of an audit sink has 1 to 64 lower-case letters, digits and hyphens".to_owned()))
            }
        }
    }
}

/// What a sink lacks that may lag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Its name.
    pub name: String,
    /// How many records of the file it does not have.
    pub records: u64,
    /// Why, as far as it said so.
    pub reason: Option<String>,
}

/// Writes each record to the file beside the journal and to other sinks, and takes it if enough of them did.
///
/// - The file and the sinks given to [`AuditSinks::durable`] are asked at the same time, each within a time of its own. A record is
///   taken if as many of them took it as [`AuditSinks::quorum`] says: all, if nothing is said. Those given to [`AuditSinks::required`] must
///   take it in any case.
/// - Those given to [`AuditSinks::lagging`] are fed from the file, by a task of the runtime that the first record is written on. What
///   they do not have yet may be so many records. With more, no intent is taken, and so nothing is changed; outcomes are. The
///   file is their backlog: with such a sink it must take each record, whatever the quorum.
///
/// Whatever fails is logged, and told: in the error if the record was not taken, by [`AuditSink::flush`] if it was all the same.
pub struct AuditSinks {
    file: FileAudit,
    durable: Vec<NamedSink>,
    required: Vec<NamedSink>,
    lagging: Vec<Feed>,
    quorum: Option<usize>,
    /// What was not taken although enough sinks took it: by each sink how many records, and why the last one.
    outvoted: Mutex<BTreeMap<String, (u64, String)>>,
}

impl AuditSinks {
    /// The file alone, to begin with.
    #[must_use]
    pub fn beside(file: FileAudit) -> Self {
        Self {
            file,
            durable: Vec::new(),
            required: Vec::new(),
            lagging: Vec::new(),
            quorum: None,
            outvoted: Mutex::default(),
        }
    }

    /// These sinks and another one, which counts for the quorum.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if it does not say when a record is durable, or if its name is taken or cannot be one.
    pub fn durable(mut self, sink: NamedSink) -> Result<Self> {
        self.check(&sink)?;
        if !sink.sink.acknowledges() {
            let text = format!("the audit sink {} does not tell when a record is durable: let it lag", sink.name);
            return Err(settings(text));
        }
        self.durable.push(sink);
        Ok(self)
    }

    /// These sinks and another one, which must take each record, whatever the quorum is.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if its name is taken or cannot be one.
    pub fn required(mut self, sink: NamedSink) -> Result<Self> {
        self.check(&sink)?;
        self.required.push(sink);
        Ok(self)
    }

    /// These sinks and another one, which may lack so many records at a time. It is sent what it lacks as long as this lives, and
    /// by whoever opens the same trail with a sink of this name next. After a crash some records are sent a second time.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if its name is taken or cannot be one, or if it may lack none; [`ErrorKind::Audit`] if what is known of it in
    /// the folder of the trail cannot be read.
    pub fn lagging(mut self, sink: NamedSink, bound: u64) -> Result<Self> {
        self.check(&sink)?;
        if bound == 0 {
            let text = format!("the audit sink {} may lag by no record: then let it not lag at all", sink.name);
            return Err(settings(text));
        }
        self.lagging.push(Feed::open(sink, bound, &self.file)?);
        Ok(self)
    }

    /// How many of the file and the durable sinks must take a record. Without it, all.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if there are not so many, or for none.
    pub fn quorum(mut self, quorum: usize) -> Result<Self> {
        let there = self.durable.len() + 1;
        if quorum == 0 || quorum > there {
            let text = format!(
                "{quorum} audit sinks must take a record, and {there} can: the file and {} that do not lag",
                there - 1
            );
            return Err(settings(text));
        }
        self.quorum = Some(quorum);
        Ok(self)
    }

    /// Waits until the sinks that may lag have everything, as long as one of them makes progress within this time. Gives
    /// those that have not: they go on when the trail is opened next.
    pub async fn settle(&self, within: Duration) -> Vec<Behind> {
        let mut behind = Vec::new();
        for feed in &self.lagging {
            feed.catch_up(&self.file, 0, within).await;
            behind.extend(feed.behind(&self.file));
        }
        behind
    }

    fn check(&self, sink: &NamedSink) -> Result<()> {
        sink.check()?;
        let mut names =
            self.durable.iter().chain(&self.required).map(|one| &one.name).chain(self.lagging.iter().map(Feed::name));
        match sink.name == "file" || names.any(|name| *name == sink.name) {
            true => Err(settings(format!("two audit sinks are called {}: each has a name of its own", sink.name))),
            false => Ok(()),
        }
    }

    fn note_outvoted(&self, voted: &[Option<Error>]) {
        let names = once("file").chain(self.durable.iter().map(|sink| sink.name.as_str()));
        let mut outvoted = self.outvoted.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, error) in names.zip(voted).filter_map(|(name, failed)| Some((name, failed.as_ref()?))) {
            let (count, why) = outvoted.entry(name.to_owned()).or_default();
            (*count, *why) = (*count + 1, error.message().to_owned());
        }
    }

    /// Whether no sink lags by more than it may. One that does is given the time to catch up.
    async fn none_lags(&self) -> Result<()> {
        for feed in &self.lagging {
            feed.within_bound(&self.file).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl AuditSink for AuditSinks {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        if self.durable.is_empty() && self.required.is_empty() && self.lagging.is_empty() {
            return self.file.append(record).await;
        }
        if record.phase == Phase::Intent {
            self.none_lags().await?;
        }
        let file = NamedSink::new("file", Arc::new(self.file.clone()));
        let begin = |sink: &NamedSink| Asked::begin(sink, record);
        let (voting, required): (Vec<Asked>, Vec<Asked>) =
            (once(&file).chain(&self.durable).map(begin).collect(), self.required.iter().map(begin).collect());
        let all = voting.len();
        let needed = self.quorum.unwrap_or(all);
        // In the order in which they were asked, all of which they are at once: the first one is the file.
        let (voted, required) = (ended(voting).await, ended(required).await);
        for error in voted.iter().chain(&required).flatten() {
            tracing::warn!(%error, "an audit sink did not take a record");
        }
        let took = voted.iter().filter(|failed| failed.is_none()).count();
        let words =
            |failed: &[Option<Error>]| failed.iter().flatten().map(Error::message).collect::<Vec<_>>().join("; ");
        let why = if took < needed {
            match all {
                1 => words(&voted),
                _ => format!("{took} of {all} audit sinks took the record, and {needed} must: {}", words(&voted)),
            }
        } else if required.iter().any(Option::is_some) {
            format!("a sink that must take each audit record did not: {}", words(&required))
        } else if voted.first().is_some_and(Option::is_some) && !self.lagging.is_empty() {
            format!("the file of the audit trail is the backlog of the sinks that may lag: {}", words(&voted[..1]))
        } else {
            self.note_outvoted(&voted);
            self.lagging.iter().for_each(Feed::wake);
            return Ok(());
        };
        Err(Error::new(ErrorKind::Audit, why))
    }

    async fn flush(&self) -> Result<()> {
        let outvoted = std::mem::take(&mut *self.outvoted.lock().unwrap_or_else(PoisonError::into_inner));
        let mut words: Vec<String> = Vec::new();
        for (count, why) in outvoted.into_values() {
            words
                .push(format!("{count} records are not where they should be, although enough sinks took them ({why})"));
        }
        let lacks = |one: Behind| {
            let why = one.reason.unwrap_or_else(|| format!("audit sink {}: it is slow", one.name));
            format!(
                "{} may lack records for a while, gets them when the trail is written next, and lacks {} ({why})",
                one.name, one.records
            )
        };
        words.extend(self.settle(SETTLE).await.into_iter().map(lacks));
        match words.is_empty() {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Audit, format!("audit sinks lack records: {}", words.join("; ")))),
        }
    }
}

/// What went wrong with each.
async fn ended(asked: Vec<Asked>) -> Vec<Option<Error>> {
    let mut failed = Vec::with_capacity(asked.len());
    for one in asked {
        failed.push(one.ended().await.err());
    }
    failed
}

fn settings(text: String) -> Error {
    Error::new(ErrorKind::Settings, text)
}
