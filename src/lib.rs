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
//! | `extensions` | the project's x- keys | the x- vocabulary, typed, old and new spellings alike | base, compose |
//! | `profile` | `profiles/*.yaml`, embedded | the catalogue: what is known of Confluent's components | base |
//! | `confluent` | services, catalogue | properties, Kafka clients, rights, findings on settings, secret structures | base, compose, extensions, profile |
//! | `init` | answers, catalogue | a project's commented files, all or none | base, compose, extensions, profile, confluent |
//! | `aws` | names, tags, documents | facts of an account; **the only room that talks to AWS** | base |
//! | `images` | image names, logins | what an image is, and copies of it; **the only room that talks to container registries** | base |
//! | `stack` | project, x- vocabulary, catalogue | the stack: every decision made, no secret value, no blank | base, compose, extensions, profile, confluent |
//! | `cloudformation` | the stack | template and parameters with their needs, the same bytes every time | base, stack |
//! | `net` | names, addresses, trust | addresses, streams, certificate facts; or a fault with its cause | base |
//! | `deploy` | template, account | plan, events, outcome | base, aws, confluent, explain, net, stack, cloudformation |
//! | `kafka` | a client's settings | what the broker says; **the only room that talks to Kafka** | base, net |
//! | `preflight` | services with their environment, the cluster, what an account says | checks with causes, evidence and fixes; the report | aws (its facts), base, compose, extensions, profile, confluent, net, kafka |
//! | `explain` | a code, or a log | its page; the causes found in it | base |
//! | `ui` | findings, failures, results | text on stdout and stderr; **the only room that prints** | base, cli, confluent, deploy, explain, images, init, preflight, profile |
//! | `cli` | arguments | typed arguments | base |
//! | `commands` | typed arguments | one file a verb: arguments → stages → ui | all |
//!
//! The table is held by `tests/architecture.rs`; a room that is not in it cannot be added unnoticed.

pub mod aws;
pub mod base;
pub mod cli;
pub mod cloudformation;
pub mod commands;
pub mod compose;
pub mod confluent;
pub mod deploy;
pub mod explain;
pub mod extensions;
pub mod images;
pub mod init;
pub mod kafka;
pub mod net;
pub mod preflight;
pub mod profile;
pub mod stack;
pub mod ui;
