use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    time::{Duration, Instant},
};

use link::Link;
use stack::{Impaired, Stack};

use super::figures::Figures;
use crate::{failure::Failure, report::Report};

/// The file that the figures are kept in.
pub(super) struct Metrics {
    path: PathBuf,
    next: Instant,
    written: Option<String>,
    /// It could not be written the last time.
    failing: bool,
}

impl Metrics {
    pub(super) fn new(path: PathBuf, now: Instant) -> Self {
        Self { path, next: now, written: None, failing: false }
    }

    /// Writes them if it is time. What cannot be written now ends nothing: it is told once.
    pub(super) fn keep(
        &mut self,
        now: Instant,
        stack: &mut Stack<Impaired<Box<dyn Link>>>,
        report: &mut Report,
    ) {
        if now < self.next {
            return;
        }
        let failed = self.write(now, stack, report.untold());
        let before = std::mem::replace(&mut self.failing, failed.is_err());
        if let (Err(failure), false) = (failed, before) {
            report.aside(format_args!("sidestack: {failure}"));
        }
    }

    /// When it is time again.
    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Puts a whole file in the place of the one before, if anything has changed.
    pub(super) fn write(
        &mut self,
        now: Instant,
        stack: &mut Stack<Impaired<Box<dyn Link>>>,
        untold: u64,
    ) -> Result<(), Failure> {
        self.next = now + EVERY;
        let text = Figures::of(stack, untold).prometheus();
        if self.written.as_ref() == Some(&text) {
            return Ok(());
        }
        put(&self.path, &text)?;
        self.written = Some(text);
        Ok(())
    }
}

/// Puts `text` in the place of the file at `path`, as a whole; of nothing but a file.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let place = place(path)?;
    replace(&place, text).map_err(|error| unwritable(path, &error))
}

/// Where the file is that `path` names, links followed, or is to be.
fn place(path: &Path) -> Result<PathBuf, Failure> {
    let what = match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            return fs::canonicalize(path).map_err(|error| unwritable(path, &error));
        }
        Ok(found) if found.is_dir() => "a directory",
        Ok(_) => "a device, a pipe or a socket",
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unwritable(path, &error));
        }
        Err(_) if path.is_symlink() => "a link to what is not there",
        Err(_) => return Ok(path.to_owned()),
    };
    let message = format!("--metrics {}: {what}, which no file may replace", path.display());
    Err(Failure::usage(message).hint("name a regular file, or one that is not there yet"))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let (beside, mut file) = beside(path)?;
    let put = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&beside, path));
    if put.is_err() {
        let _ = fs::remove_file(&beside); // why it could not be put is what is told
    }
    put
}

/// A new file in the same directory, under a name that nothing else has.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", process::id()));
    let mut tried = 0;
    loop {
        let beside = path.with_file_name(&hidden);
        match File::create_new(&beside) {
            // Left behind by one who had our process id and was killed, perhaps.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < TRIES => {
                tried += 1;
                hidden.push("+");
            }
            opened => return opened.map(|file| (beside, file)),
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("--metrics {}: cannot be written: {error}", path.display()))
}

/// How often the file is written, at most.
const EVERY: Duration = Duration::from_secs(1);

/// Names that are tried, besides the first.
const TRIES: u32 = 8;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_beside_it_is_touched() {
        let dir = Dir::new("whole");
        let neighbours = ["f.new".to_owned(), format!(".f.{}", process::id())];
        for name in &neighbours {
            fs::write(dir.0.join(name), "theirs").expect("a file");
        }
        for text in ["long before", "new"] {
            put(&dir.0.join("f"), text).expect("it is written");
            assert_eq!(fs::read_to_string(dir.0.join("f")).expect("a file"), text);
        }
        for name in &neighbours {
            assert_eq!(fs::read_to_string(dir.0.join(name)).expect("a file"), "theirs");
        }
        assert_eq!(dir.count(), 3);
    }

    #[test]
    fn a_link_to_a_file_stays_and_the_file_is_written() {
        let dir = Dir::new("link");
        let (file, link) = (dir.0.join("f"), dir.0.join("l"));
        fs::write(&file, "old").expect("a file");
        symlink("f", &link).expect("a link");
        put(&link, "new").expect("it is written");
        assert!(link.is_symlink());
        assert_eq!((fs::read_to_string(&file).expect("a file"), dir.count()), ("new".into(), 2));
    }

    #[test]
    fn what_is_no_file_is_left_as_it_is() {
        let dir = Dir::new("other");
        let [fifo, to_fifo, to_nothing] = ["fifo", "to-fifo", "to-nothing"].map(|n| dir.0.join(n));
        mkfifo(&fifo, Mode::S_IRWXU).expect("a pipe");
        symlink("fifo", &to_fifo).expect("a link");
        symlink("nothing", &to_nothing).expect("a link");
        for (path, what) in [
            (&dir.0, "a directory"),
            (&fifo, "a pipe"),
            (&to_fifo, "a pipe"),
            (&to_nothing, "a link to what is not there"),
        ] {
            let refused = put(path, "figures").expect_err("it is no file");
            assert_eq!(refused.code(), 2);
            assert!(refused.message.contains(what), "{refused}");
        }
        assert!(fs::symlink_metadata(&fifo).expect("it is there").file_type().is_fifo());
        assert!(to_fifo.is_symlink() && to_nothing.is_symlink());
        assert_eq!(dir.count(), 3);
    }

    #[test]
    fn what_could_not_be_put_in_place_is_not_left_behind() {
        let dir = Dir::new("failed");
        fs::create_dir(dir.0.join("f")).expect("a directory");
        assert!(replace(&dir.0.join("f"), "figures").is_err());
        assert_eq!(dir.count(), 1);
    }

    /// A directory of one test's own, gone with it.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let name = format!("sidestack-metrics-{}-{name}", process::id());
            let dir = std::env::temp_dir().join(name);
            fs::create_dir_all(&dir).expect("a directory");
            Self(dir)
        }

        fn count(&self) -> usize {
            fs::read_dir(&self.0).expect("it is there").count()
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
