//! What the AWS bed can't do, by answers of the shapes that AWS documents: a server stands between the program and the bed, gives the
//! answers below, and hands every other call on. What is replayed here and nowhere else: a rollback that failed half way, and
//! CloudFormation's early validation; the ways in which services throttle, and say that a token has expired.
//!
//! Sources: CloudFormation API Reference (DescribeStacks, DescribeStackEvents, ContinueUpdateRollback, DescribeChangeSet, DescribeEvents,
//! OperationEvent, Common Errors); the reports of early validation in aws/aws-cdk-cli (issue 1000, pull request 1463) for its words;
//! ECS, EC2 and S3 API References, common errors.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::deployment::{Deployment, UP, document, ended, holds};
use crate::support::http::{Reply, Request, forward};

/// `<name>` of an answer.
fn text<'a>(answer: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let from = answer.find(&open).unwrap_or_else(|| panic!("no {open} in {answer}")) + open.len();
    &answer[from..from + answer[from..].find(&close).unwrap()]
}

/// An answer with another text in `<name>`, wherever it has one.
fn with(answer: &str, name: &str, value: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut parts = answer.split(&open);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once(&close).map_or(part, |(_, rest)| rest);
        text + &open + value + &close + rest
    })
}

fn event(stack: &str, id: &str, status: &str) -> String {
    let name = stack.split('/').nth(1).unwrap_or_default();
    format!(
        "<member><EventId>{id}</EventId><StackId>{stack}</StackId><StackName>{name}</StackName>\
         <LogicalResourceId>{name}</LogicalResourceId><PhysicalResourceId>{stack}</PhysicalResourceId>\
         <ResourceType>AWS::CloudFormation::Stack</ResourceType><Timestamp>2026-01-02T03:04:05.678Z</Timestamp>\
         <ResourceStatus>{status}</ResourceStatus></member>"
    )
}

/// A stack whose last rollback stopped half way, until somebody continues it; then two looks go by before it is through.
struct Halfway {
    to: String,
    /// Looks since it was continued.
    looks: AtomicUsize,
    continued: Mutex<Option<Request>>,
    /// The stack's events at that time.
    before: AtomicUsize,
}

impl Halfway {
    fn before(shop: &Deployment) -> Self {
        let none = || AtomicUsize::new(0);
        Self { to: shop.endpoint().to_owned(), looks: none(), continued: Mutex::new(None), before: none() }
    }

    fn answer(&self, request: &Request) -> Option<Reply> {
        let continued = self.continued.lock().unwrap().is_some();
        match request.operation() {
            "ContinueUpdateRollback" => {
                *self.continued.lock().unwrap() = Some(request.clone());
                Some(Reply::xml(
                    200,
                    "<ContinueUpdateRollbackResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
                     <ContinueUpdateRollbackResult/><ResponseMetadata><RequestId>5ccc7dcd-744c-11e5-be70-example</RequestId>\
                     </ResponseMetadata></ContinueUpdateRollbackResponse>",
                ))
            }
            "DescribeStacks" => {
                let mut reply = forward(request, &self.to);
                // What the bed's stack does later is its own.
                if text(&reply.body, "StackStatus") != "CREATE_COMPLETE" {
                    return Some(reply);
                }
                let (status, reason) = match (continued, self.looks.load(Ordering::SeqCst)) {
                    (false, _) => ("UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [WorkerService]. "),
                    (true, 0..2) => ("UPDATE_ROLLBACK_IN_PROGRESS", ""),
                    (true, _) => ("UPDATE_ROLLBACK_COMPLETE", ""),
                };
                reply.body = with(&with(&reply.body, "StackStatus", status), "StackStatusReason", reason);
                Some(reply)
            }
            "DescribeStackEvents" => {
                let mut reply = forward(request, &self.to);
                if !continued {
                    self.before.store(reply.body.matches("<member>").count(), Ordering::SeqCst);
                    return Some(reply);
                }
                let stack = text(&reply.body, "StackId").to_owned();
                let mut told = String::new();
                if self.looks.fetch_add(1, Ordering::SeqCst) > 0 {
                    told.push_str(&event(&stack, "replayed-2", "UPDATE_ROLLBACK_COMPLETE"));
                }
                told.push_str(&event(&stack, "replayed-1", "UPDATE_ROLLBACK_IN_PROGRESS"));
                // The newest come first; what the bed's stack has done since stands above.
                let newer = reply.body.matches("<member>").count() - self.before.load(Ordering::SeqCst);
                let place = reply.body.match_indices("<member>").nth(newer).unwrap().0;
                reply.body.insert_str(place, &told);
                Some(reply)
            }
            _ => None,
        }
    }
}

#[test]
fn a_rollback_that_failed_half_way_is_continued_first_and_then_the_deploy_goes_on() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let half = Halfway::before(&shop);
    let (server, env) = shop.behind(move |request| half.answer(request));
    let refused = shop.run_in(&env, &["plan"], &[("LEVEL", "2")]);
    ended(&refused, 7);
    holds(
        &refused.stderr,
        &["error CE603", "is in UPDATE_ROLLBACK_FAILED and can't be updated", "[WorkerService]", "continues the rollback first"],
    );
    let up = shop.run_in(&env, UP, &[("LEVEL", "2")]);
    ended(&up, 0);
    holds(
        &up.stderr,
        &[
            "the rollback of shop-dev failed half way (UPDATE_ROLLBACK_FAILED); it must be brought to its end first",
            "rolling back",
            "changes to shop-dev",
        ],
    );
    holds(&up.stdout, &["shop-dev updated in "]);
    let continued = server.seen().into_iter().find(|request| request.operation() == "ContinueUpdateRollback").unwrap();
    // Nobody else's stack of the same name, and with the name of who did it.
    assert!(continued.field("StackName").starts_with("arn%3Aaws%3Acloudformation"), "{continued:?}");
    assert!(continued.field("ClientRequestToken").starts_with("confluent-ecs-by-"), "{continued:?}");
}

#[test]
fn to_continue_a_rollback_is_a_rollback_that_went_well() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let half = Halfway::before(&shop);
    let (_server, env) = shop.behind(move |request| half.answer(request));
    let back = document(&shop.run_in(&env, &["rollback", "--yes", "--output", "json"], &[]));
    assert_eq!((&back["ending"], &back["exit_code"]), (&"taken-back".into(), &0.into()));
    assert_eq!(back["status"], "UPDATE_ROLLBACK_COMPLETE");
}

/// What DescribeEvents says of a change set that early validation has failed.
const VALIDATIONS: &str = "<DescribeEventsResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeEventsResult>\
    <OperationEvents><member><EventId>1</EventId><OperationType>CREATE_CHANGESET</OperationType><EventType>VALIDATION_ERROR</EventType>\
    <LogicalResourceId>WorkerLogGroup</LogicalResourceId><ResourceType>AWS::Logs::LogGroup</ResourceType>\
    <ValidationName>NAME_CONFLICT_VALIDATION</ValidationName><ValidationStatus>FAILED</ValidationStatus>\
    <ValidationFailureMode>FAIL</ValidationFailureMode>\
    <ValidationPath>/Resources/WorkerLogGroup/Properties/LogGroupName</ValidationPath><ValidationStatusReason>Resource of type \
    'AWS::Logs::LogGroup' with identifier '/shop/worker' already exists.</ValidationStatusReason></member><member><EventId>2</EventId>\
    <EventType>VALIDATION_ERROR</EventType><LogicalResourceId>WorkerTaskRole</LogicalResourceId>\
    <ValidationName>PROPERTY_VALIDATION</ValidationName><ValidationStatus>FAILED</ValidationStatus>\
    <ValidationFailureMode>WARN</ValidationFailureMode><ValidationPath>/Resources/WorkerTaskRole/Properties</ValidationPath>\
    <ValidationStatusReason>Unsupported property [Color]</ValidationStatusReason></member></OperationEvents></DescribeEventsResult>\
    <ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata></DescribeEventsResponse>";

/// The bed's change set, failed by early validation.
fn failed_early(request: &Request, to: &str) -> Option<Reply> {
    if request.operation() != "DescribeChangeSet" {
        return None;
    }
    let mut reply = forward(request, to);
    let reason = "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early \
                  Validation errors, use the DescribeEvents API for detailed failure information.";
    reply.body = with(&with(&reply.body, "Status", "FAILED"), "StatusReason", reason);
    Some(reply)
}

#[test]
fn what_early_validation_finds_is_shown_with_its_place_and_nothing_is_left_behind() {
    let shop = Deployment::new();
    let to = shop.endpoint().to_owned();
    let (server, env) = shop.behind(move |request| match request.operation() {
        "DescribeEvents" => Some(Reply::xml(200, VALIDATIONS)),
        _ => failed_early(request, &to),
    });
    for verb in [&["plan"][..], UP] {
        let refused = shop.run_in(&env, verb, &[]);
        ended(&refused, 2);
        holds(
            &refused.stderr,
            &[
                "error CE610: CloudFormation refuses the change set for shop-dev",
                "/Resources/WorkerLogGroup/Properties/LogGroupName: Resource of type 'AWS::Logs::LogGroup' with identifier \
                 '/shop/worker' already exists. (NAME_CONFLICT_VALIDATION)",
                "/Resources/WorkerTaskRole/Properties: Unsupported property [Color] (PROPERTY_VALIDATION)",
                "more     confluent-ecs explain CE610",
            ],
        );
    }
    let plan = document(&shop.run_in(&env, &["plan", "--output", "json"], &[]));
    assert_eq!((&plan["verdict"], &plan["exit_code"]), (&"refused".into(), &2.into()));
    assert_eq!(plan["validations"].as_array().unwrap().len(), 2);
    // By the whole name of the change set: the short one is not enough for DescribeEvents.
    let asked = server.seen().into_iter().find(|request| request.operation() == "DescribeEvents").unwrap();
    assert!(asked.field("ChangeSetName").starts_with("arn%3Aaws%3Acloudformation"), "{asked:?}");
    let answer = shop.aws("cloudformation", "Action=DescribeStacks&Version=2010-05-15&StackName=shop-dev");
    holds(&answer, &["does not exist"]);
}

#[test]
fn who_may_not_read_what_early_validation_found_learns_that() {
    let shop = Deployment::new();
    let to = shop.endpoint().to_owned();
    let words = "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: cloudformation:DescribeEvents";
    let denied = refusal("AccessDenied", words);
    let (_server, env) = shop.behind(move |request| match request.operation() {
        "DescribeEvents" => Some(Reply::xml(403, &denied)),
        _ => failed_early(request, &to),
    });
    let refused = shop.run_in(&env, &["plan"], &[]);
    ended(&refused, 2);
    holds(
        &refused.stderr,
        &["AWS::EarlyValidation::ResourceExistenceCheck", "could not be read", "cloudformation:DescribeEvents"],
    );
}

/// A refusal in the words of the query protocol.
fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

/// An operation, and what it answers in the words of its service.
fn said(status: u16, answer: &str) -> Reply {
    if answer.starts_with('<') { Reply::xml(status, answer) } else { Reply::json(status, answer) }
}

#[test]
fn every_service_throttles_in_its_own_way_and_each_is_ridden_out() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let cloudformation = refusal("Throttling", "Rate exceeded");
    let ec2 = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors>\
        <RequestID>2</RequestID></Response>";
    let ecs = "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}";
    let ways = [
        ("ListStackResources", 400, cloudformation),
        ("DescribeSubnets", 503, ec2.to_owned()),
        ("DescribeServices", 400, ecs.to_owned()),
    ];
    let operations = ways.clone().map(|(operation, ..)| operation);
    let told: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let (server, env) = shop.behind(move |request| {
        let (operation, status, answer) = ways.iter().find(|(operation, ..)| *operation == request.operation())?;
        let mut told = told.lock().unwrap();
        let times = told.entry((*operation).to_owned()).or_default();
        *times += 1;
        (*times <= 2).then(|| said(*status, answer))
    });
    let up = shop.run_in(&env, UP, &[("LEVEL", "2")]);
    ended(&up, 0);
    for operation in operations {
        let asked = server.seen().iter().filter(|request| request.operation() == operation).count();
        assert!(asked >= 3, "{operation} was asked {asked} times");
    }
}

#[test]
fn a_token_that_has_expired_is_told_whichever_service_says_so() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let words = "The security token included in the request is expired";
    let query = refusal("ExpiredToken", words);
    let ecs = format!("{{\"__type\":\"ExpiredTokenException\",\"message\":\"{words}\"}}");
    for (expired, status, answer) in
        [("GetCallerIdentity", 403, query.clone()), ("DescribeStacks", 403, query), ("DescribeServices", 400, ecs)]
    {
        let (_server, env) = shop.behind(move |request| (request.operation() == expired).then(|| said(status, &answer)));
        let ran = shop.run_in(&env, &["status"], &[]);
        assert_ne!(ran.code, 0, "{expired}: {ran:?}");
        holds(&ran.stderr, &["the AWS credentials have expired", "aws sso login"]);
    }
}
