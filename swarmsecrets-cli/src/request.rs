//! From what was written on the command line to what core is asked for.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::{Allowances, Canary, Content, Rollout, RotationRequest, Timing, ValueRecipe};
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_settings::{Credentials, ProbeSet};

use crate::args::{AllowArgs, CredentialArgs, ProbeArgs, RevokeArgs, RotationArgs, SecretArgs, Strategy, ValueArgs};
use crate::console::Console;
use crate::exit::Failure;
use crate::sourced::{Origin, Place};
use crate::value::read_value;

/// Where a single value will come from, for a command that cannot go on without.
pub(crate) fn required_value(args: &ValueArgs) -> Result<Origin<'_>, Failure> {
    match (args.value_file.as_slice(), generated(args)?, Place::all(args)?.as_slice()) {
        ([_], None, []) => Ok(Origin::Known(ValueRecipe::Supplied)),
        ([], Some(recipe), []) => Ok(Origin::Known(recipe)),
        ([], None, [place]) if place.secret.is_none() => Ok(Origin::Place(*place)),
        ([], None, []) => Err(no_value()),
        _ => Err(Failure::usage("one value is enough: give one --value-file, --value-from or --generate")),
    }
}

fn no_value() -> Failure {
    Failure::usage(
        "where is the new value? give --value-file FILE (`-` is standard input), --generate SPEC or --value-from SOURCE:REFERENCE",
    )
}

fn generated(args: &ValueArgs) -> Result<Option<ValueRecipe>, Failure> {
    let spec = args.generate.as_ref().map(|spec| spec.parse().map(ValueRecipe::Generate)).transpose();
    spec.map_err(|e: Error| Failure::input(e.context("--generate")))
}

/// Checks what can be said of the values before anything is read.
pub(crate) fn check_values(secrets: &SecretArgs, args: &ValueArgs, required: bool) -> Result<(), Failure> {
    let places = Place::all(args)?;
    let ways = [
        ("--value-file", !args.value_file.is_empty()),
        ("--generate", generated(args)?.is_some()),
        ("--value-from", !places.is_empty()),
    ];
    let given: Vec<&str> = ways.iter().filter(|(_, given)| *given).map(|(way, _)| *way).collect();
    if let ([one, other, ..], true) = (given.as_slice(), secrets.names.len() == 1) {
        let text = format!("{one} cannot be used with {other} for one secret: give one of them");
        return Err(Failure::usage(text));
    }
    if places.iter().any(|place| place.secret.is_none()) && secrets.names.len() != 1 {
        return Err(Failure::usage("which secret is --value-from for? write it as NAME=SOURCE:REFERENCE"));
    }
    if required && given.is_empty() { Err(no_value()) } else { Ok(()) }
}

/// The secrets that are meant, and where the value of each comes from: its own file or its own place in a source, else the
/// generator, else the one file. Without any of them a plan takes a value that is handed over later.
pub(crate) async fn secrets(
    inventory: &Inventory,
    secrets: &SecretArgs,
    values: &ValueArgs,
    sources: &Sources,
) -> Result<Vec<(String, ValueRecipe)>, Error> {
    let generated = generated(values).map_err(|failure| failure.error)?;
    let places = Place::all(values).map_err(|failure| failure.error)?;
    let names = names(inventory, secrets)?;
    let files: Vec<&str> = values.value_file.iter().filter_map(|file| named(file)).map(|(name, _)| name).collect();
    if let Some(stray) = places.iter().filter_map(|place| place.secret).find(|name| !names.iter().any(|n| n == name)) {
        let text = format!("--value-from is for {}, which is not among the secrets", quoted(stray));
        return Err(Error::new(ErrorKind::Invalid, text));
    }
    let mut recipes = Vec::with_capacity(names.len());
    for name in names {
        let place = places.iter().find(|place| place.secret.is_none_or(|secret| secret == name));
        let recipe = match (place, &generated) {
            _ if files.contains(&name.as_str()) => ValueRecipe::Supplied,
            (Some(place), _) => place.recipe(sources).await?,
            (None, Some(generated)) if values.value_file.is_empty() || recipes.capacity() > 1 => generated.clone(),
            (None, _) => ValueRecipe::Supplied,
        };
        recipes.push((name, recipe));
    }
    Ok(recipes)
}

fn names(inventory: &Inventory, secrets: &SecretArgs) -> Result<Vec<String>, Error> {
    if !secrets.names.is_empty() {
        return Ok(secrets.names.clone());
    }
    let chosen = inventory.select(secrets.stack.as_deref(), &secrets.select);
    if chosen.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "no secret belongs to that group: see `swarmsecrets inventory`"));
    }
    Ok(chosen.iter().map(|secret| secret.name.clone()).collect())
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
    fn one_value_is_enough_and_each_has_its_secret() {
        let one = SecretArgs { names: vec!["db".to_owned()], ..SecretArgs::default() };
        let two = SecretArgs { names: vec!["db".to_owned(), "key".to_owned()], ..SecretArgs::default() };
        let from = |place: &str| ValueArgs { value_from: vec![place.to_owned()], ..ValueArgs::default() };
        let both = ValueArgs { generate: Some("32".to_owned()), ..from("vault:kv/db") };
        for (secrets, values, part) in [
            (&one, &both, "--generate cannot be used with --value-from"),
            (&two, &from("vault:kv/db"), "NAME=SOURCE:REFERENCE"),
            (&one, &from("vault"), "SOURCE:REFERENCE"),
        ] {
            let failure = check_values(secrets, values, true).unwrap_err();
            assert!(failure.error.message().contains(part), "{}", failure.error);
        }
        assert!(check_values(&one, &from("vault:kv/db"), true).is_ok());
        assert!(check_values(&two, &from("db=vault:kv/db"), true).is_ok());
    }

    #[test]
    fn what_this_version_cannot_do_is_said_and_not_ignored() {
        let overlap = RotationArgs { strategy: Strategy::Overlap, ..args() };
        let hasty = RotationArgs { deadline: Duration::from_secs(10), ..args() };
        for (failure, part) in [
            (check_rotation(&overlap, &CredentialArgs::default()).unwrap_err(), "--credentials"),
            (check_rotation(&hasty, &CredentialArgs::default()).unwrap_err(), "--deadline"),
            (check_values(&SecretArgs::default(), &ValueArgs::default(), true).unwrap_err(), "--value-file"),
            (required_value(&ValueArgs::default()).map(drop).unwrap_err(), "--value-file"),
        ] {
            assert_eq!(failure.exit, crate::exit::Exit::Usage);
            assert!(failure.error.message().contains(part), "{}", failure.error);
        }
    }
}
