//! A command line that cannot be run as it stands: help, version, and mistakes.

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind as Kind};
use serde::Serialize;

use crate::console::Console;
use crate::exit::{Exit, Failure};

/// What `--json` prints for `--help` and `--version`.
#[derive(Serialize)]
struct Words<'a> {
    schema: u32,
    text: &'a str,
}

/// Whether `--json` is written anywhere, for a command line that was not understood.
pub(crate) fn wants_json(mut line: impl Iterator<Item = OsString>) -> bool {
    line.by_ref().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// Prints help, version or what is wrong.
pub(crate) fn answer(error: &clap::Error, console: &Console) -> Exit {
    match error.kind() {
        Kind::DisplayHelp | Kind::DisplayVersion => {
            let text = error.render();
            let printed = match console.json {
                true => console.document(&Words { schema: 1, text: text.to_string().trim_end() }),
                false if console.colour => console.text(&text.ansi().to_string()),
                false => console.text(&text.to_string()),
            };
            printed.map_or(Exit::Failed, |()| Exit::Done)
        }
        _ => {
            if console.json {
                console.failure(&Failure::usage(message(error)));
            } else {
                // In clap's own words and colours, with its usage line and suggestions.
                let _ = error.print();
            }
            Exit::Usage
        }
    }
}

/// The first line of clap's message, and its suggestion.
fn message(error: &clap::Error) -> String {
    if error.kind() == Kind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a subcommand is missing: see `swarmsecrets --help`".to_owned();
    }
    let text = error.render().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:")).collect();
    let first = lines.iter().filter(|line| !line.is_empty()).copied().collect::<Vec<_>>().join(" ");
    let first = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
    let told = |kind| error.get(kind).is_some();
    let tip = told(ContextKind::SuggestedArg) || told(ContextKind::SuggestedSubcommand);
    if tip { first } else { first.trim_end_matches("For more information, try '--help'.").trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Cli;

    fn line(words: &str) -> Vec<OsString> {
        words.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn json_is_wanted_wherever_it_stands() {
        assert!(wants_json(line("swarmsecrets rotate --json --frobnicate").into_iter()));
        assert!(!wants_json(line("swarmsecrets rotate -- --json").into_iter()));
    }

    #[test]
    fn messages_fit_on_one_line() {
        let error = Cli::try_parse_from(line("swarmsecrets rotate db --grace 1x")).unwrap_err();
        let text = message(&error);
        assert!(text.contains("--grace") && text.contains("at character 2") && !text.contains('\n'), "{text}");
        assert!(!text.contains("Usage:"), "{text}");
    }
}
