//! The probe over HTTP(S).

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::{Error, ErrorKind, Result, ids};
use swarmsecrets_tls::Trust;

use crate::latency::{SLACK, TIMES, Usual, p95};
use crate::page::{Page, client};

/// Asks for a page several times, each time on a connection of its own, and compares status, body and time with what
/// was before.
///
/// - Healthy: every answer has the wanted status (2xx unless another is given) and body, and the 95th percentile of the
///   time is at most three times that of the baseline and 250 ms.
/// - Unhealthy: more than half of the answers are wrong or missing, be it for the network, TLS or silence.
/// - Inconclusive: fewer than that, or answers that take longer.
///
/// Redirects are followed on the same scheme, host and port only; proxies are not used, and no credential is sent.
pub struct HttpProbe {
    name: String,
    page: Page,
    requests: u32,
    deadline: Duration,
}

/// Collects the settings of an [`HttpProbe`]; [`HttpProbeBuilder::build`] checks them.
#[derive(Debug)]
pub struct HttpProbeBuilder {
    url: String,
    trust: Trust,
    status: Option<u16>,
    body: Option<Vec<u8>>,
    requests: u32,
    deadline: Duration,
}

impl HttpProbe {
    /// Begins a probe of this URL.
    #[must_use]
    pub fn builder(url: &str) -> HttpProbeBuilder {
        HttpProbeBuilder {
            url: url.to_owned(),
            trust: Trust::System,
            status: None,
            body: None,
            requests: 5,
            deadline: Duration::from_secs(20),
        }
    }

    /// The times of good answers, and what is wrong with the others. Ends within the deadline.
    async fn sample(&self) -> (Vec<Duration>, Vec<String>) {
        let each = self.deadline / self.requests;
        let (mut times, mut wrong) = (Vec::new(), Vec::new());
        for _ in 0..self.requests {
            match self.page.ask(each).await {
                Ok(time) => times.push(time),
                Err(what) => wrong.push(what),
            }
        }
        (times, wrong)
    }

    fn judge(&self, usual: Usual, times: &[Duration], wrong: &[String]) -> Health {
        let now = p95(times);
        if let Some(first) = wrong.first() {
            let reason = format!("{}: {} of {} requests had {first}", self.name, wrong.len(), self.requests);
            return if wrong.len() > times.len() { Health::unhealthy(reason) } else { Health::inconclusive(reason) };
        }
        if now > usual.bound() {
            return Health::inconclusive(format!(
                "{}: answers take {} ms, before it was {} ms (95th percentile; up to {TIMES} times that and {} ms is taken for usual)",
                self.name,
                now.as_millis(),
                usual.p95().as_millis(),
                SLACK.as_millis()
            ));
        }
        Health::Healthy
    }
}

impl HttpProbeBuilder {
    /// Believes certificates of this authority **only** (PEM, one or several).
    #[must_use]
    pub fn ca_certificate(mut self, pem: &[u8]) -> Self {
        self.trust = Trust::Only(pem.to_vec());
        self
    }

    /// Wants exactly this status, such as 401 for a page that asks for a login, or 302.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Wants this text in the first 256 KiB of the body.
    #[must_use]
    pub fn body_contains(mut self, text: &str) -> Self {
        self.body = Some(text.as_bytes().to_vec());
        self
    }

    /// How many requests one look takes: 5 if not set.
    #[must_use]
    pub fn requests(mut self, requests: u32) -> Self {
        self.requests = requests;
        self
    }

    /// How long one look may take: 20 seconds if not set. Each request has an equal share.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Checks the settings and makes the probe. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying which setting is wrong.
    pub fn build(self) -> Result<HttpProbe> {
        let url = address(&self.url)?;
        if !(1..=100).contains(&self.requests) {
            return Err(settings("a look takes 1 to 100 requests"));
        }
        if self.deadline.is_zero() {
            return Err(settings("the deadline is zero: give it like `20s`"));
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err(settings("the wanted status is none: give one from 200 to 599"));
        }
        // The query is left out: it may hold a token.
        let name = format!("http {}{}", url.origin().ascii_serialization(), url.path());
        if name.len() > 300 {
            return Err(settings("the URL is longer than 290 bytes"));
        }
        let page = Page { client: client(&self.trust)?, url, status: self.status, body: self.body };
        Ok(HttpProbe { name, page, requests: self.requests, deadline: self.deadline })
    }
}

/// Messages show nothing of a URL that may hold a password.
fn address(text: &str) -> Result<Url> {
    if text.chars().any(|c| c.is_whitespace() || ids::is_unprintable(c)) {
        return Err(settings("the URL holds a space, a line break or a control character"));
    }
    let url =
        Url::parse(text).map_err(|_| settings("the URL is none: give it like `https://pay.example.org/healthz`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(settings("the URL must begin with `https://` or `http://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(settings("the URL holds a user name or a password: probe a page that needs none"));
    }
    Ok(url)
}

fn settings(why: &str) -> Error {
    Error::new(ErrorKind::Settings, format!("cannot set up an HTTP probe: {why}"))
}

#[async_trait]
impl HealthProbe for HttpProbe {
    fn name(&self) -> &str {
        &self.name
    }

    async fn baseline(&self, _: &Target, _: &dyn Exec) -> Result<Baseline> {
        let (times, wrong) = self.sample().await;
        match wrong.first() {
            Some(first) => {
                let (name, count, all) = (&self.name, wrong.len(), self.requests);
                let text = format!(
                    "{name}: even before anything is changed {count} of {all} requests had {first}: mend that, or want it"
                );
                Err(Error::new(ErrorKind::Refused, text))
            }
            None => Baseline::of(&Usual::of(&times)),
        }
    }

    async fn check(&self, _: &Target, baseline: &Baseline, _: &dyn Exec) -> Health {
        match baseline.read::<Usual>() {
            Err(error) => Health::inconclusive(format!("{}: {error}", self.name)),
            Ok(usual) => {
                let (times, wrong) = self.sample().await;
                self.judge(usual, &times, &wrong)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> HttpProbe {
        let authority = rcgen::generate_simple_self_signed(vec!["h".into()]).unwrap().cert.pem();
        HttpProbe::builder("https://h/a?token=made-up").ca_certificate(authority.as_bytes()).build().unwrap()
    }

    fn ms(times: &[u64]) -> Vec<Duration> {
        times.iter().map(|t| Duration::from_millis(*t)).collect()
    }

    #[test]
    fn settings_are_checked_and_no_password_is_shown() {
        for url in ["pay.example.org", "ftp://h/", "https://me:made-up-pass@h/", "https://h/ x", ""] {
            let error = HttpProbe::builder(url).build().err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Settings, "{url}");
            assert!(!format!("{error:?}").contains("made-up-pass"));
        }
        assert!(HttpProbe::builder("http://h/").requests(0).build().is_err());
        assert!(HttpProbe::builder("http://h/").deadline(Duration::ZERO).build().is_err());
        assert!(HttpProbe::builder("http://h/").status(99).build().is_err());
        assert_eq!(probe().name(), "http https://h/a");
    }

    #[test]
    fn most_wrong_is_unhealthy_some_wrong_asks_a_person() {
        let (probe, usual) = (probe(), Usual::of(&ms(&[10])));
        let wrong = |n: usize| vec!["HTTP 503".to_owned(); n];
        assert_eq!(probe.judge(usual, &ms(&[9; 5]), &[]), Health::Healthy);
        let some = "http https://h/a: 2 of 5 requests had HTTP 503";
        assert_eq!(probe.judge(usual, &ms(&[9; 3]), &wrong(2)), Health::inconclusive(some));
        let most = "http https://h/a: 3 of 5 requests had HTTP 503";
        assert_eq!(probe.judge(usual, &ms(&[9; 2]), &wrong(3)), Health::unhealthy(most));
    }

    #[test]
    fn slowness_asks_a_person_beyond_the_tolerance() {
        let (probe, usual) = (probe(), Usual::of(&ms(&[10])));
        assert_eq!(probe.judge(usual, &ms(&[280; 5]), &[]), Health::Healthy);
        let slow = "http https://h/a: answers take 281 ms, before it was 10 ms (95th percentile; up to 3 times that and 250 ms \
                    is taken for usual)";
        assert_eq!(probe.judge(usual, &ms(&[9, 9, 9, 9, 281]), &[]), Health::inconclusive(slow));
    }
}
