use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{args::Cli, failure::Failure};

/// Writes what makes `shell` complete our command lines.
pub(crate) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    io::stdout().write_all(&script)?;
    Ok(0)
}

/// Writes the manual page of a command, or of all of it.
pub(crate) fn man(of: Option<&str>) -> Result<u8, Failure> {
    let mut all = Cli::command();
    all.build();
    let page = match of {
        None => all,
        Some(name) => {
            let found = all.find_subcommand(name).cloned();
            found.ok_or_else(|| Failure::usage(format!("there is no command {name}")))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    io::stdout().write_all(&text)?;
    Ok(0)
}

const NAME: &str = "sidestack";
