//! The services that we ask a thing or two and that have no crate of their own: what they speak, how they sign, where they are.
//!
//! An endpoint that the user set wins, as with every SDK: `AWS_ENDPOINT_URL_<SERVICE>`, the profile's `services` section,
//! `AWS_ENDPOINT_URL`, the profile's `endpoint_url`. Otherwise it follows from the region and its partition.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// A service that is called with [`super::signed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Acm,
    ApplicationAutoScaling,
    CloudMap,
    Ec2,
    Efs,
    Elbv2,
    Iam,
    Kafka,
    Kms,
    Route53,
    Sns,
}

/// How a service takes its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A form with `Action` and `Version`; the answer is XML.
    Query { version: &'static str },
    /// JSON with the operation in a header.
    Json { target: &'static str },
    /// Paths; the answer is JSON.
    RestJson,
    /// Paths; the answer is XML.
    RestXml,
}

impl Api {
    /// Name in hosts, name in signatures, the service's id, protocol.
    fn row(self) -> (&'static str, &'static str, &'static str, Protocol) {
        match self {
            Self::Acm => ("acm", "acm", "ACM", Protocol::Json { target: "CertificateManager" }),
            Self::ApplicationAutoScaling => (
                "application-autoscaling",
                "application-autoscaling",
                "Application Auto Scaling",
                Protocol::Json { target: "AnyScaleFrontendService" },
            ),
            Self::CloudMap => (
                "servicediscovery",
                "servicediscovery",
                "ServiceDiscovery",
                Protocol::Json { target: "Route53AutoNaming_v20170314" },
            ),
            Self::Ec2 => ("ec2", "ec2", "EC2", Protocol::Query { version: "2016-11-15" }),
            Self::Efs => ("elasticfilesystem", "elasticfilesystem", "EFS", Protocol::RestJson),
            Self::Elbv2 => (
                "elasticloadbalancing",
                "elasticloadbalancing",
                "Elastic Load Balancing v2",
                Protocol::Query { version: "2015-12-01" },
            ),
            Self::Iam => ("iam", "iam", "IAM", Protocol::Query { version: "2010-05-08" }),
            Self::Kafka => ("kafka", "kafka", "Kafka", Protocol::RestJson),
            Self::Kms => ("kms", "kms", "KMS", Protocol::Json { target: "TrentService" }),
            Self::Route53 => ("route53", "route53", "Route 53", Protocol::RestXml),
            Self::Sns => ("sns", "sns", "SNS", Protocol::Query { version: "2010-03-31" }),
        }
    }

    pub(super) fn signing_name(self) -> &'static str {
        self.row().1
    }

    pub(super) fn protocol(self) -> Protocol {
        self.row().3
    }

    /// One endpoint for all regions of a partition.
    fn is_global(self) -> bool {
        matches!(self, Self::Iam | Self::Route53)
    }

    /// What the user's environment or profile says about this service's endpoint.
    pub(super) fn configured(self, config: &SdkConfig) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id(self.row().2).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
        own.or_else(|| config.endpoint_url().map(str::to_owned))
    }

    /// AWS's own endpoint, and the region that signatures for it name.
    pub(super) fn default_endpoint(self, region: &str, fips: bool, dual_stack: bool) -> (String, String) {
        let (host, ..) = self.row();
        let fips = if fips { "-fips" } else { "" };
        let partition = partition(region);
        if self.is_global() {
            // GovCloud's own names; the other partitions' differ by their suffix alone.
            let host = match (self, partition.global) {
                (_, "us-gov-west-1") => format!("{host}.us-gov"),
                (Self::Iam, global) if global != "us-east-1" => format!("{host}.{global}"),
                _ => format!("{host}{fips}"),
            };
            return (format!("https://{host}.{}", partition.suffix), partition.global_region(self).to_owned());
        }
        let suffix = if dual_stack { partition.dual_stack } else { partition.suffix };
        (format!("https://{host}{fips}.{region}.{suffix}"), region.to_owned())
    }
}

struct Partition {
    suffix: &'static str,
    dual_stack: &'static str,
    /// The region that signs for services with one endpoint.
    global: &'static str,
}

impl Partition {
    fn global_region(&self, api: Api) -> &'static str {
        // China has two regions, and each of the two global services signs for the other one.
        if self.global == "cn-north-1" && api == Api::Route53 { "cn-northwest-1" } else { self.global }
    }
}

fn partition(region: &str) -> Partition {
    let (suffix, dual_stack, global) = match region.split('-').take(2).collect::<Vec<_>>().as_slice() {
        ["cn", _] => ("amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-north-1"),
        ["eusc", _] => ("amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1"),
        ["us", "gov"] => ("amazonaws.com", "api.aws", "us-gov-west-1"),
        ["us", "iso"] => ("c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"),
        ["us", "isob"] => ("sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1"),
        ["eu", "isoe"] => ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1"),
        ["us", "isof"] => ("csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1"),
        _ => ("amazonaws.com", "api.aws", "us-east-1"),
    };
    Partition { suffix, dual_stack, global }
}

#[cfg(test)]
mod tests {
    use super::Api;

    #[test]
    fn endpoints_follow_the_region_and_its_partition() {
        let at = |api: Api, region| api.default_endpoint(region, false, false);
        let pair = |url: &str, region: &str| (url.to_owned(), region.to_owned());
        assert_eq!(at(Api::Ec2, "eu-west-1"), pair("https://ec2.eu-west-1.amazonaws.com", "eu-west-1"));
        assert_eq!(at(Api::Efs, "cn-north-1"), pair("https://elasticfilesystem.cn-north-1.amazonaws.com.cn", "cn-north-1"));
        assert_eq!(at(Api::Kms, "us-iso-east-1"), pair("https://kms.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"));
        assert_eq!(at(Api::Acm, "eusc-de-east-1"), pair("https://acm.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"));
    }

    #[test]
    fn global_services_sign_for_one_region_of_the_partition() {
        let at = |api: Api, region| api.default_endpoint(region, false, false);
        let pair = |url: &str, region: &str| (url.to_owned(), region.to_owned());
        assert_eq!(at(Api::Route53, "eu-west-1"), pair("https://route53.amazonaws.com", "us-east-1"));
        assert_eq!(at(Api::Iam, "eu-west-1"), pair("https://iam.amazonaws.com", "us-east-1"));
        assert_eq!(at(Api::Route53, "us-gov-east-1"), pair("https://route53.us-gov.amazonaws.com", "us-gov-west-1"));
        assert_eq!(at(Api::Route53, "cn-north-1"), pair("https://route53.amazonaws.com.cn", "cn-northwest-1"));
        assert_eq!(at(Api::Iam, "us-gov-east-1"), pair("https://iam.us-gov.amazonaws.com", "us-gov-west-1"));
        assert_eq!(at(Api::Iam, "cn-northwest-1"), pair("https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"));
    }

    #[test]
    fn fips_and_dual_stack_have_names_of_their_own() {
        let url = |fips, dual| Api::Ec2.default_endpoint("us-east-1", fips, dual).0;
        assert_eq!(url(true, false), "https://ec2-fips.us-east-1.amazonaws.com");
        assert_eq!(url(false, true), "https://ec2.us-east-1.api.aws");
        assert_eq!(url(true, true), "https://ec2-fips.us-east-1.api.aws");
    }
}
