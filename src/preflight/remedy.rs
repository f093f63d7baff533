//! Why a cause matters, and what to do about it: one answer a cause, in the words of the settings at hand.

use super::cluster::{ClusterFacts, Provider};
use super::fix::{Fix, administrator, show_addresses};
use super::target::Target;
use crate::base::{Cause, Fault};
use crate::kafka::{Broker, Login, Mechanism, Proof, Protocol};
use crate::net::Endpoint;

/// How to see a private network from where it can be seen.
pub(super) const WAYS_IN: &str =
    "run this where it can be reached: on a machine in the VPC, over its VPN, or in a CloudShell environment of the VPC";

/// What a cause means for who deploys.
pub(super) fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::ResolverUnavailable => {
            "nothing is known of the cluster's name until a resolver answers; a task may have another one"
        }
        Cause::NameNotFound => "a misspelt name, a cluster that is gone, or a private zone that is not known here",
        Cause::PublicAddress => "a private cluster must not be reached by a public address",
        Cause::Refused => "the host answers, so the network is good: the port is wrong, or its listener is off",
        Cause::TimedOut => {
            "packets are dropped on the way: a security group, a network ACL, a missing route; never the credentials"
        }
        Cause::OutsideVpc => "a private cluster can only be judged from inside its network; this is no verdict",
        Cause::BrokerUnreachable => "the connection breaks before Kafka could say anything",
        Cause::PlaintextListener => "the client would wait for a TLS handshake that never comes",
        Cause::TlsListener => "a Java client takes the first TLS record for a length, and ends in an OutOfMemoryError",
        Cause::NotKafka => "the port belongs to something else: a load balancer, a registry, a REST interface",
        Cause::TlsUntrusted => "the client can't know whom it talks to, and hangs up",
        Cause::TlsHostname => "the client compares the name it was given with the certificate's, and hangs up",
        Cause::TlsExpired => "every client refuses a certificate outside its time",
        Cause::ClockSkew => "certificates and signatures look expired or not yet valid to a wrong clock",
        Cause::ClientCertificateRequired => "this listener knows its clients by their certificates",
        Cause::SaslRequired => "the listener lets nobody in without a login",
        Cause::MechanismNotOffered => "network and TLS are good; client and listener don't share a way to log in",
        Cause::BadCredentials => "network, TLS and mechanism are good; user name or password is wrong, disabled, or minutes old",
        Cause::AccessDenied => "the identity is known, and may not connect",
        Cause::WrongCluster => "topics and offsets would be made in a cluster that was not meant",
        Cause::Throttled => "the cluster holds this client back for now",
    }
}

/// What to do.
pub(super) fn fixes(fault: &Fault, target: &Target, cluster: &ClusterFacts, endpoint: Option<&Endpoint>) -> Vec<Fix> {
    let set = |property: &str, value: String| Fix::Setting { variables: target.variables.of(property), value };
    let now = target.settings.as_ref().map_or(Protocol::Plaintext, |settings| settings.protocol);
    let bootstrap = target.variables.of("bootstrap.servers").join(", ");
    let port = endpoint.map(|endpoint| endpoint.port.to_string()).unwrap_or_default();
    let addresses = || {
        let look = Fix::advice(format!("compare {bootstrap} with the cluster's own addresses"));
        show_addresses(cluster).map_or_else(|| vec![look], |show| vec![show])
    };
    match fault.cause {
        Cause::ResolverUnavailable => {
            vec![Fix::advice("look at this machine's resolver (/etc/resolv.conf), then run this again")]
        }
        Cause::NameNotFound => {
            let spell = Fix::advice(format!(
                "spell the host in {bootstrap} as the cluster does; for a private endpoint, associate its hosted zone with the VPC"
            ));
            show_addresses(cluster).into_iter().chain([spell]).collect()
        }
        Cause::PublicAddress => vec![Fix::advice("associate the cluster's private hosted zone with the VPC")],
        Cause::Refused | Cause::NotKafka => addresses(),
        Cause::TimedOut => vec![Fix::advice(format!(
            "allow TCP {port} from the tasks' security group to the cluster's, and look at routes and network ACLs both ways"
        ))],
        Cause::OutsideVpc => vec![Fix::advice(WAYS_IN)],
        Cause::ClockSkew => vec![Fix::advice("set this machine's clock, and keep it right (chrony, systemd-timesyncd)")],
        Cause::Throttled => vec![Fix::advice(
            "look at the quotas of this principal and of the cluster's kind; start fewer workers at once, or raise reconnect.backoff.ms",
        )],
        Cause::BrokerUnreachable => vec![Fix::advice("look at the brokers' log and at any proxy or load balancer in between")],
        Cause::PlaintextListener => {
            let mut fixes = vec![Fix::advice(format!("take the cluster's TLS port in {bootstrap}"))];
            if cluster.provider == Provider::SelfManaged {
                fixes.push(set("security.protocol", protocol(false, now.has_sasl())));
            }
            fixes
        }
        Cause::TlsListener => vec![set("security.protocol", protocol(true, now.has_sasl()))],
        Cause::SaslRequired => {
            let mut fixes = vec![set("security.protocol", protocol(now.has_tls(), true))];
            fixes.extend(offered(fault).map(|mechanism| set("sasl.mechanism", mechanism)));
            fixes
        }
        Cause::MechanismNotOffered => match offered(fault) {
            Some(mechanism) => {
                let module = match Mechanism::parse(&mechanism) {
                    Some(Mechanism::ScramSha256 | Mechanism::ScramSha512) => "ScramLoginModule",
                    Some(Mechanism::OauthBearer) => "OAuthBearerLoginModule",
                    Some(Mechanism::AwsMskIam) => "IAMLoginModule",
                    Some(Mechanism::Plain) | None => "PlainLoginModule",
                };
                let login = target.variables.of("sasl.jaas.config").join(", ");
                vec![
                    set("sasl.mechanism", mechanism),
                    Fix::advice(format!(
                        "its login module is {module}: set it in {login} too (`confluent-ecs secrets put` does)"
                    )),
                ]
            }
            None if fault.offered.is_empty() => vec![set("security.protocol", protocol(now.has_tls(), false))],
            None => addresses(),
        },
        Cause::TlsUntrusted => {
            let certificates = target.variables.of("ssl.truststore.certificates").join(", ");
            let kind = target.variables.of("ssl.truststore.type").join(", ");
            vec![Fix::advice(format!(
                "set {kind} to PEM and {certificates} to the PEM certificate of the authority that signed it"
            ))]
        }
        Cause::TlsHostname => vec![Fix::advice(format!(
            "write a name that the certificate is for in {bootstrap}; for an advertised broker, change its advertised.listeners"
        ))],
        Cause::TlsExpired => {
            vec![Fix::advice("renew the brokers' certificate; if its dates look right, set this machine's clock")]
        }
        Cause::ClientCertificateRequired => {
            let kind = target.variables.of("ssl.keystore.type").join(", ");
            let chain = target.variables.of("ssl.keystore.certificate.chain").join(", ");
            vec![Fix::advice(format!(
                "set {kind} to PEM, {chain} to a certificate that the brokers trust, and its key beside it"
            ))]
        }
        Cause::BadCredentials => bad_credentials(target, cluster),
        Cause::AccessDenied => vec![Fix::advice("allow kafka-cluster:Connect on the cluster to the role that connects")],
        Cause::WrongCluster => vec![Fix::advice(format!("set {bootstrap} to the cluster that is meant, or correct x-kafka"))],
    }
}

/// What to do about a broker that the cluster advertises: the way in was good, so the settings are. `usual` is what there is to do about a
/// bootstrap server.
pub(super) fn of_broker(fault: &Fault, broker: &Broker, usual: Vec<Fix>, cluster: &ClusterFacts) -> Vec<Fix> {
    let Broker { id, endpoint } = broker;
    let host = &endpoint.host;
    let own = cluster.provider == Provider::SelfManaged;
    let advertise =
        || Fix::advice(format!("let broker {id} advertise an address that clients reach: advertised.listeners, now {endpoint}"));
    match fault.cause {
        Cause::NameNotFound if own => {
            vec![Fix::advice(format!(
                "let broker {id} advertise a name that is known where clients run: advertised.listeners, now {endpoint}"
            ))]
        }
        Cause::NameNotFound => vec![Fix::advice(format!(
            "add {host} to the private hosted zone, and associate the zone with the VPC: every broker's name must be known, not the bootstrap server's alone"
        ))],
        Cause::Refused if own => {
            vec![Fix::advice(format!("bring broker {id} back at {endpoint}, or correct its advertised.listeners"))]
        }
        Cause::Refused => vec![Fix::advice(format!("look at the state of broker {id}: nothing listens at {endpoint}"))],
        Cause::BrokerUnreachable | Cause::WrongCluster | Cause::PlaintextListener | Cause::TlsListener | Cause::NotKafka
            if own =>
        {
            vec![advertise()]
        }
        Cause::WrongCluster => {
            vec![Fix::advice(format!("look at what {host} leads to: names, endpoints and port mappings of the private link"))]
        }
        Cause::TlsHostname if own => vec![Fix::advice(format!(
            "give broker {id} a certificate for {host}, or let it advertise (advertised.listeners) a name that its certificate is for"
        ))],
        Cause::TlsExpired => vec![Fix::advice(format!("renew the certificate of broker {id}"))],
        _ => usual,
    }
}

fn protocol(tls: bool, sasl: bool) -> String {
    let wanted = match (tls, sasl) {
        (true, true) => Protocol::SaslSsl,
        (true, false) => Protocol::Ssl,
        (false, true) => Protocol::SaslPlaintext,
        (false, false) => Protocol::Plaintext,
    };
    wanted.as_str().to_owned()
}

/// The strongest of the offered mechanisms that we can speak.
fn offered(fault: &Fault) -> Option<String> {
    let strength = |mechanism: &Mechanism| match mechanism {
        Mechanism::ScramSha512 => 4,
        Mechanism::ScramSha256 => 3,
        Mechanism::Plain => 2,
        Mechanism::AwsMskIam => 1,
        Mechanism::OauthBearer => 0,
    };
    let known = fault.offered.iter().filter_map(|name| Mechanism::parse(name));
    known.max_by_key(strength).map(|mechanism| mechanism.as_str().to_owned())
}

fn bad_credentials(target: &Target, cluster: &ClusterFacts) -> Vec<Fix> {
    let mut fixes = Vec::new();
    let login = target.settings.as_ref().ok().and_then(|settings| settings.login.as_ref());
    match (cluster.provider, login) {
        (Provider::ConfluentCloud, _) => {
            let mut argv = vec!["confluent", "api-key", "list"];
            if let Some(id) = &cluster.id {
                argv.extend(["--resource", id]);
            }
            if let Some(environment) = &cluster.environment {
                argv.extend(["--environment", environment]);
            }
            fixes.push(Fix::command(argv));
        }
        (_, Some(Login { proof: Proof::Oidc(_), .. })) => {
            let login = target.variables.of("sasl.jaas.config").join(", ");
            return vec![Fix::advice(format!(
                "compare clientId, clientSecret and scope in {login} with the application at the identity provider, and with what the brokers expect"
            ))];
        }
        (_, Some(Login { proof: Proof::Unsecured(_), .. })) => {
            let handler = target.variables.of("sasl.login.callback.handler.class").join(", ");
            return vec![Fix::advice(format!(
                "set {handler} to the handler that asks a token endpoint: this token is signed by nobody"
            ))];
        }
        (_, Some(Login { proof: Proof::Aws(_), .. })) => {
            return vec![Fix::advice("renew the AWS credentials, and set AWS_REGION to the cluster's region")];
        }
        (_, Some(Login { mechanism, proof: Proof::Password { username, .. } })) if *mechanism != Mechanism::Plain => {
            let first = target.settings.as_ref().ok().and_then(|settings| settings.bootstrap.first());
            let mut argv = administrator("kafka-configs", &first.map(ToString::to_string).unwrap_or_default(), cluster);
            argv.extend(["--describe", "--entity-type", "users", "--entity-name", username].map(str::to_owned));
            fixes.push(Fix::Command { argv });
        }
        _ => {}
    }
    let login = target.variables.of("sasl.jaas.config").join(", ");
    fixes.push(Fix::advice(format!(
        "store the right user name and password: `confluent-ecs secrets put` composes {login} from them"
    )));
    fixes
}
