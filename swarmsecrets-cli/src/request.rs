//! From what was written on the command line to what core is asked for.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::{Allowances, Canary, Content, Rollout, RotationRequest, Timing, ValueRecipe};
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_settings::{Credentials, ProbeSet};

use crate::args::{AllowArgs, CredentialArgs, ProbeArgs, RevokeArgs, RotationArgs, SecretArgs, Strategy, ValueArgs};
use crate::console::Console;
use crate::exit::Failure;
use crate::value::read_value;

/// Where a single value will come from, for a command that cannot go on without.
pub(crate) fn required_recipe(args: &ValueArgs) -> Result<ValueRecipe, Failure> {
    match (args.value_file.as_slice(), generated(args)?) {
        ([_], None) => Ok(ValueRecipe::Supplied),
        ([], Some(spec)) => Ok(spec),
        ([], None) => Err(no_value()),
        _ => Err(Failure::usage("one value is enough: give one --value-file or --generate")),
    }
}

fn no_value() -> Failure {
    Failure::usage("where is the new value? give --value-file FILE (`-` is standard input) or --generate SPEC")
}

fn generated(args: &ValueArgs) -> Result<Option<ValueRecipe>, Failure> {
    let spec = args.generate.as_ref().map(|spec| spec.parse().map(ValueRecipe::Generate)).transpose();
    spec.map_err(|e: Error| Failure::input(e.context("--generate")))
}

/// Checks what can be said of the values before anything is read.
pub(crate) fn check_values(secrets: &SecretArgs, args: &ValueArgs, required: bool) -> Result<(), Failure> {
    let generated = generated(args)?.is_some();
    if generated && !args.value_file.is_empty() && secrets.names.len() == 1 {
        return Err(Failure::usage("--value-file cannot be used with --generate for one secret: give one of them"));
    }
    if required && args.value_file.is_empty() && !generated { Err(no_value()) } else { Ok(()) }
}

/// The secrets that are meant, and where the value of each comes from: its own file, else the generator, else the one
/// file. Without any of them a plan takes a value that is handed over later.
pub(crate) fn secrets(
    inventory: &Inventory,
    secrets: &SecretArgs,
    values: &ValueArgs,
) -> Result<Vec<(String, ValueRecipe)>, Error> {
    let generated = generated(values).map_err(|failure| failure.error)?;
    let names = if secrets.names.is_empty() {
        let chosen = inventory.select(secrets.stack.as_deref(), &secrets.select);
        if chosen.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                "no secret belongs to that group: see `swarmsecrets inventory`",
            ));
        }
        chosen.iter().map(|secret| secret.name.clone()).collect()
    } else {
        secrets.names.clone()
    };
    let files: Vec<&str> = values.value_file.iter().filter_map(|file| named(file)).map(|(name, _)| name).collect();
    let own = |name: &str| match generated {
        None => true,
        Some(_) => files.contains(&name) || (names.len() == 1 && !values.value_file.is_empty()),
    };
    let recipe = |name: &String| {
        let given = if own(name) { None } else { generated.clone() };
        given.unwrap_or(ValueRecipe::Supplied)
    };
    Ok(names.iter().map(|name| (name.clone(), recipe(name))).collect())
}

fn named(file: &str) -> Option<(&str, &str)> {
    file.split_once('=').filter(|(name, _)| !name.is_empty())
}

/// The values themselves, where they are handed over. For one secret a file needs no name.
pub(crate) fn values(files: &[String], plan: &Content, console: &Console) -> Result<Values, Failure> {
    let logical = |name: &str| {
        let found = plan
            .secrets
            .iter()
            .find(|s| s.secret == name || s.previous.as_ref().is_some_and(|v| v.name.as_str() == name));
        found.map(|s| s.secret.clone())
    };
    if let [file] = files
        && (plan.secrets.len() == 1 || named(file).is_none())
        && named(file).and_then(|(name, _)| logical(name)).is_none()
    {
        return Ok(Values::one(read_value(Path::new(file), console)?));
    }
    let mut values = BTreeMap::new();
    for file in files {
        let unnamed = || {
            Failure::usage(format!(
                "which secret is {} for? write it as NAME=FILE, with a secret of the plan",
                quoted(file)
            ))
        };
        let (name, path) = named(file).ok_or_else(unnamed)?;
        let secret = logical(name).ok_or_else(unnamed)?;
        if values.insert(secret, read_value(Path::new(path), console)?).is_some() {
            return Err(Failure::usage(format!("{} has two value files: one is enough", quoted(name))));
        }
    }
    Ok(Values::named(values))
}

/// The passwords that are changed in step.
pub(crate) fn credentials(args: &CredentialArgs, console: &Console) -> Result<Credentials, Failure> {
    let Some(path) = &args.credentials else { return Ok(Credentials::default()) };
    let value = |path: &Path| read_value(path, console).map_err(|failure| failure.error);
    Credentials::read(path, value).map_err(Failure::input)
}

/// The probes that are asked.
pub(crate) fn probes(args: &ProbeArgs) -> Result<ProbeSet, Failure> {
    let Some(path) = &args.probes else { return Ok(ProbeSet::default()) };
    ProbeSet::read(path).map_err(Failure::input)
}

/// The rotation that is asked for.
pub(crate) fn rotation(
    secrets: Vec<(String, ValueRecipe)>,
    args: &RotationArgs,
    credentials: &Credentials,
) -> RotationRequest {
    let order = &args.order;
    RotationRequest {
        strategy: match args.strategy {
            Strategy::Swap => swarmsecrets_core::plan::Strategy::Swap,
            Strategy::Overlap => swarmsecrets_core::plan::Strategy::Overlap,
        },
        credentials: credentials.accounts(),
        timing: Timing { grace: args.grace, stability: args.stability, deadline: args.deadline },
        canary: match &order.canary {
            Some(service) => Canary::Service(service.clone()),
            None if order.no_canary => Canary::Skipped,
            None => Canary::Labelled,
        },
        rollout: Rollout { concurrency: order.concurrency.unwrap_or(1), failures: order.failures },
        after: order.after.clone(),
        allow: allowances(&args.allow),
        reason: args.reason.clone(),
        ..RotationRequest::of(secrets)
    }
}

/// The revocation that is asked for.
pub(crate) fn revocation(
    secrets: Vec<(String, ValueRecipe)>,
    args: &RevokeArgs,
    credentials: &Credentials,
) -> RotationRequest {
    let request = RotationRequest::revoking(secrets);
    RotationRequest {
        credentials: credentials.accounts(),
        timing: Timing { stability: args.stability, deadline: args.deadline, ..request.timing },
        canary: if args.skip_canary { Canary::Skipped } else { Canary::Labelled },
        allow: allowances(&args.allow),
        reason: args.reason.clone(),
        ..request
    }
}

/// Checks the flags of a rotation before anything is read.
pub(crate) fn check_rotation(args: &RotationArgs, credentials: &CredentialArgs) -> Result<(), Failure> {
    if args.strategy == Strategy::Overlap && credentials.credentials.is_none() {
        return Err(Failure::usage(
            "the strategy `overlap` changes a password in the system behind the secret: say where with --credentials FILE",
        ));
    }
    check_times(args.stability, args.deadline)
}

/// Checks that a service can ever count as good.
pub(crate) fn check_times(stability: Duration, deadline: Duration) -> Result<(), Failure> {
    if deadline <= stability {
        return Err(Failure::input(Error::new(
            ErrorKind::Invalid,
            "--deadline must be longer than --stability, or no service can ever count as good",
        )));
    }
    Ok(())
}

fn allowances(args: &AllowArgs) -> Allowances {
    Allowances { jobs: args.allow_jobs, redeploy: args.allow_redeploy, owner: args.allow_owner }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::OrderArgs;

    fn args() -> RotationArgs {
        RotationArgs {
            grace: Duration::ZERO,
            stability: Duration::from_secs(10),
            deadline: Duration::from_secs(300),
            strategy: Strategy::Swap,
            order: OrderArgs::default(),
            allow: AllowArgs::default(),
            reason: None,
        }
    }

    #[test]
    fn what_this_version_cannot_do_is_said_and_not_ignored() {
        let overlap = RotationArgs { strategy: Strategy::Overlap, ..args() };
        let hasty = RotationArgs { deadline: Duration::from_secs(10), ..args() };
        for (failure, part) in [
            (check_rotation(&overlap, &CredentialArgs::default()).unwrap_err(), "--credentials"),
            (check_rotation(&hasty, &CredentialArgs::default()).unwrap_err(), "--deadline"),
            (check_values(&SecretArgs::default(), &ValueArgs::default(), true).unwrap_err(), "--value-file"),
            (required_recipe(&ValueArgs::default()).unwrap_err(), "--value-file"),
        ] {
            assert_eq!(failure.exit, crate::exit::Exit::Usage);
            assert!(failure.error.message().contains(part), "{}", failure.error);
        }
    }
}
