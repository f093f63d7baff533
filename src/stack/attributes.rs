//! Attributes of load balancers and target groups: which there are, for which kind of balancer, and what each takes.

use std::collections::BTreeMap;

use super::build::Builder;
use crate::base::{Code, is_mark, nearest};
use crate::extensions::Placed;

/// What an attribute takes.
enum Takes {
    Flag,
    Number(u32, u32),
    /// A number, or this word for none.
    NumberOr(u32, u32, &'static str),
    OneOf(&'static [&'static str]),
    Bucket,
    Text,
}

/// Which load balancers have it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Both,
    Application,
    Network,
}

struct Attribute(&'static str, On, Takes);

/// An attribute's name with what an application and a network load balancer call their kind.
const BALANCER: &[Attribute] = &[
    Attribute("access_logs.s3.bucket", On::Both, Takes::Bucket),
    Attribute("access_logs.s3.enabled", On::Both, Takes::Flag),
    Attribute("access_logs.s3.prefix", On::Both, Takes::Text),
    Attribute("client_keep_alive.seconds", On::Application, Takes::Number(60, 604_800)),
    Attribute("connection_logs.s3.bucket", On::Application, Takes::Bucket),
    Attribute("connection_logs.s3.enabled", On::Application, Takes::Flag),
    Attribute("connection_logs.s3.prefix", On::Application, Takes::Text),
    Attribute("deletion_protection.enabled", On::Both, Takes::Flag),
    Attribute(
        "dns_record.client_routing_policy",
        On::Network,
        Takes::OneOf(&["any_availability_zone", "availability_zone_affinity", "partial_availability_zone_affinity"]),
    ),
    Attribute("health_check_logs.s3.bucket", On::Application, Takes::Bucket),
    Attribute("health_check_logs.s3.enabled", On::Application, Takes::Flag),
    Attribute("health_check_logs.s3.prefix", On::Application, Takes::Text),
    Attribute("idle_timeout.timeout_seconds", On::Application, Takes::Number(1, 4000)),
    Attribute("ipv6.deny_all_igw_traffic", On::Both, Takes::Flag),
    Attribute("load_balancing.cross_zone.enabled", On::Both, Takes::Flag),
    Attribute("routing.http.desync_mitigation_mode", On::Application, Takes::OneOf(&["defensive", "monitor", "strictest"])),
    Attribute("routing.http.drop_invalid_header_fields.enabled", On::Application, Takes::Flag),
    Attribute("routing.http.preserve_host_header.enabled", On::Application, Takes::Flag),
    Attribute("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", On::Application, Takes::Flag),
    Attribute("routing.http.xff_client_port.enabled", On::Application, Takes::Flag),
    Attribute("routing.http.xff_header_processing.mode", On::Application, Takes::OneOf(&["append", "preserve", "remove"])),
    Attribute("routing.http2.enabled", On::Application, Takes::Flag),
    Attribute("secondary_ips.auto_assigned.per_subnet", On::Network, Takes::Number(0, 7)),
    Attribute("waf.fail_open.enabled", On::Application, Takes::Flag),
    Attribute("zonal_shift.config.enabled", On::Both, Takes::Flag),
];

const COOKIE: Takes = Takes::Number(1, 604_800);

const TARGETS: &[Attribute] = &[
    Attribute("deregistration_delay.connection_termination.enabled", On::Network, Takes::Flag),
    Attribute("deregistration_delay.timeout_seconds", On::Both, Takes::Number(0, 3600)),
    Attribute("load_balancing.algorithm.anomaly_mitigation", On::Application, Takes::OneOf(&["off", "on"])),
    Attribute(
        "load_balancing.algorithm.type",
        On::Application,
        Takes::OneOf(&["least_outstanding_requests", "round_robin", "weighted_random"]),
    ),
    Attribute("load_balancing.cross_zone.enabled", On::Both, Takes::OneOf(&["false", "true", "use_load_balancer_configuration"])),
    Attribute("preserve_client_ip.enabled", On::Network, Takes::Flag),
    Attribute("proxy_protocol_v2.enabled", On::Network, Takes::Flag),
    Attribute("slow_start.duration_seconds", On::Application, Takes::Number(0, 900)),
    Attribute("stickiness.app_cookie.cookie_name", On::Application, Takes::Text),
    Attribute("stickiness.app_cookie.duration_seconds", On::Application, COOKIE),
    Attribute("stickiness.enabled", On::Both, Takes::Flag),
    Attribute("stickiness.lb_cookie.duration_seconds", On::Application, COOKIE),
    Attribute("stickiness.type", On::Both, Takes::OneOf(&["app_cookie", "lb_cookie", "source_ip"])),
    Attribute("target_group_health.dns_failover.minimum_healthy_targets.count", On::Both, Takes::NumberOr(1, 1000, "off")),
    Attribute("target_group_health.dns_failover.minimum_healthy_targets.percentage", On::Both, Takes::NumberOr(1, 100, "off")),
    Attribute("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", On::Both, Takes::Number(1, 1000)),
    Attribute(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        On::Both,
        Takes::NumberOr(1, 100, "off"),
    ),
    Attribute("target_health_state.unhealthy.connection_termination.enabled", On::Network, Takes::Flag),
    Attribute("target_health_state.unhealthy.draining_interval_seconds", On::Network, Takes::Number(0, 360_000)),
];

impl Builder<'_> {
    /// Attributes of a load balancer, and what they need of each other.
    pub(super) fn balancer_attributes(&mut self, written: &BTreeMap<String, Placed<String>>, network: bool) {
        self.each(BALANCER, "a load balancer", written, network);
        let value = |key: &str| written.get(key).map(|value| value.value.as_str());
        if let Some(cross) = written.get("load_balancing.cross_zone.enabled").filter(|cross| !network && cross.value == "false") {
            let message = "an application load balancer always serves every zone from each";
            self.error_at(Code::BALANCER, cross, message).help = Some("leave it out, or say it on the target group".to_owned());
        }
        for logs in ["access_logs.s3", "connection_logs.s3", "health_check_logs.s3"] {
            let enabled = format!("{logs}.enabled");
            if value(&enabled) == Some("true") && value(&format!("{logs}.bucket")).is_none() {
                let Some(at) = written.get(&enabled) else { continue };
                self.error_at(Code::BALANCER, at, format!("{enabled} without a bucket")).help =
                    Some(format!("add {logs}.bucket with the bucket's name"));
            }
        }
    }

    pub(super) fn target_attributes(&mut self, written: &BTreeMap<String, Placed<String>>, network: bool) {
        self.each(TARGETS, "a target group", written, network);
        let Some(kind) = written.get("stickiness.type") else { return };
        let (fits, known) =
            if network { (kind.value == "source_ip", "source_ip") } else { (kind.value != "source_ip", "lb_cookie") };
        if !fits {
            let message = format!("{} sticks to no target by {}", of(network), kind.value);
            self.error_at(Code::BALANCER, kind, message).help = Some(format!("write {known}"));
        }
        if kind.value == "app_cookie" && !written.contains_key("stickiness.app_cookie.cookie_name") {
            self.error_at(Code::BALANCER, kind, "app_cookie without the cookie's name").help =
                Some("add stickiness.app_cookie.cookie_name".to_owned());
        }
    }

    fn each(&mut self, known: &[Attribute], what: &str, written: &BTreeMap<String, Placed<String>>, network: bool) {
        for (key, value) in written {
            let Some(Attribute(_, on, takes)) = known.iter().find(|Attribute(name, _, _)| name == key) else {
                let names = known.iter().map(|Attribute(name, _, _)| *name);
                let help = nearest(key, names).map(|near| format!("did you mean {near}?"));
                let finding = self.error_at(Code::BALANCER, value, format!("{key} is no attribute of {what}"));
                finding.help = help.or_else(|| Some("leave it out".to_owned()));
                continue;
            };
            let there = match on {
                On::Both => true,
                On::Application => !network,
                On::Network => network,
            };
            if !there {
                let message = format!("{key} is nothing that {} has", of(network));
                self.error_at(Code::BALANCER, value, message).help = Some("leave it out".to_owned());
            } else if let Some(wanted) = takes.refuse(&value.value) {
                let message = format!("{key} can't be \"{}\"", crate::stack::Text::from(&value.value));
                self.error_at(Code::BALANCER, value, message).help = Some(wanted);
            }
        }
    }
}

fn of(network: bool) -> &'static str {
    if network { "a network load balancer" } else { "an application load balancer" }
}

impl Takes {
    /// What it takes instead, if it doesn't take this.
    fn refuse(&self, value: &str) -> Option<String> {
        let within = |least: u32, most: u32| value.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number));
        match self {
            Self::Text => None,
            Self::Flag => (!matches!(value, "true" | "false")).then(|| "true or false".to_owned()),
            Self::Number(least, most) => (!within(*least, *most)).then(|| format!("a number from {least} to {most}")),
            Self::NumberOr(least, most, word) => {
                (value != *word && !within(*least, *most)).then(|| format!("{word}, or a number from {least} to {most}"))
            }
            Self::OneOf(words) => (!words.contains(&value)).then(|| match nearest(value, words.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("one of {}", words.join(", ")),
            }),
            Self::Bucket => {
                (!is_bucket(value)).then(|| "a bucket's name: 3 to 63 small letters, digits, dots and hyphens".to_owned())
            }
        }
    }
}

fn is_bucket(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-' || is_mark(c);
    // A mark stands for the account's twelve digits or the region's name.
    let length = name.chars().map(|c| if is_mark(c) { 12 } else { 1 }).sum::<usize>();
    (3..=63).contains(&length) && name.chars().all(good) && !name.starts_with(['.', '-']) && !name.ends_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::{BALANCER, TARGETS, is_bucket};

    #[test]
    fn the_tables_are_sorted_and_say_each_name_once() {
        for table in [BALANCER, TARGETS] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn a_bucket_has_a_name_that_s3_takes() {
        assert!(is_bucket("every-key-logs") && is_bucket("logs.example.com"));
        for bad in ["Logs", "my_logs", "ab", "-logs", ""] {
            assert!(!is_bucket(bad), "{bad}");
        }
    }
}
