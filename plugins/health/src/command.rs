//! The probe that runs a command in the service's containers.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use swarmsecrets_core::exec::{Exec, check_command};
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::{Error, ErrorKind, Result, ids};

/// What a shell or the Engine says of a program that is not there or cannot be run.
const NOT_RUN: [i64; 2] = [126, 127];

/// Runs a command in each container of the service that can be reached, and looks at its exit code. What it prints is not read.
///
/// - Healthy: 0 in each of them, and in one at least.
/// - Unhealthy: another exit code.
/// - Inconclusive: no container can be reached (commands reach those of the endpoint's own node), the account may not, the
///   program is not there (126, 127), or it does not end in time. It is not killed then: give it a limit of its own.
pub struct CommandProbe {
    name: String,
    command: Vec<String>,
    deadline: Duration,
}

/// What came of it.
enum Ran {
    /// 0 everywhere.
    Well,
    /// Another exit code.
    Badly(i64),
}

impl CommandProbe {
    /// A probe that runs this program with its arguments, without a shell. Its arguments can be read by who may inspect the
    /// container: put no credential there.
    ///
    /// # Errors
    /// `Invalid` and `TooLarge` if it can be no command.
    pub fn new(command: &[&str]) -> Result<Self> {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        check_command(&command)?;
        let program = ids::quoted(command.first().map_or("", String::as_str));
        Ok(Self { name: format!("command {program}"), command, deadline: Duration::from_secs(15) })
    }

    /// How long a look may take, all containers together: 15 seconds if not set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn run(&self, target: &Target, exec: &dyn Exec) -> Result<Ran> {
        let begun = Instant::now();
        let mut unreached = None;
        let mut ran = 0;
        for task in &target.tasks {
            let left = self.deadline.saturating_sub(begun.elapsed());
            match exec.run(&task.id, &self.command, left).await {
                Ok(0) => ran += 1,
                Ok(code) if NOT_RUN.contains(&code) => {
                    let text = format!("{} could not be run there (exit code {code})", self.name);
                    return Err(Error::new(ErrorKind::Invalid, text));
                }
                Ok(code) => return Ok(Ran::Badly(code)),
                Err(error) if error.kind() == ErrorKind::NotFound => unreached = Some(error),
                Err(error) => return Err(error.context(&self.name)),
            }
        }
        match unreached {
            _ if ran > 0 => Ok(Ran::Well),
            Some(error) => Err(error.context(&self.name)),
            None => {
                let text = format!("{}: {} runs no task", self.name, ids::quoted(&target.name));
                Err(Error::new(ErrorKind::NotFound, text))
            }
        }
    }
}

#[async_trait]
impl HealthProbe for CommandProbe {
    fn name(&self) -> &str {
        &self.name
    }

    async fn baseline(&self, target: &Target, exec: &dyn Exec) -> Result<Baseline> {
        match self.run(target, exec).await? {
            Ran::Well => Ok(Baseline::none()),
            Ran::Badly(code) => {
                let text = format!("{}: even before anything is changed it exits with {code}", self.name);
                Err(Error::new(ErrorKind::Refused, text))
            }
        }
    }

    async fn check(&self, target: &Target, _: &Baseline, exec: &dyn Exec) -> Health {
        match self.run(target, exec).await {
            Ok(Ran::Well) => Health::Healthy,
            Ok(Ran::Badly(code)) => Health::unhealthy(format!("{} exits with {code}", self.name)),
            Err(error) => Health::inconclusive(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_a_program_and_its_arguments_are_not_named() {
        assert!(CommandProbe::new(&[]).is_err());
        assert!(CommandProbe::new(&[""]).is_err());
        assert_eq!(CommandProbe::new(&["redis-cli", "-a", "made-up"]).unwrap().name(), "command `redis-cli`");
    }
}
