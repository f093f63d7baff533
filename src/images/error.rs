//! What went wrong with one request to a registry, told apart by what a person can do about it.

use std::fmt;

use crate::base::{Error, Exit, Failure};

/// Why it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The registry answered: there is no such image, tag or blob.
    NotFound,
    /// It wants a login, or refused the one it got.
    Unauthorized,
    /// The login is known and may not do this.
    Denied,
    /// Too many requests; ours were repeated and it was not enough.
    RateLimited,
    /// No connection: name, network, TLS.
    Unreachable,
    /// No answer, or no further piece of one, within our limit.
    TimedOut,
    /// The bytes are not those that their digest names.
    Corrupt,
    /// The target keeps its tags: this one stands for another image.
    TagTaken,
    /// What answers is no registry, or none that we understand.
    Foreign,
    /// The registry failed inside.
    Broken,
}

/// One failed request: what was asked of which registry, and what came of it. Never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    pub kind: Kind,
    /// `host[:port]`.
    pub registry: String,
    /// What was asked for, as `the manifest of team/connect:1`.
    pub what: String,
    /// What was seen, as a sentence without its full stop.
    pub message: String,
}

impl RegistryError {
    pub(super) fn new(kind: Kind, registry: &str, what: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, registry: registry.to_owned(), what: what.into(), message: message.into() }
    }

    /// Whether the same request may have another end in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::RateLimited | Kind::Unreachable | Kind::TimedOut | Kind::Broken)
    }

    /// What to do about it, a sentence without its full stop.
    pub fn help(&self) -> String {
        let hub = self.registry.ends_with("docker.io");
        match self.kind {
            Kind::NotFound if hub => {
                "look the tag up on Docker Hub; a private repository answers the same way until you log in (docker login)"
                    .to_owned()
            }
            Kind::NotFound => {
                format!("look what {} has; some registries say so also to who may not see the image", self.registry)
            }
            Kind::Unauthorized => format!("log in: docker login {}", if hub { "" } else { &self.registry }).trim_end().to_owned(),
            Kind::Denied => format!("ask who runs {} for the right to do this with your login", self.registry),
            Kind::RateLimited if hub => {
                "Docker Hub counts pulls by address, 100 in 6 hours without a login: log in (docker login), \
                or copy the image into ECR once, from a machine that may still pull"
                    .to_owned()
            }
            Kind::RateLimited => "wait a moment, then run it again".to_owned(),
            Kind::Unreachable => format!("check the network and any proxy (HTTPS_PROXY) between here and {}", self.registry),
            Kind::TimedOut => "run it again: what has arrived is not sent a second time".to_owned(),
            Kind::Corrupt => "don't use the image: get it from another registry, or ask who runs this one".to_owned(),
            Kind::TagTaken => "choose another tag, or leave the image that is there".to_owned(),
            Kind::Foreign => format!(
                "look what listens at {}: a proxy or a login page answers in its place, or it is another service",
                self.registry
            ),
            Kind::Broken => "run it again; if it stays, the registry's own log says more".to_owned(),
        }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}: {}", self.what, self.registry, self.message)
    }
}

impl From<RegistryError> for Error {
    fn from(error: RegistryError) -> Self {
        let exit = if error.is_transient() { Exit::Retry } else { Exit::Usage };
        let headline = format!("{} can't be had from {}", error.what, error.registry);
        Failure::new(exit, headline).cause(&error.message).help(error.help()).into()
    }
}
