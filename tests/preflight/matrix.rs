//! Faults planted on real parts, one row each: what was planted, what preflight must find, how it must end, what it must say.
//!
//! A row begins with a project where everything is right, plants its fault, and runs. Every code, status and cause that is found beside
//! the expected ones is a false alarm and fails; so does a run over its limit, a document that is not of the schema, a failure
//! without a reason and a way out, and any change to the cluster. The table is printed by `tests/run`.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use confluent_ecs::base::Secret;
use confluent_ecs::confluent::{Connector, ConnectorKind, Jaas};
use confluent_ecs::preflight::{Provider, Report, Status};
use serde_json::json;

use super::{Case, state, text, troubles, variable_of};
use crate::support::bed::{all_brokers, bed};

/// What is done to a project that is right. `{group}` in a name is the project's group, `{user}` its user.
#[derive(Clone, Copy)]
enum Plant {
    /// The bed's cluster, instead of that with three brokers.
    On(&'static str),
    /// What kind of cluster the project says it is.
    Provider(Provider),
    /// Nothing is granted.
    Nothing,
    Listener(&'static str),
    /// An address of the bed's part `faults`.
    Address(&'static str),
    Bootstrap(&'static str),
    /// A property of every client.
    Set(&'static str, &'static str),
    Variable(&'static str, &'static str),
    Login(&'static str, &'static str),
    Password(&'static str),
    ClusterId(&'static str),
    /// An entry that allows is taken away.
    Take(&'static str, &'static str, &'static str),
    /// An entry that allows is added.
    Give(&'static str, &'static str, &'static str),
    /// Any entry: resource, name, operation, then what is not usual.
    Entry(&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]),
    /// The principal may see the ACLs.
    SeesAcls,
    Topic(&'static str, u32, &'static str),
    /// A setting of a topic that is made with it, compacted.
    TopicWith(&'static str, u32, &'static str, &'static str),
    /// A connector that writes this topic.
    Source(&'static str),
    /// A connector that reads this topic, as group `connect-{group}-sink`; its dead letters go there.
    Sink(&'static str, Option<&'static str>),
    /// A variable of one client.
    Client(&'static str, &'static str, &'static str),
    /// The user can log in by this mechanism only; by none where it is empty.
    OnlyBy(&'static str),
    /// A client certificate of this authority of the bed's, and its first and last day.
    Certificate(&'static str, i32, i32),
    Quota(&'static str, f64),
    /// The bootstrap servers, made of those of the listener.
    Servers(fn(&str) -> String),
    /// An address of the bed's part `faults` before the bootstrap servers.
    Before(&'static str),
    /// The cluster's controllers instead of its brokers.
    Controllers,
    /// A property of PEM, with its line breaks as blanks.
    Flat(&'static str),
    /// What the brokers' certificate is judged by: a fact of the bed's `tls`.
    Trust(&'static str),
    /// One client logs in as another user, who has no right at all.
    Another(&'static str),
}

use Plant::{
    Address, Another, Before, Bootstrap, Certificate, Client, ClusterId, Controllers, Entry, Flat, Give, Listener, Login,
    Nothing, On, OnlyBy, Password, Quota, SeesAcls, Servers, Set, Sink, Source, Take, Topic, TopicWith, Trust, Variable,
};

struct Row {
    fault: &'static str,
    plants: &'static [Plant],
    /// `CE304 failed bad-credentials`, in the report's order.
    found: &'static [&'static str],
    exit: u8,
    /// Stands in a message, a reason or a fix.
    says: &'static str,
}

const fn row(fault: &'static str, plants: &'static [Plant], found: &'static [&'static str], exit: u8, says: &'static str) -> Row {
    Row { fault, plants, found, exit, says }
}

const TLS: (&str, &str) = ("security.protocol", "SSL");
const PLAIN: Plant = Set("sasl.mechanism", "PLAIN");
const PLAINTEXT: Plant = Set("security.protocol", "SASL_PLAINTEXT");
const WRONG: &str = "the-password-of-nobody";
/// 250 letters: one more than a topic's name may have.
const LONG: &str = "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\
                    ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt";
const DENY: &[(&str, &str)] = &[("permission", "DENY")];
const ONE_COPY: [Plant; 3] = [
    Variable("CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR", "1"),
    Variable("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR", "1"),
    Variable("CONNECT_STATUS_STORAGE_REPLICATION_FACTOR", "1"),
];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("nothing, SCRAM-SHA-512 over TLS", &[], &[], 0, "SCRAM-SHA-512 accepted"),
    row("nothing, PLAIN without TLS", &[PLAIN, PLAINTEXT, Listener("SASL_PLAINTEXT")], &[], 0, "PLAIN accepted"),
    // The way there.
    row("nothing listens on the port", &[Address("refused")], &["CE302 failed refused"], 9, ""),
    row("packets are dropped", &[Address("hang")], &["CE302 failed timed-out"], 9, "security group"),
    row("a listener that never answers", &[Address("silent")], &["CE303 failed timed-out"], 9, ""),
    row("a web server", &[Address("http")], &["CE303 failed not-kafka"], 3, ""),
    row("a listener that hangs up", &[Address("close")], &["CE303 failed broker-unreachable"], 9, ""),
    row("a name that doesn't exist", &[Bootstrap("kafka.bed.invalid:9092")], &["CE301 failed name-not-found"], 3, ""),
    row("brokers advertised where nothing answers", &[PLAIN, Listener("UNREACHABLE")], &["CE305 failed broker-unreachable"], 9, "every broker"),
    row("brokers advertised by a name that doesn't exist", &[PLAIN, Listener("UNRESOLVABLE")], &["CE305 failed name-not-found"], 3, ""),
    row("one of three brokers advertised where nothing listens", &[PLAIN, Listener("PARTLY")], &["CE305 failed broker-unreachable"], 9, "2 of 3 advertised brokers reached; broker 3 at 127.0.0.1:1"),
    row("another cluster than x-kafka says", &[ClusterId("lkc-8m2q5z")], &["CE306 failed wrong-cluster"], 3, "lkc-8m2q5z"),
    row("one broker of three that never answers", &[PLAIN, Listener("MUTE")], &["CE305 failed broker-unreachable"], 9, "2 of 3 advertised brokers reached; broker 3"),
    row("one broker of three without TLS", &[PLAIN, Listener("HALFCLEAR")], &["CE305 failed plaintext-listener"], 3, "broker 3"),
    row("one broker of three with an authority that nobody trusts", &[PLAIN, Listener("HALFTRUSTED")], &["CE305 failed tls-untrusted"], 3, "broker 3"),
    row("one broker of three with a certificate for another host", &[PLAIN, Listener("HALFHOST")], &["CE305 failed tls-hostname"], 3, "give broker 3 a certificate for 127.0.0.1"),
    row("one broker of three whose certificate has ended", &[PLAIN, Listener("HALFEXPIRED")], &["CE305 failed tls-expired"], 3, "renew the certificate of broker 3"),
    row("one broker of three that wants a client certificate", &[PLAIN, Listener("HALFMUTUAL")], &["CE305 failed client-certificate-required"], 3, "broker 3"),
    row("one broker of three at an address that nobody listens on", &[PLAIN, Listener("PARTLY")], &["CE305 failed broker-unreachable"], 9, "bring broker 3 back at 127.0.0.1:1, or correct its advertised.listeners"),
    row("brokers advertised by names that don't exist, and what to do", &[PLAIN, Listener("UNRESOLVABLE")], &["CE305 failed name-not-found"], 3, "advertised.listeners, now b1.bed.invalid:9092"),
    row("brokers advertised by names of a private network", &[PLAIN, Listener("PRIVATE")], &["CE305 unknown outside-vpc"], 0, "in the VPC"),
    row("a dropping address before the good ones", &[Before("hang")], &["CE302 warned timed-out"], 0, "3 of 4 bootstrap servers answer"),
    row("a closed port before the good ones", &[Before("refused")], &["CE302 warned refused"], 0, "3 of 4 bootstrap servers answer"),
    row("a silent listener before the good ones", &[Before("silent")], &["CE303 warned timed-out"], 0, "said nothing"),
    row("a web server before the good ones", &[Before("http")], &["CE303 failed not-kafka"], 3, "HTTP"),
    row("a listener that hangs up before the good ones", &[Before("close")], &["CE303 warned broker-unreachable"], 0, ""),
    row("a proxy that wants a login", &[Address("proxy")], &["CE303 failed not-kafka"], 3, "HTTP"),
    row("a proxy that wants a login, asked without TLS", &[PLAINTEXT, Address("proxy")], &["CE303 failed not-kafka"], 3, "HTTP"),
    row("a page that says forbidden", &[Address("forbidden")], &["CE303 failed not-kafka"], 3, "HTTP"),
    row("a server of SSH", &[Address("ssh")], &["CE303 failed not-kafka"], 3, ""),
    row("a server of SSH, asked without TLS", &[PLAINTEXT, Address("ssh")], &["CE303 failed not-kafka"], 3, ""),
    row("ZooKeeper", &[Address("zookeeper")], &["CE303 failed not-kafka"], 3, "ZooKeeper"),
    row("ZooKeeper, asked without TLS", &[Set("security.protocol", "PLAINTEXT"), Address("zookeeper")], &["CE303 failed not-kafka"], 3, "ZooKeeper"),
    row("the controllers instead of the brokers", &[PLAIN, PLAINTEXT, Controllers], &["CE303 failed not-kafka"], 3, "serves no clients"),
    row("the controllers, asked by TLS", &[PLAIN, Controllers], &["CE303 failed not-kafka"], 3, "serves no clients"),
    row("addresses with the protocol in front, as Confluent Cloud shows them", &[Servers(|good| good.split(',').map(|at| format!("SASL_SSL://{at}")).collect::<Vec<_>>().join(","))], &[], 0, ""),
    row("blanks and a comma too many in the list", &[Servers(|good| format!(" {}, ", good.replace(',', " , ")))], &[], 0, ""),
    row("one server twice", &[Servers(|good| format!("{good},{good}"))], &[], 0, ""),
    row("a security protocol in small letters", &[Set("security.protocol", "sasl_ssl")], &[], 0, ""),
    // TLS.
    row("a certificate that signed itself, in the truststore", &[PLAIN, Listener("OWNSIGNED"), Trust("ownsigned")], &[], 0, ""),
    row("a certificate that signed itself, and nobody trusts", &[PLAIN, Listener("OWNSIGNED")], &["CE303 failed tls-untrusted"], 3, ""),
    row("a certificate with nothing but a common name", &[PLAIN, Listener("NAMELESS"), Servers(|good| good.replace("127.0.0.1", "localhost"))], &[], 0, ""),
    row("… which is another", &[PLAIN, Listener("NAMELESS")], &["CE303 failed tls-hostname"], 3, "for localhost, not for 127.0.0.1"),
    row("a certificate of version 1", &[PLAIN, Listener("VERSION1"), Servers(|good| good.replace("127.0.0.1", "localhost"))], &[], 0, ""),
    row("a certificate of version 1 for another host", &[PLAIN, Listener("VERSION1")], &["CE303 failed tls-hostname"], 3, ""),
    row("a certificate of version 1 that nobody trusts", &[PLAIN, Listener("VERSION1"), Trust("otherca")], &["CE303 failed tls-untrusted"], 3, ""),
    row("a host name that is not to be compared", &[PLAIN, Listener("OTHERHOST"), Set("ssl.endpoint.identification.algorithm", "")], &[], 0, ""),
    row("a certificate that is not valid yet", &[PLAIN, Listener("NOTYET")], &["CE303 failed tls-expired"], 3, "not valid yet"),
    row("a certificate that has ended", &[PLAIN, Listener("EXPIRED")], &["CE303 failed tls-expired"], 3, ""),
    row("an authority that nobody trusts", &[PLAIN, Listener("OTHERCA")], &["CE303 failed tls-untrusted"], 3, ""),
    row("a certificate for another host", &[PLAIN, Listener("OTHERHOST")], &["CE303 failed tls-hostname"], 3, ""),
    row("an authority in between that has ended", &[PLAIN, Listener("OLDCHAIN")], &["CE303 failed tls-expired"], 3, "of the chain has ended"),
    row("an authority in between that is left out", &[PLAIN, Listener("NOCHAIN")], &["CE303 failed tls-untrusted"], 3, "nochain-ca"),
    row("TLS towards a listener without", &[PLAIN, Listener("SASL_PLAINTEXT")], &["CE303 failed plaintext-listener"], 3, ""),
    row("no TLS towards a listener with", &[PLAIN, PLAINTEXT], &["CE303 failed tls-listener"], 3, "OutOfMemoryError"),
    row("no client certificate", &[PLAIN, Set(TLS.0, TLS.1), Listener("SSL")], &["CE303 failed client-certificate-required"], 3, ""),
    row("a client certificate of an authority that the brokers don't know", &[Set(TLS.0, TLS.1), Listener("SSL"), Certificate("otherca", -1, 90)], &["CE303 failed client-certificate-required"], 3, "refused the client certificate"),
    row("a client certificate that has ended", &[Set(TLS.0, TLS.1), Listener("SSL"), Certificate("ca", -30, -1)], &["CE303 failed client-certificate-required"], 3, "refused the client certificate"),
    row("an authority on one line, with blanks for line breaks", &[Flat("ssl.truststore.certificates")], &[], 0, ""),
    row("an authority that was cut off", &[Set("ssl.truststore.certificates", "-----BEGIN CERTIFICATE-----\\nTUlJQmhUQ0NBUw==")], &["CE303 failed tls-untrusted"], 3, "a block has no end"),
    row("an authority that is no certificate", &[Set("ssl.truststore.certificates", "-----BEGIN CERTIFICATE-----\\nTUlJQmhUQ0NBUw==\\n-----END CERTIFICATE-----")], &["CE303 failed tls-untrusted"], 3, "holds no certificate that can be read"),
    // The login.
    row("a wrong password, PLAIN", &[PLAIN, Password(WRONG)], &["CE304 failed bad-credentials"], 3, "secrets put"),
    row("a wrong password, SCRAM-SHA-256", &[Set("sasl.mechanism", "SCRAM-SHA-256"), Password(WRONG)], &["CE304 failed bad-credentials"], 3, ""),
    row("a wrong password, SCRAM-SHA-512", &[Password(WRONG)], &["CE304 failed bad-credentials"], 3, ""),
    row("a user that doesn't exist", &[Login("nobody-of-this-name", WRONG)], &["CE304 failed bad-credentials"], 3, ""),
    row("a user without credentials of the mechanism", &[OnlyBy("PLAIN")], &["CE304 failed bad-credentials"], 3, "kafka-configs"),
    row("a user that was taken away", &[PLAIN, OnlyBy("")], &["CE304 failed bad-credentials"], 3, ""),
    row("one client of four with another user's password", &[Client("producer.", "sasl.mechanism", "PLAIN"), OnlyBy("SCRAM-SHA-512")], &["CE304 failed bad-credentials"], 3, ""),
    row("one client of four without TLS", &[Client("consumer.", "security.protocol", "SASL_PLAINTEXT")], &["CE303 failed tls-listener"], 3, "CONNECT_CONSUMER_SECURITY_PROTOCOL"),
    row("PLAIN where only SCRAM is offered", &[PLAIN, Listener("SCRAM512")], &["CE304 failed mechanism-not-offered"], 3, "SCRAM-SHA-512"),
    row("no login where one is wanted, TLS", &[Set(TLS.0, TLS.1)], &["CE304 failed sasl-required"], 3, ""),
    row("no login where one is wanted", &[Set("security.protocol", "PLAINTEXT"), Listener("SASL_PLAINTEXT")], &["CE304 failed sasl-required"], 3, ""),
    row("a login where none is offered", &[PLAINTEXT, Listener("PLAINTEXT")], &["CE304 failed mechanism-not-offered"], 3, ""),
    row("the right login of another cluster", &[Listener("SASL_SSL"), Login("admin", WRONG)], &["CE304 failed bad-credentials"], 3, ""),
    // Rights.
    row("a consumer with a user of its own, who may nothing", &[Sink("{group}-data", None), Give("GROUP", "connect-{group}-sink", "READ"), Give("TOPIC", "{group}-data", "READ"), Another("consumer.")], &["CE401 failed", "CE402 failed"], 3, "User:{user}-other"),
    row("a producer with a user of its own, who may nothing", &[Source("{group}-data"), Give("TOPIC", "{group}-data", "ALL"), Another("producer.")], &["CE402 failed"], 3, "User:{user}-other"),
    row("a DENY of create on the cluster, and an ALLOW on the topic", &[Entry("CLUSTER", "kafka-cluster", "CREATE", DENY)], &[], 0, "may be created"),
    row("read on the group", &[Take("GROUP", "{group}", "READ")], &["CE401 failed"], 3, "--group {group}"),
    row("only describe on the group", &[Take("GROUP", "{group}", "READ"), Give("GROUP", "{group}", "DESCRIBE")], &["CE401 failed"], 3, "read is missing (has describe)"),
    row("read on the configs topic", &[Take("TOPIC", "{group}-configs", "READ")], &["CE402 failed"], 3, "read is missing (has write"),
    row("write on the configs topic", &[Take("TOPIC", "{group}-configs", "WRITE")], &["CE402 failed"], 3, "write is missing (has read"),
    row("read on the offsets topic, which is there", &[Topic("{group}-offsets", 25, "compact"), Take("TOPIC", "{group}-offsets", "READ")], &["CE402 failed"], 3, "--operation Read"),
    row("write on the offsets topic, which is there", &[Topic("{group}-offsets", 25, "compact"), Take("TOPIC", "{group}-offsets", "WRITE")], &["CE402 failed"], 3, "--operation Write"),
    row("create on the status topic", &[Take("TOPIC", "{group}-status", "CREATE")], &["CE402 failed"], 3, "does not exist yet"),
    row("create on a topic that is there", &[Topic("{group}-status", 5, "compact"), Take("TOPIC", "{group}-status", "CREATE")], &[], 0, ""),
    row("create on the cluster instead", &[Take("TOPIC", "{group}-status", "CREATE"), Give("CLUSTER", "kafka-cluster", "CREATE")], &[], 0, ""),
    row("describe-configs", &[Take("TOPIC", "{group}-status", "DESCRIBE_CONFIGS")], &["CE407 warned"], 0, "loses what it keeps there"),
    row("everything", &[Nothing], &["CE401 failed", "CE402 failed", "CE402 unknown", "CE407 warned"], 3, "--operation DescribeConfigs"),
    row("rights by a prefix, as they may be", &[Nothing, Entry("TOPIC", "{group}-", "ALL", &[("pattern", "PREFIXED")]), Entry("GROUP", "{group}", "ALL", &[("pattern", "PREFIXED")])], &[], 0, ""),
    row("rights on every name, as they may be", &[Nothing, Give("TOPIC", "*", "ALL"), Give("GROUP", "*", "READ")], &[], 0, "may do everything"),
    // Connectors.
    row("a source with all that it needs", &[Source("{group}-data"), Give("TOPIC", "{group}-data", "WRITE"), Give("TOPIC", "{group}-data", "CREATE")], &[], 0, "may be created"),
    row("a source that may not write", &[Source("{group}-data"), Give("TOPIC", "{group}-data", "CREATE"), Give("TOPIC", "{group}-data", "DESCRIBE")], &["CE402 failed"], 3, "nothing arrives"),
    row("a source that can't make its topic", &[Source("{group}-data"), Give("TOPIC", "{group}-data", "WRITE")], &["CE402 failed"], 3, "does not exist yet"),
    row("a source whose topic is there", &[Topic("{group}-data", 1, "delete"), Source("{group}-data"), Give("TOPIC", "{group}-data", "WRITE")], &[], 0, "is there"),
    row("a sink without its group", &[Sink("{group}-data", None), Give("TOPIC", "{group}-data", "READ")], &["CE401 failed"], 3, "--group connect-{group}-sink"),
    row("a sink that may not read its topic", &[Topic("{group}-data", 1, "delete"), Sink("{group}-data", None), Give("GROUP", "connect-{group}-sink", "READ"), Give("TOPIC", "{group}-data", "DESCRIBE")], &["CE402 failed"], 3, "read is missing (has describe"),
    row("a sink of topics by their prefix", &[Sink("{group}-data*", None), Give("GROUP", "connect-{group}-sink", "READ"), Entry("TOPIC", "{group}-data", "READ", &[("pattern", "PREFIXED")])], &[], 0, ""),
    row("dead letters that nobody may create", &[Sink("{group}-data", Some("{group}-dead")), Give("GROUP", "connect-{group}-sink", "READ"), Give("TOPIC", "{group}-data", "READ"), Give("TOPIC", "{group}-dead", "WRITE")], &["CE402 failed"], 3, "create is missing"),
    row("dead letters that are there", &[Topic("{group}-dead", 1, "delete"), Sink("{group}-data", Some("{group}-dead")), Give("GROUP", "connect-{group}-sink", "READ"), Give("TOPIC", "{group}-data", "READ"), Give("TOPIC", "{group}-dead", "WRITE")], &[], 0, ""),
    // DENY over ALLOW.
    row("a DENY, and the ACLs can't be seen", &[Entry("TOPIC", "{group}-offsets", "WRITE", DENY)], &["CE402 failed"], 3, "a DENY stands over every ALLOW until it is removed"),
    row("a DENY, seen", &[SeesAcls, Entry("TOPIC", "{group}-offsets", "WRITE", DENY)], &["CE402 failed"], 3, "--deny-principal User:{user} --operation Write"),
    row("a DENY for everybody by a prefix, seen", &[SeesAcls, Entry("TOPIC", "{group}-", "WRITE", &[("permission", "DENY"), ("principal", "User:*"), ("pattern", "PREFIXED")])], &["CE402 failed"], 3, "for User:* on topic {group}-*"),
    row("a DENY of describe, seen", &[SeesAcls, Entry("TOPIC", "{group}-status", "DESCRIBE", DENY)], &["CE402 failed"], 3, "describe for User:{user}"),
    row("a DENY for this host, seen", &[SeesAcls, Entry("TOPIC", "{group}-offsets", "WRITE", &[("permission", "DENY"), ("host", "127.0.0.1")])], &["CE402 failed"], 3, "--deny-host 127.0.0.1"),
    row("a DENY for another host", &[SeesAcls, Entry("TOPIC", "{group}-offsets", "WRITE", &[("permission", "DENY"), ("host", "10.9.9.9")])], &[], 0, "a DENY of write holds from host 10.9.9.9"),
    row("a DENY on the group, seen", &[SeesAcls, Entry("GROUP", "{group}", "ALL", DENY)], &["CE401 failed"], 3, "all for User:{user}"),
    row("a DENY of create on the topic, seen", &[SeesAcls, Entry("TOPIC", "{group}-status", "CREATE", DENY)], &["CE402 failed"], 3, "--operation Create"),
    // An ALLOW that doesn't fit, seen.
    row("an ALLOW for another host", &[SeesAcls, Take("TOPIC", "{group}-offsets", "WRITE"), Entry("TOPIC", "{group}-offsets", "WRITE", &[("host", "10.9.9.9")])], &["CE402 failed"], 3, "from host 10.9.9.9 only"),
    row("an ALLOW for this host alone", &[SeesAcls, Take("TOPIC", "{group}-offsets", "WRITE"), Entry("TOPIC", "{group}-offsets", "WRITE", &[("host", "127.0.0.1")])], &["CE402 warned"], 0, "a task has another address"),
    row("an ALLOW for `user:`", &[SeesAcls, Take("TOPIC", "{group}-offsets", "WRITE"), Entry("TOPIC", "{group}-offsets", "WRITE", &[("principal", "user:{user}")])], &["CE402 failed"], 3, "for user:{user}, which is not User:{user}"),
    row("an ALLOW for a principal one letter off", &[SeesAcls, Take("GROUP", "{group}", "READ"), Entry("GROUP", "{group}", "READ", &[("principal", "User:{user}s")])], &["CE401 failed"], 3, "which is not User:{user}"),
    row("a star in a literal name", &[SeesAcls, Take("TOPIC", "{group}-status", "WRITE"), Give("TOPIC", "{group}-*", "WRITE")], &["CE402 failed"], 3, "the star is a letter like any other"),
    row("a literal name where a prefix was meant", &[SeesAcls, Take("TOPIC", "{group}-status", "WRITE"), Give("TOPIC", "{group}-", "WRITE")], &["CE402 failed"], 3, "`prefixed` was meant"),
    row("a prefix that is too long", &[SeesAcls, Take("TOPIC", "{group}-status", "READ"), Entry("TOPIC", "{group}-status-", "READ", &[("pattern", "PREFIXED")])], &["CE402 failed"], 3, "names that begin with `{group}-status-`"),
    row("a prefix with a slip in it", &[SeesAcls, Take("TOPIC", "{group}-status", "READ"), Entry("TOPIC", "{group}-sttaus", "READ", &[("pattern", "PREFIXED")])], &["CE402 failed"], 3, "names that begin with `{group}-sttaus`"),
    row("another case of letters in a topic's name", &[SeesAcls, Take("TOPIC", "{group}-status", "READ"), Give("TOPIC", "{group}-Status", "READ")], &["CE402 failed"], 3, "on topic `{group}-Status`"),
    row("the right name on the wrong kind of resource", &[SeesAcls, Take("GROUP", "{group}", "READ"), Give("TOPIC", "{group}", "READ")], &["CE401 failed"], 3, "on the topic of this name"),
    // Transactions.
    row("exactly once, no right on the id", &[Variable("CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT", "enabled")], &["CE404 failed"], 3, "--transactional-id connect-cluster-{group}"),
    row("exactly once, only describe on the id", &[Variable("CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT", "preparing"), Give("TRANSACTIONAL_ID", "connect-cluster-{group}", "DESCRIBE")], &["CE404 failed"], 3, "write is missing (has describe)"),
    row("exactly once, a DENY on the id", &[SeesAcls, Variable("CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT", "enabled"), Give("TRANSACTIONAL_ID", "connect-cluster-{group}", "WRITE"), Entry("TRANSACTIONAL_ID", "*", "WRITE", DENY)], &["CE404 failed"], 3, "--remove --force"),
    row("exactly once, as it must be", &[Variable("CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT", "enabled"), Give("TRANSACTIONAL_ID", "connect-cluster-{group}", "WRITE")], &[], 0, ""),
    // Topics as they are, or would be.
    row("a configs topic with two partitions", &[Topic("{group}-configs", 2, "compact")], &["CE408 failed"], 3, "has 2 partitions"),
    row("an offsets topic that deletes", &[Topic("{group}-offsets", 25, "delete")], &["CE408 failed"], 3, "--add-config cleanup.policy=compact"),
    row("a status topic that compacts and deletes", &[Topic("{group}-status", 5, "compact,delete")], &["CE408 failed"], 3, "compacted only"),
    row("more copies in sync asked for than there are", &[TopicWith("{group}-offsets", 25, "min.insync.replicas", "4")], &["CE408 failed"], 3, "--add-config min.insync.replicas=2"),
    row("an offsets topic with a partition more", &[Topic("{group}-offsets", 26, "compact")], &[], 0, "partitions 26"),
    row("a status topic with one copy of three", &[On("kafka_open"), ONE_COPY[0], ONE_COPY[1], Topic("{group}-status", 5, "compact")], &["CE408 warned"], 0, "3 copies are meant"),
    row("a replication factor below the policy", &[Variable("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR", "1")], &["CE403 failed"], 3, "must be 3"),
    row("more copies than brokers", &[Variable("CONNECT_STATUS_STORAGE_REPLICATION_FACTOR", "5")], &["CE403 failed"], 3, ""),
    row("more copies of a licence's topic than brokers", &[Variable("CONNECT_CONFLUENT_TOPIC_REPLICATION_FACTOR", "4")], &["CE131 failed"], 3, "is 4, and the cluster has 3 brokers"),
    row("as many copies of a licence's topic as brokers", &[Variable("CONNECT_CONFLUENT_TOPIC_REPLICATION_FACTOR", "3")], &[], 0, "3 of each, on 3 brokers"),
    row("a name that differs from another topic's by a dot and an underscore", &[Topic("{group}.x", 1, "delete"), Variable("CONNECT_STATUS_STORAGE_TOPIC", "{group}_x"), Give("TOPIC", "{group}_x", "ALL")], &["CE403 failed"], 3, "take another name than {group}_x"),
    row("a number of partitions that can't be", &[Variable("CONNECT_OFFSET_STORAGE_PARTITIONS", "0")], &["CE403 failed"], 3, "another number of partitions"),
    row("a name that no topic may have", &[Variable("CONNECT_STATUS_STORAGE_TOPIC", "{group} status"), Give("TOPIC", "{group} status", "ALL")], &["CE403 failed"], 3, "other than ASCII"),
    row("a name that is too long for a topic", &[Variable("CONNECT_STATUS_STORAGE_TOPIC", LONG), Give("TOPIC", LONG, "ALL")], &["CE403 failed"], 3, "249"),
    row("odd names that topics may have", &[Variable("CONNECT_STATUS_STORAGE_TOPIC", "{group}._-S"), Entry("TOPIC", "{group}._-S", "ALL", &[])], &[], 0, ""),
    // Other clusters.
    row("no quota on changes is left", &[Quota("controller_mutation_rate", 0.0001)], &["CE309 warned throttled", "CE402 unknown throttled"], 0, "quota"),
    row("a cluster without an authorizer", &[On("kafka_free"), ONE_COPY[0], ONE_COPY[1], ONE_COPY[2]], &[], 0, "may do everything"),
    row("MSK's default: what has no ACL is allowed", &[On("kafka_open"), Plant::Provider(Provider::Msk), Nothing, ONE_COPY[0], ONE_COPY[1], ONE_COPY[2]], &["CE406 warned"], 0, "allow.everyone.if.no.acl.found"),
    row("a cluster that nobody has used", &[On("kafka_virgin"), ONE_COPY[0], ONE_COPY[1], ONE_COPY[2], Take("GROUP", "{group}", "READ")], &["CE401 failed"], 3, ""),
];

impl Case {
    fn planted(row: &Row, number: usize) -> Self {
        let part = row.plants.iter().find_map(|plant| if let On(part) = plant { Some(*part) } else { None });
        let mut case = Self::on(part.unwrap_or("kafka"), &format!("row{number}"));
        if part != Some("kafka_free") && !row.plants.iter().any(|plant| matches!(plant, Nothing)) {
            case.grant();
        }
        for plant in row.plants {
            case.plant(plant);
        }
        if row.plants.iter().any(|plant| {
            matches!(plant, Address("hang" | "silent") | Before("hang" | "silent") | Listener("UNREACHABLE" | "MUTE"))
        }) {
            case.in_vain();
        }
        case
    }

    fn connector(&mut self, kind: ConnectorKind, topic: &str, dead_letters: Option<&str>) {
        self.connectors.push(Connector {
            name: format!("{}-sink", self.group),
            kind,
            topics: vec![Connector::topic(&self.named(topic))],
            group: None,
            dead_letters: dead_letters.map(|topic| self.named(topic)),
            exactly_once: false,
            offsets_topic: None,
        });
    }

    fn named(&self, text: &str) -> String {
        text.replace("{group}", &self.group).replace("{user}", &self.user)
    }

    fn plant(&mut self, plant: &Plant) {
        match *plant {
            On(_) | Nothing => {}
            Plant::Provider(provider) => self.cluster.provider = provider,
            Listener(name) => {
                self.listener(name);
            }
            Address(name) => {
                let address = text(&bed().facts("faults")[name]);
                self.set("bootstrap.servers", &address);
            }
            Bootstrap(address) => {
                self.set("bootstrap.servers", address);
            }
            Set(property, value) => {
                self.set(property, value);
            }
            Variable(name, value) => {
                let value = self.named(value);
                self.settings.insert(name.to_owned(), value);
            }
            Login(user, password) => self.login = Some((user.to_owned(), password.to_owned())),
            Password(password) => {
                self.password(password);
            }
            ClusterId(id) => self.cluster.id = Some(id.to_owned()),
            Take(resource, name, operation) => self.acls("remove", resource, &self.named(name), &[operation]),
            Give(resource, name, operation) => self.acls("add", resource, &self.named(name), &[operation]),
            Entry(resource, name, operation, unusual) => {
                let mut acl = self.acl(resource, &self.named(name), &[operation]);
                for (field, value) in unusual {
                    acl[*field] = json!(self.named(value));
                }
                bed().call(&format!("{}/acls", self.part), &json!({ "add": [acl] }));
            }
            SeesAcls => self.acls("add", "CLUSTER", "kafka-cluster", &["DESCRIBE"]),
            Topic(name, partitions, policy) => {
                let topic =
                    json!({ "name": self.named(name), "partitions": partitions, "configs": { "cleanup.policy": policy } });
                bed().call(&format!("{}/topics", self.part), &json!({ "create": [topic] }));
            }
            TopicWith(name, partitions, setting, value) => {
                let topic = json!({ "name": self.named(name), "partitions": partitions,
                    "configs": { "cleanup.policy": "compact", setting: value } });
                bed().call(&format!("{}/topics", self.part), &json!({ "create": [topic] }));
            }
            Source(topic) => self.connector(ConnectorKind::Source, topic, None),
            Sink(topic, dead_letters) => self.connector(ConnectorKind::Sink, topic, dead_letters),
            Client(prefix, property, value) => {
                self.settings.insert(variable_of(&format!("{prefix}{property}")), value.to_owned());
            }
            OnlyBy(mechanism) => {
                let user = json!({ "name": self.user, "password": self.password, "mechanisms": [mechanism] });
                bed().call(&format!("{}/remove_user", self.part), &user);
                if !mechanism.is_empty() {
                    bed().call(&format!("{}/user", self.part), &user);
                }
            }
            Certificate(authority, first, last) => {
                let wanted = json!({ "name": self.user, "ca": authority, "days": [first, last] });
                let issued = bed().call(&format!("{}/certificate", self.part), &wanted);
                self.certificate(&text(&issued["certificate"]), &text(&issued["key"]));
            }
            Servers(made) => {
                let servers = made(&self.settings["CONNECT_BOOTSTRAP_SERVERS"]);
                self.set("bootstrap.servers", &servers);
            }
            Before(name) => {
                let address = text(&bed().facts("faults")[name]);
                let servers = format!("{address},{}", self.settings["CONNECT_BOOTSTRAP_SERVERS"]);
                self.set("bootstrap.servers", &servers);
            }
            Controllers => {
                let controllers = text(&bed().facts(self.part)["controllers"]);
                self.set("bootstrap.servers", &controllers);
            }
            Flat(property) => {
                let pem = self.settings[&variable_of(property)].replace("\\n", " ");
                self.set(property, &pem);
            }
            Trust(name) => {
                let pem = std::fs::read_to_string(text(&bed().facts(self.part)["tls"][name])).unwrap();
                self.set("ssl.truststore.certificates", &confluent_ecs::confluent::escape(&pem));
            }
            Another(prefix) => {
                let other = bed().call(&format!("{}/user", self.part), &json!({ "name": format!("{}-other", self.user) }));
                let login = Jaas::login(
                    "org.apache.kafka.common.security.scram.ScramLoginModule",
                    &Secret::new(text(&other["name"])),
                    &Secret::new(text(&other["password"])),
                );
                let value = confluent_ecs::confluent::escape(login.compose().expose());
                self.settings.insert(variable_of(&format!("{prefix}sasl.jaas.config")), value);
            }
            Quota(name, value) => {
                bed().call(&format!("{}/quota", self.part), &json!({ "user": self.user, "quotas": { name: value } }));
            }
        }
    }
}

/// What is wrong with a row's outcome; nothing when it is right.
fn faults_of(row: &Row, case: &Case, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = troubles(report);
    if found != row.found {
        wrong.push(format!("found {found:?} instead of {:?}", row.found));
    }
    if report.exit_code != row.exit {
        wrong.push(format!("exit {} instead of {}", report.exit_code, row.exit));
    }
    let said: Vec<String> = report
        .checks
        .iter()
        .flat_map(|check| {
            let fixes = check.fixes.iter().map(|fix| {
                let fix = serde_json::to_value(fix).unwrap();
                let words = |value: &serde_json::Value| value.as_str().map(str::to_owned);
                let argv = fix["argv"].as_array().map(|argv| argv.iter().filter_map(words).collect::<Vec<_>>().join(" "));
                argv.unwrap_or_else(|| fix.to_string())
            });
            let texts = [Some(check.message.clone()), check.why.clone(), check.evidence.clone()];
            texts.into_iter().flatten().chain(fixes).collect::<Vec<_>>()
        })
        .collect();
    if !said.iter().any(|text| text.contains(&case.named(row.says))) {
        wrong.push(format!("nothing says {:?}", case.named(row.says)));
    }
    for check in report.checks.iter().filter(|check| check.status == Status::Failed) {
        if check.fixes.is_empty() {
            wrong.push(format!("{} has no fix", check.id));
        }
        if check.why.is_none() {
            wrong.push(format!("{} has no reason", check.id));
        }
    }
    if !wrong.is_empty() {
        wrong.push(serde_json::to_string_pretty(report).unwrap());
    }
    wrong
}

#[test]
fn each_planted_fault_is_found_and_nothing_else() {
    let _brokers = all_brokers();
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..ROWS.len()).collect());
    let done: Mutex<Vec<(usize, String, Vec<String>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(number) = queue.lock().unwrap().pop_front() else { break };
                    let row = &ROWS[number];
                    let case = Case::planted(row, number);
                    let before = state(&case);
                    let started = Instant::now();
                    let report = case.run();
                    let took = started.elapsed();
                    let mut wrong = faults_of(row, &case, &report);
                    if state(&case) != before {
                        wrong.push("the cluster was changed".to_owned());
                    }
                    let found = if row.found.is_empty() { "all passed".to_owned() } else { row.found.join(", ") };
                    let mark = if wrong.is_empty() { "ok  " } else { "FAIL" };
                    let line = format!("{mark} {:<52} {found:<60} exit {}  {:>5} ms", row.fault, row.exit, took.as_millis());
                    done.lock().unwrap().push((number, line, wrong));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, _, _)| *number);
    let mut table = format!("{} planted faults, each with what preflight must find\n", ROWS.len());
    for (_, line, _) in &done {
        writeln!(table, "{line}").unwrap();
    }
    let wrong: Vec<String> = done
        .into_iter()
        .filter(|(_, _, wrong)| !wrong.is_empty())
        .map(|(number, _, wrong)| format!("{}: {}", ROWS[number].fault, wrong.join("\n")))
        .collect();
    // `tests/run` prints it.
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("preflight-matrix.txt"), &table).unwrap();
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n\n"));
}
