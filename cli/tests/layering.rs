//! Who may depend on whom, as the table in ARCHITECTURE.md has it.

use std::{env, fs, process::Command};

use serde_json::{Value, json};

#[test]
fn each_crate_depends_on_what_the_table_allows_and_on_nothing_else() {
    let found = violations(&metadata());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_binary_is_the_only_one() {
    let metadata = metadata();
    let programs: Vec<&str> =
        targets(&metadata).filter(|(_, is)| is_kind(is, "bin")).map(|(_, is)| name(is)).collect();
    assert_eq!(programs, ["sidestack"]);
}

#[test]
fn every_crate_but_link_forbids_unsafe_code() {
    for (package, root) in roots(&metadata()).filter(|(package, _)| package != "sidestack-link") {
        let text = text(&root);
        assert!(
            text.lines().any(|line| line == "#![forbid(unsafe_code)]"),
            "{package} may not be unsafe: {root} lacks #![forbid(unsafe_code)]"
        );
    }
}

#[test]
fn benches_holds_nothing_but_benches() {
    let metadata = metadata();
    for (package, target) in targets(&metadata).filter(|(package, _)| *package == "benches") {
        assert!(
            is_kind(target, "lib") || is_kind(target, "bench"),
            "{package} has a target that is no bench: {}",
            name(target)
        );
    }
    let (_, root) = roots(&metadata).find(|(package, _)| package == "benches").expect("its lib");
    let code = text(&root);
    let code = code.lines().find(|line| {
        !line.is_empty() && !line.starts_with("//") && *line != "#![forbid(unsafe_code)]"
    });
    assert_eq!(code, None, "{root} holds code");
}

#[test]
fn a_layer_that_reaches_past_the_one_below_it_is_told_by_name() {
    let icmp = &["sidestack-ipv4", "etherparse", "sidestack-link"];
    let [violation] = &violations(&workspace("sidestack-icmp", icmp))[..] else {
        panic!("one violation")
    };
    assert!(violation.starts_with("sidestack-icmp may not depend on sidestack-link:"));
    assert!(violation.contains("ARCHITECTURE.md"));
}

#[test]
fn a_layer_that_no_longer_stands_on_the_one_below_it_is_told_by_name() {
    let [violation] = &violations(&workspace("sidestack-icmp", &["etherparse"]))[..] else {
        panic!("one violation")
    };
    assert!(violation.starts_with("sidestack-icmp must depend on sidestack-ipv4:"));
}

#[test]
fn the_program_may_use_any_library_but_those_that_know_packets() {
    let program = |library| {
        violations(&workspace("sidestack", &["sidestack-link", "sidestack-stack", library])).len()
    };
    assert_eq!(program("clap"), 0);
    for library in ["etherparse", "netlink-packet-route", "pcap-file", "socket2", "sidestack-arp"] {
        assert_eq!(program(library), 1, "{library}");
    }
}

#[test]
fn what_stands_behind_a_feature_is_not_allowed_without_it() {
    let mut workspace = workspace("sidestack-link", &["tokio"]);
    assert_eq!(violations(&workspace).len(), 1);
    workspace["packages"][0]["dependencies"][0]["optional"] = json!(true);
    assert_eq!(violations(&workspace).len(), 0);
}

#[test]
fn nobody_depends_on_benches_which_may_depend_on_all() {
    assert_eq!(violations(&workspace("sidestack-link", &["benches"])).len(), 1);
    assert_eq!(violations(&workspace("benches", &["sidestack-icmp", "criterion"])).len(), 0);
}

#[test]
fn dev_dependencies_are_free() {
    let mut workspace = workspace("sidestack-link", &["sidestack-arp"]);
    assert_eq!(violations(&workspace).len(), 1);
    workspace["packages"][0]["dependencies"][0]["kind"] = json!("dev");
    assert_eq!(violations(&workspace).len(), 0);
}

#[test]
fn a_crate_that_the_table_does_not_know_is_told_by_name() {
    let [violation] = &violations(&workspace("sidestack-udp", &[]))[..] else {
        panic!("one violation")
    };
    assert!(violation.starts_with("sidestack-udp has no row"));
}

/// What in the workspace differs from the table: one sentence each.
fn violations(metadata: &Value) -> Vec<String> {
    packages(metadata).flat_map(violations_of).collect()
}

fn violations_of(package: &Value) -> Vec<String> {
    let Some(row) = TABLE.iter().find(|row| row.package == name(package)) else {
        return vec![format!("{} has no row: {WHO_DECIDES}", name(package))];
    };
    let normal: Vec<&Value> =
        list(package, "dependencies").filter(|depends| depends["kind"].is_null()).collect();
    let mut found: Vec<String> = normal
        .iter()
        .filter(|depends| !row.allows(name(depends), depends["optional"] == true))
        .map(|depends| {
            format!("{} may not depend on {}: {WHO_DECIDES}", row.package, name(depends))
        })
        .collect();
    if normal.is_empty() {
        return found; // not begun yet
    }
    let missing =
        row.ours.iter().filter(|ours| !normal.iter().any(|depends| name(depends) == **ours));
    found.extend(
        missing.map(|ours| format!("{} must depend on {ours}: {WHO_DECIDES}", row.package)),
    );
    found
}

/// One row of the table.
struct Row {
    package: &'static str,
    /// The crates of the workspace that it stands on: these, all of them, no others.
    ours: &'static [&'static str],
    /// What else it may use.
    others: Others,
}

enum Others {
    /// These; and those only behind a feature.
    Only(&'static [&'static str], &'static [&'static str]),
    /// All whose names do not begin so.
    AllBut(&'static [&'static str]),
    /// All, those of the workspace too.
    Any,
}

impl Row {
    fn allows(&self, depends: &str, optional: bool) -> bool {
        match self.others {
            Others::Any => true,
            _ if TABLE.iter().any(|row| row.package == depends) => self.ours.contains(&depends),
            Others::Only(always, behind_a_feature) => {
                EVERYWHERE.contains(&depends)
                    || always.contains(&depends)
                    || optional && behind_a_feature.contains(&depends)
            }
            Others::AllBut(beginnings) => {
                !beginnings.iter().any(|beginning| depends.starts_with(beginning))
            }
        }
    }
}

fn metadata() -> Value {
    let cargo = env::var_os("CARGO").expect("CARGO says where cargo is: run me by `cargo test`");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata failed: {said}");
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// The metadata of a workspace that is one package with these normal dependencies.
fn workspace(package: &str, depends: &[&str]) -> Value {
    let depends: Vec<Value> = depends
        .iter()
        .map(|name| json!({ "name": name, "kind": null, "optional": false }))
        .collect();
    json!({ "packages": [{ "name": package, "dependencies": depends }] })
}

/// The root file of each library and program, with its package.
fn roots(metadata: &Value) -> impl Iterator<Item = (String, String)> {
    let roots: Vec<(String, String)> = targets(metadata)
        .filter(|(_, is)| is_kind(is, "lib") || is_kind(is, "bin"))
        .map(|(package, is)| (package.into(), is["src_path"].as_str().expect("a path").into()))
        .collect();
    assert!(roots.len() >= TABLE.len(), "every crate has a root: {roots:?}");
    roots.into_iter()
}

/// Every target, with its package.
fn targets(metadata: &Value) -> impl Iterator<Item = (&str, &Value)> {
    packages(metadata)
        .flat_map(|package| list(package, "targets").map(move |target| (name(package), target)))
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    list(metadata, "packages")
}

fn is_kind(target: &Value, kind: &str) -> bool {
    list(target, "kind").any(|is| is == kind)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().expect("a name")
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().expect("a list").iter()
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

const TABLE: [Row; 7] = [
    Row {
        package: "sidestack-link",
        ours: &[],
        others: Others::Only(
            &[
                "etherparse",
                "macaddr",
                "netlink-packet-core",
                "netlink-packet-route",
                "nix",
                "pcap-file",
            ],
            &["smoltcp", "tokio"],
        ),
    },
    Row {
        package: "sidestack-arp",
        ours: &["sidestack-link"],
        others: Others::Only(&["etherparse", "macaddr"], &[]),
    },
    Row {
        package: "sidestack-ipv4",
        ours: &["sidestack-arp", "sidestack-link"],
        others: Others::Only(&["etherparse", "ipnetwork", "prefix-trie", "smallvec"], &[]),
    },
    Row {
        package: "sidestack-icmp",
        ours: &["sidestack-ipv4"],
        others: Others::Only(&["etherparse"], &[]),
    },
    Row {
        package: "sidestack-stack",
        ours: &["sidestack-link", "sidestack-arp", "sidestack-ipv4", "sidestack-icmp"],
        others: Others::Only(&["etherparse", "ipnetwork", "smallvec"], &[]),
    },
    Row {
        package: "sidestack",
        ours: &["sidestack-link", "sidestack-stack"],
        others: Others::AllBut(&[
            "etherparse",
            "netlink-",
            "pcap",
            "pnet",
            "rtnetlink",
            "smoltcp",
            "socket2",
        ]),
    },
    Row { package: "benches", ours: &[], others: Others::Any },
];

const EVERYWHERE: [&str; 2] = ["thiserror", "tracing"];

const WHO_DECIDES: &str =
    "the table in ARCHITECTURE.md decides; change it there first, or not at all";
