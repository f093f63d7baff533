//! Variable names and property names, by the image's own rule, in both directions.
//!
//! The rule is the code's, not the documentation's: `_` is a dot, `__` an underscore, `___` a dash. The two tools that
//! apply it differ in one case: of one-letter segments the newer one leaves every second `_` as it is, because its
//! pattern takes the letters on both sides and finds no overlapping matches.
//!
//! Before that, a component's own rule: which prefix is taken off and what is put in its place, and which properties have
//! variables of their own ([`EnvironmentRule`]).

use crate::profile::EnvironmentRule;

/// The tool in the image that translates names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Python, up to the 8.0 line.
    Dub,
    /// Go, from the 8.1 line on.
    Ub,
}

/// The property that a variable without its prefix becomes.
pub(super) fn property_name(tool: Tool, variable: &str) -> String {
    let characters: Vec<char> = variable.to_lowercase().chars().collect();
    let mut dotted = String::with_capacity(variable.len());
    // Up to here a character has been taken into a match, and can't begin the next one.
    let mut taken = 0;
    for (index, character) in characters.iter().enumerate() {
        let between = *character == '_'
            && index > 0
            && characters[index - 1] != '_'
            && characters.get(index + 1).is_some_and(|next| *next != '_');
        let free = match tool {
            Tool::Dub => true,
            Tool::Ub => index > taken,
        };
        if between && free {
            dotted.push('.');
            taken = index + 2;
        } else {
            dotted.push(*character);
        }
    }
    dotted.replace("___", "-").replace("__", "_")
}

/// The properties that a variable sets in a component, each with its rank among the variables of that property: the lowest counts.
pub(super) fn property_names(rule: &EnvironmentRule, tool: Tool, variable: &str) -> Vec<(String, usize)> {
    let named: Vec<(String, usize)> = rule
        .named
        .iter()
        .filter_map(|named| {
            let rank = named.variables.iter().position(|name| name == variable)?;
            Some((named.property.clone(), rank))
        })
        .collect();
    if !named.is_empty() {
        return named;
    }
    let fitting = rule.prefixes.iter().enumerate().filter_map(|(rank, prefix)| {
        let rest = variable.strip_prefix(&prefix.variable)?;
        Some((prefix.variable.len(), format!("{}{}", prefix.property, property_name(tool, rest)), rank))
    });
    fitting.max_by_key(|(length, ..)| *length).map(|(_, property, rank)| (property, rank)).into_iter().collect()
}

/// The one property that a variable is meant to set, where it is one.
pub(super) fn meant_property(rule: &EnvironmentRule, variable: &str) -> Option<String> {
    match property_names(rule, Tool::Dub, variable).as_slice() {
        [(property, _)] => Some(property.clone()),
        _ => None,
    }
}

/// The variable that sets a property of a component: the inverse, for names that we write and for advice.
pub fn variable_name(rule: &EnvironmentRule, property: &str) -> String {
    let own = rule.named.iter().find(|named| named.property == property).and_then(|named| named.variables.first());
    if let Some(own) = own {
        return own.clone();
    }
    let fitting = rule.prefixes.iter().filter_map(|prefix| Some((prefix, property.strip_prefix(&prefix.property)?)));
    // Of two variables for the same properties, the first in the profile counts.
    let (prefix, rest) = fitting
        .reduce(|best, next| if next.0.property.len() > best.0.property.len() { next } else { best })
        .map_or(("", property), |(prefix, rest)| (prefix.variable.as_str(), rest));
    plain_variable(prefix, rest)
}

fn plain_variable(prefix: &str, property: &str) -> String {
    let mut name = prefix.to_owned();
    for character in property.chars() {
        match character {
            '.' => name.push('_'),
            '_' => name.push_str("__"),
            '-' => name.push_str("___"),
            other => name.extend(other.to_uppercase()),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Tool, plain_variable, property_name, property_names, variable_name};
    use crate::profile::Catalogue;

    #[test]
    fn both_tools_follow_the_code_and_not_the_documentation() {
        for tool in [Tool::Dub, Tool::Ub] {
            for (variable, property) in [
                ("GROUP_ID", "group.id"),
                ("WITH__UNDERSCORE", "with_underscore"),
                ("WITH___DASH", "with-dash"),
                ("SASL_JAAS_CONFIG", "sasl.jaas.config"),
                ("_LEADING", "_leading"),
                ("TRAILING_", "trailing_"),
                ("A", "a"),
                ("", ""),
                ("X____Y", "x-_y"),
            ] {
                assert_eq!(property_name(tool, variable), property, "{tool:?} {variable}");
            }
        }
    }

    #[test]
    fn the_newer_tool_breaks_one_letter_segments() {
        assert_eq!(property_name(Tool::Dub, "A_B_C"), "a.b.c");
        assert_eq!(property_name(Tool::Ub, "A_B_C"), "a.b_c");
        assert_eq!(property_name(Tool::Ub, "CONFIG_PROVIDERS_S_CLASS"), "config.providers.s_class");
        assert_eq!(property_name(Tool::Ub, "A_BC_D"), "a.bc.d");
        assert_eq!(property_name(Tool::Ub, "A_B_C_D_E"), "a.b_c.d_e");
    }

    /// Control Center's start script: the longest prefix counts, some properties have variables of their own, and one variable sets several.
    #[test]
    fn a_component_may_have_several_prefixes() {
        let rule = &Catalogue::builtin().expect("profiles").component("control-center").expect("control-center").environment;
        let names = |variable| property_names(rule, Tool::Ub, variable).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        for (variable, property) in [
            ("CONTROL_CENTER_REST_LISTENERS", "confluent.controlcenter.rest.listeners"),
            ("CONTROL_CENTER_MONITORING_INTERCEPTOR_TOPIC", "confluent.monitoring.interceptor.topic"),
            ("CONTROL_CENTER_METRICS_TOPIC", "confluent.metrics.topic"),
            ("CONTROL_CENTER_BOOTSTRAP_SERVERS", "bootstrap.servers"),
            ("CONFLUENT_METADATA_BOOTSTRAP_SERVER_URLS", "confluent.metadata.bootstrap.server.urls"),
        ] {
            assert_eq!(names(variable), [property], "{variable}");
            assert_eq!(variable_name(rule, property), variable);
        }
        assert_eq!(names("CONFLUENT_METRICS_TOPIC"), ["confluent.metrics.topic"]);
        assert_eq!(names("CONTROL_CENTER_REPLICATION_FACTOR").len(), 4);
        assert!(names("KAFKA_HEAP_OPTS").is_empty());
    }

    proptest! {
        #[test]
        fn the_inverse_is_one(property in "[a-z][a-z0-9]{1,6}([._-][a-z0-9]{2,6}){0,5}") {
            let variable = plain_variable("", &property);
            prop_assert_eq!(property_name(Tool::Dub, &variable), property.clone());
            prop_assert_eq!(property_name(Tool::Ub, &variable), property);
        }
    }
}
