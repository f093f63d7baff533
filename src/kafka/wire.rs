//! One connection and its requests: frames, versions, deadlines. Nothing here knows what a request means.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse, DescribeAclsRequest,
    DescribeAclsResponse, DescribeConfigsRequest, DescribeConfigsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    DescribeTransactionsRequest, DescribeTransactionsResponse, HeartbeatRequest, HeartbeatResponse, InitProducerIdRequest,
    InitProducerIdResponse, ListGroupsRequest, ListGroupsResponse, MetadataRequest, MetadataResponse, RequestHeader,
    ResponseHeader, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, StrBytes, encode_request_header_into_buffer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::base::Deadline;

/// No answer to anything that we ask is longer.
const LONGEST_ANSWER: usize = 64 << 20;
const CLIENT_ID: &str = "confluent-ecs-preflight";
const UNSUPPORTED_VERSION: i16 = 35;
/// So many requests are sent before the first answer is read: their answers fit into the socket's buffers.
const PIPELINED: usize = 50;

/// A stream to a broker, secured or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum WireError {
    TimedOut,
    /// … from a broker that said before that a quota holds the caller back.
    Held,
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
/// CreateTopics, which `probe` only sends to be validated, and InitProducerId, which it sends so that it is refused.
pub(super) trait Request: Encodable + Message {
    const KEY: ApiKey;
    type Response: Decodable + HeaderVersion;

    /// For how many milliseconds the broker holds the caller back.
    fn held(_answer: &Self::Response) -> i32 {
        0
    }
}

macro_rules! requests {
    ($($key:ident: $request:ty => $response:ty $(, $held:ident)?;)*) => {
        $(impl Request for $request {
            const KEY: ApiKey = ApiKey::$key;
            type Response = $response;
            $(
                fn held(answer: &Self::Response) -> i32 {
                    answer.$held
                }
            )?
        })*
    };
}

requests! {
    ApiVersions: ApiVersionsRequest => ApiVersionsResponse, throttle_time_ms;
    SaslHandshake: SaslHandshakeRequest => SaslHandshakeResponse;
    SaslAuthenticate: SaslAuthenticateRequest => SaslAuthenticateResponse;
    Metadata: MetadataRequest => MetadataResponse, throttle_time_ms;
    DescribeGroups: DescribeGroupsRequest => DescribeGroupsResponse, throttle_time_ms;
    Heartbeat: HeartbeatRequest => HeartbeatResponse, throttle_time_ms;
    CreateTopics: CreateTopicsRequest => CreateTopicsResponse, throttle_time_ms;
    DescribeConfigs: DescribeConfigsRequest => DescribeConfigsResponse, throttle_time_ms;
    DescribeAcls: DescribeAclsRequest => DescribeAclsResponse, throttle_time_ms;
    DescribeTransactions: DescribeTransactionsRequest => DescribeTransactionsResponse, throttle_time_ms;
    InitProducerId: InitProducerIdRequest => InitProducerIdResponse, throttle_time_ms;
    ListGroups: ListGroupsRequest => ListGroupsResponse, throttle_time_ms;
}

/// A connection on which the versions have been agreed.
pub struct Connection {
    stream: Box<dyn Stream>,
    pub(super) peer: SocketAddr,
    versions: BTreeMap<i16, (i16, i16)>,
    correlation: i32,
    /// Until when the broker holds our requests back.
    held: Option<Instant>,
    /// The longest that it has held one back.
    longest_hold: Duration,
    /// It has hung up.
    is_closed: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.peer)
    }
}

impl Connection {
    /// Asks the broker which versions it speaks: the first thing that any Kafka client says.
    pub(super) async fn greet(stream: Box<dyn Stream>, peer: SocketAddr, deadline: Deadline) -> Result<Self, WireError> {
        let (versions, longest_hold) = (BTreeMap::new(), Duration::ZERO);
        let mut connection = Self { stream, peer, versions, correlation: 0, held: None, longest_hold, is_closed: false };
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
        let answer = self.exchange(request, version, deadline).await;
        self.is_closed |= matches!(answer, Err(WireError::Closed(_)));
        let mut body = answer?;
        Ok((self.decoded::<R>(&mut body, version)?, version))
    }

    /// Sends many requests of one kind without waiting for each answer; a broker answers in the order in which it was asked.
    pub(super) async fn pipeline<R: Request>(
        &mut self,
        requests: &[R],
        newest: i16,
        deadline: Deadline,
    ) -> Result<Vec<R::Response>, WireError> {
        let version = self.version::<R>(newest).ok_or(WireError::Unsupported)?;
        let mut answers = Vec::new();
        for some in requests.chunks(PIPELINED) {
            let mut frames = BytesMut::new();
            let first = self.correlation;
            for request in some {
                self.correlation += 1;
                frames.extend_from_slice(&frame(request, version, self.correlation)?);
            }
            self.send(&frames, deadline).await?;
            for correlation in first..self.correlation {
                let mut body = self.receive::<R>(version, correlation + 1, deadline).await?;
                answers.push(self.decoded::<R>(&mut body, version)?);
            }
        }
        Ok(answers)
    }

    /// The longest that the broker has held back a request on this connection, because of a quota.
    pub fn held_back(&self) -> Duration {
        self.longest_hold
    }

    /// Whether the broker has hung up instead of answering.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// A controller of a cluster without ZooKeeper speaks Kafka's protocol, and has nothing to say to clients.
    pub(super) fn serves_clients(&self) -> bool {
        self.versions.contains_key(&(ApiKey::Metadata as i16))
    }

    /// Whether the broker knows a version of the request.
    pub(super) fn speaks<R: Request>(&self, version: i16) -> bool {
        self.version::<R>(version) == Some(version)
    }

    fn version<R: Request>(&self, newest: i16) -> Option<i16> {
        let (oldest_there, newest_there) = *self.versions.get(&(R::KEY as i16))?;
        let version = newest.min(newest_there).min(R::VERSIONS.max);
        (version >= oldest_there && version >= R::VERSIONS.min).then_some(version)
    }

    async fn exchange<R: Request>(&mut self, request: &R, version: i16, deadline: Deadline) -> Result<Bytes, WireError> {
        self.correlation += 1;
        let frame = frame(request, version, self.correlation)?;
        self.send(&frame, deadline).await?;
        self.receive::<R>(version, self.correlation, deadline).await
    }

    async fn send(&mut self, frames: &[u8], deadline: Deadline) -> Result<(), WireError> {
        let stream = &mut self.stream;
        let sent = async {
            stream.write_all(frames).await?;
            stream.flush().await
        };
        timeout(deadline.remaining(), sent).await.map_err(|_| WireError::TimedOut)?.map_err(WireError::Closed)
    }

    fn decoded<R: Request>(&mut self, body: &mut Bytes, version: i16) -> Result<R::Response, WireError> {
        let answer = decode::<R>(body, version)?;
        if let Some(held) = u64::try_from(R::held(&answer)).ok().filter(|held| *held > 0) {
            let held = Duration::from_millis(held);
            self.held = Some(Instant::now() + held);
            self.longest_hold = self.longest_hold.max(held);
        }
        Ok(answer)
    }

    /// A request that a quota holds back has no answer until it is let go.
    async fn receive<R: Request>(&mut self, version: i16, correlation: i32, deadline: Deadline) -> Result<Bytes, WireError> {
        let began = Instant::now();
        let slowed = self.held.is_some_and(|until| until > began);
        let stream = &mut self.stream;
        let received = async {
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
        let late = |_| if slowed { WireError::Held } else { WireError::TimedOut };
        let mut answer = timeout(deadline.remaining(), received).await.map_err(late)??;
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
