//! Who may know whom: all arrows run down.
//!
//! Reads the `crate::` paths in the files of each module, and fails on one that the table does not
//! list. What is not built yet is not missed.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Module, and what it may import of ours besides itself. Who stands lower knows less.
const TABLE: &[(&str, &[&str])] = &[
    // The binary: the library only as any other user sees it.
    ("main", &["cli"]),
    ("cli", &[]),
    // Where both wings meet.
    (
        "analysis",
        &[
            "capture",
            "flow",
            "hash",
            // A source is opened when its turn comes.
            "input",
            "packet",
            "pki",
            "pool",
            "reassembly",
            "report",
            "time",
            "tls",
            "verdict",
        ],
    ),
    // The second reading.
    (
        "slice",
        &[
            "capture",
            "flow",
            "packet",
            "reassembly",
            "report",
            "time",
            "tls",
        ],
    ),
    ("output", &["comparison", "report"]),
    // Two runs side by side.
    ("comparison", &["report"]),
    ("report", &["flow", "pki", "time", "tls", "verdict"]),
    ("verdict", &["pki", "time", "tls"]),
    ("reassembly", &["flow", "hash", "packet", "time"]),
    ("packet", &["capture", "flow", "time"]),
    ("capture", &["time"]),
    ("pki", &["time"]),
    ("tls", &["pool"]),
    // The ground.
    ("input", &[]),
    ("flow", &[]),
    ("pool", &["hash"]),
    ("hash", &[]),
    ("time", &[]),
];

#[test]
fn every_import_is_listed() {
    let table: BTreeMap<_, _> = TABLE.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, file, code) in sources() {
        // The front page names everything.
        if module == "lib" {
            continue;
        }
        let Some(allowed) = table.get(module.as_str()) else {
            wrong.push(format!("{file}: `{module}` has no row in the table"));
            continue;
        };
        for import in imports(&code) {
            if import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{file}: `{module}` may not import `{import}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_child_knows_its_parent() {
    let users: Vec<_> = sources()
        .filter(|(_, _, code)| code.contains("super::"))
        .map(|(_, file, _)| file)
        .collect();
    assert!(users.is_empty(), "`super::` outside of tests in {users:?}");
}

#[test]
fn the_table_has_no_circle() {
    // A row may only point to rows below it, so reading down the table ends.
    for (place, (module, allowed)) in TABLE.iter().enumerate() {
        for import in *allowed {
            let below = TABLE[place..].iter().skip(1);
            assert!(
                below.into_iter().any(|(lower, _)| lower == import),
                "{module} -> {import}"
            );
        }
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::tls::{Record, record::x};\nuse crate::{flow, time::Timestamp};\n\
                fn f(x: &crate::pki::Name) { my_crate::no(); }\npub(in crate::packet) struct X;";
    let found: Vec<_> = imports(code).into_iter().collect();
    assert_eq!(found, ["flow", "packet", "pki", "time", "tls"]);
}

/// The files under `src`: the module each belongs to, its name, and its code without comments
/// and tests.
fn sources() -> impl Iterator<Item = (String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().filter_map(move |path| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let name = name.replace('\\', "/");
        let first = name.split('/').next().unwrap();
        let module = first.trim_end_matches(".rs").to_owned();
        let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
        let code = without_tests(&fs::read_to_string(&path).unwrap());
        (!is_test).then_some((module, name, code))
    })
}

/// The code in front of the tests, which stand last, without comment lines.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules named right behind `crate::`, alone or in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::<String>::new();
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    for (start, path) in code.match_indices("crate::") {
        if code[..start].ends_with(is_name) {
            continue;
        }
        let rest = &code[start + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(rest.chars().take_while(|&letter| is_name(letter)).collect());
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (place, letter) in group.char_indices() {
            match letter {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if begins && is_name(letter) => {
                    let name = group[place..].chars().take_while(|&letter| is_name(letter));
                    found.insert(name.collect());
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found.retain(|name| name.chars().next().is_some_and(char::is_lowercase));
    found
}
