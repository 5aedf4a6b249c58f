//! `docs/conformance.md` names every row, and no test that is not there.

use std::{collections::BTreeSet, fs, path::Path};

/// The rows there are: so many of each.
const ROWS: [(&str, usize); 12] = [
    ("ETH", 9),
    ("ARP", 15),
    ("ACD", 9),
    ("LL", 1),
    ("LNK", 8),
    ("IP", 16),
    ("FRG", 11),
    ("ICMP", 18),
    ("RTE", 7),
    ("PMTU", 6),
    ("TRC", 3),
    ("SEC", 17),
];

fn page() -> (String, &'static Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let page = fs::read_to_string(root.join("docs/conformance.md")).expect("the page");
    (page, root)
}

#[test]
fn every_row_is_named_once_and_shown_by_a_test() {
    let (page, _) = page();
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    for (theme, count) in ROWS {
        for n in 1..=count {
            let start = format!("| {theme}-{n} |");
            let rows: Vec<_> = lines.iter().filter(|line| line.starts_with(&start)).collect();
            assert!(rows.len() == 1 && rows[0].contains("::"), "{theme}-{n}: {rows:?}");
        }
    }
    let ids = lines.iter().filter_map(|line| line[2..].split(' ').next());
    let ids = ids.filter(|id| ROWS.iter().any(|(theme, _)| id.starts_with(&format!("{theme}-"))));
    assert_eq!(ids.count(), ROWS.iter().map(|(_, count)| count).sum(), "no row beyond these");
}

#[test]
fn every_row_but_one_is_shown_on_a_wire() {
    let (page, _) = page();
    let rows = page
        .lines()
        .filter(|line| ROWS.iter().any(|(theme, _)| line.starts_with(&format!("| {theme}-"))));
    let in_memory: Vec<_> = rows
        .filter(|row| !row.contains("/tests/kernel/"))
        .filter_map(|row| row[2..].split(' ').next())
        .collect();
    assert_eq!(in_memory, ["PMTU-5"], "ten minutes");
}

#[test]
fn every_test_that_is_named_exists() {
    let (page, root) = page();
    let named: BTreeSet<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once(".rs::")).collect();
    assert!(named.len() > 250, "only {} tests", named.len());
    for (file, test) in named {
        let file = format!("{file}.rs");
        let Ok(source) = fs::read_to_string(root.join(&file)) else { panic!("no file {file}") };
        let function = format!("fn {test}(");
        let known = source.contains(&function) || source.contains(&format!("\"{test}\""));
        assert!(known, "no test {test} in {file}");
    }
}

#[test]
fn every_fault_is_shown_by_a_test() {
    let (page, _) = page();
    for (title, count) in FAULTS {
        let (_, table) = page.split_once(&format!("## {title}\n")).expect("the table");
        let lines = table.lines().take_while(|line| !line.starts_with("## "));
        let rows: Vec<_> = lines.filter(|line| line.starts_with("| ")).skip(1).collect();
        assert_eq!(rows.len(), count, "{title}");
        assert!(rows.iter().all(|row| row.contains("::")), "{rows:#?}");
    }
}

/// The faults there are: so many of each kind.
const FAULTS: [(&str, usize); 3] =
    [("Replies under fault", 17), ("ARP under fault", 7), ("The packet socket's own errors", 12)];
