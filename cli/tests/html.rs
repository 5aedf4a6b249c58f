//! The page that `--html` writes: what is in it, and that a browser shows it.

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::sidestack;

#[test]
fn the_page_counts_what_the_run_counted() {
    let place = Place::new("counts");
    let page = place.page("ping -r 0 -I lab:pace=0 10.0.0.0/28 10.0.0.254");
    for (what, times) in [
        ("<b>15</b> targets", 1), // neither we nor 10.0.0.0
        ("<b>11</b> found", 1),
        ("<b>4</b> silent", 1),
        ("<b>0.100</b> median echo, ms", 1),
        ("Map of 10.0.0.0/24: 11 alive, 4 silent", 1),
        (
            "<title>10.0.0.2 alive; 02:00:0a:00:00:02 (local); ARP 0.100 ms; echo 0.100 ms</title>",
            1,
        ),
        ("<title>10.0.0.12 silent</title>", 1),
        ("11 of 15 were answered", 1),
        ("<span>10.0.0.12\u{2013}10.0.0.15</span>", 1),
        ("<span class=\"n\">11</span>", 1), // of one vendor: (local)
        ("<tr><th scope=\"row\">10.0.0.", 11),
    ] {
        assert_eq!(page.matches(what).count(), times, "{what}");
    }
}

#[test]
fn the_page_needs_nothing_from_outside_and_runs_nothing() {
    let place = Place::new("alone");
    let page = place.page("ping -c 3 -I lab:pace=0,loss=20%,seed=4 10.0.0.0/24");
    for foreign in ["http:", "https:", "//", "src=", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let refers = page.match_indices("href=\"").map(|(at, _)| &page[at + 6..at + 7]);
    assert!(refers.into_iter().all(|first| first == "#"), "something refers to another page");
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("<h3>Answered some</h3>"));
}

#[test]
fn what_stood_on_the_command_line_is_text_in_the_page() {
    let place = Place::new("<b>&amp;");
    let page = place.page("ping -q -I lab:pace=0 10.0.0.2-3 !10.0.0.4");
    assert!(page.contains("&#39;!10.0.0.4&#39;"), "as a shell takes it");
    assert!(page.contains("&lt;b&gt;&amp;amp;.html"));
    assert!(!page.contains("<b>&amp;.html"));
}

#[test]
fn a_shard_s_page_tells_of_the_shard() {
    let place = Place::new("shard");
    let page = place.page("ping -r 0 --shard 1/2 -I lab:pace=0 10.0.0.0/28");
    assert!(page.contains("<b>8</b> targets"), "of 16");
}

#[test]
fn the_page_of_a_scan_says_who_answers_what() {
    let place = Place::new("scan");
    let page = place.page("scan -I lab:pace=0 10.0.0.0/28");
    assert!(page.contains("Map of 10.0.0.0/24: 10 alive, 4 silent"));
    assert!(
        page.contains("10.0.0.2 alive; 02:00:0a:00:00:02 (local); ARP 0.100 ms; echo 0.100 ms")
    );
    let page = place.page("scan -I lab:pace=0,silent=ip 10.0.0.0/28");
    assert!(page.contains("Map of 10.0.0.0/24: 10 ARP only, 4 silent"));
    let page = place.page("scan --arp -I lab:pace=0 10.0.0.0/28");
    assert!(page.contains("Map of 10.0.0.0/24: 10 alive, 4 silent"));
}

#[test]
fn the_page_of_a_scan_against_an_earlier_one_says_who_is_new_and_who_is_gone() {
    let place = Place::new("against");
    let known = place.file("jsonl");
    let earlier = sidestack("scan -j -I lab:pace=0,hosts=4 10.0.0.0/28");
    fs::write(&known, earlier.stdout).expect("a file");
    let known = known.display();
    let more = place.page(&format!("scan -I lab:pace=0,hosts=6 --known {known} 10.0.0.0/28"));
    assert!(more.contains("Map of 10.0.0.0/24: 4 alive, 2 new, 8 silent"));
    let fewer = place.page(&format!("scan -I lab:pace=0,hosts=3 --known {known} 10.0.0.0/28"));
    assert!(fewer.contains("Map of 10.0.0.0/24: 3 alive, 1 gone, 10 silent"));
}

#[test]
fn a_page_that_cannot_be_is_refused_before_anything_is_sent() {
    let place = Place::new("refused");
    let path = place.file("html");
    let too_many = format!("ping -I lab:pace=0 10.0.0.0/15 --html {}", path.display());
    for (args, why) in [
        (too_many.as_str(), "a page tells of 65536 targets"),
        ("ping -I lab:pace=0 10.0.0.2-3 --html /nonexistent/a.html", "cannot be written"),
        ("ping -I lab:pace=0 10.0.0.2-3 --html /dev/full", "cannot be written: No space left"),
        ("scan -I lab:pace=0 -l --html /nonexistent/a.html", "cannot be written: No such file"),
        ("scan -I lab:pace=0 -l --html /dev/full", "cannot be written: No space left"),
        ("scan -I lab:pace=0 -l --html /dev", "cannot be written: Is a directory"),
    ] {
        let output = sidestack(args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(why), "{said}");
    }
    assert!(!path.exists());
}

#[test]
fn a_browser_shows_it_by_day_and_by_night() {
    let Some(browser) = browser() else {
        assert!(env::var_os("CI").is_none(), "no chromium, which CI has");
        println!("left out: no chromium");
        return;
    };
    let place = Place::new("shown");
    place.page("ping -I lab:pace=0 -r 0 10.0.0.0/24");
    let blank = place.file("blank.html");
    fs::write(&blank, "<!DOCTYPE html><title>blank</title>").expect("a file");
    let [night, day] =
        ["0", "1"].map(|scheme| place.picture(&browser, &place.file("html"), scheme));
    let blank = place.picture(&browser, &blank, "1");
    assert!(night != day, "both look the same");
    for picture in [night, day] {
        assert!(picture.starts_with(b"\x89PNG"));
        assert!(picture.len() > 3 * blank.len(), "{} octets, as if empty", picture.len());
    }
}

fn browser() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join("chromium")).find(|file| file.is_file())
}

/// A directory of one test's own, gone with it.
struct Place(PathBuf, &'static str);

impl Place {
    fn new(name: &'static str) -> Self {
        let dir = env::temp_dir().join(format!("sidestack-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        Self(dir, name)
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.0.join(format!("{}.{extension}", self.1))
    }

    /// The page that the program writes.
    fn page(&self, args: &str) -> String {
        let path = self.file("html");
        let output = sidestack(&format!("{args} --html {}", path.display()));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        fs::read_to_string(path).expect("a page in UTF-8")
    }

    /// What the browser makes of a page, as a PNG; it is given no network, and a home of its own.
    fn picture(&self, browser: &Path, page: &Path, scheme: &str) -> Vec<u8> {
        let (picture, home) = (self.file(&format!("{scheme}.png")), self.0.join("home"));
        let run = Command::new("timeout")
            .args(["--kill-after=5", "50"])
            .arg(browser)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", home.display()))
            .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(format!("file://{}", page.display()))
            .output();
        let said = run.expect("it starts").stderr;
        fs::read(&picture).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--window-size=1280,1600",
];
