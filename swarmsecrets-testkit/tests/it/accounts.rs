//! The accounts of the recordings, and a clock that is set by hand.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::clock::{Clock, Now};
use swarmsecrets_testkit::portainer::State;

/// Shows these seconds since 1970.
pub(crate) struct Hand(pub(crate) Mutex<i64>);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Now {
        let wall = Timestamp::from_second(*self.0.lock().unwrap()).unwrap();
        Now { wall, mono: Duration::ZERO }
    }
    async fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += i64::try_from(duration.as_secs()).unwrap();
    }
}

/// An administrator, two scoped accounts of the team payments, one of the team platform. The key is `key of <number>`.
pub(crate) fn accounts() -> State {
    let mut state = State::default();
    state.add_user("admin", true);
    let [agent, alice, bob] = ["svc-agent", "alice", "bob"].map(|name| state.add_user(name, false));
    let [payments, platform] = ["payments", "platform"].map(|name| state.add_team(name));
    for (user, team) in [(agent, payments), (alice, payments), (bob, platform)] {
        state.add_membership(user, team, false);
    }
    for user in 1..=4 {
        state.add_key(user, &format!("key of {user}"));
    }
    state
}
