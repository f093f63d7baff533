//! Policies as they are stored: of a secret, of a key, of IAM. And what is known of a key.

use serde_json::{Value, json};

use super::account::{Account, call};
use super::endpoint::Api;
use super::error::CallError;
use super::names::text;
use super::signed::Call;

/// A key of KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey {
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`, …
    pub state: String,
    /// One that AWS made for a service of this account.
    pub by_aws: bool,
}

/// A role of IAM.
#[derive(Debug, Clone, PartialEq)]
pub struct IamRole {
    pub arn: String,
    /// Who may take it; `None` where that can't be read.
    pub trust: Option<Value>,
    /// The ARN of the policy that bounds it.
    pub boundary: Option<String>,
}

/// What a role is given: by documents of its own, and by managed policies, which it names by their ARNs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RolePolicies {
    pub documents: Vec<Value>,
    pub managed: Vec<String>,
}

impl Account {
    /// A role by its name; `None` where there is none.
    pub async fn role(&self, name: &str) -> Result<Option<IamRole>, CallError> {
        let call = Call::form(Api::Iam, "iam:GetRole", name).with("RoleName", name);
        let answer = match self.signed_xml(call).await {
            Ok(answer) => answer,
            Err(error) if error.is_code("NoSuchEntity") => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(answer.at(&["GetRoleResult", "Role"]).map(|role| IamRole {
            arn: role.text("Arn").unwrap_or_default().to_owned(),
            trust: role.text("AssumeRolePolicyDocument").and_then(|text| serde_json::from_str(&unescaped(text)).ok()),
            boundary: role.at(&["PermissionsBoundary"]).and_then(|of| of.text("PermissionsBoundaryArn")).map(str::to_owned),
        }))
    }

    /// The policies of a role by its name.
    pub async fn role_policies(&self, name: &str) -> Result<RolePolicies, CallError> {
        let call = |action| Call::form(Api::Iam, action, name).with("RoleName", name);
        let listed = self.signed_xml(call("iam:ListRolePolicies").with("MaxItems", "1000")).await?;
        let names = listed.child("ListRolePoliciesResult").map(|result| result.list("PolicyNames")).unwrap_or_default();
        let mut documents = Vec::new();
        for policy in names {
            let answer = self.signed_xml(call("iam:GetRolePolicy").with("PolicyName", policy.own_text())).await?;
            let document = answer.child("GetRolePolicyResult").and_then(|result| result.text("PolicyDocument"));
            documents.extend(document.and_then(|text| serde_json::from_str(&unescaped(text)).ok()));
        }
        let listed = self.signed_xml(call("iam:ListAttachedRolePolicies").with("MaxItems", "1000")).await?;
        let attached = listed.child("ListAttachedRolePoliciesResult").map(|result| result.list("AttachedPolicies"));
        let managed = attached.unwrap_or_default().iter().filter_map(|policy| policy.text("PolicyArn").map(str::to_owned));
        Ok(RolePolicies { documents, managed: managed.collect() })
    }

    /// The resource policy of a secret; `None` where it has none.
    pub async fn secret_policy(&self, id: &str) -> Result<Option<Value>, CallError> {
        let request = self.secrets.get_resource_policy().secret_id(id);
        let answer = call!(self, "secretsmanager:GetResourcePolicy", id, request.send())?;
        Ok(answer.resource_policy().and_then(|text| serde_json::from_str(text).ok()))
    }

    /// A key by its id, ARN or alias; `None` where there is none.
    pub async fn kms_key(&self, id: &str) -> Result<Option<KmsKey>, CallError> {
        let call = Call::json(Api::Kms, "kms:DescribeKey", id, json!({ "KeyId": id }));
        let answer = match self.signed_json(call).await {
            Ok(answer) => answer,
            Err(error) if error.is_code("NotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let key = &answer["KeyMetadata"];
        Ok(Some(KmsKey { arn: text(key, "Arn"), state: text(key, "KeyState"), by_aws: text(key, "KeyManager") == "AWS" }))
    }

    /// The policy of a key.
    pub async fn kms_key_policy(&self, arn: &str) -> Result<Option<Value>, CallError> {
        let call = Call::json(Api::Kms, "kms:GetKeyPolicy", arn, json!({ "KeyId": arn, "PolicyName": "default" }));
        let answer = self.signed_json(call).await?;
        Ok(answer["Policy"].as_str().and_then(|text| serde_json::from_str(text).ok()))
    }

    /// The document of a managed policy, in its default version; `None` where there is none of this ARN.
    pub async fn managed_policy(&self, arn: &str) -> Result<Option<Value>, CallError> {
        let call = Call::form(Api::Iam, "iam:GetPolicy", arn).with("PolicyArn", arn);
        let answer = match self.signed_xml(call).await {
            Ok(answer) => answer,
            Err(error) if error.is_code("NoSuchEntity") => return Ok(None),
            Err(error) => return Err(error),
        };
        let policy = answer.at(&["GetPolicyResult", "Policy"]);
        let version = policy.and_then(|policy| policy.text("DefaultVersionId")).unwrap_or("v1").to_owned();
        let call = Call::form(Api::Iam, "iam:GetPolicyVersion", arn).with("PolicyArn", arn).with("VersionId", version);
        let answer = self.signed_xml(call).await?;
        let document = answer.at(&["GetPolicyVersionResult", "PolicyVersion"]).and_then(|version| version.text("Document"));
        Ok(document.and_then(|text| serde_json::from_str(&unescaped(text)).ok()))
    }
}

/// IAM gives documents as they would stand in a URL.
fn unescaped(text: &str) -> String {
    let escaped = text.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes())
        .map(|(name, value)| if value.is_empty() { name } else { name + "=" + value })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn a_document_is_read_from_its_url_form() {
        assert_eq!(unescaped("%7B%22Version%22%3A%20%222012-10-17%22%7D"), "{\"Version\": \"2012-10-17\"}");
        assert_eq!(unescaped("{\"a\": \"b+c\"}"), "{\"a\": \"b+c\"}");
    }
}
