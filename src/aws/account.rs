//! One AWS account in one region, as one caller: connected once, asked by the other files of this room.

use std::env;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::default_provider;
use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::config::AppName;

use super::error::{CallError, ErrorKind, chain, without_credentials};
use super::signed::Signer;
use crate::base::{Deadline, Moment, Secret};

/// Our limits for every call. One attempt may take 20 s, all attempts of a call 60 s.
pub(super) const CONNECT: Duration = Duration::from_secs(4);
pub(super) const READ: Duration = Duration::from_secs(15);
pub(super) const ATTEMPT: Duration = Duration::from_secs(20);
pub(super) const OPERATION: Duration = Duration::from_mins(1);
pub(super) const ATTEMPTS: u32 = 5;
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Who we are to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub arn: String,
}

/// The caller's credentials as they are now, for what is signed elsewhere.
#[derive(Debug, Clone)]
pub struct CallerKeys {
    pub access_key: String,
    pub secret_key: Secret,
    pub session_token: Option<Secret>,
    pub expires: Option<Moment>,
}

/// A connected account.
#[derive(Debug, Clone)]
pub struct Account {
    pub caller: Caller,
    pub region: String,
    endpoint: Option<String>,
    provider: SharedCredentialsProvider,
    pub(super) cloudformation: aws_sdk_cloudformation::Client,
    pub(super) ecr: aws_sdk_ecr::Client,
    pub(super) ecs: aws_sdk_ecs::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) secrets: aws_sdk_secretsmanager::Client,
    pub(super) tagging: aws_sdk_resourcegroupstagging::Client,
    /// For the services without a crate of their own.
    pub(super) signer: Signer,
}

impl Account {
    /// Finds region and credentials as AWS's own tools do (variables, profiles, SSO, process, container, instance), and asks AWS who
    /// they belong to.
    pub async fn connect(deadline: Deadline) -> Result<Self, CallError> {
        let action = "sts:GetCallerIdentity";
        match tokio::time::timeout(deadline.remaining(), Self::connect_now(action)).await {
            Ok(connected) => connected,
            Err(_) => Err(CallError {
                endpoint: env::var("AWS_ENDPOINT_URL").ok(),
                ..CallError::local(ErrorKind::TimedOut, action, "region, credentials and caller were not known in time")
            }),
        }
    }

    async fn connect_now(action: &'static str) -> Result<Self, CallError> {
        let region = default_provider::region::default_provider().region().await.ok_or_else(|| {
            CallError::local(ErrorKind::NoRegion, action, "neither AWS_REGION, AWS_DEFAULT_REGION nor the profile names one")
        })?;
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(LONGEST_PAUSE))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .read_timeout(READ)
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(OPERATION)
                    .build(),
            );
        if let Ok(name) = AppName::new("confluent-ecs") {
            loader = loader.app_name(name);
        }
        let config = loader.load().await;
        let endpoint = config.endpoint_url().map(str::to_owned);
        let provider = config
            .credentials_provider()
            .ok_or_else(|| CallError::local(ErrorKind::NoCredentials, action, "no provider is configured"))?;
        provider.provide_credentials().await.map_err(|error| without_credentials(&error, action))?;
        let identity = aws_sdk_sts::Client::new(&config)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| CallError { endpoint: endpoint.clone(), ..CallError::of(action, error) })?;
        let caller = Caller {
            account: identity.account().unwrap_or_default().to_owned(),
            arn: identity.arn().unwrap_or_default().to_owned(),
        };
        let signer = Signer::new(&config, region.as_ref(), provider.clone())
            .map_err(|error| CallError::local(ErrorKind::Other, action, chain(&error)))?;
        Ok(Self {
            caller,
            region: region.to_string(),
            endpoint,
            provider,
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            ecr: aws_sdk_ecr::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(&config),
            signer,
        })
    }

    /// Credentials and region as AWS's own tools find them, without asking AWS who they belong to.
    pub async fn credentials_alone(deadline: Deadline) -> Result<(CallerKeys, String), CallError> {
        let action = "sts:GetCallerIdentity";
        let found = async {
            let region = default_provider::region::default_provider().region().await.ok_or_else(|| {
                CallError::local(ErrorKind::NoRegion, action, "neither AWS_REGION, AWS_DEFAULT_REGION nor the profile names one")
            })?;
            let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(region.clone()).load().await;
            let provider = config.credentials_provider();
            let provider =
                provider.ok_or_else(|| CallError::local(ErrorKind::NoCredentials, action, "no provider is configured"))?;
            let found = provider.provide_credentials().await;
            let found = found.map_err(|error| without_credentials(&error, action))?;
            Ok((keys(&found), region.to_string()))
        };
        match tokio::time::timeout(deadline.remaining(), found).await {
            Ok(found) => found,
            Err(_) => Err(CallError::local(ErrorKind::TimedOut, action, "the credentials were not known in time")),
        }
    }

    /// The caller's credentials as they are now, renewed where they must be.
    pub async fn credentials(&self) -> Result<CallerKeys, CallError> {
        let found = self.provider.provide_credentials().await;
        let found = found.map_err(|error| self.named(without_credentials(&error, "sts:GetCallerIdentity")))?;
        Ok(keys(&found))
    }

    /// Gives an error what only the account knows: who called, and where.
    pub(super) fn named(&self, error: CallError) -> CallError {
        CallError { caller: Some(self.caller.arn.clone()), endpoint: self.endpoint.clone(), ..error }
    }
}

fn keys(found: &aws_credential_types::Credentials) -> CallerKeys {
    let since = |at: std::time::SystemTime| at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    CallerKeys {
        access_key: found.access_key_id().to_owned(),
        secret_key: Secret::new(found.secret_access_key()),
        session_token: found.session_token().map(Secret::new),
        expires: found.expiry().map(|at| Moment::from_millis(i64::try_from(since(at)).unwrap_or(i64::MAX))),
    }
}

/// Maps the SDK's error of one call to ours: `call!(self, "ecs:DescribeTasks", subject, request.send())`.
macro_rules! call {
    ($account:expr, $action:literal, $subject:expr, $future:expr) => {
        match $future.await {
            Ok(answer) => Ok(answer),
            Err(error) => Err($account.named($crate::aws::CallError::of($action, error).about($subject))),
        }
    };
}
pub(super) use call;
