//! From what was written on the command line to what core is asked for.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use swarmsecrets_client::{Wanted, WantedFirst, Way};
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::plan::{self, Allowances, Content};
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_settings::{Credentials, ProbeSet};

use crate::args::{
    AllowArgs, CreateArgs, CredentialArgs, ProbeArgs, RevokeArgs, RotationArgs, SecretArgs, Strategy, ValueArgs,
};
use crate::console::Console;
use crate::exit::Failure;
use crate::sourced::Place;
use crate::value::read_value;

/// The first version that is asked for.
pub(crate) fn first(args: &CreateArgs) -> Result<WantedFirst, Failure> {
    let value = match (args.value.value_file.as_slice(), generated(&args.value)?, Place::all(&args.value)?.as_slice()) {
        ([_], None, []) => None,
        ([], Some(generated), []) => Some(generated),
        ([], None, [place]) if place.secret.is_none() => Some(place.way()),
        ([], None, []) => return Err(no_value()),
        _ => return Err(Failure::usage("one value is enough: give one --value-file, --value-from or --generate")),
    };
    let labels = args.labels.iter().cloned().collect();
    Ok(WantedFirst { name: args.name.clone(), value, labels, reason: args.reason.clone() })
}

fn no_value() -> Failure {
    Failure::usage(
        "where is the new value? give --value-file FILE (`-` is standard input), --generate SPEC or --value-from SOURCE:REFERENCE",
    )
}

fn generated(args: &ValueArgs) -> Result<Option<Way>, Failure> {
    let spec = args.generate.as_ref().map(|spec| spec.parse().map(Way::Generate)).transpose();
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
fn chosen(secrets: &SecretArgs, values: &ValueArgs) -> Result<Wanted, Failure> {
    let places = Place::all(values)?;
    // A file may be named by another name of its secret, which is known once there is a plan.
    let listed = |name: &str| secrets.names.is_empty() || secrets.names.iter().any(|n| n == name);
    let files = values.value_file.iter().filter_map(|file| named(file)).filter(|(name, _)| listed(name));
    let from_files = files.map(|(name, _)| (name.to_owned(), None));
    let from_places = places.iter().filter_map(|place| Some((place.secret?.to_owned(), Some(place.way()))));
    let everywhere = places.iter().find(|place| place.secret.is_none()).map(Place::way);
    Ok(Wanted {
        secrets: secrets.names.clone(),
        stack: secrets.stack.clone(),
        labels: secrets.select.clone(),
        value: everywhere.map_or_else(|| generated(values), |place| Ok(Some(place)))?,
        values: from_places.chain(from_files).collect(),
        ..Wanted::default()
    })
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
pub(crate) fn rotation(secrets: &SecretArgs, values: &ValueArgs, args: &RotationArgs) -> Result<Wanted, Failure> {
    let order = &args.order;
    Ok(Wanted {
        strategy: Some(match args.strategy {
            Strategy::Swap => plan::Strategy::Swap,
            Strategy::Overlap => plan::Strategy::Overlap,
        }),
        grace: Some(args.grace),
        stability: Some(args.stability),
        deadline: Some(args.deadline),
        canary: order.canary.clone(),
        skip_canary: order.no_canary,
        concurrency: order.concurrency,
        failures: Some(order.failures),
        after: order.after.clone(),
        allow: allowances(&args.allow),
        reason: args.reason.clone(),
        ..chosen(secrets, values)?
    })
}

/// The revocation that is asked for.
pub(crate) fn revocation(args: &RevokeArgs) -> Result<Wanted, Failure> {
    Ok(Wanted {
        strategy: Some(plan::Strategy::Revoke),
        stability: Some(args.stability),
        deadline: Some(args.deadline),
        skip_canary: args.skip_canary,
        allow: allowances(&args.allow),
        reason: args.reason.clone(),
        ..chosen(&args.secrets, &args.value)?
    })
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
        ] {
            assert_eq!(failure.exit, crate::exit::Exit::Usage);
            assert!(failure.error.message().contains(part), "{}", failure.error);
        }
    }
}
