//! The login by librdkafka: an independent client, with the same settings.
//!
//! librdkafka tells nothing by itself: while it retries, the reason only reaches the error callback, and only when the client is
//! polled. So the client is polled, and whichever comes first decides: the cluster's id or an error that names a cause.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::settings::{Proof, Settings};
use crate::base::{Cause, Deadline, Fault};

/// Can librdkafka log in with these settings? As it is built here it knows passwords and certificates.
pub fn speaks(settings: &Settings) -> bool {
    settings.login.as_ref().is_none_or(|login| matches!(login.proof, Proof::Password { .. }))
}

/// Logs in as librdkafka does, and gives the cluster's id.
pub async fn login(settings: &Settings, deadline: Deadline) -> Result<String, Fault> {
    let config = config(settings);
    // librdkafka is polled on a thread of its own, which ends with the deadline.
    let attempt = tokio::task::spawn_blocking(move || attempt(&config, deadline));
    attempt.await.unwrap_or_else(|_| Err(Fault::new(Cause::BrokerUnreachable, "librdkafka's login was broken off")))
}

fn attempt(config: &ClientConfig, deadline: Deadline) -> Result<String, Fault> {
    let producer: BaseProducer<Ear> = config
        .create_with_context(Ear::default())
        .map_err(|error| Fault::new(Cause::BrokerUnreachable, format!("librdkafka refuses the settings: {error}")))?;
    while !deadline.passed() {
        producer.poll(Duration::from_millis(20));
        if let Some(fault) = producer.context().telling() {
            return Err(fault);
        }
        if let Some(id) = producer.client().fetch_cluster_id(Duration::from_millis(5)) {
            return Ok(id);
        }
    }
    Err(producer.context().last().unwrap_or_else(|| Fault::new(Cause::TimedOut, "librdkafka was not logged in in time")))
}

fn config(settings: &Settings) -> ClientConfig {
    let mut config = ClientConfig::new();
    let bootstrap: Vec<String> = settings.bootstrap.iter().map(ToString::to_string).collect();
    config
        .set("bootstrap.servers", bootstrap.join(","))
        .set("client.id", "confluent-ecs-preflight")
        .set("security.protocol", settings.protocol.as_str())
        .set("socket.connection.setup.timeout.ms", "5000")
        .set("api.version.request.timeout.ms", "5000")
        .set("enable.metrics.push", "false")
        .set("log.connection.close", "false");
    if let Some((login, Proof::Password { username, password })) = settings.login.as_ref().map(|login| (login, &login.proof)) {
        config
            .set("sasl.mechanism", login.mechanism.as_str())
            .set("sasl.username", username)
            .set("sasl.password", password.expose());
    }
    if settings.protocol.has_tls() {
        match &settings.tls.authorities {
            Some(pem) => config.set("ssl.ca.pem", pem),
            None => config.set("ssl.ca.location", "probe"),
        };
        if let Some((chain, key)) = &settings.tls.identity {
            config.set("ssl.certificate.pem", chain).set("ssl.key.pem", key.expose());
        }
        if settings.tls.ignore_host_name {
            config.set("ssl.endpoint.identification.algorithm", "none");
        }
    }
    config
}

/// Hears what librdkafka says, and keeps it from saying it anywhere else.
#[derive(Default)]
struct Ear(Mutex<Vec<(RDKafkaErrorCode, String)>>);

impl Ear {
    fn heard(&self) -> Vec<(RDKafkaErrorCode, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An error that names its cause; the rest are only its echoes.
    fn telling(&self) -> Option<Fault> {
        self.heard().into_iter().find_map(|(code, reason)| {
            let cause = match code {
                RDKafkaErrorCode::Authentication => Cause::BadCredentials,
                RDKafkaErrorCode::SSL => Cause::TlsUntrusted,
                RDKafkaErrorCode::Resolve => Cause::NameNotFound,
                _ => return None,
            };
            Some(Fault::new(cause, reason))
        })
    }

    fn last(&self) -> Option<Fault> {
        self.heard().pop().map(|(_, reason)| Fault::new(Cause::BrokerUnreachable, reason))
    }
}

impl ClientContext for Ear {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((code, reason.to_owned()));
    }
}

impl ProducerContext for Ear {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &rdkafka::producer::DeliveryResult<'_>, _opaque: ()) {}
}
