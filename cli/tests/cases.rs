//! Exit codes and thresholds, case by case, as they stand on pages for people.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use trycmd::TestCases;

#[test]
fn each_exit_code_and_each_threshold_is_what_its_page_says() {
    let wrapper = Wrapper::new();
    let program = Path::new(env!("CARGO_BIN_EXE_sidestack"));
    let beside = program.parent().expect("it is in a directory").to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([beside].into_iter().chain(env::split_paths(&path)));
    TestCases::new()
        .env("PATH", path.expect("no colon in it").to_string_lossy())
        .register_bin("timeout", Path::new("/usr/bin/timeout"))
        .register_bin("without-privilege", wrapper.0.as_path())
        .case("tests/cases/*.md")
        .run();
}

/// A program that runs another without CAP_NET_RAW.
struct Wrapper(PathBuf);

impl Wrapper {
    fn new() -> Self {
        let dir = env!("CARGO_TARGET_TMPDIR");
        let path = PathBuf::from(format!("{dir}/without-privilege-{}", std::process::id()));
        fs::write(&path, WITHOUT).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self(path)
    }
}

impl Drop for Wrapper {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // a test's own file
    }
}

/// Only root has anything to give up.
const WITHOUT: &str = "#!/bin/sh
[ \"$(id -u)\" -ne 0 ] && exec \"$@\"
exec setpriv --bounding-set=-net_raw --inh-caps=-net_raw \"$@\"
";
