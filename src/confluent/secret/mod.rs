//! The stored secret of a service: which keys it has, and how each is composed from plain answers.
//!
//! Comes in: the component, the service's clients, the keys that the compose files name, answers (user names and passwords).
//! Goes out: a [`SecretDocument`], whose JSON only [`SecretDocument::to_json`] gives, and as a [`Secret`](crate::base::Secret).
//!
//! ECS can't put a secret inside another value, so every key holds the whole setting: a login configuration quoted for JAAS and
//! escaped for the properties file, `user:password` escaped likewise. The verbs `secrets compose` and `secrets put` share this.

mod answers;
mod document;
mod form;
mod scram;
mod structure;
#[cfg(test)]
mod tests;

pub use answers::{Answers, compose};
pub use document::{DocumentError, SecretDocument, parameter_file};
pub use form::{Blank, Form, FormPart, form};
pub use scram::{ScramUser, scram_secret_name, scram_users};
pub use structure::{Composition, IdentityPart, Injected, JsonKey, Key, Question, Structure, structure};
