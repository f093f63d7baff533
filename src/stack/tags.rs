//! The tags by which what we made is known again: on the stack, on everything in it, on the secrets that we stored.

/// The project's name.
pub const PROJECT_TAG: &str = "confluent-ecs:project";
/// The environment, where there is one.
pub const ENV_TAG: &str = "confluent-ecs:env";
/// The version of this program that wrote it.
pub const VERSION_TAG: &str = "confluent-ecs:version";
