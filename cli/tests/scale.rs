//! The manifests of docs/scale.md, run with the network in memory: all their parts are the whole.

#[path = "common/schema.rs"]
mod schema;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

#[test]
fn the_pods_of_the_kubernetes_job_cover_each_target_once() {
    let manifest = read("kubernetes.yaml");
    let script = manifest.split("- >-\n").nth(1).expect("a script");
    let script: Vec<&str> =
        script.lines().map(str::trim).take_while(|line| *line != "env:").collect();
    let place = Place::new("kubernetes");
    let dir = place.0.display().to_string();
    let script = script.join(" ").replace("/etc/sweep", &dir).replace("/results", &dir);
    assert!(manifest.contains("completions: 16\n") && script.contains("--shard auto/16"));
    for index in 0..16 {
        place.run(&script, &[("JOB_COMPLETION_INDEX", index)]);
    }
    place.holds_all_targets_once(16);
}

#[test]
fn the_tasks_of_the_slurm_array_cover_each_target_once() {
    let (script, place) = (read("slurm.sh"), Place::new("slurm"));
    for task in 1..=16 {
        let names = ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"];
        place.run(&script, &[(names[0], task), (names[1], 1), (names[2], 16)]);
    }
    place.holds_all_targets_once(16);
}

/// What parallel(1) makes of the script: it drops a level of quotes, and fills in the number.
#[test]
fn the_jobs_of_gnu_parallel_cover_each_target_once() {
    let script = read("parallel.sh");
    let (seq, job) = script.split_once(" | parallel -j 1 -n0 \\\n").expect("a job");
    assert!(seq.ends_with("seq 4"));
    let place = Place::new("parallel");
    for number in 1..=4 {
        let job = job.replace('\'', "").replace("{#}", &number.to_string());
        place.run(&job, &[("PARALLEL_SEQ", number)]);
    }
    place.holds_all_targets_once(4);
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scale").join(name);
    fs::read_to_string(path).expect("a manifest")
}

/// A directory with the two lists, where the parts are written to.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let dir = env::temp_dir().join(format!("sidestack-scale-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        fs::write(dir.join("targets"), "10.0.0.0/24\n").expect("a list");
        fs::write(dir.join("leave-alone"), "!10.0.0.3 # they asked for it\n").expect("a list");
        Self(dir)
    }

    fn run(&self, script: &str, variables: &[(&str, u32)]) {
        let program = Path::new(env!("CARGO_BIN_EXE_sidestack"));
        let beside = program.parent().expect("a directory").display().to_string();
        let variables = variables.iter().map(|(name, value)| (name, value.to_string()));
        let output = Command::new("sh")
            .args(["-c", script])
            .current_dir(&self.0)
            .env("PATH", format!("{beside}:/usr/bin:/bin"))
            .env("LINK", "lab:pace=0")
            .envs(variables)
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn holds_all_targets_once(&self, parts: usize) {
        let files = fs::read_dir(&self.0).expect("a directory").map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|is| is == "jsonl"));
        let all: String = files.map(|path| fs::read_to_string(path).unwrap()).collect();
        let lines: Vec<Value> = all.lines().map(schema::record).collect();
        let of = |kind: &str| -> Vec<String> {
            let lines = lines.iter().filter(|line| line["type"] == *kind);
            lines.map(|line| line["dst"].to_string()).collect()
        };
        let (asked, ends) = (of("summary"), of("end"));
        assert_eq!(ends.len(), parts);
        assert_eq!(asked.len(), 256 - 4); // we, the network, everybody, and who asked for it
        assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len());
        assert_eq!(of("reply").len(), 11 - 1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
