//! Lines for programs, held to `docs/schema.json`.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// The record on `line`, which must be one that the schema knows.
pub(crate) fn record(line: &str) -> Value {
    let record = serde_json::from_str(line);
    let record = record.unwrap_or_else(|error| panic!("{line} is not JSON: {error}"));
    assert!(SCHEMA.is_valid(&record), "{line} is not in the schema");
    record
}

pub(crate) static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = include_str!("../../../docs/schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a JSON Schema")
});
