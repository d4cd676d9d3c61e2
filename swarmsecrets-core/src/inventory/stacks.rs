//! Stacks as nodes of the usage graph.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::{Inventory, ServiceNode, Snapshot, StackKind, StackNode, StackStatus};
use crate::error::Result;
use crate::git::Repository;
use crate::ids::{SecretName, StackId};
use crate::model::{GitConfig, Stack, StackFile, read, read_list};
use crate::stack::{ComposeText, Live, NoEdit, StackEdit, StackPath, Variables, redeploy, references, rename};

const STOPPED: u64 = 2;

type Files<'a> = HashMap<StackId, &'a Result<Bytes, String>>;

/// The Swarm stacks of the environment, and those that services belong to but that Portainer does not keep; by name.
pub(super) fn read_stacks(
    snapshot: &Snapshot,
    services: &[Arc<ServiceNode>],
    administrator: bool,
) -> Result<Vec<StackNode>> {
    let files: Files<'_> = snapshot.stack_files.iter().map(|(id, file)| (*id, file)).collect();
    let listed: Vec<Stack<'_>> = read_list("the list of stacks", &snapshot.stacks)?;
    let ours = listed.iter().filter(|s| s.is_swarm_of(snapshot.environment));
    let mut nodes: Vec<StackNode> = ours.map(|stack| node(stack, &files)).collect();
    let kept: BTreeSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let named: BTreeSet<&str> = services.iter().filter_map(|service| service.stack.as_deref()).collect();
    let others: Vec<StackNode> = named.difference(&kept).map(|name| unseen(name, administrator)).collect();
    nodes.extend(others);
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(nodes)
}

fn node(stack: &Stack<'_>, files: &Files<'_>) -> StackNode {
    let id = StackId(stack.id);
    let variables: Variables = stack.env.iter().map(|v| (v.name.to_string(), v.value.to_string())).collect();
    let file = match files.get(&id) {
        Some(Ok(body)) => content(body),
        Some(Err(why)) => Err(why.clone()),
        None => Err("its file was not read".to_owned()),
    };
    let (file, found) = match file {
        Ok(file) => {
            let found = references(&stack.name, &file, &variables).map_err(|error| error.to_string());
            (Some(file), found)
        }
        Err(why) => (None, Err(why)),
    };
    let more = || "it is made of several files, of which Portainer shows one".to_owned();
    let (references, unreadable) = match found {
        Ok(references) if stack.has_more_files() => (references, Some(more())),
        Ok(references) => (references, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    StackNode {
        id: Some(id),
        name: stack.name.to_string(),
        kind: if stack.is_git() { StackKind::Git { auto_update: stack.updates_itself() } } else { StackKind::File },
        status: if stack.status == STOPPED { StackStatus::Stopped } else { StackStatus::Active },
        references,
        unreadable,
        file,
        path: StackPath::new(stack.file_path()),
        variables,
        prune: stack.prunes(),
        repository: stack.git().map(repository),
    }
}

fn repository(git: &GitConfig<'_>) -> Repository {
    Repository {
        url: git.url.to_string(),
        reference: git.reference_name.to_string(),
        deployed: git.config_hash.to_string(),
        private: git.is_private(),
        head: None,
    }
}

fn content(body: &[u8]) -> Result<ComposeText, String> {
    let file: StackFile<'_> = read("the file of a stack", body).map_err(|error| error.to_string())?;
    Ok(ComposeText::from(file.stack_file_content.as_str()))
}

/// A stack that Portainer does not show: deployed from a file on somebody's disk, or hidden from this account.
fn unseen(name: &str, administrator: bool) -> StackNode {
    StackNode {
        id: None,
        name: name.to_owned(),
        kind: StackKind::Cli,
        status: StackStatus::Active,
        references: Vec::new(),
        unreadable: (!administrator).then(|| "this account cannot see whether Portainer keeps it".to_owned()),
        file: None,
        path: StackPath::default(),
        variables: Variables::default(),
        prune: false,
        repository: None,
    }
}

impl StackNode {
    /// What to change in the stack's file or variables so that it names the second secret of each pair where it named the
    /// first.
    ///
    /// # Errors
    /// Why no edit of the text can do that.
    pub fn edit(&self, pairs: &[(SecretName, SecretName)]) -> Result<StackEdit, NoEdit> {
        let file = self.file.as_ref().ok_or(NoEdit::NoFile)?;
        rename(&self.name, file, &self.variables, pairs)
    }

    /// The edit after which the stack's stored file and variables name other secrets, if Portainer may write them now.
    ///
    /// # Errors
    /// As [`StackNode::may_be_written`], or the repository of a git stack does not stand as it was deployed.
    pub fn write(
        &self,
        world: &Inventory,
        pairs: &[(SecretName, SecretName)],
        redeploy_allowed: bool,
    ) -> Result<(StackId, StackEdit), String> {
        let found = self.may_be_written(world, pairs, redeploy_allowed)?;
        self.repository.as_ref().map_or(Ok(()), Repository::stands_as_deployed)?;
        Ok(found)
    }

    /// The edit after which the stack's stored file and variables name other secrets, if Portainer may write them; those of
    /// a git stack only while its repository stands as it was deployed.
    ///
    /// # Errors
    /// Why not, for the person who has to patch it: it is stopped, is not kept by Portainer or comes from git and more than
    /// variables would change, no edit is found, or, unless that is allowed, the redeploy would change more than the
    /// secrets.
    pub fn may_be_written(
        &self,
        world: &Inventory,
        pairs: &[(SecretName, SecretName)],
        redeploy_allowed: bool,
    ) -> Result<(StackId, StackEdit), String> {
        let id = match (&self.kind, self.status, self.id) {
            (StackKind::Cli, ..) => None,
            (_, StackStatus::Stopped, _) => {
                return Err("it is stopped, and writing its file would start it".into());
            }
            (_, StackStatus::Active, id) => id,
        };
        let Some(id) = id else { return Err("Portainer does not keep its file".into()) };
        if let Some(why) = &self.unreadable {
            return Err(why.clone());
        }
        let edit = self.edit(pairs).map_err(|why| why.to_string())?;
        if let Some(repository) = &self.repository {
            if !edit.is_of_variables() {
                return Err("it comes from git, and writing its file would cut it off".into());
            }
            if repository.private {
                return Err("it comes from git with a credential, which Portainer shows to nobody, so whether its repository has moved since it was deployed cannot be told".into());
            }
        }
        if !redeploy_allowed {
            self.redeploy_is_harmless(world, pairs)?;
        }
        Ok((id, edit))
    }

    /// Whether a redeploy from the stored file would change nothing but these secrets.
    ///
    /// # Errors
    /// What it would change, or why that cannot be told.
    pub fn redeploy_is_harmless(&self, world: &Inventory, pairs: &[(SecretName, SecretName)]) -> Result<(), String> {
        let file = self.file.as_ref().ok_or("its file is not known")?;
        let networks = world
            .networks
            .as_ref()
            .ok_or("the networks cannot be read, so it cannot be told what a redeploy would change")?;
        let live = Live::parse(&world.raw, networks).map_err(|error| error.to_string())?;
        let found = redeploy(&self.name, file, &self.variables, &live, pairs).map_err(|error| error.to_string())?;
        let Some(first) = found.first() else { return Ok(()) };
        let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
        Err(format!("a redeploy would change more than the secret: {first}{more}"))
    }
}
