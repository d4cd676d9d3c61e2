//! From what was written on the command line to what core is asked for.

use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::plan::{RotationRequest, Timing, ValueRecipe};
use swarmsecrets_core::{Error, ErrorKind, SecretValue};

use crate::args::{PolicyArgs, RotationArgs, Strategy, ValueArgs};
use crate::console::Console;
use crate::exit::Failure;
use crate::value::read_value;

/// The one name that was given.
pub(crate) fn one(names: &[String]) -> Result<&str, Failure> {
    match names {
        [name] if name.is_empty() => Err(Failure::usage("the name is empty: give the name of a secret")),
        [name] => Ok(name),
        _ => Err(Failure::usage("several secrets at once are not in this version: rotate one after the other")),
    }
}

/// Refuses a policy file: a guardrail that is not read must never seem to hold.
pub(crate) fn refuse_policy(args: &PolicyArgs) -> Result<(), Failure> {
    match &args.policy {
        None => Ok(()),
        Some(path) => Err(Failure::usage(format!(
            "policy files are not in this version, and {} is not ignored in silence: leave --policy out; the built-in \
             policy holds (ai.managed=false is never touched, tier=critical needs an approval)",
            quoted(&path.to_string_lossy())
        ))),
    }
}

/// Where the value will come from, by the flags; `None` if they do not say.
pub(crate) fn recipe(args: &ValueArgs) -> Result<Option<ValueRecipe>, Failure> {
    match (&args.value_file, &args.generate) {
        (Some(_), _) => Ok(Some(ValueRecipe::Supplied)),
        (None, Some(spec)) => {
            let spec = spec.parse().map_err(|e: Error| Failure::input(e.context("--generate")))?;
            Ok(Some(ValueRecipe::Generate(spec)))
        }
        (None, None) => Ok(None),
    }
}

/// As [`recipe`], for a command that cannot go on without.
pub(crate) fn required_recipe(args: &ValueArgs) -> Result<ValueRecipe, Failure> {
    recipe(args)?.ok_or_else(|| {
        Failure::usage("where is the new value? give --value-file FILE (`-` is standard input) or --generate SPEC")
    })
}

/// The value itself, if it is handed over.
pub(crate) fn value(args: &ValueArgs, console: &Console) -> Result<Option<SecretValue>, Failure> {
    args.value_file.as_deref().map(|path| read_value(path, console)).transpose()
}

/// The rotation that is asked for.
pub(crate) fn rotation(
    name: &str,
    recipe: ValueRecipe,
    args: &RotationArgs,
    agent: Option<String>,
) -> Result<RotationRequest, Failure> {
    if args.strategy == Strategy::Overlap {
        return Err(Failure::usage(
            "the strategy `overlap` is not in this version: use `swap`, and change the credential in the real system yourself",
        ));
    }
    if args.deadline <= args.stability {
        return Err(Failure::input(Error::new(
            ErrorKind::Invalid,
            "--deadline must be longer than --stability, or no service can ever count as good",
        )));
    }
    Ok(RotationRequest {
        timing: Timing { grace: args.grace, stability: args.stability, deadline: args.deadline },
        canary: args.canary.clone(),
        allow_jobs: args.allow_jobs,
        reason: args.reason.clone(),
        agent,
        ..RotationRequest::new(name, recipe)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn args() -> RotationArgs {
        RotationArgs {
            grace: Duration::ZERO,
            stability: Duration::from_secs(10),
            deadline: Duration::from_secs(300),
            strategy: Strategy::Swap,
            canary: None,
            allow_jobs: false,
            reason: None,
        }
    }

    #[test]
    fn what_this_version_cannot_do_is_said_and_not_ignored() {
        let overlap = RotationArgs { strategy: Strategy::Overlap, ..args() };
        let hasty = RotationArgs { deadline: Duration::from_secs(10), ..args() };
        let policy = PolicyArgs { policy: Some("p.toml".into()) };
        for (failure, part) in [
            (rotation("db", ValueRecipe::Supplied, &overlap, None).unwrap_err(), "not in this version"),
            (rotation("db", ValueRecipe::Supplied, &hasty, None).unwrap_err(), "--deadline"),
            (refuse_policy(&policy).unwrap_err(), "`p.toml`"),
            (one(&["a".into(), "b".into()]).unwrap_err(), "not in this version"),
            (required_recipe(&ValueArgs::default()).unwrap_err(), "--value-file"),
        ] {
            assert_eq!(failure.exit, crate::exit::Exit::Usage);
            assert!(failure.error.message().contains(part), "{}", failure.error);
        }
    }
}
