//! What was found, as one page that needs no other file, no network and no script.

mod draft;
mod escape;
mod findings;
mod hosts;
mod latency;
mod lists;
mod map;
mod page;
mod state;
#[cfg(test)]
mod tests;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

pub(crate) use draft::Draft;
pub(crate) use findings::{Findings, MOST_HOSTS, Owner};
pub(crate) use state::State;

/// The file that a page is to be written to.
pub(crate) struct Page {
    path: PathBuf,
    file: File,
}

impl Page {
    /// Opens the file before there is anything to write, so that a run is not for nothing; what
    /// it holds stays until [`Page::write`].
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        match file.and_then(check) {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(error) => {
                let path = path.display();
                Err(Failure::usage(format!("--html {path}: cannot be written: {error}")))
            }
        }
    }

    /// Writes the page, in place of what was there.
    pub(crate) fn write(mut self, findings: &Findings) -> Result<(), Failure> {
        self.replace(findings).map_err(|error| {
            Failure::link(format!("{}: cannot be written: {error}", self.path.display()))
        })
    }

    fn replace(&mut self, findings: &Findings) -> io::Result<()> {
        let page = page::of(findings).map_err(io::Error::other)?;
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(page.as_bytes())
    }
}

/// Whether a device takes what is written: one that does not refuses even nothing.
fn check(mut file: File) -> io::Result<File> {
    if !file.metadata()?.is_file() {
        let _ = file.write(&[])?; // of nothing, nothing is left over
    }
    Ok(file)
}

/// The command line that runs now, as a shell would take it.
pub(crate) fn command_line() -> String {
    let words = std::env::args_os().enumerate().map(|(n, word)| {
        let word = if n == 0 { "sidestack".into() } else { word.to_string_lossy().into_owned() };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
