//! The plugins keep the promises of their traits.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions that it calls")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Verdict};
use swarmsecrets_core::audit::AuditRecord;
use swarmsecrets_core::credential::{Account, CredentialSetter, Login};
use swarmsecrets_core::exec::NoExec;
use swarmsecrets_core::executor::read_inventory;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe as _, Target};
use swarmsecrets_core::ids::{EnvironmentId, RotationId, ServiceId};
use swarmsecrets_core::keys::Keyring;
use swarmsecrets_core::source::SecretSource;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_examples::approver::Shared;
use swarmsecrets_examples::audit_sink::Lines;
use swarmsecrets_examples::credential_setter::UserFile;
use swarmsecrets_examples::health_probe::AllTasksAreBack;
use swarmsecrets_examples::secret_source::Numbered;
use swarmsecrets_examples::transport::Told;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::conformance::credential_setter::{Stage, Trouble};
use swarmsecrets_testkit::conformance::{approver, audit_sink, credential_setter, secret_source, transport};
use swarmsecrets_testkit::credential::Step;
use swarmsecrets_testkit::portainer::PortainerClient;

#[tokio::test]
async fn the_audit_sink_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let read = || -> Vec<AuditRecord> {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    audit_sink::check(|| Lines::open(&path).unwrap(), read).await;
}

#[tokio::test]
async fn the_transport_keeps_its_promises() {
    transport::check(|to| async move { Told(PortainerClient::new(to.portainer, to.user), |_: &str| ()) }).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let swarm = SimSwarm::demo(0);
    let client = Told(swarm.client(), move |what: &str| heard.lock().unwrap().push(what.to_owned()));
    read_inventory(&client, EnvironmentId(1), &swarm.clock()).await.unwrap();
    assert!(told.lock().unwrap().iter().any(|what| what == "list secrets"), "{told:?}");
}

#[tokio::test]
async fn the_probe_counts_tasks() {
    let target = Target {
        service: ServiceId::new("service0under0test0").unwrap(),
        name: "web".into(),
        stack: None,
        versions: Vec::new(),
        tasks: Vec::new(),
    };
    let (probe, before) = (AllTasksAreBack, Baseline::of(&1).unwrap());
    assert_eq!(probe.baseline(&target, &NoExec).await.unwrap().read::<usize>().unwrap(), 0);
    assert_eq!(probe.check(&target, &before, &NoExec).await, Health::unhealthy("0 of 1 tasks are back"));
    assert_eq!(probe.check(&target, &Baseline::of(&0).unwrap(), &NoExec).await, Health::Healthy);
    assert!(matches!(probe.check(&target, &Baseline::none(), &NoExec).await, Health::Inconclusive { .. }));
}

#[tokio::test]
async fn the_credential_setter_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    credential_setter::check(&Users(folder.path().to_owned())).await;
}

#[tokio::test]
async fn the_approver_keeps_its_promises() {
    struct People(tempfile::TempDir);

    #[async_trait]
    impl approver::Stage for People {
        fn open(&self) -> Arc<dyn Approver> {
            Arc::new(Shared(self.0.path().to_owned()))
        }

        async fn decide(&self, request: &ChangeRequest, person: &str, verdict: Verdict) {
            let word = if verdict == Verdict::Approve { "approve" } else { "deny" };
            std::fs::write(self.0.path().join(request.digest().as_str()).join(format!("{person}.{word}")), "").unwrap();
        }

        async fn told(&self, request: &ChangeRequest) -> usize {
            usize::from(self.0.path().join(request.digest().as_str()).join("request.txt").exists())
        }

        fn keyring(&self) -> Keyring {
            let mut keyring = Keyring::new();
            approver::PEOPLE.iter().for_each(|who| keyring.add_account(who, approver::SYSTEM, who).unwrap());
            keyring
        }

        fn now(&self) -> Timestamp {
            Timestamp::now()
        }
    }

    approver::check(&People(tempfile::tempdir().unwrap())).await;
}

#[tokio::test]
async fn the_source_keeps_its_promises() {
    struct Folder(tempfile::TempDir);

    #[async_trait]
    impl secret_source::Stage for Folder {
        fn source(&self) -> Box<dyn SecretSource> {
            Box::new(Numbered(self.0.path().to_owned()))
        }

        async fn put(&self, reference: &str, value: &SecretValue) {
            let folder = self.0.path().join(reference);
            std::fs::create_dir_all(&folder).unwrap();
            let number = 1 + folder.read_dir().unwrap().count();
            std::fs::write(folder.join(number.to_string()), value.expose()).unwrap();
        }

        fn reference(&self, name: &str) -> String {
            name.to_owned()
        }
    }

    secret_source::check(&Folder(tempfile::tempdir().unwrap())).await;
}

struct Users(PathBuf);

#[async_trait]
impl Stage for Users {
    async fn user(&self, name: &str, password: &SecretValue) -> SecretValue {
        let hash = file(&self.0, name).hashed(password);
        std::fs::write(self.0.join(name), hash).unwrap();
        password.clone()
    }

    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter> {
        let folder = if trouble == Trouble::Down { self.0.join("gone") } else { self.0.clone() };
        Box::new(Troubled(file(&folder, name), trouble))
    }

    fn value(&self, _: &str, password: &SecretValue) -> SecretValue {
        password.clone()
    }

    fn odd_names(&self) -> Vec<&'static str> {
        vec!["\"quoted\"", "a\\b", "ünï-Ω", "with blanks"]
    }
}

fn file(folder: &Path, user: &str) -> UserFile {
    UserFile { folder: folder.to_owned(), user: user.to_owned() }
}

/// The setter, with something in its way.
struct Troubled(UserFile, Trouble);

impl Troubled {
    fn before(&self) -> Result<()> {
        match self.1 {
            Trouble::WrongAdmin => Err(Error::new(ErrorKind::Unauthorized, "the administrator's password is wrong")),
            _ => Ok(()),
        }
    }

    fn after(&self, step: Step) -> Result<()> {
        match self.1 {
            Trouble::LostAnswer(lost) if lost == step => Err(Error::new(ErrorKind::Timeout, "no answer")),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl CredentialSetter for Troubled {
    fn account(&self) -> Account {
        self.0.account()
    }

    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        self.0.next_value(current, password)
    }

    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        self.before()?;
        self.0.set(rotation, current, next).await?;
        self.after(Step::Set)
    }

    async fn verify(&self, value: &SecretValue) -> Login {
        self.0.verify(value).await
    }

    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        self.before()?;
        self.0.revoke(rotation, old).await?;
        self.after(Step::Revoke)
    }

    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        self.before()?;
        self.0.undo(rotation, current).await?;
        self.after(Step::Undo)
    }
}
