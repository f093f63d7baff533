//! Load balancers with their listeners, rules and target groups; certificates and names in hosted zones.

use std::collections::BTreeMap;

use super::resource::{
    Action, AliasTarget, Attribute, AuthenticateCognito, AuthenticateOidc, Certificate, CertificateRequest, DomainValidation,
    FixedResponse, ForwardConfig, HttpHeader, Listener, ListenerCertificate, ListenerRule, LoadBalancer, Matcher, Properties,
    QueryString, QueryStringValue, RecordSet, Redirect, RuleCondition, TargetGroup, Values, WeightedTarget,
};
use super::{Builder, Expression, Parameter, ParameterType, id_of};
use crate::stack::{
    self, Answer, Balancer, BalancerFact, BalancerKind, CertificateSource, Conditions, Family, IdentityProvider, Login, Lookup,
    Need, Reply, TargetMember, Text, Zone, logical,
};

impl Builder<'_> {
    pub(super) fn balancer(&mut self, balancer: &Balancer) {
        let id = &balancer.id;
        match &balancer.existing {
            Some(lookup) => {
                self.balancer_fact(balancer, lookup, BalancerFact::Arn);
            }
            None => self.new_balancer(balancer),
        }
        for target in &balancer.targets {
            let group = self.target_group(target);
            self.add(&target.id, Properties::TargetGroup(Box::new(group)));
        }
        for listener in &balancer.listeners {
            self.listener(balancer, listener);
        }
        self.aliases(balancer);
        let address = self.address(balancer);
        self.output(format!("{id}DnsName"), format!("Address of the load balancer {}", balancer.name), address);
    }

    fn new_balancer(&mut self, balancer: &Balancer) {
        let id = &balancer.id;
        let group = format!("{id}SecurityGroup");
        self.security_group(&group, format!("Load balancer {}", balancer.name), &balancer.name, &balancer.ingress);
        let tags = self.tags_over(Some(&balancer.name), &balancer.tags);
        let load_balancer = LoadBalancer {
            ip_address_type: balancer.dual_stack.then_some("dualstack"),
            load_balancer_attributes: attributes(&balancer.attributes),
            name: balancer.physical_name.as_ref().map(Expression::from),
            scheme: if balancer.internet_facing { "internet-facing" } else { "internal" },
            security_groups: vec![Expression::attribute(&group, "GroupId")],
            subnets: self.subnets(&balancer.subnets),
            tags,
            kind: match balancer.kind {
                BalancerKind::Application => "application",
                BalancerKind::Network => "network",
            },
        };
        self.add(id, Properties::LoadBalancer(load_balancer));
    }

    /// What the account knows of a balancer that is there.
    pub(super) fn balancer_fact(&mut self, balancer: &Balancer, lookup: &Lookup, fact: BalancerFact) -> Expression {
        let (suffix, what, kind) = match fact {
            BalancerFact::Arn => ("Arn", "ARN", ParameterType::String),
            BalancerFact::DnsName => ("Address", "Address", ParameterType::String),
            BalancerFact::HostedZone => ("HostedZoneId", "Hosted zone of the address", ParameterType::String),
            BalancerFact::SecurityGroup => ("SecurityGroupId", "Security group", ParameterType::SecurityGroupId),
        };
        let network = balancer.kind == BalancerKind::Network;
        self.parameter(&format!("{}{suffix}", balancer.id), || Parameter {
            kind,
            description: format!("{what} of the load balancer {}", lookup.words()),
            default: arn_of(lookup).filter(|_| fact == BalancerFact::Arn),
            need: Need::LoadBalancer { lookup: lookup.clone(), network, fact },
        })
    }

    fn address(&mut self, balancer: &Balancer) -> Expression {
        match &balancer.existing {
            Some(lookup) => self.balancer_fact(balancer, lookup, BalancerFact::DnsName),
            None => Expression::attribute(&balancer.id, "DNSName"),
        }
    }

    /// The listener of a balancer that is there.
    fn listener_arn(&mut self, balancer: &Balancer, id: &str, port: u16, lookup: &Lookup) -> Expression {
        let of = balancer.existing.clone().unwrap_or_default();
        let network = balancer.kind == BalancerKind::Network;
        self.parameter(&format!("{id}Arn"), || Parameter {
            kind: ParameterType::String,
            description: format!("ARN of the listener on port {port} of the load balancer {}", of.words()),
            default: arn_of(lookup),
            need: Need::Listener { balancer: of, network, port, lookup: lookup.clone() },
        })
    }

    /// Which place a rule has among all rules of a listener that is there, of which others have theirs.
    fn priority(&mut self, balancer: &Balancer, listener: &stack::Listener, lookup: &Lookup, index: usize) -> Expression {
        let of = balancer.existing.clone().unwrap_or_default();
        let (port, count) = (listener.port, listener.rules.len());
        let first = first_priority(&self.stack.name, &balancer.name, port);
        let default = first.saturating_add(u32::try_from(index).unwrap_or_default());
        self.parameter(&format!("{}Priority", rule_id(balancer, listener, index)), || Parameter {
            kind: ParameterType::Number,
            description: format!("Place of the rule among those of the listener on port {port}: one that no other rule has"),
            default: Some(default.to_string()),
            need: Need::RulePriority { balancer: of, port, lookup: lookup.clone(), index, count, first },
        })
    }

    fn listener(&mut self, balancer: &Balancer, listener: &stack::Listener) {
        let id = format!("{}Listener{}", balancer.id, listener.port);
        let mut certificates = listener.certificates.iter().map(|key| self.certificate(key)).collect::<Vec<_>>().into_iter();
        let listener_arn = if let Some(lookup) = &listener.existing {
            self.listener_arn(balancer, &id, listener.port, lookup)
        } else {
            let load_balancer_arn = match &balancer.existing {
                Some(lookup) => self.balancer_fact(balancer, lookup, BalancerFact::Arn),
                None => Expression::reference(&balancer.id),
            };
            let resource = Listener {
                alpn_policy: listener.alpn_policy.into_iter().collect(),
                // The one for clients that name no host; a listener takes one, and the others stand beside it.
                certificates: certificates.next().map(|certificate_arn| Certificate { certificate_arn }).into_iter().collect(),
                default_actions: listener.default.as_ref().map(|answer| actions(balancer, answer)).unwrap_or_default(),
                load_balancer_arn,
                port: listener.port,
                protocol: listener.protocol.clone(),
                ssl_policy: listener.ssl_policy.clone(),
            };
            self.add(&id, Properties::Listener(resource));
            Expression::reference(&id)
        };
        for (index, certificate_arn) in certificates.enumerate() {
            let further =
                ListenerCertificate { certificates: vec![Certificate { certificate_arn }], listener_arn: listener_arn.clone() };
            self.add(&format!("{id}FurtherCertificate{}", index + 1), Properties::ListenerCertificate(further));
        }
        for (index, rule) in listener.rules.iter().enumerate() {
            let priority = match &listener.existing {
                Some(lookup) => serde_json::to_value(self.priority(balancer, listener, lookup, index)).unwrap_or_default(),
                None => (index + 1).into(),
            };
            let resource = ListenerRule {
                actions: actions(balancer, &rule.answer),
                conditions: conditions(&rule.conditions),
                listener_arn: listener_arn.clone(),
                priority,
            };
            self.add(&rule_id(balancer, listener, index), Properties::ListenerRule(Box::new(resource)));
        }
    }

    fn target_group(&mut self, target: &stack::TargetGroup) -> TargetGroup {
        let check = &target.health_check;
        TargetGroup {
            health_check_interval_seconds: check.interval,
            health_check_path: check.path.clone(),
            health_check_port: check.port.map(|port| port.to_string()),
            health_check_protocol: check.protocol.clone(),
            health_check_timeout_seconds: check.timeout,
            healthy_threshold_count: check.healthy,
            matcher: check.codes.clone().map(|codes| {
                let (grpc_code, http_code) = if check.grpc { (Some(codes), None) } else { (None, Some(codes)) };
                Matcher { grpc_code, http_code }
            }),
            port: target.port,
            protocol: target.protocol.clone(),
            protocol_version: target.version,
            tags: self.tags_over(None, &target.tags),
            target_group_attributes: attributes(&target.attributes),
            target_type: "ip",
            unhealthy_threshold_count: check.unhealthy,
            vpc_id: self.vpc(),
        }
    }

    /// The target groups that a family's tasks stand in, each with its balancer and the family's part in it.
    pub(super) fn target_groups(&self, family: &Family) -> impl Iterator<Item = (&Balancer, &stack::TargetGroup, &TargetMember)> {
        let name = family.name.clone();
        self.stack.balancers.iter().flat_map(move |balancer| {
            let name = name.clone();
            balancer.targets.iter().flat_map(move |target| {
                let name = name.clone();
                let members = target.members.iter().filter(move |member| member.family == name);
                members.map(move |member| (balancer, target, member))
            })
        })
    }

    /// The ARN of a certificate: a parameter, or the one that this stack asks for.
    fn certificate(&mut self, key: &str) -> Expression {
        let stack = self.stack;
        let Some(certificate) = stack.certificates.get(key) else { return Expression::from("") };
        match &certificate.source {
            CertificateSource::Existing(lookup) => self.parameter(&format!("{}Arn", certificate.id), || Parameter {
                kind: ParameterType::String,
                description: format!("ARN of the certificate {}", lookup.words()),
                default: arn_of(lookup),
                need: Need::Certificate(lookup.clone()),
            }),
            CertificateSource::New { domains, zone } => {
                if !self.resources.contains_key(&certificate.id) {
                    let hosted_zone_id = self.zone_id(zone);
                    let validation =
                        |domain: &Text| DomainValidation { domain_name: domain.into(), hosted_zone_id: hosted_zone_id.clone() };
                    let mut names = domains.iter().map(Expression::from);
                    let request = CertificateRequest {
                        domain_name: names.next().unwrap_or_else(|| Expression::from("")),
                        domain_validation_options: domains.iter().map(validation).collect(),
                        subject_alternative_names: names.collect(),
                        tags: self.tags(None),
                        validation_method: "DNS",
                    };
                    self.add(&certificate.id, Properties::CertificateRequest(request));
                }
                Expression::reference(&certificate.id)
            }
        }
    }

    fn zone_id(&mut self, key: &str) -> Expression {
        let stack = self.stack;
        let Some(Zone { id, name, zone_id, private }) = stack.zones.get(key) else { return Expression::from("") };
        let words = name.as_ref().or(zone_id.as_ref()).map(ToString::to_string).unwrap_or_default();
        self.parameter(&format!("{id}Id"), || Parameter {
            kind: ParameterType::HostedZoneId,
            description: format!("Id of the {}hosted zone {words}", if *private { "private " } else { "" }),
            default: zone_id.as_ref().and_then(Text::literal).map(str::to_owned),
            // One that the files name by its id is not looked up by its domain.
            need: Need::HostedZone { name: name.clone().filter(|_| zone_id.is_none()).unwrap_or_default(), private: *private },
        })
    }

    fn aliases(&mut self, balancer: &Balancer) {
        for alias in &balancer.aliases {
            let hosted_zone_id = self.zone_id(&alias.zone);
            let dns_name = self.address(balancer);
            let zone_of_address = match &balancer.existing {
                Some(lookup) => self.balancer_fact(balancer, lookup, BalancerFact::HostedZone),
                None => Expression::attribute(&balancer.id, "CanonicalHostedZoneID"),
            };
            let kinds: &[&'static str] = if balancer.dual_stack { &["A", "AAAA"] } else { &["A"] };
            for kind in kinds {
                let record = RecordSet {
                    alias_target: AliasTarget {
                        dns_name: dns_name.clone(),
                        // There is one place to go to, and an answer that says so is better than none.
                        evaluate_target_health: false,
                        hosted_zone_id: zone_of_address.clone(),
                    },
                    hosted_zone_id: hosted_zone_id.clone(),
                    name: (&alias.name).into(),
                    kind,
                };
                let name = alias.name.to_string().replace('*', "any");
                let six = if *kind == "AAAA" { "V6" } else { "" };
                self.add(&format!("{}Alias{}{six}", balancer.id, logical(&name)), Properties::RecordSet(record));
            }
        }
    }
}

/// Where the rules of a stack begin on a listener that others have rules on too: the same place every time, and another for other
/// stacks. Whether it is free, the account says.
fn first_priority(stack: &str, balancer: &str, port: u16) -> u32 {
    let text = format!("{stack}/{balancer}/{port}");
    // FNV-1a, which is the same on every machine.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    1000 + hash % 40_000
}

/// The rule of a listener, by its place in the order.
pub(super) fn rule_id(balancer: &Balancer, listener: &stack::Listener, index: usize) -> String {
    format!("{}Listener{}Rule{}", balancer.id, listener.port, index + 1)
}

/// An ARN that the files hold; a certificate can also be named by its domain.
pub(super) fn arn_of(lookup: &Lookup) -> Option<String> {
    id_of(lookup).filter(|id| id.starts_with("arn:"))
}

fn attributes(attributes: &BTreeMap<String, Text>) -> Vec<Attribute> {
    attributes.iter().map(|(key, value)| Attribute { key: key.clone(), value: value.into() }).collect()
}

/// A login first, where one is asked for, then the way to the targets; or an answer of the balancer's own.
fn actions(balancer: &Balancer, answer: &Answer) -> Vec<Action> {
    match answer {
        Answer::Forward { targets, login } => {
            let groups = balancer
                .targets
                .iter()
                .filter(|target| targets.contains(&target.name))
                .map(|target| Expression::reference(&target.id));
            let mut actions = vec![forward(groups.collect())];
            if let Some(login) = login {
                actions[0].order = Some(2);
                actions.insert(0, log_in(login));
            }
            actions
        }
        Answer::Reply(Reply::Redirect { protocol, port, host, path, query, permanent }) => vec![Action {
            redirect_config: Some(Redirect {
                host: host.clone(),
                path: path.clone(),
                port: port.clone(),
                protocol: protocol.clone(),
                query: query.clone(),
                status_code: if *permanent { "HTTP_301" } else { "HTTP_302" },
            }),
            ..action("redirect")
        }],
        Answer::Reply(Reply::Fixed { status, content_type, body }) => vec![Action {
            fixed_response_config: Some(FixedResponse {
                content_type: content_type.clone(),
                message_body: body.clone(),
                status_code: status.clone(),
            }),
            ..action("fixed-response")
        }],
    }
}

fn action(kind: &'static str) -> Action {
    Action {
        authenticate_cognito_config: None,
        authenticate_oidc_config: None,
        fixed_response_config: None,
        forward_config: None,
        order: None,
        redirect_config: None,
        target_group_arn: None,
        kind,
    }
}

/// To one group, or to several with the same weight.
fn forward(mut groups: Vec<Expression>) -> Action {
    if groups.len() == 1 {
        return Action { target_group_arn: groups.pop(), ..action("forward") };
    }
    let target_groups = groups.into_iter().map(|target_group_arn| WeightedTarget { target_group_arn, weight: 1 }).collect();
    Action { forward_config: Some(ForwardConfig { target_groups }), ..action("forward") }
}

fn log_in(login: &Login) -> Action {
    let text = |text: &String| Expression::from(Text::from(text));
    let extra: BTreeMap<String, Expression> =
        login.extra_parameters.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    let extra = (!extra.is_empty()).then_some(extra);
    let (scope, cookie) = (login.scope.as_ref().map(text), login.cookie.as_ref().map(text));
    match &login.provider {
        IdentityProvider::Oidc { issuer, authorization, token, user_info, client_id, client_secret } => Action {
            authenticate_oidc_config: Some(AuthenticateOidc {
                authentication_request_extra_params: extra,
                authorization_endpoint: text(authorization),
                client_id: text(client_id),
                client_secret: text(client_secret),
                issuer: text(issuer),
                on_unauthenticated_request: login.unauthenticated,
                scope,
                session_cookie_name: cookie,
                session_timeout: login.timeout_seconds,
                token_endpoint: text(token),
                user_info_endpoint: text(user_info),
            }),
            order: Some(1),
            ..action("authenticate-oidc")
        },
        IdentityProvider::Cognito { pool_arn, client_id, domain } => Action {
            authenticate_cognito_config: Some(AuthenticateCognito {
                authentication_request_extra_params: extra,
                on_unauthenticated_request: login.unauthenticated,
                scope,
                session_cookie_name: cookie,
                session_timeout: login.timeout_seconds,
                user_pool_arn: text(pool_arn),
                user_pool_client_id: text(client_id),
                user_pool_domain: text(domain),
            }),
            order: Some(1),
            ..action("authenticate-cognito")
        },
    }
}

fn conditions(written: &Conditions) -> Vec<RuleCondition> {
    let none = |field| RuleCondition {
        field,
        host_header_config: None,
        http_header_config: None,
        http_request_method_config: None,
        path_pattern_config: None,
        query_string_config: None,
        source_ip_config: None,
    };
    let values = |list: &[String]| -> Vec<Expression> { list.iter().map(|text| Text::from(text).into()).collect() };
    let some = |list: &[String]| (!list.is_empty()).then(|| Values { values: values(list) });
    let mut conditions = Vec::new();
    conditions
        .extend(some(&written.hosts).map(|config| RuleCondition { host_header_config: Some(config), ..none("host-header") }));
    conditions
        .extend(some(&written.paths).map(|config| RuleCondition { path_pattern_config: Some(config), ..none("path-pattern") }));
    conditions.extend(
        some(&written.methods)
            .map(|config| RuleCondition { http_request_method_config: Some(config), ..none("http-request-method") }),
    );
    conditions.extend(some(&written.sources).map(|config| RuleCondition { source_ip_config: Some(config), ..none("source-ip") }));
    conditions.extend(written.headers.iter().map(|(name, list)| {
        let config = HttpHeader { http_header_name: name.clone(), values: values(list) };
        RuleCondition { http_header_config: Some(config), ..none("http-header") }
    }));
    if !written.queries.is_empty() {
        let value =
            |(key, value): &(Option<String>, String)| QueryStringValue { key: key.clone(), value: Text::from(value).into() };
        let config = QueryString { values: written.queries.iter().map(value).collect() };
        conditions.push(RuleCondition { query_string_config: Some(config), ..none("query-string") });
    }
    conditions
}
