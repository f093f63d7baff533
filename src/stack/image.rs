//! Where an image is kept.

use super::{Repository, Text};
use crate::base::{ecr_registry, is_mark};

/// The repository of an image in ECR: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`. Works on the marked text, so that the
/// account and the region may still be unknown.
pub(super) fn repository(image: &str) -> Option<Repository> {
    let (registry, rest) = image.split_once('/')?;
    let (account, region) = ecr_registry(registry)?;
    let name = rest.split('@').next()?;
    let tag = name.rfind(':').filter(|colon| name.rfind('/').is_none_or(|slash| slash < *colon));
    let name = tag.map_or(name, |colon| &name[..colon]);
    Some(Repository { account: Text::from(account), region: Text::from(region), name: Text::from(name) })
}

/// A name taken apart; its registry may hold marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// Without the registry; what Docker Hub keeps without a maker stands under `library/` there, and here without.
    pub(super) repository: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// Of a name that has no [`fault`].
    pub(super) fn of(image: &'a str) -> Self {
        let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
        let slash = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[slash..].split_once(':') {
            Some((last, tag)) => (&name[..slash + last.len()], Some(tag)),
            None => (name, None),
        };
        let repository = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => rest,
            _ => name,
        };
        Self { repository, tag, digest }
    }
}

/// As Docker tells a registry from a path.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.chars().any(char::is_uppercase)
}

/// What is wrong with the name of an image, as registries take it: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
pub(super) fn fault(image: &str) -> Option<&'static str> {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Some("a digest is sha256: with 64 hexadecimal digits");
    }
    let slash = name.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name[slash..].split_once(':') {
        Some((last, tag)) => (&name[..slash + last.len()], Some(tag)),
        None => (name, None),
    };
    let in_tag = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if tag.is_some_and(|tag| tag.is_empty() || tag.len() > 128 || !tag.chars().all(in_tag) || tag.starts_with(['.', '-'])) {
        return Some("a tag has at most 128 letters, digits and _ . -");
    }
    let mut parts = name.split('/');
    let first = parts.clone().next().unwrap_or_default();
    if name.contains('/') && is_registry(first) {
        parts.next();
        let host = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c) || is_mark(c);
        if !first.chars().all(host) {
            return Some("the registry is a host, with a port where it has one");
        }
    }
    let in_path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c) || is_mark(c);
    let part = |part: &str| {
        !part.is_empty() && part.chars().all(in_path) && !part.starts_with(['_', '.', '-']) && !part.ends_with(['_', '.', '-'])
    };
    (!parts.all(part)).then_some("a path has small letters, digits and _ . - between its slashes")
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::{Name, fault, repository};
    use crate::base::{ACCOUNT_MARK, REGION_MARK};

    #[test]
    fn a_name_that_no_registry_takes_is_known() {
        let digest = format!("a/b@sha256:{}", "0".repeat(64));
        let marked = format!("{ACCOUNT_MARK}.dkr.ecr.{REGION_MARK}.amazonaws.com/a/b:1");
        for good in
            ["redis", "confluentinc/cp-kafka-connect:8.0.7", "localhost:5000/x", "example.com:443/a/b_c-d.e:V1", &digest, &marked]
        {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["UPPER/Case:tag:tag", "example.com/a b:1", "repo/name@sha256:abc", "a//b", "a:", "a/B:1", "-a", "https://a/b"]
        {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_taken_apart() {
        let of = |image| {
            let Name { repository, tag, digest } = Name::of(image);
            (repository, tag, digest)
        };
        assert_eq!(of("redis"), ("redis", None, None));
        assert_eq!(of("confluentinc/cp-kafka-connect:8.0.7"), ("confluentinc/cp-kafka-connect", Some("8.0.7"), None));
        assert_eq!(of("localhost:5000/x@sha256:1"), ("x", None, Some("sha256:1")));
        let marked = format!("{ACCOUNT_MARK}.dkr.ecr.{REGION_MARK}.amazonaws.com/a/b:1@sha256:2");
        assert_eq!(of(&marked), ("a/b", Some("1"), Some("sha256:2")));
    }

    #[test]
    fn a_repository_of_ecr_is_known_by_its_host() {
        let found = repository(&format!("{ACCOUNT_MARK}.dkr.ecr.{REGION_MARK}.amazonaws.com/a/b:1@sha256:0")).unwrap();
        assert_eq!(found.name.literal(), Some("a/b"));
        assert_eq!(found.region.to_string(), "${AWS_REGION}");
        assert_eq!(repository("1.dkr.ecr.cn-north-1.amazonaws.com.cn/x").unwrap().name.literal(), Some("x"));
        for other in ["confluentinc/cp-kafka-connect:8.0.7", "localhost:5000/x", "x"] {
            assert_eq!(repository(other), None);
        }
    }
}
