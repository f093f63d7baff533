//! Whose login a registry gets: the account's token for ECR, what `docker login` stored for every other.

use std::env;
use std::path::Path;
use std::sync::Arc;

use crate::aws::{Account, CallError, EcrLogin};
use crate::base::ecr_registry;
use crate::images::{CredentialSource, Credentials, DockerConfig, Reference, Renew};

/// ECR of the account, and how to log in to it.
pub(super) struct Ecr {
    pub(super) login: EcrLogin,
    account: Account,
}

impl Ecr {
    pub(super) async fn of(account: &Account) -> std::result::Result<Self, CallError> {
        Ok(Self { login: account.ecr_login().await?, account: account.clone() })
    }

    /// A token of the account is good for every registry of ECR that lets the caller in.
    fn is_for(&self, reference: &Reference) -> bool {
        reference.registry == self.login.registry || is_ecr(reference)
    }

    /// The account's registry, as image names begin.
    pub(super) fn registry(&self) -> &str {
        &self.login.registry
    }

    /// The login of a registry of ECR. It is asked for when it is needed, so that a long copy gets a new one when the old one has ended.
    pub(super) fn source(&self, reference: &Reference) -> CredentialSource {
        let account = self.account.clone();
        let region = ecr_registry(&reference.registry).map_or(account.region.as_str(), |(_, region)| region).to_owned();
        let renew: Renew = Arc::new(move || {
            let (account, region) = (account.clone(), region.clone());
            Box::pin(async move {
                let EcrLogin { username, password, life, .. } =
                    account.ecr_login_of(&region).await.map_err(|error| error.to_string())?;
                Ok(Credentials::Password { username, password, life })
            })
        });
        CredentialSource::Renewed(renew)
    }
}

/// Whose login the source of an image gets.
pub(super) fn source_login(ecr: &Ecr, source: &Reference) -> CredentialSource {
    if ecr.is_for(source) { ecr.source(source) } else { docker() }
}

pub(super) fn is_ecr(reference: &Reference) -> bool {
    ecr_registry(&reference.registry).is_some()
}

pub(super) fn login(
    ecr: &std::result::Result<Ecr, String>,
    reference: &Reference,
) -> std::result::Result<CredentialSource, String> {
    match ecr {
        Ok(ecr) if ecr.is_for(reference) => Ok(ecr.source(reference)),
        Err(why) if is_ecr(reference) => Err(format!("ECR was not asked: {why}")),
        _ => Ok(docker()),
    }
}

fn docker() -> CredentialSource {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty());
    let (own, home) = (folder("DOCKER_CONFIG"), folder("HOME"));
    CredentialSource::Docker(DockerConfig::find(own.as_ref().map(Path::new), home.as_ref().map(Path::new)))
}
