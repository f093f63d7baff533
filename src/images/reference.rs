//! An image's name: `[registry/]repository[:tag][@digest]`, read as Docker reads it.

use std::fmt;
use std::net::IpAddr;

use super::Digest;

/// The registry that a name without one means, and the address at which it is asked.
const HUB: &str = "docker.io";
const HUB_ADDRESS: &str = "registry-1.docker.io";

/// A name, taken apart. Without tag and digest it means the tag `latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// With its port, where it has one.
    pub registry: String,
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl Reference {
    /// Says what is wrong with a name that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("`{text}` is not the name of an image: {what}"));
        let (name, digest) = match text.split_once('@') {
            None => (text, None),
            Some((name, digest)) => match Digest::parse(digest) {
                Some(digest) => (name, Some(digest)),
                None => return wrong("after the @ stands sha256: with 64 hexadecimal digits"),
            },
        };
        let (registry, rest) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => (HUB, name),
        };
        let registry = if registry == "index.docker.io" { HUB } else { registry };
        if !registry.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c)) {
            return wrong(&format!("`{registry}` is no host"));
        }
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if path.is_empty() || !path.split('/').all(is_part) {
            return wrong("a repository is lower-case letters, digits, dots, hyphens and underscores, in parts with / between");
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return wrong(&format!("`{tag}` is no tag: letters, digits, dots, hyphens and underscores, at most 128"));
        }
        let repository = if registry == HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        if repository.len() > 255 {
            return wrong("the repository's name is longer than 255");
        }
        Ok(Self { registry: registry.to_owned(), repository, tag: tag.map(str::to_owned), digest })
    }

    /// What is asked for by name: the digest, where there is one.
    pub fn selector(&self) -> &str {
        self.digest.as_ref().map_or_else(|| self.tag.as_deref().unwrap_or("latest"), Digest::as_str)
    }

    /// The same image at exactly this digest.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> Self {
        Self { digest: Some(digest.clone()), ..self.clone() }
    }

    /// `host[:port]` at which the registry answers.
    pub(super) fn address(&self) -> &str {
        if self.registry == HUB { HUB_ADDRESS } else { &self.registry }
    }

    /// Docker Hub: it counts pulls.
    pub fn is_hub(&self) -> bool {
        self.registry == HUB
    }
}

/// As short as Docker writes it.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.registry == HUB {
            f.write_str(self.repository.strip_prefix("library/").unwrap_or(&self.repository))?;
        } else {
            write!(f, "{}/{}", self.registry, self.repository)?;
        }
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// Whether the first part of a name is a registry: it has a dot or a port, or is `localhost`.
fn is_registry(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.chars().any(|c| c.is_ascii_uppercase())
}

/// Whether a registry at this `host[:port]` is on this machine, where plain HTTP is spoken.
pub(super) fn is_local(address: &str) -> bool {
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_part(part: &str) -> bool {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(part.chars().next()) && edge(part.chars().last()) && part.chars().all(inside)
}

fn is_tag(tag: &str) -> bool {
    let first = tag.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    first && tag.len() <= 128 && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::{Reference, is_local};

    #[test]
    fn names_are_read_as_docker_reads_them() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (text, registry, repository, selector) in [
            ("postgres", "docker.io", "library/postgres", "latest"),
            ("confluentinc/cp-kafka-connect:8.0.7", "docker.io", "confluentinc/cp-kafka-connect", "8.0.7"),
            ("docker.io/confluentinc/cp-kafka-connect", "docker.io", "confluentinc/cp-kafka-connect", "latest"),
            ("index.docker.io/a/b:1", "docker.io", "a/b", "1"),
            ("localhost/a:1", "localhost", "a", "1"),
            ("127.0.0.1:5000/a/b/c:1.2_3-x", "127.0.0.1:5000", "a/b/c", "1.2_3-x"),
            ("[::1]:5000/a", "[::1]:5000", "a", "latest"),
            ("1.dkr.ecr.eu-west-1.amazonaws.com/team/connect:9", "1.dkr.ecr.eu-west-1.amazonaws.com", "team/connect", "9"),
        ] {
            let read = Reference::parse(text).unwrap();
            let found = (read.registry.as_str(), read.repository.as_str(), read.selector());
            assert_eq!(found, (registry, repository, selector), "{text}");
        }
        let both = Reference::parse(&format!("a/b:1@{digest}")).unwrap();
        assert_eq!(both.selector(), digest);
        assert_eq!(both.to_string(), format!("a/b:1@{digest}"));
        assert_eq!(Reference::parse("docker.io/library/postgres:17").unwrap().to_string(), "postgres:17");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for wrong in ["", ":1", "a/B", "a//b", "a/b:", "a b", "a/b@sha256:12", "-a", "a/b:-x", "http://a/b", "${X}/a"] {
            assert!(Reference::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for local in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"] {
            assert!(is_local(local), "{local}");
        }
        for other in ["docker.io", "10.0.0.1:5000", "localhost.example.com", "127.0.0.1.example.com"] {
            assert!(!is_local(other), "{other}");
        }
    }
}
