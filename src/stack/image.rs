//! Where an image is kept.

use super::{Repository, Text};

/// The repository of an image in ECR: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`. Works on the marked text, so that the
/// account and the region may still be unknown.
pub(super) fn repository(image: &str) -> Option<Repository> {
    let (registry, rest) = image.split_once('/')?;
    let (account, host) = registry.split_once(".dkr.ecr.").or_else(|| registry.split_once(".dkr.ecr-fips."))?;
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let name = rest.split('@').next()?;
    let tag = name.rfind(':').filter(|colon| name.rfind('/').is_none_or(|slash| slash < *colon));
    let name = tag.map_or(name, |colon| &name[..colon]);
    Some(Repository { account: Text::from(account), region: Text::from(region), name: Text::from(name) })
}

#[cfg(test)]
mod tests {
    use super::repository;
    use crate::base::{ACCOUNT_MARK, REGION_MARK};

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
