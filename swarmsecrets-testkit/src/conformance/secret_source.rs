//! What every [`SecretSource`] must do.

use async_trait::async_trait;
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::error::ErrorKind;
use swarmsecrets_core::source::{SecretSource, SourceVersion, Sources};

use super::{must, must_not};

/// Where the suite plays: a source, and the way to write into what it reads.
#[async_trait]
pub trait Stage: Send + Sync {
    /// The source. Each call opens it anew, as another process would.
    fn source(&self) -> Box<dyn SecretSource>;

    /// Puts a value where the reference leads, as a new version.
    async fn put(&self, reference: &str, value: &SecretValue);

    /// A reference that can be one in this source; nothing stands there unless it was put there.
    fn reference(&self, name: &str) -> String;
}

/// Runs the suite.
///
/// # Panics
/// If the source breaks a promise of the trait.
pub async fn check(stage: &dyn Stage) {
    nothing_stands_where_nothing_was_put(stage).await;
    a_version_is_the_same_ever_after(stage).await;
    another_value_is_another_version(stage).await;
    values_come_to_the_last_byte(stage).await;
    references_are_apart(stage).await;
}

fn value(text: &str) -> SecretValue {
    SecretValue::credential(text.as_bytes().to_vec())
}

async fn nothing_stands_where_nothing_was_put(stage: &dyn Stage) {
    let (source, nowhere) = (stage.source(), stage.reference("nothing-here"));
    must_not("nothing has no version", ErrorKind::NotFound, source.current(&nowhere).await);
    must_not("nothing has no value", ErrorKind::NotFound, source.fetch(&nowhere, "1").await);
}

async fn a_version_is_the_same_ever_after(stage: &dyn Stage) {
    let reference = stage.reference("steady");
    stage.put(&reference, &value("made up, and steady")).await;
    let version = must("a version is told", stage.source().current(&reference).await);
    for _ in 0..2 {
        let source = stage.source();
        assert_eq!(
            must("and again", source.current(&reference).await),
            version,
            "a version stays while nothing is put"
        );
        let fetched = must("its value is given", source.fetch(&reference, &version).await);
        assert_eq!(fetched.expose(), b"made up, and steady", "the value is the one that was put");
    }
    must(
        "names, references and versions can stand in a plan",
        SourceVersion::new(stage.source().name(), &reference, &version),
    );
    must("its name is one", Sources::none().and(stage.source().into()));
}

async fn another_value_is_another_version(stage: &dyn Stage) {
    let reference = stage.reference("changing");
    let mut seen = Vec::new();
    for text in ["made up, first", "made up, second", "made up, first"] {
        stage.put(&reference, &value(text)).await;
        let version = must("a version is told", stage.source().current(&reference).await);
        assert!(
            !seen.contains(&version),
            "each value that is put is a version of its own, also one that was there before"
        );
        let fetched = must("the newest is given", stage.source().fetch(&reference, &version).await);
        assert_eq!(fetched.expose(), text.as_bytes());
        seen.push(version);
    }
    // A source may keep old versions or not; it never gives another value for one.
    for (version, text) in seen.iter().zip(["made up, first", "made up, second"]) {
        match stage.source().fetch(&reference, version).await {
            Ok(old) => assert_eq!(old.expose(), text.as_bytes(), "an old version has its old value"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "one that is not kept is not found: {error}"),
        }
    }
    must_not(
        "a version that never was is not found",
        ErrorKind::NotFound,
        stage.source().fetch(&reference, "987654321").await,
    );
}

async fn values_come_to_the_last_byte(stage: &dyn Stage) {
    for (name, text) in [("line", "made up\n"), ("space", " made up "), ("wide", "gemacht, größer: 密码"), ("one", "x")]
    {
        let reference = stage.reference(name);
        stage.put(&reference, &value(text)).await;
        let source = stage.source();
        let version = must("a version is told", source.current(&reference).await);
        let fetched = must("its value is given", source.fetch(&reference, &version).await);
        assert_eq!(fetched.expose(), text.as_bytes(), "nothing is trimmed, and nothing added");
        assert!(!version.contains(text.trim()) || text == "x", "a version does not tell its value");
    }
}

async fn references_are_apart(stage: &dyn Stage) {
    let names = ["db", "db_admin", "db_v2"];
    for name in names {
        stage.put(&stage.reference(name), &value(&format!("made up for {name}"))).await;
    }
    for name in names {
        let (source, reference) = (stage.source(), stage.reference(name));
        let version = must("a version is told", source.current(&reference).await);
        let fetched = must("its value is given", source.fetch(&reference, &version).await);
        assert_eq!(fetched.expose(), format!("made up for {name}").as_bytes(), "never by the beginning of a name");
    }
}
