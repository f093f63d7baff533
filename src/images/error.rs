//! What went wrong with one request to a registry, told apart by what a person can do about it.

use std::fmt;

use crate::base::{Error, Exit, Failure, ecr_registry};

/// Why it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The registry answered: there is no such image, tag or blob.
    NotFound,
    /// It wants a login, or refused the one it got.
    Unauthorized,
    /// The login held, and ended on the way.
    LoginEnded,
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
    /// The image is of a kind that we can't take.
    Unusable,
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
    /// It was about to be stored there, and not to be had from there.
    pub stored: bool,
}

impl RegistryError {
    pub(super) fn new(kind: Kind, registry: &str, what: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, registry: registry.to_owned(), what: what.into(), message: message.into(), stored: false }
    }

    /// Of something that was to be stored.
    pub(super) fn stored(self) -> Self {
        Self { stored: true, ..self }
    }

    /// Why something goes on in a second attempt, in a few words.
    pub(super) fn brief(&self) -> &'static str {
        match self.kind {
            Kind::LoginEnded => "the login ended",
            Kind::TimedOut => "the connection stood still",
            Kind::RateLimited => "the registry asked to wait",
            Kind::Broken => "the registry failed",
            _ => "the connection broke",
        }
    }

    /// Whether the same request may have another end in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::RateLimited | Kind::Unreachable | Kind::TimedOut | Kind::Broken | Kind::LoginEnded)
    }

    /// What to do about it, a sentence without its full stop.
    pub fn help(&self) -> String {
        let hub = self.registry.ends_with("docker.io");
        let ecr = ecr_registry(&self.registry).is_some();
        match self.kind {
            Kind::Unauthorized | Kind::Denied if ecr => {
                "give your AWS identity the rights on ECR that confluent-ecs iam-policy prints; in \
                another account the repository's own policy must allow it too"
                    .to_owned()
            }
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
            Kind::TimedOut | Kind::LoginEnded => "run it again: what has arrived is not sent a second time".to_owned(),
            Kind::Corrupt => "don't use the image: get it from another registry, or ask who runs this one".to_owned(),
            Kind::TagTaken => "name another tag in the compose files, or copy under another name: --prefix PREFIX".to_owned(),
            Kind::Unusable => "name another tag, or have the image pushed anew with a current Docker".to_owned(),
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
        let way = if self.stored { "into" } else { "from" };
        write!(f, "{} {way} {}: {}", self.what, self.registry, self.message)
    }
}

impl From<RegistryError> for Error {
    fn from(error: RegistryError) -> Self {
        let exit = if error.is_transient() { Exit::Retry } else { Exit::Usage };
        let headline = if error.stored {
            format!("{} doesn't take {}", error.registry, error.what)
        } else {
            format!("{} can't be had from {}", error.what, error.registry)
        };
        Failure::new(exit, headline).cause(&error.message).help(error.help()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, RegistryError};
    use crate::base::Error;

    #[test]
    fn who_can_do_what_about_it_is_said() {
        let error = |kind, registry| RegistryError::new(kind, registry, "the manifest of a:1", "it answered 403");
        let ecr = "1.dkr.ecr.eu-west-1.amazonaws.com";
        assert!(error(Kind::Denied, ecr).help().contains("confluent-ecs iam-policy"));
        assert_eq!(error(Kind::Unauthorized, "docker.io").help(), "log in: docker login");
        assert_eq!(error(Kind::Unauthorized, "quay.io").help(), "log in: docker login quay.io");
        let Error::Failure(failure) = Error::from(error(Kind::Denied, ecr).stored()) else { panic!("findings") };
        assert_eq!(failure.headline, format!("{ecr} doesn't take the manifest of a:1"));
    }
}
