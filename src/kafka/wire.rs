//! One connection and its requests: frames, versions, deadlines. Nothing here knows what a request means.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse, DescribeConfigsRequest,
    DescribeConfigsResponse, DescribeGroupsRequest, DescribeGroupsResponse, HeartbeatRequest, HeartbeatResponse, MetadataRequest,
    MetadataResponse, RequestHeader, ResponseHeader, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, StrBytes, encode_request_header_into_buffer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::base::Deadline;

/// No answer to anything that we ask is longer.
const LONGEST_ANSWER: usize = 64 << 20;
const CLIENT_ID: &str = "confluent-ecs-preflight";
const UNSUPPORTED_VERSION: i16 = 35;

/// A stream to a broker, secured or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum WireError {
    TimedOut,
    /// The broker hung up, or the transport failed.
    Closed(io::Error),
    /// The first bytes of the answer, which are no answer of Kafka's.
    Foreign([u8; 4]),
    /// The broker does not speak the request, or no version of it that we do.
    Unsupported,
    /// Answered, in a form that can't be read; why.
    Unreadable(String),
}

/// A request that we send, and its answer. This table is all that is ever sent: nothing in it changes a cluster, except
/// CreateTopics, which `probe` only sends to be validated.
pub(super) trait Request: Encodable + Message {
    const KEY: ApiKey;
    type Response: Decodable + HeaderVersion;
}

macro_rules! requests {
    ($($key:ident: $request:ty => $response:ty;)*) => {
        $(impl Request for $request {
            const KEY: ApiKey = ApiKey::$key;
            type Response = $response;
        })*
    };
}

requests! {
    ApiVersions: ApiVersionsRequest => ApiVersionsResponse;
    SaslHandshake: SaslHandshakeRequest => SaslHandshakeResponse;
    SaslAuthenticate: SaslAuthenticateRequest => SaslAuthenticateResponse;
    Metadata: MetadataRequest => MetadataResponse;
    DescribeGroups: DescribeGroupsRequest => DescribeGroupsResponse;
    Heartbeat: HeartbeatRequest => HeartbeatResponse;
    CreateTopics: CreateTopicsRequest => CreateTopicsResponse;
    DescribeConfigs: DescribeConfigsRequest => DescribeConfigsResponse;
}

/// A connection on which the versions have been agreed.
pub struct Connection {
    stream: Box<dyn Stream>,
    pub(super) peer: SocketAddr,
    versions: BTreeMap<i16, (i16, i16)>,
    correlation: i32,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.peer)
    }
}

impl Connection {
    /// Asks the broker which versions it speaks: the first thing that any Kafka client says.
    pub(super) async fn greet(stream: Box<dyn Stream>, peer: SocketAddr, deadline: Deadline) -> Result<Self, WireError> {
        let mut connection = Self { stream, peer, versions: BTreeMap::new(), correlation: 0 };
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("confluent-ecs"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let mut body = connection.exchange(&request, 3, deadline).await?;
        // A broker that knows no version 3 says so in the form of version 0.
        let mut version = 3;
        if body.get(..2) == Some(&UNSUPPORTED_VERSION.to_be_bytes()) {
            version = 0;
            body = connection.exchange(&ApiVersionsRequest::default(), 0, deadline).await?;
        }
        let answer = decode::<ApiVersionsRequest>(&mut body, version)?;
        connection.versions = answer.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version))).collect();
        Ok(connection)
    }

    /// Sends a request in the newest version that both sides speak, at most `newest`, and reads its answer.
    pub(super) async fn call<R: Request>(
        &mut self,
        request: &R,
        newest: i16,
        deadline: Deadline,
    ) -> Result<(R::Response, i16), WireError> {
        let version = self.version::<R>(newest).ok_or(WireError::Unsupported)?;
        let mut body = self.exchange(request, version, deadline).await?;
        Ok((decode::<R>(&mut body, version)?, version))
    }

    fn version<R: Request>(&self, newest: i16) -> Option<i16> {
        let (oldest_there, newest_there) = *self.versions.get(&(R::KEY as i16))?;
        let version = newest.min(newest_there).min(R::VERSIONS.max);
        (version >= oldest_there && version >= R::VERSIONS.min).then_some(version)
    }

    async fn exchange<R: Request>(&mut self, request: &R, version: i16, deadline: Deadline) -> Result<Bytes, WireError> {
        self.correlation += 1;
        let frame = frame(request, version, self.correlation)?;
        let correlation = self.correlation;
        let stream = &mut self.stream;
        let exchange = async {
            stream.write_all(&frame).await.map_err(WireError::Closed)?;
            stream.flush().await.map_err(WireError::Closed)?;
            let mut head = [0_u8; 4];
            stream.read_exact(&mut head).await.map_err(WireError::Closed)?;
            let length = usize::try_from(i32::from_be_bytes(head)).ok().filter(|length| (4..=LONGEST_ANSWER).contains(length));
            let Some(length) = length else { return Err(WireError::Foreign(head)) };
            // Read as it comes: a length is a promise, not a reason to set memory aside.
            let mut answer = Vec::new();
            let read = (&mut *stream).take(length as u64).read_to_end(&mut answer).await.map_err(WireError::Closed)?;
            if read < length {
                return Err(WireError::Closed(io::ErrorKind::UnexpectedEof.into()));
            }
            Ok(Bytes::from(answer))
        };
        let mut answer = timeout(deadline.remaining(), exchange).await.map_err(|_| WireError::TimedOut)??;
        let header_version = <R::Response as HeaderVersion>::header_version(version);
        let header = ResponseHeader::decode(&mut answer, header_version).map_err(unreadable)?;
        if header.correlation_id != correlation {
            return Err(WireError::Unreadable("the answer belongs to another request".to_owned()));
        }
        Ok(answer)
    }
}

fn frame<R: Request>(request: &R, version: i16, correlation: i32) -> Result<BytesMut, WireError> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY as i16)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str(CLIENT_ID)));
    let mut frame = BytesMut::new();
    frame.extend_from_slice(&[0; 4]);
    encode_request_header_into_buffer(&mut frame, &header).map_err(unreadable)?;
    request.encode(&mut frame, version).map_err(unreadable)?;
    let length = u32::try_from(frame.len() - 4).map_err(|_| WireError::Unreadable("the request is too long".to_owned()))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

fn decode<R: Request>(body: &mut Bytes, version: i16) -> Result<R::Response, WireError> {
    <R::Response as Decodable>::decode(body, version).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> WireError {
    WireError::Unreadable(error.to_string())
}
