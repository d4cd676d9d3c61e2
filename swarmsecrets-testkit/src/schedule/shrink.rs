//! Cuts a failing script down to what is needed for it to fail.

use swarmsecrets_core::plan::Rollout;

use super::ask::{Ask, First};
use super::play::play;
use super::scene::SECRETS;
use super::script::{Op, Script};

/// How often a script may be played while it is cut.
const TRIES: u32 = 400;

/// How many words tell one violation from another: reports are quoted behind.
const SAME: usize = 12;

/// A smaller script that fails in the same way.
pub(super) fn shrink(script: &Script, violation: &str) -> Script {
    let kind = kind(violation);
    let mut script = script.clone();
    let mut tries = 0;
    loop {
        let smaller = cuts(&script).find(|cut| {
            tries += 1;
            tries <= TRIES && play(cut, false).violation.is_some_and(|violation| self::kind(&violation) == kind)
        });
        match smaller {
            Some(smaller) => script = smaller,
            None => return script,
        }
    }
}

/// What a violation says, without the names of what it says it of.
fn kind(violation: &str) -> Vec<&str> {
    let names = |word: &&str| word.contains(|c: char| c.is_ascii_digit() || "_`".contains(c));
    let secret = |word: &&str| SECRETS.iter().any(|name| word.starts_with(name));
    let words = violation.split([' ', ',', ':']).filter(|word| !names(word) && !secret(word));
    words.take(SAME).collect()
}

/// The script with one thing less.
fn cuts(script: &Script) -> impl Iterator<Item = Script> {
    let cut = |change: &dyn Fn(&mut Script)| {
        let mut cut = script.clone();
        change(&mut cut);
        cut
    };
    let rounds = script.rounds.len();
    let mut all = Vec::new();
    if rounds > 1 {
        all.push(cut(&|s| s.rounds.truncate(rounds - 1)));
    }
    for n in 0..script.happenings.len() {
        all.push(cut(&|s| drop(s.happenings.remove(n))));
    }
    for n in 0..rounds {
        if !script.rounds[n].before.is_empty() {
            all.push(cut(&|s| s.rounds[n].before.clear()));
        }
        if script.rounds[n].tasks.len() > 1 {
            all.push(cut(&|s| s.rounds[n].tasks.truncate(1)));
        }
        if !script.rounds[n].wait.is_zero() {
            all.push(cut(&|s| s.rounds[n].wait = std::time::Duration::ZERO));
        }
    }
    for n in 0..rounds {
        for m in 0..script.rounds[n].tasks.len() {
            let Op::Rotate(ask) = &script.rounds[n].tasks[m].op else { continue };
            let mut asks = Vec::new();
            if ask.secrets.len() > 1 {
                asks.extend((0..ask.secrets.len()).map(|k| {
                    let mut ask = ask.clone();
                    ask.secrets.remove(k);
                    ask
                }));
            }
            if ask.probes {
                asks.push(Ask { probes: false, ..ask.clone() });
            }
            if ask.rollout != Rollout::default() {
                asks.push(Ask { rollout: Rollout::default(), ..ask.clone() });
            }
            if ask.canary != First::Labelled || !ask.after.is_empty() {
                asks.push(Ask { canary: First::Labelled, after: Vec::new(), ..ask.clone() });
            }
            all.extend(asks.into_iter().map(|ask| cut(&|s| s.rounds[n].tasks[m].op = Op::Rotate(ask.clone()))));
        }
    }
    for n in 0..script.scene.stacks.len() {
        all.push(cut(&|s| drop(s.scene.stacks.remove(n))));
    }
    for n in 0..script.scene.services.len() {
        all.push(cut(&|s| drop(s.scene.services.remove(n))));
    }
    if script.scene.scoped {
        all.push(cut(&|s| s.scene.scoped = false));
    }
    all.into_iter()
}
