//! Checkpoints: what a cut tail, a trail that was written anew and a forged checkpoint look like.

use std::fs;
use std::path::{Path, PathBuf};

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::audit::AuditSink;
use swarmsecrets_core::keys::{PublicKey, SigningKey};
use swarmsecrets_host::{
    Checkpoints, FileAudit, OsRandom, read_checkpoint, sign_audit, verify_audit, verify_audit_against,
};
use tempfile::TempDir;

use crate::audit::record;

/// A folder with a key.
struct Office {
    dir: TempDir,
    public: PublicKey,
}

impl Office {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(&mut OsRandom).unwrap();
        fs::write(dir.path().join("key"), key.to_text().expose()).unwrap();
        Self { dir, public: key.public() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn trail(&self) -> PathBuf {
        self.path("audit.jsonl")
    }

    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(&self.path("key"), self.path("checkpoint")).unwrap()
    }

    fn signed(&self) -> swarmsecrets_core::Result<FileAudit> {
        FileAudit::open(self.dir.path()).unwrap().signed(self.checkpoints())
    }

    fn cut_to(&self, records: usize) {
        let text = fs::read_to_string(self.trail()).unwrap();
        let kept: String = text.split_inclusive('\n').take(records).collect();
        assert!(kept.len() < text.len());
        fs::write(self.trail(), kept).unwrap();
    }
}

fn records(path: &Path) -> u64 {
    verify_audit(path).unwrap().records
}

#[tokio::test]
async fn a_cut_tail_is_found_also_where_the_chain_is_whole() {
    let office = Office::new();
    let audit = office.signed().unwrap();
    for step in 0..4 {
        audit.append(&record(step)).await.unwrap();
        let signed = read_checkpoint(&office.path("checkpoint"), &office.public).unwrap();
        assert_eq!(signed.records(), u64::from(step) + 1, "each record is followed by a checkpoint");
    }
    let kept = read_checkpoint(&office.path("checkpoint"), &office.public).unwrap();
    assert!(verify_audit_against(&office.trail(), vec![kept.clone()]).unwrap().whole);
    // In the middle of a line: the file alone says that nothing was done on the strength of it.
    let whole = fs::read(office.trail()).unwrap();
    fs::write(office.trail(), &whole[..whole.len() - 3]).unwrap();
    let torn = verify_audit_against(&office.trail(), vec![kept.clone()]).unwrap().problem.unwrap();
    assert!(torn.contains("the trail ends after 3 records") && torn.contains("tells of 4"), "{torn}");
    office.cut_to(2);
    assert!(verify_audit(&office.trail()).unwrap().whole, "the chain alone does not tell");
    let verdict = verify_audit_against(&office.trail(), vec![kept]).unwrap();
    let problem = verdict.problem.unwrap();
    assert!(problem.contains("the last 2 of them, audit record 2 and those after it, were cut off"), "{problem}");
    assert_eq!(verdict.checkpoints[0].held, Some(false));
    // Nothing more is written there, and nothing hides it.
    let error = office.signed().err().unwrap();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("has 2 records"), "{error}");
    let error = sign_audit(&office.trail(), &office.checkpoints()).unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("were cut off"), "{error}");
    assert_eq!(records(&office.trail()), 2);
}

#[tokio::test]
async fn a_trail_that_was_written_anew_is_found() {
    let office = Office::new();
    let audit = FileAudit::open(office.dir.path()).unwrap();
    audit.append(&record(0)).await.unwrap();
    audit.append(&record(1)).await.unwrap();
    let signed = sign_audit(&office.trail(), &office.checkpoints()).unwrap();
    fs::remove_file(office.trail()).unwrap();
    let anew = FileAudit::open(office.dir.path()).unwrap();
    for step in [0, 7] {
        anew.append(&record(step)).await.unwrap();
    }
    let error = anew.signed(office.checkpoints()).err().unwrap();
    assert!(error.message().contains("cut off or exchanged"), "{error}");
    FileAudit::open(office.dir.path()).unwrap().append(&record(2)).await.unwrap();
    let problem = verify_audit_against(&office.trail(), vec![signed]).unwrap().problem.unwrap();
    assert!(problem.starts_with("line 2: audit record 1 is not the one of the checkpoint"), "{problem}");
}

#[tokio::test]
async fn only_the_key_that_is_named_is_believed() {
    let office = Office::new();
    office.signed().unwrap().append(&record(0)).await.unwrap();
    let (file, json) = (office.path("checkpoint"), fs::read_to_string(office.path("checkpoint")).unwrap());
    let stranger = SigningKey::generate(&mut OsRandom).unwrap().public();
    let error = read_checkpoint(&file, &stranger).unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("is not signed with the key"), "{error}");
    for (changed, kind) in
        [(json.replace("\"records\": 1", "\"records\": 0"), ErrorKind::Audit), (json[..9].into(), ErrorKind::Invalid)]
    {
        fs::write(&file, changed).unwrap();
        assert_eq!(read_checkpoint(&file, &office.public).unwrap_err().kind(), kind);
        assert_eq!(office.signed().err().unwrap().kind(), kind, "what stands there is not passed over");
        assert!(sign_audit(&office.trail(), &office.checkpoints()).is_err());
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(read_checkpoint(&file, &office.public).unwrap_err().kind(), ErrorKind::NotFound);
    fs::write(office.path("key"), "no key").unwrap();
    let error = Checkpoints::new(&office.path("key"), &file).err().unwrap();
    assert!(error.message().contains("is not a private key") && !error.message().contains("no key"), "{error}");
}

#[tokio::test]
async fn a_record_whose_end_cannot_be_signed_is_not_taken() {
    let office = Office::new();
    let audit = office.signed().unwrap();
    audit.append(&record(0)).await.unwrap();
    fs::remove_file(office.path("checkpoint")).unwrap();
    fs::create_dir(office.path("checkpoint")).unwrap();
    let error = audit.append(&record(1)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("cannot write the checkpoint"), "{error}");
    fs::remove_dir(office.path("checkpoint")).unwrap();
    audit.append(&record(2)).await.unwrap();
    let signed = read_checkpoint(&office.path("checkpoint"), &office.public).unwrap();
    assert_eq!((signed.records(), records(&office.trail())), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_writers_the_last_one_signs_last() {
    let office = Office::new();
    let mut writers = Vec::new();
    for _ in 0..3 {
        let audit = office.signed().unwrap();
        writers.push(tokio::spawn(async move {
            for step in 0..10 {
                audit.append(&record(step)).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let signed = read_checkpoint(&office.path("checkpoint"), &office.public).unwrap();
    assert_eq!(signed.records(), 30);
    assert!(verify_audit_against(&office.trail(), vec![signed]).unwrap().whole);
}
