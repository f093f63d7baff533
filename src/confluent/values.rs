//! Findings on values that the component checks as it starts: words of a list, and numbers with a lower end.
//!
//! Comes in: the profile's facts, the service's properties. Goes out: the properties at fault. A value from a secret is not quoted.

use super::properties::{Properties, Property};
use crate::profile::ValueFacts;

/// What is wrong with a value, and what to write.
#[derive(Debug)]
pub(super) struct ValueFault<'a> {
    pub(super) property: &'a Property,
    pub(super) message: String,
    pub(super) help: String,
}

pub(super) fn faults<'a>(known: &[ValueFacts], properties: &'a Properties) -> Vec<ValueFault<'a>> {
    known.iter().filter_map(|facts| fault(facts, properties)).collect()
}

fn fault<'a>(facts: &ValueFacts, properties: &'a Properties) -> Option<ValueFault<'a>> {
    let property = properties.get(&facts.property)?;
    let value = property.value.plain_text()?.trim();
    // A reference is resolved by the worker.
    if value.contains("${") {
        return None;
    }
    let name = &facts.property;
    let (message, help) = if facts.is.is_empty() {
        let least = facts.least.unwrap_or(i64::MIN);
        match value.parse::<i64>() {
            Ok(number) if number >= least || facts.or == Some(number) => return None,
            Ok(number) => (format!("{name} is {number}"), format!("write a number from {least}")),
            Err(_) => (format!("{name} is no number: `{value}`"), format!("write a number from {least}")),
        }
    } else if facts.is.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return None;
    } else {
        (format!("{name} is `{value}`, which it doesn't know"), format!("one of {}", facts.is.join(", ")))
    };
    Some(ValueFault { property, message: format!("{message}: the component refuses to start with it"), help })
}
