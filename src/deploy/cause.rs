//! Why a task stopped: whether that is a failure at all, and which known cause its words point to.
//!
//! Comes in: ECS's stop code and reasons, the containers' exit codes, their last log lines. Goes out: a verdict, and a
//! [`Diagnosis`] where the words are known. Rules: pure; no guess where nothing matches.

use crate::base::{Code, Diagnosis, StoppedContainer};
use crate::explain::Reader;

/// Whether a task that stopped so has failed. One that a rollout or scaling took away has not.
pub(super) fn is_failure(stop_code: Option<&str>, reason: Option<&str>) -> bool {
    let reason = reason.unwrap_or_default();
    match stop_code {
        Some("TaskFailedToStart" | "EssentialContainerExited") => true,
        Some("ServiceSchedulerInitiated") => {
            let reason = reason.to_lowercase();
            reason.contains("failed") || reason.contains("unhealthy")
        }
        Some(_) => false,
        None => reason.contains("Error") || reason.contains("failed"),
    }
}

/// Words of ECS or of a container, and what they mean. All of `words` must be there, in lower case; the first match counts.
struct Signature {
    words: &'static [&'static str],
    cause: &'static str,
    fix: &'static str,
    code: Code,
}

const SIGNATURES: &[Signature] = &[
    Signature {
        words: &["did not contain json key"],
        cause: "the secret has no such key (letter case counts), or is not JSON",
        fix: "confluent-ecs secrets check, then confluent-ecs secrets put",
        code: Code::SECRET_KEYS,
    },
    Signature {
        words: &["resourceinitializationerror", "secretsmanager:getsecretvalue"],
        cause: "the task's execution role may not read the secret",
        fix: "allow secretsmanager:GetSecretValue on the secret's ARN for the execution role (not the task role)",
        code: Code::TASK_RIGHTS,
    },
    Signature {
        words: &["accessdenied", "kms:decrypt"],
        cause: "the execution role may not use the key that the secret is encrypted with",
        fix: "allow kms:Decrypt for the execution role, in its policy and in the key's",
        code: Code::TASK_RIGHTS,
    },
    Signature {
        words: &["access to kms is not allowed"],
        cause: "the execution role may not use the key that the secret is encrypted with",
        fix: "allow kms:Decrypt for the execution role, in its policy and in the key's",
        code: Code::TASK_RIGHTS,
    },
    Signature {
        words: &["resourceinitializationerror", "secrets manager can't find"],
        cause: "the secret that the task definition names is not there",
        fix: "confluent-ecs secrets list, then confluent-ecs secrets put",
        code: Code::TASK_SECRET,
    },
    Signature {
        words: &["resourceinitializationerror", "minimum field size of 32"],
        cause: "the secret's reference in the task definition has the wrong number of colons",
        fix: "write it as ARN:KEY:: (two colons at the end)",
        code: Code::SECRET_REFERENCE,
    },
    Signature {
        words: &["resourceinitializationerror", "log group", "does not exist"],
        cause: "the log group that the task definition names is not there",
        fix: "make the log group (aws logs create-log-group), or name another",
        code: Code::TASK_RIGHTS,
    },
    Signature {
        words: &["resourceinitializationerror", "log stream", "accessdenied"],
        cause: "the task's execution role may not write into its log group",
        fix: "allow logs:CreateLogStream and logs:PutLogEvents on the log group for the execution role (not the task role)",
        code: Code::TASK_RIGHTS,
    },
    Signature {
        words: &["resourceinitializationerror", "logger args"],
        cause: "the task's subnet has no way to CloudWatch Logs",
        fix: "give the subnet a NAT gateway, or a VPC endpoint for logs that lets the task in on 443",
        code: Code::TASK_NETWORK,
    },
    Signature {
        words: &["resourceinitializationerror", "logging driver"],
        cause: "the task's subnet has no way to CloudWatch Logs, or its execution role may not write there",
        fix: "give the subnet a NAT gateway, or a VPC endpoint for logs that lets the task in on 443; look at the role's rights on logs",
        code: Code::TASK_NETWORK,
    },
    Signature {
        words: &["capacity is unavailable"],
        cause: "Fargate has no room for the task in these zones at the moment",
        fix: "run it again in some minutes, or name subnets in more zones",
        code: Code::TASK_ROOM,
    },
    Signature {
        words: &["resourceinitializationerror", "i/o timeout"],
        cause: "the task's subnet has no way to Secrets Manager, ECR or CloudWatch Logs",
        fix: "give the subnet a NAT gateway, or VPC endpoints for secretsmanager, ecr.api, ecr.dkr, logs and s3 that let the task in on 443",
        code: Code::TASK_NETWORK,
    },
    Signature {
        words: &["resourceinitializationerror", "context deadline exceeded"],
        cause: "the task's subnet has no way to Secrets Manager, ECR or CloudWatch Logs",
        fix: "give the subnet a NAT gateway, or VPC endpoints for secretsmanager, ecr.api, ecr.dkr, logs and s3 that let the task in on 443",
        code: Code::TASK_NETWORK,
    },
    Signature {
        words: &["cannotpullcontainererror", "toomanyrequests"],
        cause: "Docker Hub's limit for anonymous pulls from one address is used up",
        fix: "copy the image into ECR, or use an ECR pull-through cache",
        code: Code::TASK_IMAGE,
    },
    Signature {
        words: &["cannotpullcontainererror", "no matching manifest"],
        cause: "the image is not built for the task's CPU architecture",
        fix: "build it for linux/amd64 (or say ARM64 under x-ecs), and push it again",
        code: Code::TASK_IMAGE,
    },
    Signature {
        words: &["cannotpullcontainererror", "not found"],
        cause: "the image or its tag is not in the registry",
        fix: "look at the image's name and tag; push it if it is yours",
        code: Code::TASK_IMAGE,
    },
    Signature {
        words: &["cannotpullcontainererror", "i/o timeout"],
        cause: "the task's subnet has no way to the image's registry",
        fix: "give the subnet a NAT gateway, or for ECR VPC endpoints for ecr.api, ecr.dkr and s3",
        code: Code::TASK_NETWORK,
    },
    Signature {
        words: &["exec format error"],
        cause: "the image is not built for the task's CPU architecture",
        fix: "build it for linux/amd64 (or say ARM64 under x-ecs), and push it again",
        code: Code::TASK_IMAGE,
    },
    Signature {
        words: &["outofmemory"],
        cause: "the container used more memory than its task has",
        fix: "raise the service's memory (deploy.resources.limits.memory), or lower the heap",
        code: Code::TASK_KILLED,
    },
    Signature {
        words: &["insufficientfreeaddresses"],
        cause: "the subnets have no free address left",
        fix: "free addresses in the subnets, or name larger ones; a rollout at 200 % needs twice the tasks for a while",
        code: Code::TASK_ADDRESSES,
    },
    Signature {
        words: &["failed elb health checks"],
        cause: "the load balancer's health check got no good answer in time",
        fix: "look at the health check's path and port, the security group between balancer and task, and the grace period",
        code: Code::TASK_UNHEALTHY,
    },
    Signature {
        words: &["failed container health checks"],
        cause: "the container's own health check failed too often",
        fix: "read the container's log; if it only needs longer to start, raise the health check's start_period",
        code: Code::TASK_UNHEALTHY,
    },
    Signature {
        words: &["saslauthenticationexception"],
        cause: "the Kafka cluster refuses the user name or the password",
        fix: "confluent-ecs preflight --only kafka, then confluent-ecs secrets put with the right key",
        code: Code::SASL,
    },
    Signature {
        words: &["topicauthorizationexception"],
        cause: "an ACL is missing on a topic",
        fix: "confluent-ecs preflight --only kafka-acls prints the command that grants it",
        code: Code::TOPIC_RIGHTS,
    },
    Signature {
        words: &["groupauthorizationexception"],
        cause: "an ACL is missing on the consumer group",
        fix: "confluent-ecs preflight --only kafka-acls prints the command that grants it",
        code: Code::GROUP_RIGHTS,
    },
    Signature {
        words: &["no resolvable bootstrap urls"],
        cause: "the cluster's name can't be resolved from the task's subnet",
        fix: "look at the bootstrap address, and for a private cluster at the private hosted zone of this VPC",
        code: Code::DNS,
    },
    Signature {
        words: &["sslhandshakeexception"],
        cause: "TLS with the cluster fails: its certificate is not trusted, or names another host",
        fix: "confluent-ecs preflight --only kafka shows the certificate and what is wrong with it",
        code: Code::TLS,
    },
];

/// The known cause that these words point to: ECS's own first, then the containers'.
pub(super) fn diagnose(reason: Option<&str>, containers: &[StoppedContainer]) -> Option<Diagnosis> {
    let own = reason.unwrap_or_default().to_lowercase();
    let theirs =
        containers.iter().filter_map(|container| container.reason.as_deref()).collect::<Vec<_>>().join("\n").to_lowercase();
    let logged = containers.iter().flat_map(|container| &container.log).map(|line| line.to_lowercase()).collect::<Vec<_>>();
    [own, theirs]
        .iter()
        .find_map(|text| signature(text))
        .or_else(|| logged.iter().find_map(|line| signature(line)))
        .or_else(|| explained(reason, containers))
        .or_else(|| containers.iter().find_map(|container| exit_cause(container.exit_code?)))
}

fn signature(text: &str) -> Option<Diagnosis> {
    let found = SIGNATURES.iter().find(|signature| signature.words.iter().all(|word| text.contains(word)))?;
    Some(Diagnosis { cause: found.cause.to_owned(), fix: found.fix.to_owned(), code: Some(found.code.to_string()) })
}

/// What `explain` would find in the same words: it knows more of them, and says less of what to type.
fn explained(reason: Option<&str>, containers: &[StoppedContainer]) -> Option<Diagnosis> {
    let mut reader = Reader::new().ok()?;
    let said = containers.iter().filter_map(|container| container.reason.as_deref());
    let logged = containers.iter().flat_map(|container| container.log.iter().map(String::as_str));
    for line in reason.into_iter().chain(said).chain(logged) {
        reader.line(line.as_bytes());
    }
    let found = reader.causes().into_iter().find(|found| !found.follows)?;
    let cause = match found.causes {
        [only] => format!("{}: {only}", found.title),
        causes => format!("{}: {}", found.title, causes.join("; or ")),
    };
    Some(Diagnosis { cause, fix: found.fix.join("; "), code: found.code.map(str::to_owned) })
}

fn exit_cause(code: i32) -> Option<Diagnosis> {
    let (cause, fix, code) = match code {
        137 => (
            "the container was killed: it used too much memory, or did not stop in time",
            "raise the service's memory, or its stop_grace_period",
            Code::TASK_KILLED,
        ),
        127 => ("the container's command is not in the image", "look at command and entrypoint", Code::TASK_COMMAND),
        126 => ("the container's command may not be executed", "look at the file's permissions in the image", Code::TASK_COMMAND),
        _ => return None,
    };
    Some(Diagnosis { cause: cause.to_owned(), fix: fix.to_owned(), code: Some(code.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::{SIGNATURES, diagnose, is_failure};
    use crate::base::StoppedContainer;

    fn container(exit_code: Option<i32>, log: &[&str]) -> StoppedContainer {
        StoppedContainer {
            name: "connect".to_owned(),
            exit_code,
            reason: None,
            log: log.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn a_log_that_cannot_be_begun_is_told_by_what_keeps_it() {
        let cause = |words: &str| diagnose(Some(&format!("ResourceInitializationError: failed to {words}")), &[]).unwrap().cause;
        assert!(cause("validate logger args: : signal: killed").contains("no way to CloudWatch Logs"));
        let denied = "create new container runtime task: failed to initialize logging driver: failed to create Cloudwatch log stream: AccessDeniedException: no";
        assert!(cause(denied).contains("may not write"));
        let gone = "validate logger args: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.";
        assert!(cause(gone).contains("is not there"));
        assert!(
            diagnose(Some("Capacity is unavailable at this time. Please try again later"), &[])
                .unwrap()
                .cause
                .contains("no room")
        );
    }

    #[test]
    fn a_task_that_a_rollout_replaced_has_not_failed() {
        assert!(!is_failure(Some("ServiceSchedulerInitiated"), Some("Scaling activity initiated by (deployment ecs-svc/12)")));
        assert!(!is_failure(Some("UserInitiated"), Some("Task stopped by user")));
        assert!(is_failure(Some("EssentialContainerExited"), Some("Essential container in task exited")));
        assert!(is_failure(Some("ServiceSchedulerInitiated"), Some("Task failed ELB health checks in (target-group arn:…)")));
        assert!(is_failure(Some("TaskFailedToStart"), None));
    }

    #[test]
    fn the_words_of_ecs_come_before_those_of_the_log() {
        let reason = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
                      unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key SASL_PASSWORD";
        let found =
            diagnose(Some(reason), &[container(Some(137), &["org.apache.kafka.common.errors.SaslAuthenticationException: no"])]);
        assert!(found.unwrap().cause.contains("no such key"));
    }

    #[test]
    fn a_line_of_the_log_is_enough() {
        let lines =
            ["INFO starting", "ERROR org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized: [a-offsets]"];
        let found = diagnose(Some("Essential container in task exited"), &[container(Some(1), &lines)]);
        assert!(found.unwrap().cause.contains("ACL is missing on a topic"));
    }

    #[test]
    fn what_explain_knows_of_a_line_is_told_too() {
        let lines = ["java.net.ConnectException: Connection refused"];
        let found = diagnose(Some("Essential container in task exited"), &[container(Some(1), &lines)]).unwrap();
        assert!(found.cause.starts_with("the host refuses the port"), "{found:?}");
        assert!(!found.fix.is_empty());
    }

    #[test]
    fn nothing_is_guessed() {
        assert_eq!(diagnose(Some("Essential container in task exited"), &[container(Some(1), &["bye"])]), None);
    }

    #[test]
    fn signatures_are_in_lower_case() {
        for signature in SIGNATURES {
            for word in signature.words {
                assert_eq!(*word, word.to_lowercase());
            }
        }
    }
}
