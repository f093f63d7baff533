//! That the bed can be reached from a test, its errors too. What the bed itself must do is tested beside it, in Python.

use serde_json::json;

use crate::support::bed::{bed, unique};

#[test]
fn a_part_starts_at_the_first_call_and_its_facts_stay() {
    let facts = bed().facts("faults");
    assert!(facts["hang"].as_str().unwrap().starts_with("127.0.0.1:"), "{facts}");
    assert_eq!(facts, bed().facts("faults"));
}

#[test]
fn an_error_of_the_bed_is_one_text() {
    let error = bed().try_call("faults/dance", &json!({})).unwrap_err();
    assert!(error.contains("no action dance"), "{error}");
    assert_ne!(unique("t"), unique("t"));
}
