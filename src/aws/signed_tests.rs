//! Replayed answers: a listener that takes what is sent, and answers with what the test wrote.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Api, Call, Element, Signer, escaped, pause};
use crate::aws::ErrorKind;

/// Answers one request after the other with the given answers; what came in goes out at the end.
async fn replay(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            loop {
                let text = String::from_utf8_lossy(&request).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                    if body.len() >= length.unwrap_or(0) {
                        break;
                    }
                }
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "{text}");
            }
            requests.push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (endpoint, requests)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn signer(endpoint: &str) -> Signer {
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .endpoint_url(endpoint)
        .build();
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", Some("session-token".to_owned()), None, "test");
    Signer::new(&config, "eu-west-1", SharedCredentialsProvider::new(credentials)).unwrap()
}

/// Has no credentials.
#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("none here")))
    }
}

#[tokio::test]
async fn a_form_is_sent_signed_for_its_service_and_region() {
    let (endpoint, requests) = replay(vec![answer("200 OK", "", "<R><subnetSet/></R>")]).await;
    let call = Call::form(Api::Ec2, "ec2:DescribeSubnets", "").with_each("SubnetId", ["subnet-1", "subnet 2"]);
    let body = signer(&endpoint).send(&call).await.unwrap().body;
    assert!(Element::parse(&body).unwrap().list("subnetSet").is_empty());
    let request = requests.await.unwrap().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "Action=DescribeSubnets&Version=2016-11-15&SubnetId.1=subnet-1&SubnetId.2=subnet%202");
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("/eu-west-1/ec2/aws4_request"), "{head}");
    assert!(head.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"), "{head}");
    assert!(!request.contains("not-a-secret"), "{request}");
}

#[tokio::test]
async fn an_arn_in_a_path_is_escaped_once() {
    let (endpoint, requests) = replay(vec![answer("200 OK", "", "{}")]).await;
    let arn = "arn:aws:kafka:eu-west-1:111122223333:cluster/demo/5d1e-1";
    let call = Call::get(Api::Kafka, "kafka:ListScramSecrets", arn, &["v1", "clusters", arn, "scram-secrets"]);
    signer(&endpoint).send(&call.with("maxResults", "100")).await.unwrap();
    let request = requests.await.unwrap().remove(0);
    let line = request.lines().next().unwrap();
    assert_eq!(
        line,
        "GET /v1/clusters/arn%3Aaws%3Akafka%3Aeu-west-1%3A111122223333%3Acluster%2Fdemo%2F5d1e-1/scram-secrets?maxResults=100 HTTP/1.1"
    );
}

#[tokio::test]
async fn json_names_its_operation_in_a_header() {
    let (endpoint, requests) = replay(vec![answer("200 OK", "", "{\"KeyMetadata\": {}}")]).await;
    let call = Call::json(Api::Kms, "kms:DescribeKey", "alias/x", json!({"KeyId": "alias/x"}));
    signer(&endpoint).send(&call).await.unwrap();
    let request = requests.await.unwrap().remove(0);
    assert!(request.contains("x-amz-target: TrentService.DescribeKey\r\n"), "{request}");
    assert!(request.ends_with("{\"KeyId\":\"alias/x\"}"), "{request}");
}

#[tokio::test]
async fn every_way_of_saying_no_becomes_code_message_and_request_id() {
    let ec2 = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You may not.</Message></Error></Errors>\
               <RequestID>r-1</RequestID></Response>";
    let route53 = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidInput</Code><Message>A &amp; B</Message></Error>\
                   <RequestId>r-2</RequestId></ErrorResponse>";
    let cases = [
        (answer("403 Forbidden", "", ec2), ErrorKind::AccessDenied, "UnauthorizedOperation", "You may not.", Some("r-1")),
        (answer("400 Bad Request", "", route53), ErrorKind::Other, "InvalidInput", "A & B", Some("r-2")),
        (
            answer(
                "400 Bad Request",
                "x-amzn-requestid: r-3\r\n",
                "{\"__type\":\"com.aws.kms#NotFoundException\",\"message\":\"no key\"}",
            ),
            ErrorKind::Other,
            "NotFoundException",
            "no key",
            Some("r-3"),
        ),
        (
            answer("403 Forbidden", "x-amzn-errortype: ExpiredTokenException:http://x/\r\n", "{\"Message\":\"over\"}"),
            ErrorKind::CredentialsExpired,
            "ExpiredTokenException",
            "over",
            None,
        ),
        (answer("403 Forbidden", "", "<html>blocked by the proxy"), ErrorKind::AccessDenied, "", "HTTP status 403", None),
    ];
    for (reply, kind, code, message, request_id) in cases {
        let (endpoint, _requests) = replay(vec![reply]).await;
        let error = signer(&endpoint).send(&Call::form(Api::Ec2, "ec2:DescribeVpcs", "")).await.err().unwrap();
        assert_eq!((error.kind, error.code.as_deref().unwrap_or_default()), (kind, code));
        assert_eq!((error.message.as_str(), error.request_id.as_deref()), (message, request_id));
        assert_eq!(error.endpoint.as_deref(), Some(endpoint.as_str()));
    }
}

#[tokio::test]
async fn a_throttled_call_is_sent_again_and_a_refused_one_is_not() {
    let throttled =
        answer("503 Slow Down", "", "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>");
    let (endpoint, requests) = replay(vec![throttled, answer("200 OK", "", "<R/>")]).await;
    signer(&endpoint).send(&Call::form(Api::Ec2, "ec2:DescribeVpcs", "")).await.unwrap();
    assert_eq!(requests.await.unwrap().len(), 2);

    let refused = answer("403 Forbidden", "", "<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>");
    let (endpoint, requests) = replay(vec![refused]).await;
    let error = signer(&endpoint).send(&Call::form(Api::Ec2, "ec2:DescribeVpcs", "")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::CredentialsRefused);
    assert_eq!(requests.await.unwrap().len(), 1);
}

#[tokio::test]
async fn credentials_that_cannot_be_had_are_no_fault_of_the_service() {
    let config = aws_config::SdkConfig::builder().region(Region::new("eu-west-1")).endpoint_url("http://127.0.0.1:1").build();
    let signer = Signer::new(&config, "eu-west-1", SharedCredentialsProvider::new(Nobody)).unwrap();
    let error = signer.send(&Call::form(Api::Ec2, "ec2:DescribeVpcs", "")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::NoCredentials);
}

#[test]
fn nothing_of_the_credentials_is_shown() {
    let shown = format!("{:?}", signer("http://127.0.0.1:1"));
    assert!(!shown.contains("AKID") && !shown.contains("not-a-secret") && !shown.contains("token"), "{shown}");
}

#[test]
fn pauses_are_random_and_have_an_end() {
    let pauses: Vec<_> = (0..100).map(|_| pause(1)).collect();
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(1)));
    assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    assert!((0..100).all(|_| pause(40) <= Duration::from_secs(8)));
}

#[test]
fn only_what_no_url_has_to_escape_stays_as_it_is() {
    assert_eq!(escaped("a-Z_0.9~"), "a-Z_0.9~");
    assert_eq!(escaped("a b+c/é*"), "a%20b%2Bc%2F%C3%A9%2A");
}
