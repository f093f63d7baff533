//! How ECR names its registries: whose one is, and where, can be read from an image's name.

/// Between the account and the region: as ever, by FIPS 140, and for IPv6 too ("Making requests to Amazon ECR registries", ECR's guide).
const INFIXES: [&str; 4] = [".dkr.ecr.", ".dkr.ecr-fips.", ".dkr-ecr.", ".dkr-ecr-fips."];

/// The account and the region of a private registry of ECR, by its host. In the texts of a template each may be a mark.
pub fn ecr_registry(host: &str) -> Option<(&str, &str)> {
    let (account, rest) = INFIXES.iter().find_map(|infix| host.split_once(infix))?;
    let (region, _suffix) = rest.split_once('.')?;
    (!account.is_empty() && !region.is_empty()).then_some((account, region))
}

#[cfg(test)]
mod tests {
    use super::ecr_registry;

    #[test]
    fn account_and_region_are_in_the_host() {
        for (host, found) in [
            ("1.dkr.ecr.eu-west-1.amazonaws.com", Some(("1", "eu-west-1"))),
            ("1.dkr.ecr.cn-north-1.amazonaws.com.cn", Some(("1", "cn-north-1"))),
            ("1.dkr.ecr.eusc-de-east-1.amazonaws.eu", Some(("1", "eusc-de-east-1"))),
            ("1.dkr.ecr-fips.us-gov-west-1.amazonaws.com", Some(("1", "us-gov-west-1"))),
            ("1.dkr-ecr.eu-west-1.on.aws", Some(("1", "eu-west-1"))),
            ("public.ecr.aws", None),
            ("docker.io", None),
            ("localhost:5000", None),
            (".dkr.ecr..amazonaws.com", None),
        ] {
            assert_eq!(ecr_registry(host), found, "{host}");
        }
    }
}
