//! The only room that talks to container registries: what an image is, and how it comes from one registry into another, with nothing
//! but this binary.
//!
//! Comes in: an image's name as the compose files write it, and whose credentials to use. Goes out: facts of the image (digest,
//! platforms, age), or a copy of it with the same digest, or an image of it and layers of our own, or a [`RegistryError`] that says
//! what was asked of which registry and why it failed.
//!
//! ```text
//! name ─► Reference ─► Registry (challenge, token, limits) ─► Manifest ─► facts
//!                                                              ├► blobs, streamed from one Registry into another ─► the same digest
//!                                                              └► Base, files ─► Layer ─► Image ─► put: of the same files the same digest
//! ```
//!
//! Rules: nothing is believed that its digest doesn't prove; a blob is never held in memory, nor on disk when it is another's, only the
//! piece of it that is on its way; what the target holds already is not sent again; a connection that breaks is taken up where it
//! broke; every wait has a limit of ours; a password leaves this room only in the request that needs it. Plain HTTP is spoken with
//! this machine alone, as every other client does.

mod blob;
mod build;
mod challenge;
mod check;
mod copy;
mod credentials;
mod digest;
mod error;
mod facts;
mod fetch;
mod http;
mod layer;
mod manifest;
mod pace;
mod reference;
mod registry;
mod unpack;
mod upload;

pub use build::{BASE_LABEL, BASE_NAME_LABEL, Base, Image, PLUGINS_LABEL, Settings, Variable, put, stands_for};
pub use check::{Checked, Outcome, Scan, Standing, Wanted, check};
pub use copy::{Copied, Event, copy};
pub use credentials::{CredentialSource, Credentials, DockerConfig, Renew};
pub use digest::Digest;
pub use error::{Kind, RegistryError};
pub use facts::{ImageFacts, facts};
pub use fetch::{Arrived, FetchError, copied, fetch};
pub use layer::{Content, Entry, Layer};
pub use manifest::Platform;
pub use reference::Reference;
pub use registry::Registry;
pub use unpack::unpack;
