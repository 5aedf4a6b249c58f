use stack::Shard;

/// What --shard names: `2/3`; or `auto`, where Slurm says it all, and `auto/3`, where the
/// environment says the part only. `variable` looks one up.
pub(crate) fn shard(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Shard, String> {
    let count = match text.split_once('/') {
        None if text == "auto" => None,
        Some(("auto", count)) => Some(number("the count", count)?),
        _ => return text.parse().map_err(|error| format!("{text} is {error}")),
    };
    let read = |name: &str| variable(name).map(|value| number(name, &value)).transpose();
    let (from, index, told) = if let Some(id) = read("SLURM_ARRAY_TASK_ID")? {
        let first = read("SLURM_ARRAY_TASK_MIN")?.unwrap_or_default();
        let step = read("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let index = id.checked_sub(first).map(|after| after / step);
        ("SLURM_ARRAY_TASK_ID", index, read("SLURM_ARRAY_TASK_COUNT")?)
    } else if let Some(index) = read("JOB_COMPLETION_INDEX")? {
        ("JOB_COMPLETION_INDEX", Some(index), read("JOB_COMPLETIONS")?)
    } else if let Some(part) = read("PARALLEL_SEQ")? {
        ("PARALLEL_SEQ", part.checked_sub(1), None)
    } else if let Some(part) = read("PARALLEL_JOBSLOT")? {
        ("PARALLEL_JOBSLOT", part.checked_sub(1), None)
    } else {
        return Err("neither Slurm nor Kubernetes nor parallel says which part is ours".into());
    };
    let count = count
        .or(told)
        .ok_or_else(|| format!("{from} does not say of how many: add it, as in --shard auto/3"))?;
    let shard = index.and_then(|index| Shard::new(index, count));
    shard.ok_or_else(|| format!("{from} names no part of {count}"))
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{name} is no number: {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_environment(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        let shard = shard(text, |name| find(name).map(|(_, value)| (*value).to_owned()));
        shard.map(|shard| shard.to_string())
    }

    #[test]
    fn schedulers_say_which_part_is_ours() {
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "7"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
            ("SLURM_ARRAY_TASK_MIN", "5"),
        ];
        let stepped = [
            ("SLURM_ARRAY_TASK_ID", "30"),
            ("SLURM_ARRAY_TASK_COUNT", "3"),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_STEP", "10"),
        ];
        assert_eq!(in_environment("auto", &slurm), Ok("3/4".into()));
        assert_eq!(in_environment("auto", &stepped), Ok("3/3".into()));
        let kubernetes = [("JOB_COMPLETION_INDEX", "0")];
        assert_eq!(in_environment("auto/5", &kubernetes), Ok("1/5".into()));
        let parallel = [("PARALLEL_SEQ", "5"), ("PARALLEL_JOBSLOT", "2")];
        assert_eq!(in_environment("auto/5", &parallel), Ok("5/5".into()));
        assert_eq!(in_environment("auto/5", &parallel[1..]), Ok("2/5".into()));
        assert_eq!(in_environment("2/3", &slurm), Ok("2/3".into()), "what is said goes first");
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        for (text, variables) in [
            ("auto", &[][..]),
            ("auto", &[("JOB_COMPLETION_INDEX", "0")]),
            ("auto/3", &[("JOB_COMPLETION_INDEX", "3")]),
            ("auto/3", &[("PARALLEL_SEQ", "0")]),
            ("auto/0", &[("PARALLEL_SEQ", "1")]),
            ("auto/3", &[("SLURM_ARRAY_TASK_ID", "-1")]),
            ("auto/3", &[("SLURM_ARRAY_TASK_ID", "1"), ("SLURM_ARRAY_TASK_MIN", "2")]),
            ("0/3", &[]),
            ("3", &[]),
        ] {
            assert!(in_environment(text, variables).is_err(), "{text} {variables:?}");
        }
    }
}
