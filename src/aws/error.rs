//! What went wrong with one call, told apart by what a person can do about it.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;

use crate::base::{Error, Exit, Failure};

/// Why a call failed. Each kind has its own way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No source of credentials gave any.
    NoCredentials,
    /// There were credentials; their time is over.
    CredentialsExpired,
    /// AWS does not know the credentials, or their signature is wrong.
    CredentialsRefused,
    /// The place that gives the credentials (of a container, a machine, a login) gave none.
    CredentialsSource,
    /// The caller may not take the role that is to be worked as.
    RoleRefused,
    /// No region is set anywhere.
    NoRegion,
    /// The caller may not do this.
    AccessDenied,
    /// Too many calls; the SDK's own repeats were not enough.
    Throttled,
    /// The endpoint could not be reached.
    Unreachable,
    /// No answer within our limit.
    TimedOut,
    /// This machine's clock is too far from AWS's.
    ClockSkew,
    /// AWS found the request itself wrong.
    Invalid,
    /// AWS failed inside.
    Internal,
    /// Anything else; its message is all there is.
    Other,
}

/// One failed call: the action as IAM names it, the kind, AWS's own words and the request id.
#[derive(Debug, Clone)]
pub struct CallError {
    pub kind: ErrorKind,
    /// `service:Operation`.
    pub action: &'static str,
    /// What the action was about: a stack's name, a secret's name.
    pub subject: Option<String>,
    /// AWS's error code, where AWS answered.
    pub code: Option<String>,
    /// AWS's message, or the chain of causes where AWS did not answer.
    pub message: String,
    pub request_id: Option<String>,
    /// Where the call went, when `AWS_ENDPOINT_URL` or a profile says so.
    pub endpoint: Option<String>,
    pub caller: Option<String>,
}

impl CallError {
    pub(super) fn local(kind: ErrorKind, action: &'static str, message: impl Into<String>) -> Self {
        Self { kind, action, subject: None, code: None, message: message.into(), request_id: None, endpoint: None, caller: None }
    }

    pub(super) fn of<E, R>(action: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
        SdkError<E, R>: RequestId,
    {
        let request_id = error.request_id().map(str::to_owned);
        let (kind, code, message) = match &error {
            SdkError::ServiceError(refused) => {
                let refused = refused.err();
                let code = refused.code().map(str::to_owned);
                let message = refused.message().map_or_else(|| chain(refused), str::to_owned);
                (kind_of(code.as_deref(), &message), code, message)
            }
            SdkError::TimeoutError(_) => (ErrorKind::TimedOut, None, chain(&error)),
            SdkError::DispatchFailure(failure) => {
                let kind = credentials_kind(&error).unwrap_or_else(|| match failure.as_connector_error() {
                    Some(connector) if connector.is_timeout() => ErrorKind::TimedOut,
                    Some(connector) if connector.is_user() => ErrorKind::Other,
                    _ => ErrorKind::Unreachable,
                });
                (kind, None, chain(&error))
            }
            SdkError::ResponseError(_) => (ErrorKind::Unreachable, None, chain(&error)),
            _ => (credentials_kind(&error).unwrap_or(ErrorKind::Other), None, chain(&error)),
        };
        Self { kind, action, subject: None, code, message, request_id, endpoint: None, caller: None }
    }

    /// An answer that says no, to a call that no SDK made.
    pub(super) fn answered(
        action: &'static str,
        status: u16,
        code: Option<String>,
        message: String,
        request_id: Option<String>,
    ) -> Self {
        let kind = match (kind_of(code.as_deref(), &message), status) {
            (ErrorKind::Other, 429) => ErrorKind::Throttled,
            (ErrorKind::Other, 401 | 403) => ErrorKind::AccessDenied,
            (ErrorKind::Other, 500 | 502..=504) => ErrorKind::Internal,
            (kind, _) => kind,
        };
        Self { kind, action, subject: None, code, message, request_id, endpoint: None, caller: None }
    }

    #[must_use]
    pub(super) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    pub fn is_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the same call may well succeed in a while, with nothing changed.
    pub fn may_pass(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Internal)
    }

    /// Whether it is the credentials that are wrong, so that every other call will fail in the same way.
    pub fn is_about_credentials(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::NoCredentials
                | ErrorKind::CredentialsExpired
                | ErrorKind::CredentialsRefused
                | ErrorKind::CredentialsSource
                | ErrorKind::RoleRefused
        )
    }

    /// What happened, in one line.
    pub fn headline(&self) -> String {
        let action = self.action;
        let on = self.subject.as_deref().map(|subject| format!(" on {subject}")).unwrap_or_default();
        match self.kind {
            ErrorKind::NoCredentials => "no AWS credentials were found".to_owned(),
            ErrorKind::CredentialsExpired => "the AWS credentials have expired".to_owned(),
            ErrorKind::CredentialsRefused => "AWS does not accept these credentials".to_owned(),
            ErrorKind::CredentialsSource => "what gives the AWS credentials gave none".to_owned(),
            ErrorKind::RoleRefused => "AWS does not let these credentials take the role that is named".to_owned(),
            ErrorKind::NoRegion => "no AWS region is set".to_owned(),
            ErrorKind::AccessDenied => format!("AWS does not allow {action}{on}"),
            ErrorKind::Throttled => format!("AWS is throttling {action}"),
            ErrorKind::Unreachable => match &self.endpoint {
                Some(endpoint) => format!("{action}: {endpoint} can't be reached"),
                None => format!("{action}: AWS can't be reached"),
            },
            ErrorKind::TimedOut => format!("{action}: no answer from {}", self.endpoint.as_deref().unwrap_or("AWS")),
            ErrorKind::ClockSkew => "this machine's clock is too far from AWS's".to_owned(),
            ErrorKind::Invalid => format!("AWS refuses {action}{on}"),
            ErrorKind::Internal => format!("{action} failed inside AWS"),
            ErrorKind::Other => format!("{action}{on} failed"),
        }
    }

    /// What to do about it, one step a line.
    pub fn help(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self.kind {
            ErrorKind::NoCredentials => vec![
                "log in with `aws sso login`, and name the profile in AWS_PROFILE".to_owned(),
                "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN where there is one)".to_owned(),
            ],
            ErrorKind::CredentialsExpired => {
                one("get new ones (`aws sso login`, or your own way), then run the same command again")
            }
            ErrorKind::CredentialsRefused => one(
                "see which credentials are in use with `aws sts get-caller-identity`; look at AWS_PROFILE and the AWS_* variables",
            ),
            ErrorKind::CredentialsSource => one(
                "in a task or on a machine of AWS: look whether it has a role, and a way to its credentials' endpoint; elsewhere: log in again",
            ),
            ErrorKind::RoleRefused => one(
                "let the role's trust policy name who takes it, and the caller's own policies allow sts:AssumeRole; role_arn of the profile names it",
            ),
            ErrorKind::NoRegion => one("set AWS_REGION, or `region` in the profile that AWS_PROFILE names"),
            ErrorKind::AccessDenied => {
                let caller = self.caller.as_deref().unwrap_or("the caller");
                let on = self.subject.as_deref().map(|subject| format!(" on {subject}")).unwrap_or_default();
                match refusing(&self.message) {
                    Some((policy, true)) => {
                        vec![format!("{policy} denies {}{on}: no other policy can allow it; ask whoever keeps it", self.action)]
                    }
                    Some((policy, false)) => vec![format!("let {policy} allow {}{on} for {caller} too", self.action)],
                    None => vec![format!("allow {}{on} for {caller}", self.action)],
                }
            }
            ErrorKind::Throttled => one("wait a minute and run the same command again"),
            ErrorKind::Unreachable | ErrorKind::TimedOut => one(
                "look at the network, the proxy (HTTPS_PROXY), AWS_REGION and AWS_ENDPOINT_URL, then run the same command again",
            ),
            ErrorKind::ClockSkew => one("set the clock (NTP), then run the same command again"),
            ErrorKind::Internal => one("run the same command again in a while; the AWS Health Dashboard shows known trouble"),
            ErrorKind::Invalid | ErrorKind::Other => Vec::new(),
        }
    }

    pub fn exit(&self) -> Exit {
        match self.kind {
            ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Internal => Exit::Retry,
            ErrorKind::Other => Exit::Fault,
            _ => Exit::Usage,
        }
    }

    pub fn failure(&self) -> Failure {
        let mut failure = Failure::new(self.exit(), self.headline()).request_id(self.request_id.as_deref());
        let cause = match &self.code {
            Some(code) => format!("{code}: {}", self.message),
            None => self.message.clone(),
        };
        if !cause.is_empty() {
            failure = failure.cause(cause);
        }
        failure.help = self.help();
        failure
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.headline())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        error.failure().into()
    }
}

/// The kind behind AWS's error code. Services spell the same matter in several ways.
fn kind_of(code: Option<&str>, message: &str) -> ErrorKind {
    let Some(code) = code else { return ErrorKind::Other };
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => ErrorKind::CredentialsExpired,
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => ErrorKind::ClockSkew,
        "SignatureDoesNotMatch" | "InvalidSignatureException"
            if message.contains("expired") || message.contains("not yet current") =>
        {
            ErrorKind::ClockSkew
        }
        "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidAccessKeyId"
        | "IncompleteSignature" => ErrorKind::CredentialsRefused,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "UnauthorizedException"
        | "NotAuthorized"
        | "OptInRequired" => ErrorKind::AccessDenied,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "BandwidthLimitExceeded" => ErrorKind::Throttled,
        "InternalFailure"
        | "InternalError"
        | "InternalServiceError"
        | "InternalServerException"
        | "ServerException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ErrorKind::Internal,
        "ValidationError"
        | "ValidationException"
        | "InvalidParameterException"
        | "InvalidRequestException"
        | "MalformedPolicyDocument"
        | "MalformedPolicyDocumentException"
        | "ClientException"
        | "LimitExceededException"
        | "InsufficientCapabilitiesException"
        | "TokenAlreadyExistsException" => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

/// Set when the chain of causes holds an error of the credential providers.
fn credentials_kind(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(credentials) = current.downcast_ref::<CredentialsError>() {
            return Some(kind_of_credentials(credentials));
        }
        next = current.source();
    }
    None
}

/// Why there are no credentials. Of each place it looked in, the SDK says that it is not enabled, and then why: the reason is enough.
pub(super) fn without_credentials(error: &CredentialsError, action: &'static str) -> CallError {
    let message = chain(error).replace("the credential provider was not enabled: ", "");
    CallError::local(kind_of_credentials(error), action, message)
}

fn kind_of_credentials(error: &CredentialsError) -> ErrorKind {
    let words = chain(error).to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    match error {
        _ if says(&["expired"]) => ErrorKind::CredentialsExpired,
        // None of the places that were looked at is one here.
        CredentialsError::CredentialsNotLoaded(_) => ErrorKind::NoCredentials,
        CredentialsError::ProviderTimedOut(_) => ErrorKind::TimedOut,
        // STS knows who asks, and says no.
        _ if says(&["sts:assumerole", "accessdenied", "assumeroleunauthorizedaccess"]) => ErrorKind::RoleRefused,
        // STS does not know who asks.
        _ if says(&["invalidclienttokenid", "signaturedoesnotmatch", "unrecognizedclient"]) => ErrorKind::CredentialsRefused,
        _ => ErrorKind::CredentialsSource,
    }
}

/// The policy that says no, where AWS names another than the caller's own; and whether it denies outright.
fn refusing(message: &str) -> Option<(String, bool)> {
    let name = |words: &str| {
        let end = words
            .find(" policy")
            .map(|at| at + " policy".len())
            .or_else(|| words.find(" boundary").map(|at| at + " boundary".len()))?;
        let name = words[..end].trim_start_matches("a ").trim_start_matches("an ");
        (name.split_whitespace().count() < 5).then(|| name.to_owned())
    };
    if let Some((_, words)) = message.split_once("explicit deny in ") {
        return name(words).map(|policy| (format!("the {policy}"), true));
    }
    let (_, words) = message.split_once("because no ")?;
    name(words).filter(|policy| policy != "identity-based policy").map(|policy| (format!("the {policy}"), false))
}

/// The causes in one line, each said once.
pub(super) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(current) = next {
        let text = current.to_string();
        if !text.is_empty() && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = current.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::error::CredentialsError;

    use super::{CallError, ErrorKind, kind_of, kind_of_credentials};
    use crate::base::Exit;

    #[test]
    fn codes_of_several_services_fall_into_the_same_kind() {
        assert_eq!(kind_of(Some("Throttling"), ""), ErrorKind::Throttled);
        assert_eq!(kind_of(Some("ThrottlingException"), ""), ErrorKind::Throttled);
        assert_eq!(kind_of(Some("ExpiredToken"), ""), ErrorKind::CredentialsExpired);
        assert_eq!(kind_of(Some("ExpiredTokenException"), ""), ErrorKind::CredentialsExpired);
        assert_eq!(kind_of(Some("AccessDenied"), ""), ErrorKind::AccessDenied);
        assert_eq!(kind_of(None, "odd"), ErrorKind::Other);
    }

    #[test]
    fn a_signature_that_expired_is_the_clock() {
        assert_eq!(kind_of(Some("SignatureDoesNotMatch"), "Signature expired: 2026… is now earlier than"), ErrorKind::ClockSkew);
        assert_eq!(kind_of(Some("SignatureDoesNotMatch"), "does not match"), ErrorKind::CredentialsRefused);
    }

    #[test]
    fn access_denied_names_the_action_the_subject_and_the_caller() {
        let mut error =
            CallError::local(ErrorKind::AccessDenied, "secretsmanager:GetSecretValue", "no").about("/kafka/dev/connect");
        error.caller = Some("arn:aws:iam::111122223333:user/ana".to_owned());
        let failure = error.failure();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.headline, "AWS does not allow secretsmanager:GetSecretValue on /kafka/dev/connect");
        assert_eq!(
            failure.help,
            ["allow secretsmanager:GetSecretValue on /kafka/dev/connect for arn:aws:iam::111122223333:user/ana"]
        );
    }

    #[test]
    fn a_policy_that_is_not_the_callers_own_is_named() {
        let help = |message: &str| CallError::local(ErrorKind::AccessDenied, "ecs:RunTask", message).help().remove(0);
        let who = "User: arn:aws:sts::111122223333:assumed-role/ci/run is not authorized to perform: ecs:RunTask on resource: x";
        let denied = help(&format!("{who} with an explicit deny in a service control policy"));
        assert_eq!(denied, "the service control policy denies ecs:RunTask: no other policy can allow it; ask whoever keeps it");
        let bounded = help(&format!("{who} because no permissions boundary allows the ecs:RunTask action"));
        assert_eq!(bounded, "let the permissions boundary allow ecs:RunTask for the caller too");
        let own = help(&format!("{who} because no identity-based policy allows the ecs:RunTask action"));
        assert_eq!(own, "allow ecs:RunTask for the caller");
    }

    #[test]
    fn credentials_that_are_not_there_are_told_apart_by_who_says_so() {
        for (error, kind) in [
            (CredentialsError::not_loaded("ECS provider not configured"), ErrorKind::NoCredentials),
            (
                CredentialsError::provider_error("Non-success status from HTTP credential provider: StatusCode(403)"),
                ErrorKind::CredentialsSource,
            ),
            (CredentialsError::invalid_configuration("not a loopback address"), ErrorKind::CredentialsSource),
            (CredentialsError::provider_error("ExpiredToken: the token is expired"), ErrorKind::CredentialsExpired),
            (
                CredentialsError::provider_error("AccessDenied: is not authorized to perform: sts:AssumeRole"),
                ErrorKind::RoleRefused,
            ),
            (CredentialsError::provider_error("InvalidClientTokenId: no such token"), ErrorKind::CredentialsRefused),
        ] {
            assert_eq!(kind_of_credentials(&error), kind, "{error:?}");
            let told = CallError::local(kind, "sts:GetCallerIdentity", "");
            assert!(told.is_about_credentials() && !told.help().is_empty());
        }
    }

    #[test]
    fn what_may_pass_is_worth_a_retry() {
        for kind in [ErrorKind::Throttled, ErrorKind::Unreachable, ErrorKind::TimedOut, ErrorKind::Internal] {
            let error = CallError::local(kind, "ecs:DescribeServices", "");
            assert!(error.may_pass());
            assert_eq!(error.exit(), Exit::Retry);
        }
    }
}
