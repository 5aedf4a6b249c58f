//! How a question that needs namespaces is asked.

use std::{env, error::Error, process::ExitCode};

use link::namespace;

/// Asks a `question` that needs namespaces, where it is to be answered and not only to be built:
/// `cargo bench` says `--bench`, and `--test` besides for the latter.
pub(crate) fn ask(question: fn() -> Result<(), Box<dyn Error + Send + Sync>>) -> ExitCode {
    let said = |wanted: &str| env::args().any(|argument| argument == wanted);
    if !said("--bench") || said("--test") {
        return ExitCode::SUCCESS;
    }
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    match question() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
