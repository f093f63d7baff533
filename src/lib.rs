//! confluent-ecs deploys Confluent components (Kafka Connect, Schema Registry, Control Center) to Amazon ECS Fargate from
//! Docker Compose files, and says before anything is deployed whether credentials, network and ACLs will hold.
//!
//! This page is the map. Data flows one way, pure stages first, the world at the edge:
//!
//! ```text
//! compose files ─► compose ─► Project ─► …
//! ```
//!
//! | room | comes in | goes out | may import |
//! |---|---|---|---|
//! | `base` | – | findings, codes, places, failures, exit codes, secrets | – |
//! | `compose` | files, environment | the merged project, every value with its place | base |
//! | `aws` | names, tags, documents | facts of an account; **the only room that talks to AWS** | base |
//! | `ui` | findings, failures, results | text on stdout and stderr; **the only room that prints** | base, cli |
//! | `cli` | arguments | typed arguments | base |
//! | `commands` | typed arguments | one file a verb: arguments → stages → ui | all |
//!
//! The table is held by `tests/architecture.rs`; a room that is not in it cannot be added unnoticed.

pub mod aws;
pub mod base;
pub mod cli;
pub mod commands;
pub mod compose;
pub mod ui;
