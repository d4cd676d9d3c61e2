//! What is refused although there is a plan: values, passwords and probes that are not at hand, and the guardrails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZoneDatabase;
use swarmsecrets_core::credential::Way;
use swarmsecrets_core::executor::{PasswordChange, Probes, Supply, Values};
use swarmsecrets_core::plan::{Strategy, plan_rotation};
use swarmsecrets_core::policy::{Equipment, Guard, MemoryPast, Policy, Word, WordList};
use swarmsecrets_core::{Error, SecretValue};
use swarmsecrets_testkit::credential::FakeCredential;
use swarmsecrets_testkit::sim::{Program, SecretBuilder};

use super::super::desk::{Counting, Desk, NEW, OLD};
use super::super::{overlapped, probed, remembered};
use super::page::Page;
use super::passwords::stopped_before;
use super::scenes::{DAY, one, secrets};

pub(super) async fn write(page: &mut Page) {
    values(page).await;
    passwords(page).await;
    let play = probed::Play::new(probed::Fake::default());
    let plan = play.plan(&play.probes()).await.unwrap();
    page.refusal("a probe that is not at hand", &play.apply(&plan, Probes::none()).await.unwrap_err());
    guardrails(page).await;
    earlier(page).await;
}

fn value(bytes: &[u8]) -> SecretValue {
    SecretValue::new(bytes.to_vec()).unwrap()
}

async fn values(page: &mut Page) {
    let desk = one();
    let plan = desk.plan("db", DAY).await.unwrap();
    let clock = desk.swarm.clock();
    let named = |name: &str| (name.to_owned(), value(NEW));
    let both = Values::named([named("db"), named("key")]);
    for (name, values) in [("no value", Values::none()), ("a value that nobody asked for", both)] {
        let mut random = Counting(1);
        let mut supply = Supply { values, random: &mut random };
        page.refusal(name, &desk.executor(&clock).apply(&plan, &mut supply).await.unwrap_err());
    }
}

async fn passwords(page: &mut Page) {
    let play = overlapped::Play::new(Way::HoldsTwo, Program::runs());
    let plan = plan_rotation(&play.desk.inventory().await, &play.request(Strategy::Overlap)).unwrap();
    let clock = play.desk.swarm.clock();
    let refused = async |changes: BTreeMap<String, PasswordChange>| -> Error {
        let mut random = Counting(1);
        let mut supply = Supply { values: Values::one(value(NEW)), random: &mut random };
        let executor = play.desk.executor(&clock).with_passwords(changes);
        executor.apply(&plan, &mut supply).await.unwrap_err()
    };
    page.refusal("a password without its setter", &refused(BTreeMap::new()).await);
    let by = |setter: &FakeCredential, current| {
        let setter = std::sync::Arc::new(setter.clone());
        BTreeMap::from([("db".to_owned(), PasswordChange::Setter { setter, current })])
    };
    page.refusal("a password without its current value", &refused(by(&play.fake, None)).await);
    let other = FakeCredential::new(Way::Replaces, &value(OLD)).unwrap();
    page.refusal("the setter of another account", &refused(by(&other, Some(value(OLD)))).await);
    let (play, _) = stopped_before(4).await;
    page.refusal("a password that is half-way", &play.apply(Strategy::Overlap).await.unwrap_err());
}

async fn guardrails(page: &mut Page) {
    let labelled = |key: &str, value: &str| secrets([SecretBuilder::new("db", OLD).label(key, value)]);
    let refused = async |desk: Desk| {
        let plan = desk.plan("db", DAY).await.unwrap();
        desk.apply(&plan, NEW).await.unwrap_err()
    };
    page.refusal("hands off", &refused(labelled("ai.managed", "false")).await);
    page.refusal("a critical secret", &refused(labelled("tier", "critical")).await);
    let mut desk = one();
    desk.word = Word::NotGiven;
    page.refusal("nobody has said yes", &refused(desk).await);
}

/// Values that were before, and those that anybody could guess.
async fn earlier(page: &mut Page) {
    let desk = secrets([SecretBuilder::new("db", OLD)]);
    let key = remembered::key("made-up-fingerprint-key");
    let guards = remembered::guards(5, Arc::<MemoryPast>::default());
    let rotate = async |guards: &[Guard], key, bytes: &[u8]| {
        let plan = desk.plan("db", Duration::ZERO).await.unwrap();
        remembered::apply(&desk, guards, key, &plan, Values::one(value(bytes))).await
    };
    page.refusal("no key to know values of before by", &rotate(&guards, None, NEW).await.unwrap_err());
    rotate(&guards, Some(&key), NEW).await.unwrap();
    page.refusal("the value that is there", &rotate(&[], Some(&key), NEW).await.unwrap_err());
    rotate(&guards, Some(&key), b"made-up-other-value").await.unwrap();
    page.refusal("a value of before", &rotate(&guards, Some(&key), NEW).await.unwrap_err());
    let text = "schema = 1\nphase = 'automated'\n[[values]]\ndictionary = '/etc/words.txt'\n";
    let policy = |more: &str| Policy::parse(&format!("{text}{more}"), &TimeZoneDatabase::bundled()).unwrap();
    let listed = |text: &str| {
        let words = [("/etc/words.txt".to_owned(), WordList::new(text.into()).unwrap())].into();
        Guard::equipped("p", policy("forbid_names = true"), Equipment { words, ..Equipment::default() }).unwrap()
    };
    page.refusal(
        "a word of a list",
        &rotate(&[listed("made-up-common-word")], None, b"Made-Up-Common-Word").await.unwrap_err(),
    );
}
