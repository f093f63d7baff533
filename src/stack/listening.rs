//! Listeners: which requests go where, after which login, and what the others get; certificates and hosted zones.

use super::balancing::{kind, protocols};
use super::build::Builder;
use super::{Answer, Certificate, CertificateSource, Listener, Lookup, Rule, TargetGroup, Text, Zone, logical, standing};
use crate::base::{Code, is_mark, nearest};
use crate::extensions::{self, Placed, Reply, Wanted};

/// TLS 1.2 and 1.3 without weak ciphers.
const SSL_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// How many values the conditions of one rule may have together.
const VALUES_OF_A_RULE: usize = 5;
/// How many rules a listener may have.
const RULES: usize = 100;

impl Listener {
    /// Whether it sends any request to a target group.
    pub fn leads_to(&self, target: &str) -> bool {
        self.answers().any(|answer| answer.targets().iter().any(|name| name == target))
    }

    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.default.iter().chain(self.rules.iter().map(|rule| &rule.answer))
    }
}

impl Builder<'_> {
    pub(super) fn listeners(
        &mut self,
        balancer: &str,
        id: &str,
        of: &extensions::Balancer,
        targets: &[TargetGroup],
    ) -> Vec<Listener> {
        let mut listeners: Vec<Listener> = Vec::new();
        for written in &of.listeners {
            if listeners.iter().any(|other| other.port == written.port.value) {
                let message = format!("{balancer} listens on {} twice", written.port.value);
                self.error_at(Code::BALANCER, &written.port, message).help = Some("keep one listener a port".to_owned());
                continue;
            }
            listeners.extend(self.listener(balancer, id, written, of, targets));
        }
        for written in &of.listeners {
            let Some(Reply::Redirect { protocol, port, host, .. }) = &written.default else { continue };
            let here = host == "#{host}" && !port.starts_with('#');
            // A balancer that is there may listen there already.
            if here && of.existing.is_none() && !of.listeners.iter().any(|other| other.port.value.to_string() == *port) {
                let message = format!("requests are sent on to port {port}, where {balancer} doesn't listen");
                self.error_at(Code::BALANCER, &written.port, message).help =
                    Some(format!("add a listener with Port: {port} and Protocol: {protocol}"));
            }
        }
        listeners
    }

    fn listener(
        &mut self,
        balancer: &str,
        id: &str,
        written: &extensions::Listener,
        of: &extensions::Balancer,
        targets: &[TargetGroup],
    ) -> Option<Listener> {
        let existing = written.existing.as_ref().map(|wanted| match wanted {
            Wanted::Tags(tags) if tags.is_empty() => Lookup::Unsaid,
            wanted => standing::looked_up(wanted),
        });
        if existing.is_some() && of.network {
            let message =
                format!("the listener on {} has no rules: a network load balancer's sends all to one", written.port.value);
            self.error_at(Code::BALANCER, &written.port, message).help =
                Some("add a listener of your own under Listeners, on a port that is free".to_owned());
            return None;
        }
        if of.network == matches!(written.protocol, "HTTP" | "HTTPS") {
            let message = format!("{} doesn't go with {}", written.protocol, kind(of));
            self.error_at(Code::BALANCER, &written.port, message).help = Some(protocols(of).to_owned());
        }
        if of.network {
            self.only_forwards(written);
            self.same_transport(written, of);
        }
        self.in_the_clear(balancer, written, of);
        self.old_tls(written);
        let (rules, rest) = self.rules(balancer, written, of, targets, existing.is_some());
        if rules.len() > RULES {
            let message = format!("the listener has {} rules: AWS takes {RULES}", rules.len());
            self.error_at(Code::BALANCER, &written.port, message);
        }
        let default = match existing {
            Some(_) => None,
            None => Some(self.default_answer(written, targets, &rest, !rules.is_empty())?),
        };
        let secure = matches!(written.protocol, "HTTPS" | "TLS");
        let certificates = written.certificates.iter().enumerate();
        let certificates = certificates
            .filter_map(|(index, source)| self.certificate(&format!("{id}Listener{}", written.port.value), index, source))
            .collect();
        Some(Listener {
            port: written.port.value,
            existing,
            protocol: written.protocol.to_owned(),
            certificates,
            ssl_policy: written
                .ssl_policy
                .as_ref()
                .map(|policy| policy.value.clone())
                .or_else(|| secure.then(|| SSL_POLICY.to_owned())),
            alpn_policy: written.alpn_policy,
            default,
            rules,
        })
    }

    /// A rule for each target that has conditions, and the targets that take every request that no rule takes.
    fn rules<'w>(
        &mut self,
        balancer: &str,
        written: &'w extensions::Listener,
        of: &extensions::Balancer,
        targets: &[TargetGroup],
        existing: bool,
    ) -> (Vec<Rule>, Vec<(&'w extensions::ListenerTarget, String)>) {
        let mut rules: Vec<Rule> = Vec::new();
        let mut rest = Vec::new();
        for wanted in &written.targets {
            let Some(found) = self.wanted_target(balancer, &wanted.name, of, targets) else { continue };
            // What one that is there speaks is known when it is asked.
            if wanted.login.is_some() && written.protocol != "HTTPS" && !existing {
                let message = format!("{} asks for a login on a listener without TLS", wanted.name.value);
                self.error_at(Code::BALANCER, &wanted.name, message).help =
                    Some("make it an HTTPS listener with Certificates".to_owned());
            }
            if wanted.conditions.is_empty() {
                if existing {
                    let message = format!("{} would get every request of a listener that is there", wanted.name.value);
                    self.error_at(Code::BALANCER, &wanted.name, message).help =
                        Some("give it Conditions, or access with a host or a path".to_owned());
                }
                rest.push((wanted, found));
                continue;
            }
            if rules.iter().any(|rule| rule.conditions == wanted.conditions) {
                let message = format!("the requests meant for {} go to another target already", wanted.name.value);
                self.error_at(Code::BALANCER, &wanted.name, message).help = Some("give it other hosts or paths".to_owned());
            }
            if rules.iter().any(|rule| takes_all_of(&rule.conditions, &wanted.conditions)) {
                let message = format!("{} gets no request: a target before it takes them all", wanted.name.value);
                self.warn_at(Code::BALANCER, &wanted.name, message).help =
                    Some("put it before the others: rules are asked in the order of the file".to_owned());
            }
            let count = values(&wanted.conditions);
            if count > VALUES_OF_A_RULE {
                let message =
                    format!("{} has {count} hosts, paths and other values: a rule takes {VALUES_OF_A_RULE}", wanted.name.value);
                self.error_at(Code::BALANCER, &wanted.name, message).help =
                    Some("write the target twice, each with a part".to_owned());
            }
            let answer = Answer::Forward { targets: vec![found], login: wanted.login.clone() };
            rules.push(Rule { conditions: wanted.conditions.clone(), answer });
        }
        (rules, rest)
    }

    /// A network load balancer looks into no request.
    fn only_forwards(&mut self, written: &extensions::Listener) {
        if written.default.is_some() {
            let message = "a network load balancer answers no requests itself";
            self.error_at(Code::BALANCER, &written.port, message).help = Some("leave DefaultActions out".to_owned());
        }
        for target in &written.targets {
            if !target.conditions.is_empty() || target.login.is_some() {
                let message = format!("a network load balancer sees no hosts, paths or logins: {}", target.name.value);
                self.error_at(Code::BALANCER, &target.name, message).help = Some("use Properties.Type: application".to_owned());
            }
        }
        if let [_, second, ..] = written.targets.as_slice() {
            let message = "a network load balancer sends a listener's connections to one target";
            self.error_at(Code::BALANCER, &second.name, message).help =
                Some("put the services into one of TargetGroups, or give each a listener".to_owned());
        }
    }

    /// A network load balancer hands on what it takes: only TLS may end at it.
    fn same_transport(&mut self, written: &extensions::Listener, of: &extensions::Balancer) {
        for wanted in &written.targets {
            let Some(target) = of.targets.iter().find(|target| target.name.value == wanted.name.value) else { continue };
            let fits = target.protocol == written.protocol || (written.protocol == "TLS" && target.protocol == "TCP");
            if !fits && !matches!(target.protocol, "HTTP" | "HTTPS") {
                let message = format!(
                    "a {} listener doesn't lead to {}, which takes {}",
                    written.protocol, target.name.value, target.protocol
                );
                self.error_at(Code::BALANCER, &wanted.name, message).help =
                    Some("make the two protocols the same; a TLS listener may lead to TCP".to_owned());
            }
        }
    }

    /// Requests over the internet that everybody on the way can read.
    fn in_the_clear(&mut self, balancer: &str, written: &extensions::Listener, of: &extensions::Balancer) {
        let from_outside = of.ingress.blocks.iter().any(|block| !block.is_private());
        if of.internet_facing && from_outside && written.protocol == "HTTP" && written.default.is_none() {
            let message = format!("requests to {balancer} on port {} cross the internet in the clear", written.port.value);
            self.warn_at(Code::BALANCER, &written.port, message).help =
                Some("add an HTTPS listener with Certificates, and DefaultActions with Redirect: HTTP_TO_HTTPS here".to_owned());
        }
    }

    /// A policy that the files name and that lets clients in with what is broken.
    fn old_tls(&mut self, written: &extensions::Listener) {
        let Some(policy) = &written.ssl_policy else { return };
        let old = ["-2016-08", "-FS-2018-06", "-FS-1-1-", "-TLS-1-1-", "-TLS-1-0-", "-TLS13-1-0-", "-TLS13-1-1-"];
        if old.iter().any(|part| policy.value.contains(part)) {
            let message = format!("{} lets clients in with TLS 1.0 or 1.1", policy.value);
            self.warn_at(Code::BALANCER, policy, message).help = Some(format!("leave it out, for {SSL_POLICY}"));
        }
    }

    fn default_answer(
        &mut self,
        written: &extensions::Listener,
        targets: &[TargetGroup],
        rest: &[(&extensions::ListenerTarget, String)],
        rules: bool,
    ) -> Option<Answer> {
        if let Some(reply) = &written.default {
            for (target, _) in rest {
                let message = format!("DefaultActions answer the requests that {} would get", target.name.value);
                self.error_at(Code::BALANCER, &target.name, message).help =
                    Some("give it access with a host or a path, or leave DefaultActions out".to_owned());
            }
            return Some(Answer::Reply(reply.clone()));
        }
        let mut names: Vec<String> = rest.iter().map(|(_, name)| name.clone()).collect();
        // One service and a listener that names none: it can only mean that one.
        if let ([only], true) = (targets, written.targets.is_empty() && !written.unread_targets) {
            names.push(only.name.clone());
        }
        names.sort();
        names.dedup();
        if names.is_empty() {
            if rules {
                let body = Some("not found".to_owned());
                return Some(Answer::Reply(Reply::Fixed {
                    status: "404".to_owned(),
                    content_type: Some("text/plain".to_owned()),
                    body,
                }));
            }
            if written.targets.is_empty() && !written.unread_targets {
                let message = format!("the listener on {} sends its requests nowhere", written.port.value);
                self.error_at(Code::BALANCER, &written.port, message).help = Some("add Targets".to_owned());
            }
            return None;
        }
        let logins: Vec<_> = rest.iter().filter_map(|(target, _)| target.login.clone()).collect();
        if !logins.is_empty() && (logins.len() < rest.len() || logins.iter().any(|login| *login != logins[0])) {
            let message = format!("the targets of the listener on {} ask for different logins", written.port.value);
            self.error_at(Code::BALANCER, &written.port, message).help = Some("give each a host or a path of its own".to_owned());
        }
        Some(Answer::Forward { targets: names, login: logins.into_iter().next() })
    }

    /// The target group that a listener names.
    fn wanted_target(
        &mut self,
        balancer: &str,
        wanted: &Placed<String>,
        of: &extensions::Balancer,
        targets: &[TargetGroup],
    ) -> Option<String> {
        if let Some(found) = targets.iter().find(|target| target.name == wanted.value) {
            return Some(found.name.clone());
        }
        let mut parts = wanted.value.splitn(3, ':');
        let family = parts.next().unwrap_or_default();
        let (container, port) = (parts.next(), parts.next());
        let fits = |target: &&TargetGroup| {
            target.members.iter().any(|member| {
                let named = match container {
                    Some(container) => member.family == family && member.container == container,
                    None => member.family == family || member.container == family,
                };
                named && port.is_none_or(|port| member.port.to_string() == port)
            })
        };
        let found: Vec<&TargetGroup> = targets.iter().filter(fits).collect();
        match found.as_slice() {
            [one] => Some(one.name.clone()),
            [] => {
                // One that is wrong in itself is found there.
                if !of.unread_targets && !of.targets.iter().any(|service| service.name.value == wanted.value) {
                    let known: Vec<&str> = of.targets.iter().map(|service| service.name.value.as_str()).collect();
                    let help = nearest(&wanted.value, known.iter().copied())
                        .map_or_else(|| format!("its Services are {}", known.join(", ")), |near| format!("did you mean {near}?"));
                    let message = format!("{} is none of the Services of {balancer}", wanted.value);
                    self.error_at(Code::BALANCER, wanted, message).help = Some(help);
                }
                None
            }
            several => {
                let names = several.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ");
                let message = format!("{} may mean {names}", wanted.value);
                self.error_at(Code::BALANCER, wanted, message).help = Some("write one of them".to_owned());
                None
            }
        }
    }

    /// Notes a certificate as one that the stack needs, and gives its key.
    fn certificate(&mut self, listener: &str, index: usize, source: &extensions::CertificateSource) -> Option<String> {
        let name = match source {
            extensions::CertificateSource::Arn(arn) => {
                let key =
                    if index == 0 { format!("{listener}Certificate") } else { format!("{listener}Certificate{}", index + 1) };
                let source = CertificateSource::Existing(Lookup::Id(Text::from(&arn.value)));
                self.certificates.insert(key.clone(), Certificate { id: key.clone(), source });
                return Some(key);
            }
            extensions::CertificateSource::Named(name) => name,
        };
        let key = name.value.strip_prefix("x-acm::").unwrap_or(&name.value);
        let extensions = self.extensions;
        let Some(written) = extensions.certificates.get(key) else {
            self.no_such("x-acm", "certificate", name, key, extensions.certificates.keys());
            return None;
        };
        if !self.certificates.contains_key(key) {
            let source = match written {
                extensions::Certificate::Existing(wanted) => CertificateSource::Existing(standing::looked_up(wanted)),
                extensions::Certificate::New { domains, zone } => {
                    let zone = self.zone(zone)?;
                    for domain in domains {
                        self.inside(domain, &zone);
                    }
                    CertificateSource::New { domains: domains.iter().map(|domain| Text::from(&domain.value)).collect(), zone }
                }
            };
            let id = logical(key);
            let id = if id.ends_with("Certificate") { id } else { format!("{id}Certificate") };
            self.certificates.insert(key.to_owned(), Certificate { id, source });
        }
        Some(key.to_owned())
    }

    /// Notes a hosted zone as one that the stack needs, and gives its key.
    pub(super) fn zone(&mut self, name: &Placed<String>) -> Option<String> {
        let extensions = self.extensions;
        let prefixes = ["x-route53::", "x-dns::"];
        let key = prefixes.iter().find_map(|prefix| name.value.strip_prefix(prefix)).unwrap_or(&name.value);
        if let Some(zone) = extensions.zones.get(key) {
            let id = logical(key);
            let id = if id.ends_with("Zone") { id } else { format!("{id}Zone") };
            let zone = Zone {
                id,
                name: zone.name.as_ref().map(|name| Text::from(&name.value)),
                zone_id: zone.id.as_ref().map(|id| Text::from(&id.value)),
                private: zone.private,
            };
            self.zones.insert(key.to_owned(), zone);
            return Some(key.to_owned());
        }
        // A zone may be named by its id alone.
        let is_id = key.len() > 8 && key.starts_with('Z') && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if is_id {
            let zone = Zone { id: format!("{}Zone", logical(key)), name: None, zone_id: Some(Text::from(key)), private: false };
            self.zones.insert(key.to_owned(), zone);
            return Some(key.to_owned());
        }
        self.no_such("x-route53", "hosted zone", name, key, extensions.zones.keys());
        None
    }

    /// A name must lie in the zone that is to hold it.
    fn lies_in(&self, name: &str, zone: &str) -> bool {
        let Some(domain) = self.zones.get(zone).and_then(|zone| zone.name.as_ref()) else { return true };
        let domain = domain.to_string();
        let (name, domain) = (name.to_ascii_lowercase(), domain.to_ascii_lowercase());
        name == domain || name.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.')) || name.chars().any(is_mark)
    }

    pub(super) fn inside(&mut self, name: &Placed<String>, zone: &str) {
        if !self.lies_in(&name.value, zone) {
            let domain = self.zones.get(zone).and_then(|zone| zone.name.as_ref()).map(ToString::to_string).unwrap_or_default();
            let message = format!("{} doesn't lie in the hosted zone {domain}", name.value);
            self.error_at(Code::ALIAS, name, message).help =
                Some(format!("write a name that ends in .{domain}, or name its zone"));
        }
    }

    /// A finding for the name of something that should stand at the top.
    pub(super) fn no_such<'k>(
        &mut self,
        section: &str,
        what: &str,
        at: &Placed<String>,
        key: &str,
        known: impl Iterator<Item = &'k String> + Clone,
    ) {
        let help = match nearest(key, known.clone().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => match known.map(String::as_str).collect::<Vec<_>>().join(", ") {
                known if known.is_empty() => format!("add it to {section} at the top"),
                known => format!("{section} has {known}"),
            },
        };
        self.error_at(Code::UNDEFINED_REFERENCE, at, format!("there is no {what} {key} in {section}")).help = Some(help);
    }
}

/// A pattern of a load balancer: `*` stands for any characters, `?` for one.
pub fn pattern_fits(pattern: &str, text: &str) -> bool {
    fn fits(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => fits(rest, text) || text.split_first().is_some_and(|(_, text)| fits(pattern, text)),
            (Some((b'?', rest)), Some((_, text))) => fits(rest, text),
            (Some((one, rest)), Some((other, text))) => one == other && fits(rest, text),
            _ => false,
        }
    }
    fits(pattern.as_bytes(), text.as_bytes())
}

/// Whether every request that `later` would take is taken by `first` already; what looks at more than hosts and paths is not judged.
fn takes_all_of(first: &extensions::Conditions, later: &extensions::Conditions) -> bool {
    let only = first.methods.is_empty() && first.sources.is_empty() && first.headers.is_empty() && first.queries.is_empty();
    let within = |patterns: &[String], texts: &[String], any_case: bool| {
        let text = |text: &String| if any_case { text.to_ascii_lowercase() } else { text.clone() };
        let covered = |it: &String| patterns.iter().any(|pattern| pattern_fits(&text(pattern), &text(it)));
        patterns.is_empty() || (!texts.is_empty() && texts.iter().all(covered))
    };
    only && first != later && within(&first.hosts, &later.hosts, true) && within(&first.paths, &later.paths, false)
}

fn values(conditions: &extensions::Conditions) -> usize {
    let lists = [&conditions.hosts, &conditions.paths, &conditions.methods, &conditions.sources];
    lists.iter().map(|list| list.len()).sum::<usize>()
        + conditions.headers.iter().map(|(_, values)| values.len()).sum::<usize>()
        + conditions.queries.len()
}

#[cfg(test)]
mod tests {
    use super::{pattern_fits, takes_all_of};
    use crate::extensions::Conditions;

    #[test]
    fn patterns_are_those_of_a_load_balancer() {
        for (pattern, text) in [("/*", "/health"), ("/h?alth", "/health"), ("*", ""), ("/health", "/health")] {
            assert!(pattern_fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("/connect/*", "/health"), ("/health", "/health/more"), ("?", "")] {
            assert!(!pattern_fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_rule_behind_a_wider_one_gets_nothing() {
        let on = |hosts: &[&str], paths: &[&str]| {
            let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            Conditions { hosts: list(hosts), paths: list(paths), ..Conditions::default() }
        };
        assert!(takes_all_of(&on(&["*.example.com"], &[]), &on(&["Admin.example.com"], &["/a", "/a/*"])));
        assert!(takes_all_of(&on(&[], &["/a*"]), &on(&["x.y"], &["/api/*"])));
        assert!(!takes_all_of(&on(&["admin.example.com"], &["/a"]), &on(&["*.example.com"], &[])));
        assert!(!takes_all_of(&on(&["a.b"], &[]), &on(&[], &["/a"])));
        let get = Conditions { methods: vec!["GET".to_owned()], ..Conditions::default() };
        assert!(!takes_all_of(&get, &on(&["a.b"], &[])));
    }
}
