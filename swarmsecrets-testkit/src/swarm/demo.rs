//! The demo world's Portainer: its people, what they own, its stacks.

use super::SimSwarm;
use crate::demo::{Access, DemoStack, DemoStackKind, DemoWorld, OwnedKind};
use crate::portainer::{ControlKind, GitConfig, Grant, Stack, State, Variable};

impl SimSwarm {
    /// The demo world: a shop, in which everything follows from `seed`. Its accounts are the administrator `admin`, the
    /// scoped account `svc-agent`, and what [`crate::demo`] says.
    #[must_use]
    pub fn demo(seed: u64) -> Self {
        let world = DemoWorld::new(seed);
        let swarm = Self::of(world.engine.clone(), people(&world));
        let cluster = swarm.cluster().unwrap_or_default();
        let made = swarm.clock().wall().as_second();
        {
            let mut state = swarm.portainer.state();
            for stack in &world.stacks {
                take(&mut state, stack, &cluster, made);
            }
            own(&mut state, &world);
        }
        swarm
    }
}

/// Users and teams. They are numbered in order, as the demo world has them.
fn people(world: &DemoWorld) -> State {
    let mut state = State::default();
    for user in &world.users {
        state.add_user(user.name, user.administrator);
    }
    for team in &world.teams {
        let id = state.add_team(team.name);
        for &user in &team.members {
            state.add_membership(user, id, team.leaders.contains(&user));
        }
    }
    state
}

fn take(state: &mut State, demo: &DemoStack, cluster: &str, made: i64) {
    let mut stack = Stack::new(demo.name, cluster, demo.file, made);
    let variables = demo.variables.iter();
    stack.env = Some(variables.map(|(name, value)| Variable { name: name.clone(), value: value.clone() }).collect());
    if let DemoStackKind::Git { url, reference, path } = demo.kind {
        stack.git_config = Some(GitConfig {
            url: url.to_owned(),
            reference_name: reference.to_owned(),
            config_file_path: path.to_owned(),
            authentication: None,
            config_hash: state.push(url, reference, path, demo.file),
            tls_skip_verify: false,
        });
    }
    state.take_stack(if demo.active { stack } else { stack.stopped() });
}

fn own(state: &mut State, world: &DemoWorld) {
    for owned in &world.owned {
        let grant = match owned.access {
            Access::Administrators => Grant::administrators(),
            Access::Team(team) => Grant::team(team),
            Access::Public => Grant::public(),
        };
        match owned.kind {
            OwnedKind::Secret => state.own(ControlKind::Secret, &owned.id, &grant),
            OwnedKind::Config => state.own(ControlKind::Config, &owned.id, &grant),
            OwnedKind::Service => state.own(ControlKind::Service, &owned.id, &grant),
            OwnedKind::Stack => state.own_stack(owned.name, &grant),
        };
    }
}
