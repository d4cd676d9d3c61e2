//! The state directory, asked for in a process of its own because it comes from the environment.

use std::process::Command;

/// Not a test by itself: what the process below runs.
#[test]
#[ignore = "run by the test below, in another process"]
fn shows_the_state_dir() {
    println!("state={}", swarmsecrets_host::state_dir().unwrap().display());
}

fn asked(set: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "state_dir::shows_the_state_dir", "--ignored", "--nocapture"]);
    command.env_remove("XDG_STATE_HOME").env("HOME", "/made/up").envs(set.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The harness may print the test's name on the same line.
    let (_, found) = text.split_once("state=").unwrap_or_else(|| panic!("{text}"));
    found.lines().next().unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn it_is_where_xdg_says() {
    assert_eq!(asked(&[]), "/made/up/.local/state/swarmsecrets");
    assert_eq!(asked(&[("XDG_STATE_HOME", "/else/where")]), "/else/where/swarmsecrets");
    // The specification says that a relative path is to be ignored.
    assert_eq!(asked(&[("XDG_STATE_HOME", "relative")]), "/made/up/.local/state/swarmsecrets");
}
