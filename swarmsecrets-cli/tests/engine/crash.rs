//! A power cut at any point: `resume` ends all-new, or all-old where the new version was never made.

use std::time::Duration;

use crate::command::{self, rotate, rotate_args};
use crate::scene::Scene;
use crate::{docker, place};

/// How many rotations are cut short at the same time.
const AT_ONCE: usize = 4;

/// Two services on one secret.
struct Play {
    scene: Scene,
    secret: String,
    services: [String; 2],
    old: String,
    new: String,
}

impl Play {
    fn set(name: &str) -> Self {
        let scene = Scene::new(name);
        let (old, new) = (scene.value("old"), scene.value("new"));
        let secret = scene.own("db");
        docker::create_secret(&secret, &old);
        let services = ["a", "b"].map(|service| scene.plain_service(service, &secret));
        Self { scene, secret, services, old, new }
    }

    /// Kills a rotation as soon as its journal holds so many entries. Says whether there is something left to resume: the
    /// last entries may be written faster than we look.
    fn cut_after(&self, entries: usize) -> bool {
        let file = self.scene.value_file(&self.new);
        let journal = self.scene.journal();
        let mut command = command::start(&place::admin_key(), &rotate_args(&self.secret, &file, "0s", &journal));
        while self.scene.journal_entries().len() < entries && command.runs() {
            std::thread::sleep(Duration::from_millis(1));
        }
        command.kill();
        let last = self.scene.journal_entries().pop().unwrap_or_default();
        serde_json::from_str(&last).map_or(true, |entry: serde_json::Value| entry["event"]["type"] != "retired")
    }

    fn resume(&self) -> command::Ended {
        let file = self.scene.value_file(&self.new);
        self.resume_with(&["--value-file", file.to_str().unwrap()])
    }

    fn resume_with(&self, value: &[&str]) -> command::Ended {
        let journal = self.scene.journal();
        let resume = ["resume", "--yes", "--journal", journal.to_str().unwrap()];
        command::run(&[&resume[..], value].concat())
    }

    fn assert_whole(&self, ended: &command::Ended, entries: usize) {
        let versions = docker::secrets(&self.secret);
        match ended.json["outcome"].as_str() {
            Some("applied") => {
                self.scene.assert_all_read(&self.services, &self.new);
                assert_eq!(versions, [format!("{}_v2", self.secret)], "cut after {entries}: {}", ended.printed);
            }
            Some("not_started") => {
                self.scene.assert_all_read(&self.services, &self.old);
                assert_eq!(versions, std::slice::from_ref(&self.secret), "cut after {entries}: {}", ended.printed);
            }
            _ => panic!("cut after {entries} entries, `resume` ended neither way: {}", ended.printed),
        }
    }
}

#[test]
fn after_each_journal_entry() {
    let whole = Play::set("cut-none");
    rotate(&whole.secret, &whole.scene.value_file(&whole.new), "0s", &whole.scene.journal()).expect(0, "applied");
    let entries = whole.scene.journal_entries().len();
    assert!(entries > 8, "a rotation of two services has more entries than {entries}");

    let next = std::sync::atomic::AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    // The last entry ends the rotation: nothing is left to resume.
                    if n >= entries {
                        break;
                    }
                    let play = Play::set(&format!("cut-{n}"));
                    if play.cut_after(n) {
                        play.assert_whole(&play.resume(), n);
                    } else {
                        play.scene.assert_all_read(&play.services, &play.new);
                    }
                }
            });
        }
    });
}

/// Values are kept nowhere, so without it only a version that was made can be gone on with.
#[test]
fn without_the_value_it_ends_all_old_unless_the_version_was_made() {
    let play = Play::set("cut-no-value");
    play.cut_after(1);
    let made = docker::secrets(&play.secret).len() == 2;
    let ended = play.resume_with(&[]);
    let outcome = ended.json["outcome"].as_str();
    assert!(outcome == Some("not_started") || made, "{}", ended.printed);
    play.assert_whole(&ended, 1);
}
