//! What a shell and a reader of manuals get.

mod common;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use common::sidestack;

#[test]
fn bash_understands_its_completions() {
    let script = out("completions bash");
    assert!(script.contains("--source-mac"));
    let mut bash = Command::new("bash").args(["-n"]).stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
}

#[test]
fn every_shell_has_completions_that_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = out(&format!("completions {shell}"));
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
    assert_eq!(sidestack("completions ksh").status.code(), Some(2));
}

#[test]
fn every_command_has_a_manual_page_with_the_exit_codes_and_so_has_the_program() {
    let page = out("man");
    assert!(page.contains(".TH sidestack") && page.contains("Exit codes"), "{page}");
    for command in commands() {
        let page = out(&format!("man {command}"));
        assert!(page.contains(".SH SYNOPSIS") && page.contains(&command), "{page}");
        assert!(page.contains("Exit codes"), "{command}");
    }
    assert_eq!(sidestack("man nosuch").status.code(), Some(2));
}

#[test]
fn every_help_has_the_exit_codes() {
    for command in commands().into_iter().chain([String::new()]) {
        assert!(out(&format!("{command} --help")).contains("Exit codes:\n  0"), "{command}");
    }
}

#[test]
fn what_only_writes_takes_no_link() {
    for args in ["man -I lab", "completions bash -S 10.0.0.9", "man -j", "man --seed 1"] {
        assert_eq!(sidestack(args).status.code(), Some(2), "{args}");
    }
}

/// Those that the help lists.
fn commands() -> Vec<String> {
    let help = out("--help");
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let commands: Vec<String> = names.map(str::to_owned).collect();
    assert!(commands.len() > 7 && commands.contains(&"man".to_owned()), "{commands:?}");
    commands
}

fn out(args: &str) -> String {
    let output = sidestack(args);
    assert_eq!(output.status.code(), Some(0), "{args}");
    String::from_utf8(output.stdout).unwrap()
}
