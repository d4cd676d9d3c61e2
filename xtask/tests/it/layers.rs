//! The modules of the core stand in reading order in `lib.rs`, and each imports only from those above it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::tree::{files, relative, root};

fn source() -> PathBuf {
    root().join("swarmsecrets-core/src")
}

/// The text without comments and without the tests at its foot.
fn code(text: &str) -> String {
    let body = text.split("\n#[cfg(test)]\n").next().unwrap_or(text);
    let lines = body.lines().map(|line| match line.trim_start().starts_with("//") {
        true => "",
        false => line.split(" // ").next().unwrap_or(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The first names after each `crate::`, with those of a group in braces one by one.
fn imports(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(group) => names.extend(heads(group)),
            None => names.extend(head(after)),
        }
    }
    names
}

fn head(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first name of each item of a group, up to the brace that closes it.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut items, mut item) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                item.push(c);
            }
        }
    }
    items.push(item);
    items.iter().filter_map(|item| head(item.trim_start())).collect()
}

/// The module behind each name that `lib.rs` re-exports.
fn re_exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for statement in lib.split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let path = path.trim_start_matches("crate::").trim_start_matches("self::");
        let (Some(module), Some((_, names))) = (head(path), path.rsplit_once("::")) else { continue };
        for name in heads(names.trim_start_matches('{')) {
            exports.insert(name, module.clone());
        }
    }
    exports
}

/// The top-level module that a file belongs to; none for `lib.rs`.
fn module_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(source()).ok()?;
    let first = inside.components().next()?.as_os_str().to_string_lossy().into_owned();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (name != "lib").then_some(name)
}

/// The modules in the order in which `lib.rs` declares them.
fn order(lib: &str) -> Vec<String> {
    lib.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")).filter_map(head).collect()
}

#[test]
fn each_module_of_the_core_imports_only_from_those_above_it() {
    let lib = code(&std::fs::read_to_string(source().join("lib.rs")).unwrap());
    let (order, exports) = (order(&lib), re_exports(&lib));
    assert!(order.len() > 5, "the modules of the core are not where they are looked for");
    let place = |module: &str| order.iter().position(|name| name == module);
    let mut broken = Vec::new();
    for file in files(&["rs"]).into_iter().filter(|file| file.starts_with(source())) {
        let Some(module) = module_of(&file) else { continue };
        let own = place(&module);
        for name in imports(&code(&std::fs::read_to_string(&file).unwrap())) {
            let target = exports.get(&name).unwrap_or(&name);
            match place(target) {
                None => broken.push(format!("{} imports `{name}`, which `lib.rs` does not declare", relative(&file))),
                at if at > own => broken.push(format!("{} imports `{target}`, which stands below it", relative(&file))),
                _ => {}
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn imports_are_read_from_lines_groups_and_paths() {
    let text = "
use crate::ids::{A, B};
use crate::{audit, inventory::{Graph, deep::{X}}, Error};
// use crate::comment::Not;
fn f() { crate::secret::g() } // crate::tail::not
#[cfg(test)]
mod tests { use crate::executor::X; }
";
    let wanted = ["Error", "audit", "ids", "inventory", "secret"].map(str::to_owned);
    assert_eq!(imports(&code(text)), BTreeSet::from(wanted));
    let exports = re_exports("pub use crate::error::{Error, ErrorKind};\npub use self::secret::SecretValue;");
    assert_eq!(exports["ErrorKind"], "error");
    assert_eq!(exports["SecretValue"], "secret");
    assert_eq!(order("pub mod b;\n\nmod a;\npub use crate::b::mod_c;"), ["b", "a"]);
}
