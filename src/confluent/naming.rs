//! Variable names and property names, by the image's own rule, in both directions.
//!
//! The rule is the code's, not the documentation's: `_` is a dot, `__` an underscore, `___` a dash. The two tools that
//! apply it differ in one case: of one-letter segments the newer one leaves every second `_` as it is, because its
//! pattern takes the letters on both sides and finds no overlapping matches.

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

/// The variable that sets a property: the inverse, for names that we write and for advice.
pub fn variable_name(prefix: &str, property: &str) -> String {
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

    use super::{Tool, property_name, variable_name};

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

    proptest! {
        #[test]
        fn the_inverse_is_one(property in "[a-z][a-z0-9]{1,6}([._-][a-z0-9]{2,6}){0,5}") {
            let variable = variable_name("", &property);
            prop_assert_eq!(property_name(Tool::Dub, &variable), property.clone());
            prop_assert_eq!(property_name(Tool::Ub, &variable), property);
        }
    }
}
