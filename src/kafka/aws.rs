//! The two logins of Amazon MSK with IAM, both a presigned `kafka-cluster:Connect`: AWS_MSK_IAM shows it as JSON, OAUTHBEARER as a URL.
//!
//! Source: Amazon's aws-msk-iam-auth library. Pure: credentials in, messages out; nothing is asked of AWS.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Map, Value};

use super::settings::Mechanism;
use crate::base::{AGENT, Cause, Fault, Moment, Secret};

/// What Amazon's own library asks for.
const LIFETIME: Duration = Duration::from_mins(15);
const SERVICE: &str = "kafka-cluster";
const ACTION: &str = "kafka-cluster:Connect";
const VERSION: &str = "2020_10_22";

/// AWS credentials, and who they belong to.
#[derive(Debug, Clone)]
pub struct AwsKeys {
    pub access_key: String,
    pub secret_key: Secret,
    pub session_token: Option<Secret>,
    /// When they end, where they do.
    pub expires: Option<Moment>,
    pub region: String,
    /// The ARN that they belong to, as AWS itself says.
    pub caller: String,
}

impl AwsKeys {
    /// For OAUTHBEARER: the region's own host is signed, whatever the broker is called.
    pub(super) fn token(&self) -> Result<Secret, String> {
        let host = format!("kafka.{}.amazonaws.com", self.region);
        let query: Vec<String> = self
            .presigned(&host, &self.region, SystemTime::now())?
            .iter()
            .chain([&("User-Agent".to_owned(), Secret::new(AGENT))])
            .map(|(name, value)| format!("{name}={}", escaped(value.expose())))
            .collect();
        let url = format!("https://{host}/?{}", query.join("&"));
        Ok(super::oauth::message(&Secret::new(BASE64URL.encode(url)), &std::collections::BTreeMap::new()))
    }

    /// For AWS_MSK_IAM: the broker's own name is signed, for the region that stands in it.
    pub(super) fn payload(&self, host: &str) -> Result<Secret, String> {
        let region = region_of(host).unwrap_or(&self.region);
        let mut payload = Map::new();
        for (name, value) in self.presigned(host, region, SystemTime::now())? {
            payload.insert(name.to_ascii_lowercase(), Value::String(value.expose().to_owned()));
        }
        for (name, value) in [("version", VERSION), ("user-agent", AGENT), ("host", host)] {
            payload.insert(name.to_owned(), Value::String(value.to_owned()));
        }
        Ok(Secret::new(Value::Object(payload).to_string()))
    }

    /// The parameters of the presigned request, the action first.
    fn presigned(&self, host: &str, region: &str, now: SystemTime) -> Result<Vec<(String, Secret)>, String> {
        let broken = |error: &dyn std::fmt::Display| format!("the login could not be signed: {error}");
        let session = self.session_token.as_ref().map(|token| token.expose().to_owned());
        let credentials = Credentials::new(&self.access_key, self.secret_key.expose(), session, None, "confluent-ecs");
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(LIFETIME);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(SERVICE)
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| broken(&error))?
            .into();
        let url = format!("https://{host}/?Action={}", escaped(ACTION));
        let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]));
        let signed = sign(request.map_err(|error| broken(&error))?, &params).map_err(|error| broken(&error))?;
        let (instructions, _) = signed.into_parts();
        let mut query = vec![("Action".to_owned(), Secret::new(ACTION))];
        query.extend(
            instructions.params().iter().map(|(name, value)| ((*name).to_owned(), Secret::new(value.clone().into_owned()))),
        );
        Ok(query)
    }

    /// The broker said no. Why, as far as it can be told from here.
    pub(super) fn refusal(&self, mechanism: Mechanism, host: &str, fault: &Fault) -> Fault {
        let said = &fault.message;
        if self.expires.is_some_and(|expires| expires <= Moment::now()) {
            return Fault::new(Cause::BadCredentials, format!("{said}; the AWS credentials have ended"));
        }
        match region_of(host) {
            Some(region) if mechanism == Mechanism::OauthBearer && region != self.region => Fault::new(
                Cause::BadCredentials,
                format!("{said}; the token was signed for {}, and the cluster is in {region}: set AWS_REGION", self.region),
            ),
            _ => Fault::new(Cause::AccessDenied, format!("{said}; run as {}, whom AWS knows", self.caller)),
        }
    }
}

/// The region in the name of an Amazon MSK broker: `b-1.orders.k1z8.c2.kafka.eu-west-1.amazonaws.com`.
pub fn region_of(host: &str) -> Option<&str> {
    let mut labels = host.trim_end_matches('.').split('.').skip_while(|label| !matches!(*label, "kafka" | "kafka-serverless"));
    let (_, region, amazon) = (labels.next()?, labels.next()?, labels.next()?);
    (amazon == "amazonaws").then_some(region)
}

/// As a query of AWS's is escaped: all but letters, digits and four signs.
fn escaped(text: &str) -> String {
    let hex = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble)]);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{AwsKeys, region_of};
    use crate::base::{Cause, Fault, Moment, Secret};
    use crate::kafka::Mechanism;

    fn keys() -> AwsKeys {
        AwsKeys {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: Some(Secret::new("a/session+token=")),
            expires: None,
            region: "eu-west-1".into(),
            caller: "arn:aws:iam::111122223333:user/ana".into(),
        }
    }

    #[test]
    fn the_region_stands_in_the_brokers_name() {
        assert_eq!(region_of("b-1.orders.k1z8.c2.kafka.eu-west-1.amazonaws.com"), Some("eu-west-1"));
        assert_eq!(region_of("boot-x.c1.kafka-serverless.us-east-1.amazonaws.com."), Some("us-east-1"));
        assert_eq!(region_of("kafka.example.com"), None);
    }

    #[test]
    fn what_is_signed_is_what_amazons_library_sends() {
        let now = UNIX_EPOCH + Duration::from_mins(24_015_636);
        let presigned = keys().presigned("broker", "eu-west-1", now).unwrap();
        let of = |name: &str| presigned.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().to_owned());
        assert_eq!(of("Action").unwrap(), "kafka-cluster:Connect");
        assert_eq!(of("X-Amz-Credential").unwrap(), "AKIDEXAMPLE/20150830/eu-west-1/kafka-cluster/aws4_request");
        assert_eq!(of("X-Amz-Date").unwrap(), "20150830T123600Z");
        assert_eq!(of("X-Amz-Expires").unwrap(), "900");
        assert_eq!(of("X-Amz-SignedHeaders").unwrap(), "host");
        assert_eq!(of("X-Amz-Security-Token").unwrap(), "a/session+token=");
        assert_eq!(of("X-Amz-Signature").unwrap().len(), 64);
    }

    #[test]
    fn a_refusal_is_told_by_what_we_know_ourselves() {
        let said = Fault::new(Cause::AccessDenied, "Access denied");
        let at = "b-1.x.kafka.us-east-1.amazonaws.com";
        let mut keys = keys();
        let fault = keys.refusal(Mechanism::OauthBearer, at, &said);
        assert!(fault.cause == Cause::BadCredentials && fault.message.contains("us-east-1"), "{fault}");
        assert_eq!(keys.refusal(Mechanism::AwsMskIam, at, &said).cause, Cause::AccessDenied);
        keys.expires = Some(Moment::from_millis(0));
        let fault = keys.refusal(Mechanism::AwsMskIam, at, &said);
        assert!(fault.cause == Cause::BadCredentials && fault.message.contains("have ended"), "{fault}");
    }
}
