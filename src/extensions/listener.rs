//! The listeners of a load balancer: certificates, where requests go by host and path, who must log in first.

use std::collections::BTreeMap;

use super::condition::Conditions;
use super::reader::{Fields, Item, Key, Placed, Reader};
use super::target::PROTOCOLS;
use super::top::{Wanted, is_dns_name};

#[derive(Debug, Clone)]
pub struct Listener {
    pub port: Placed<u16>,
    /// It is there, and gets rules of this stack. Without tags it is the one on this port.
    pub existing: Option<Wanted>,
    pub protocol: &'static str,
    pub certificates: Vec<CertificateSource>,
    pub ssl_policy: Option<Placed<String>>,
    pub alpn_policy: Option<&'static str>,
    /// What requests get that no target takes.
    pub default: Option<Reply>,
    pub targets: Vec<ListenerTarget>,
    /// One of them at least couldn't be read, and was said so.
    pub unread_targets: bool,
}

#[derive(Debug, Clone)]
pub enum CertificateSource {
    Arn(Placed<String>),
    /// An entry of `x-acm`.
    Named(Placed<String>),
}

/// One of the balancer's target groups, and the requests that it takes.
#[derive(Debug, Clone)]
pub struct ListenerTarget {
    /// `family:container`, `family:container:port`, or one name for both.
    pub name: Placed<String>,
    pub conditions: Conditions,
    pub login: Option<Login>,
}

/// An answer that the balancer gives itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Redirect { protocol: String, port: String, host: String, path: String, query: String, permanent: bool },
    Fixed { status: String, content_type: Option<String>, body: Option<String> },
}

/// Who must log in before a request goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub provider: IdentityProvider,
    pub cookie: Option<String>,
    pub timeout_seconds: Option<u32>,
    pub scope: Option<String>,
    pub unauthenticated: Option<&'static str>,
    pub extra_parameters: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityProvider {
    Oidc {
        issuer: String,
        authorization: String,
        token: String,
        user_info: String,
        client_id: String,
        /// A reference to Secrets Manager that CloudFormation resolves, never the secret.
        client_secret: String,
    },
    Cognito {
        pool_arn: String,
        client_id: String,
        domain: String,
    },
}

/// Security policies to offer; there are others of the same form.
const SSL_POLICIES: [&str; 5] = [
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
];
/// What the name of one is put together of, between its start and its month.
const POLICY_WORDS: [&str; 12] = ["TLS13", "TLS", "FS", "0", "1", "2", "3", "Res", "Ext", "Ext0", "FIPS", "PQ"];
/// What a fixed response can be.
const CONTENT_TYPES: [&str; 5] = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];
const ALPN: [&str; 4] = ["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred"];
/// Where a listener that is there speaks HTTPS, as far as can be told without asking.
const SECURE_PORTS: [u16; 2] = [443, 8443];
/// What CloudFormation fills in itself, so that the template doesn't hold the secret.
const REFERENCE: &str = "{{resolve:secretsmanager:";

impl Reader<'_> {
    pub(super) fn listener(&mut self, port: Option<Placed<String>>, item: &Item<'_>) -> Option<Listener> {
        let keys: &[Key] = &[
            &["Port", "port"],
            &["Protocol", "protocol"],
            &["Certificates"],
            &["SslPolicy"],
            &["AlpnPolicy"],
            &["DefaultActions"],
            &["Targets", "targets"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let port = self.listener_port(item, &fields, port)?;
        let certificates = fields.get("Certificates").map(|item| self.certificates(item)).unwrap_or_default();
        let written = match fields.get("Protocol") {
            Some(protocol) => self.choice(protocol, &PROTOCOLS)?.value,
            None => "HTTP",
        };
        // Whoever names a certificate wants it used: ECS Compose-X writes such listeners with HTTP.
        let protocol = match (written, certificates.is_empty()) {
            ("HTTP", false) => "HTTPS",
            ("TCP", false) => "TLS",
            (written, _) => written,
        };
        let secure = matches!(protocol, "HTTPS" | "TLS");
        let none_written = fields.get("Certificates").is_none_or(|list| list.node.as_seq().is_some_and(<[_]>::is_empty));
        if secure && none_written {
            let help = "add Certificates with CertificateArn, or with x-acm";
            self.wrong(item, format!("the {protocol} listener needs a certificate"), help);
        }
        for key in ["SslPolicy", "AlpnPolicy"] {
            if let Some(item) = fields.get(key).filter(|_| !secure) {
                self.wrong(item, format!("{key} says nothing to a listener without TLS"), "leave it out, or add Certificates");
            }
        }
        let ssl_policy = fields.get("SslPolicy").and_then(|policy| self.ssl_policy(policy));
        let alpn_policy = fields.get("AlpnPolicy").and_then(|policy| self.alpn(policy));
        let default = fields.get("DefaultActions").and_then(|actions| self.default_action(actions));
        let targets = fields.get("Targets").map(|list| self.items(list)).unwrap_or_default();
        let written = targets.len();
        let targets: Vec<ListenerTarget> = targets.iter().filter_map(|target| self.listener_target(target)).collect();
        let unread_targets = targets.len() < written;
        Some(Listener { port, existing: None, protocol, certificates, ssl_policy, alpn_policy, default, targets, unread_targets })
    }

    fn listener_port(&mut self, item: &Item<'_>, fields: &Fields<'_>, named: Option<Placed<String>>) -> Option<Placed<u16>> {
        match (fields.get("Port"), named) {
            (Some(port), _) => self.port(port),
            (None, Some(name)) => {
                let Some(value) = name.value.parse().ok().filter(|port| *port > 0) else {
                    self.wrong(item, format!("\"{}\" is not a port", name.value), "name listeners by their port");
                    return None;
                };
                Some(Placed { value, place: name.place, path: name.path })
            }
            (None, None) => {
                self.wrong(item, "the listener has no port", "add Port");
                None
            }
        }
    }

    /// A listener of a balancer that is looked up: it keeps what it does with all other requests.
    pub(super) fn existing_listener(&mut self, port: Option<Placed<String>>, item: &Item<'_>) -> Option<Listener> {
        let keys: &[Key] =
            &[&["Port", "port"], &["Tags", "tags"], &["Arn", "ListenerArn"], &["Certificates"], &["Targets", "targets"]];
        let fields = self.fields(item, keys, &["RoleArn"])?;
        let port = self.listener_port(item, &fields, port)?;
        let existing = match (fields.get("Arn"), fields.get("Tags")) {
            (Some(arn), _) => Wanted::Ids(vec![self.arn(arn, "elasticloadbalancing", "a listener")?]),
            (None, Some(tags)) => Wanted::Tags(self.tags(tags).into_iter().map(|(key, value)| (key, value.value)).collect()),
            (None, None) => Wanted::Tags(Vec::new()),
        };
        let certificates = fields.get("Certificates").map(|item| self.certificates(item)).unwrap_or_default();
        let targets = fields.get("Targets").map(|list| self.items(list)).unwrap_or_default();
        let written = targets.len();
        let targets: Vec<ListenerTarget> = targets.iter().filter_map(|target| self.listener_target(target)).collect();
        let unread_targets = targets.len() < written;
        if fields.get("Targets").is_none() {
            self.wrong(item, "the listener gets nothing from this stack", "add Targets, each with Conditions or access");
        }
        let secure = !certificates.is_empty() || SECURE_PORTS.contains(&port.value);
        Some(Listener {
            port,
            existing: Some(existing),
            protocol: if secure { "HTTPS" } else { "HTTP" },
            certificates,
            ssl_policy: None,
            alpn_policy: None,
            default: None,
            targets,
            unread_targets,
        })
    }

    fn ssl_policy(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let policy = self.word(item)?;
        if is_ssl_policy(&policy.value) {
            return Some(policy);
        }
        let help = match crate::base::nearest(&policy.value, SSL_POLICIES) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("for example {}", SSL_POLICIES[0]),
        };
        self.wrong(item, format!("there is no security policy {}", policy.value), help);
        None
    }

    /// CloudFormation has it as a list of one.
    fn alpn(&mut self, item: &Item<'_>) -> Option<&'static str> {
        let items = if item.node.as_seq().is_some() { self.items(item) } else { vec![item.clone()] };
        items.first().and_then(|item| self.choice(item, &ALPN)).map(|word| word.value)
    }

    fn certificates(&mut self, item: &Item<'_>) -> Vec<CertificateSource> {
        let mut sources = Vec::new();
        for entry in self.items(item) {
            let mut source = entry.clone();
            if entry.node.as_map().is_some() {
                let Some(fields) = self.fields(&entry, &[&["CertificateArn", "Arn"], &["x-acm"]], &[]) else { continue };
                if let Some(name) = fields.get("x-acm") {
                    sources.extend(self.word(name).map(CertificateSource::Named));
                    continue;
                }
                let Some(arn) = fields.get("CertificateArn") else {
                    self.wrong(&entry, "the entry names no certificate", "add CertificateArn, or x-acm with an entry of x-acm");
                    continue;
                };
                source = arn.clone();
            }
            let Some(word) = self.word(&source) else { continue };
            if super::values::is_arn(&word.value, "acm")
                || super::values::is_arn(&word.value, "iam") && word.value.contains(":server-certificate/")
            {
                sources.push(CertificateSource::Arn(word));
            } else if word.value.starts_with("x-acm::") {
                sources.push(CertificateSource::Named(word));
            } else {
                self.wrong(&source, format!("\"{}\" is not the ARN of a certificate", word.value), "it starts with arn:aws:acm:");
            }
        }
        sources
    }

    fn default_action(&mut self, item: &Item<'_>) -> Option<Reply> {
        let actions = self.items(item);
        if actions.len() > 1 {
            self.wrong(item, "a listener has one default action", "keep one; the others go to Targets with conditions");
        }
        let action = actions.first()?;
        let keys: &[Key] = &[&["Redirect", "RedirectConfig"], &["FixedResponse", "FixedResponseConfig"], &["Type"], &["Order"]];
        let fields = self.fields(action, keys, &["ForwardConfig", "TargetGroupArn"])?;
        if let Some(redirect) = fields.get("Redirect") {
            return self.redirect(redirect);
        }
        let Some(fixed) = fields.get("FixedResponse") else {
            let help = "add Redirect: HTTP_TO_HTTPS, or FixedResponse with a StatusCode";
            self.wrong(action, "the default action says neither where to nor what to answer", help);
            return None;
        };
        let fields = self.fields(fixed, &[&["StatusCode"], &["ContentType"], &["MessageBody"]], &[])?;
        let Some(status) = fields.get("StatusCode") else {
            self.wrong(fixed, "the fixed response has no status", "add StatusCode, for example 404");
            return None;
        };
        let number = self.number(status, 200..=599)?.value;
        if (300..400).contains(&number) {
            self.wrong(
                status,
                format!("{number} sends nobody anywhere in a fixed response"),
                "use Redirect, or a status of 2xx, 4xx or 5xx",
            );
        }
        let status = number.to_string();
        let content_type = fields.get("ContentType").and_then(|item| self.choice(item, &CONTENT_TYPES));
        let content_type = content_type.map(|word| word.value.to_owned());
        let body = fields.get("MessageBody").and_then(|item| self.text(item)).map(|text| text.value);
        if let Some(item) = fields.get("MessageBody").filter(|_| body.as_ref().is_some_and(|body| body.len() > 1024)) {
            self.wrong(item, "the answer is too long", "1,024 bytes at most");
        }
        Some(Reply::Fixed { status, content_type, body })
    }

    fn redirect(&mut self, item: &Item<'_>) -> Option<Reply> {
        let kept = |part: &str| format!("#{{{part}}}");
        let path = format!("/{}", kept("path"));
        if item.node.as_map().is_none() {
            let word = self.choice(item, &["HTTP_TO_HTTPS", "TEA_POT"])?;
            return Some(if word.value == "TEA_POT" {
                let body = Some("{\"Info\": \"Be our guest\"}".to_owned());
                Reply::Fixed { status: "418".to_owned(), content_type: Some("application/json".to_owned()), body }
            } else {
                let (protocol, port) = ("HTTPS".to_owned(), "443".to_owned());
                Reply::Redirect { protocol, port, host: kept("host"), path, query: kept("query"), permanent: true }
            });
        }
        let keys: &[Key] = &[&["Protocol"], &["Port"], &["Host"], &["Path"], &["Query"], &["StatusCode"]];
        let fields = self.fields(item, keys, &[])?;
        self.redirect_parts(item, &fields);
        let mut word =
            |key: &str, default: String| fields.get(key).and_then(|item| self.word(item)).map_or(default, |word| word.value);
        let (protocol, port) = (word("Protocol", kept("protocol")), word("Port", kept("port")));
        let (host, path, query) = (word("Host", kept("host")), word("Path", path), word("Query", kept("query")));
        let status = match fields.get("StatusCode") {
            Some(status) => self.choice(status, &["HTTP_301", "HTTP_302"])?.value,
            None => "HTTP_302",
        };
        Some(Reply::Redirect { protocol, port, host, path, query, permanent: status == "HTTP_301" })
    }

    /// What AWS takes in each part; what would lead a request back to where it came from.
    fn redirect_parts(&mut self, item: &Item<'_>, fields: &Fields<'_>) {
        if ["Protocol", "Port", "Host", "Path"].iter().all(|key| fields.get(key).is_none()) {
            self.wrong(item, "the redirect leads back to itself", "say another Protocol, Port, Host or Path");
        }
        if let Some(protocol) = fields.get("Protocol") {
            let _known = self.choice(protocol, &["HTTP", "HTTPS", "#{protocol}"]);
        }
        if let Some(port) = fields.get("Port").filter(|port| port.node.written().as_deref() != Some("#{port}")) {
            let _number = self.port(port);
        }
        if let Some(path) = fields.get("Path")
            && let Some(word) = self.word(path)
            && !word.value.starts_with('/')
        {
            self.wrong(path, format!("\"{}\" is no path", word.value), "it starts with /, as in /#{path}");
        }
    }

    fn listener_target(&mut self, item: &Item<'_>) -> Option<ListenerTarget> {
        if item.node.as_str().is_some() {
            let name = self.word(item)?;
            return Some(ListenerTarget { name, conditions: Conditions::default(), login: None });
        }
        let keys: &[Key] = &[
            &["name", "Name"],
            &["access", "Access"],
            &["Conditions"],
            &["AuthenticateOidcConfig"],
            &["AuthenticateCognitoConfig"],
        ];
        let fields = self.fields(item, keys, &["CreateCognitoClient"])?;
        let Some(name) = fields.get("name") else {
            self.wrong(item, "the target names no service", "add name with one of this balancer's Services");
            return None;
        };
        let name = self.word(name)?;
        let conditions = match (fields.get("access"), fields.get("Conditions")) {
            (Some(access), Some(_)) => {
                self.wrong(access, "access and Conditions say both which requests are meant", "keep one of them");
                return None;
            }
            (Some(access), None) => self.access(access)?,
            (None, Some(conditions)) => self.conditions(conditions)?,
            (None, None) => Conditions::default(),
        };
        let login = match (fields.get("AuthenticateOidcConfig"), fields.get("AuthenticateCognitoConfig")) {
            (Some(oidc), None) => Some(self.login(oidc, true)?),
            (None, Some(cognito)) => Some(self.login(cognito, false)?),
            (None, None) => None,
            (Some(oidc), Some(_)) => {
                self.wrong(oidc, "one target can't log in with OIDC and with Cognito", "keep one of them");
                return None;
            }
        };
        Some(ListenerTarget { name, conditions, login })
    }

    /// `host`, `host/path`, `/path`; `/` is every request. A path without a wildcard takes what is below it too.
    fn access(&mut self, item: &Item<'_>) -> Option<Conditions> {
        let text = self.word(item)?.value;
        let (host, path) = text.find('/').map_or((text.as_str(), ""), |slash| text.split_at(slash));
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        let known = host.strip_prefix("*.").unwrap_or(host);
        let word = path.len() <= 128 && path.chars().all(|c| c.is_ascii_graphic());
        if !(host.is_empty() || is_dns_name(known)) || !word || (host.is_empty() && path.is_empty()) {
            let help = "write a host, a path that starts with /, or both: connect.example.com/api";
            self.wrong(item, format!("\"{text}\" is neither a host nor a path"), help);
            return None;
        }
        let paths = match path {
            "" | "/" | "/*" => Vec::new(),
            path if path.contains(['*', '?']) => vec![path.to_owned()],
            path => vec![path.to_owned(), format!("{}/*", path.trim_end_matches('/'))],
        };
        let hosts = if host.is_empty() { Vec::new() } else { vec![host.to_owned()] };
        Some(Conditions { hosts, paths, ..Conditions::default() })
    }

    fn login(&mut self, item: &Item<'_>, oidc: bool) -> Option<Login> {
        let session: &[Key] = &[
            &["SessionCookieName"],
            &["SessionTimeout"],
            &["Scope"],
            &["OnUnauthenticatedRequest"],
            &["AuthenticationRequestExtraParams"],
        ];
        let own: &[Key] = if oidc {
            &[
                &["Issuer"],
                &["AuthorizationEndpoint"],
                &["TokenEndpoint"],
                &["UserInfoEndpoint"],
                &["ClientId"],
                &["ClientSecret"],
            ]
        } else {
            &[&["UserPoolArn"], &["UserPoolClientId"], &["UserPoolDomain"]]
        };
        let fields = self.fields(item, &[own, session].concat(), &["UseExistingClientSecret"])?;
        let missing: Vec<&str> = own.iter().map(|key| key[0]).filter(|key| fields.get(key).is_none()).collect();
        if !missing.is_empty() {
            self.wrong(item, format!("the login lacks {}", missing.join(", ")), "the identity provider's own documents say them");
            return None;
        }
        let in_the_clear = |secret: &&Item<'_>| !secret.node.written().unwrap_or_default().starts_with(REFERENCE);
        if let Some(secret) = fields.get("ClientSecret").filter(in_the_clear) {
            // The value is not shown.
            let help = format!("keep it in Secrets Manager and write {REFERENCE}NAME:SecretString:ClientSecret}}}}");
            self.wrong(secret, "the client's secret stands in the file, and would in the template", help);
            return None;
        }
        let mut word = |key: &str| fields.get(key).and_then(|item| self.word(item)).map(|word| word.value);
        let provider = if oidc {
            IdentityProvider::Oidc {
                issuer: word("Issuer")?,
                authorization: word("AuthorizationEndpoint")?,
                token: word("TokenEndpoint")?,
                user_info: word("UserInfoEndpoint")?,
                client_id: word("ClientId")?,
                client_secret: word("ClientSecret")?,
            }
        } else {
            IdentityProvider::Cognito {
                pool_arn: word("UserPoolArn")?,
                client_id: word("UserPoolClientId")?,
                domain: word("UserPoolDomain")?,
            }
        };
        let (cookie, scope) = (word("SessionCookieName"), word("Scope"));
        let timeout_seconds = fields.get("SessionTimeout").and_then(|item| self.number(item, 1..=604_800));
        let choices = ["allow", "authenticate", "deny"];
        let unauthenticated = fields.get("OnUnauthenticatedRequest").and_then(|item| self.choice(item, &choices));
        let mut extra_parameters = BTreeMap::new();
        if let Some(extra) = fields.get("AuthenticationRequestExtraParams") {
            for (key, value) in self.entries(extra).unwrap_or_default() {
                extra_parameters.extend(self.word(&value).map(|value| (key.to_owned(), value.value)));
            }
        }
        Some(Login {
            provider,
            cookie,
            timeout_seconds: timeout_seconds.map(|seconds| seconds.value),
            scope,
            unauthenticated: unauthenticated.map(|word| word.value),
            extra_parameters,
        })
    }
}

/// `ELBSecurityPolicy-TLS13-1-2-Res-2021-06`: known words, and a month.
fn is_ssl_policy(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("ELBSecurityPolicy-") else { return false };
    let parts: Vec<&str> = rest.split('-').collect();
    let Some((words, [year, month])) = parts.split_last_chunk::<2>() else { return false };
    let word = |word: &&str| POLICY_WORDS.contains(word) || matches!(*word, "Ext1" | "Ext2" | "Ext3");
    let within = |text: &str, least: u32, most: u32| text.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number));
    words.iter().all(word) && year.len() == 4 && within(year, 2014, 2099) && month.len() == 2 && within(month, 1, 12)
}

#[cfg(test)]
mod tests {
    use super::is_ssl_policy;

    #[test]
    fn a_security_policy_has_known_words_and_a_month() {
        for good in [
            "ELBSecurityPolicy-2016-08",
            "ELBSecurityPolicy-FS-1-2-Res-2020-10",
            "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
            "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
            "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        ] {
            assert!(is_ssl_policy(good), "{good}");
        }
        for bad in
            ["ELBSecurityPolicy-2099", "ELBSecurityPolicy-TLS14-1-2-2021-06", "TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-8"]
        {
            assert!(!is_ssl_policy(bad), "{bad}");
        }
    }
}
