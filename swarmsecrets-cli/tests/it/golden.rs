//! What people read, as it was reviewed. The demo world is always the same; ids of rotations are not.

use crate::command::Place;

/// What follows from the id of a rotation, the clock or the number of polls is left out: it is not what is reviewed.
fn reviewed(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn line(text: &str) -> String {
    if text.starts_with("  digest ") {
        return "  digest …".to_owned();
    }
    if text.trim_start().starts_with("\"taken_at\"") {
        return "  \"taken_at\": …".to_owned();
    }
    match text.rsplit_once(", ") {
        Some((before, last)) if last.ends_with(" requests") => format!("{before}, … requests"),
        _ => text.to_owned(),
    }
}

#[test]
fn the_secrets() {
    insta::assert_snapshot!(Place::new().run("inventory --sim").stdout);
}

#[test]
fn the_services() {
    insta::assert_snapshot!(Place::new().run("inventory --sim --services").stdout);
}

#[test]
fn one_old_secret_on_a_narrow_terminal() {
    let place = Place::new();
    let run = place.with("inventory --sim --older-than 30d --secret db_password", &[("COLUMNS", "60")], b"");
    assert!(
        run.stdout.lines().filter(|l| l.contains("password") && !l.starts_with('!')).all(|l| l.chars().count() <= 60)
    );
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn one_secret_as_json() {
    insta::assert_snapshot!(reviewed(&Place::new().run("inventory --sim --secret db_password --json").stdout));
}

#[test]
fn the_graph_in_mermaid() {
    insta::assert_snapshot!(Place::new().run("inventory --sim --secret db_password --format mermaid").stdout);
}

#[test]
fn a_plan() {
    let run = Place::new().run("plan rotate db_password --sim --generate length=40,alphabet=hex").code(0);
    insta::assert_snapshot!(reviewed(&run.stdout));
}

#[test]
fn a_rotation() {
    let place = Place::new();
    let run = place.sim("rotate db_password --value-file value --yes").code(0);
    let id = run.stdout.split_whitespace().nth(1).unwrap().trim_end_matches(':').to_owned();
    assert!(id.starts_with("r-"), "{run:?}");
    let shown = |text: &str| reviewed(&text.replace(&id, "r-ID"));
    insta::assert_snapshot!("a_rotation", shown(&run.stdout));
    insta::assert_snapshot!("a_rotation_progress", shown(&run.stderr));
}

#[test]
fn the_other_drawings_are_whole() {
    let place = Place::new();
    let dot = place.run("inventory --sim --format dot").code(0).stdout;
    assert!(dot.starts_with("digraph") && dot.trim_end().ends_with('}'), "{dot}");
    let svg = place.run("inventory --sim --format svg").code(0).stdout;
    assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
}
