//! The codes of findings and checks. A code is stable: it is never reused and never changes its meaning.
//!
//! CE1xx configuration · CE2xx AWS and secrets · CE3xx connection · CE4xx permissions · CE5xx registries and URLs · CE6xx deploy
//!
//! Each has a page for `explain`, `templates/explain/CE<number>.md`: without it the code doesn't compile.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

/// A stable code, shown as `CE101`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CE{}", self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = CODES.iter().map(|facts| facts.code).find(|code| code.to_string() == text);
        known.ok_or_else(|| D::Error::custom(format!("no code {text}")))
    }
}

/// A code with what is said of it.
#[derive(Debug, Clone, Copy)]
pub struct CodeFacts {
    pub code: Code,
    pub title: &'static str,
    /// Its page, as it is written.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code($number);)*
        }

        /// Every code, in the order of their numbers.
        pub const CODES: &[CodeFacts] = &[$(CodeFacts {
            code: Code($number),
            title: $title,
            page: include_str!(concat!("../../templates/explain/CE", $number, ".md")),
        }),*];
    };
}

codes! {
    UNREADABLE_FILE = 101, "a file can't be read";
    YAML_SYNTAX = 102, "a file is not valid YAML";
    DUPLICATE_KEY = 103, "a key is defined twice";
    KEY_NOT_STRING = 104, "a key is not a string";
    TOO_LARGE = 105, "a file asks for more than the loader allows";
    INTERPOLATION = 106, "a variable is not written as it must be";
    VARIABLE_REQUIRED = 107, "a required variable is not set";
    VARIABLE_UNSET = 108, "a variable is not set";
    UNKNOWN_KEY = 109, "a key is not known";
    WRONG_TYPE = 110, "a value has the wrong type";
    WRONG_VALUE = 111, "a value is not one that is allowed here";
    BAD_PORT = 112, "a port is not valid";
    BAD_QUANTITY = 113, "a size or a duration is not valid";
    DUPLICATE_VALUE = 114, "a value must be unique";
    MISSING_KEY = 115, "a key is missing";
    MERGE_CONFLICT = 116, "two files can't be merged";
    EXTENDS = 117, "a base service can't be used";
    REMOTE = 119, "a remote file is refused";
    CYCLE = 120, "a cycle";
    UNDEFINED_REFERENCE = 121, "something is used that is not defined";
    CONTRADICTION = 122, "two settings contradict each other";
    ENV_FILE = 123, "an env file is not valid";
    PROJECT_NAME = 124, "the project's name is not valid";
    NO_PROJECT = 125, "there is no project";
    NO_SUCH_SERVICE = 126, "a service that was asked for doesn't exist";
    DEPRECATED = 127, "an old way of writing";
    SETTING_MISSING = 130, "a setting that the image requires is missing";
    REPLICATION_FACTOR = 131, "a replication factor that the cluster refuses, or that keeps one copy only";
    SETTING_MISSPELT = 132, "the name of a setting is misspelt";
    CLIENT_WITHOUT_LOGIN = 133, "a Kafka client inside a service lacks what it needs to log in";
    PLAIN_CREDENTIAL = 134, "a credential stands in plain environment";
    PORT_AND_PROTOCOL = 135, "a port of the provider speaks another protocol than the client";
    ADVERTISED_HOST = 136, "a task advertises an address that no other task can reach";
    NAME_BROKEN_BY_TOOL = 137, "the image's newer tool makes another name of a variable";
    VALUE_NOT_ESCAPED = 138, "Java reads another value than the one that is written";
    LOGIN_MALFORMED = 139, "a login configuration that Kafka refuses";
    UNKNOWN_PROTOCOL = 140, "a security protocol or SASL mechanism that Kafka doesn't know";
    BOOTSTRAP_ADDRESS = 141, "an address of the cluster isn't written as host:port";
    SETTING_REFUSED = 142, "a setting with which the image refuses to start";
    PROFILE = 143, "a profile of the project's own can't be used";
    REGISTRY_SETTINGS = 148, "a client of a schema registry lacks what it needs";
    VERSIONS = 149, "versions, or a component and a kind of cluster, that don't go together";
    UNKNOWN_EXTENSION = 150, "an x- key is not known";
    WRONG_EXTENSION = 151, "a value of the x- vocabulary is wrong";
    UNRENDERED = 152, "a key of the x- vocabulary is not rendered";
    NOT_ON_ECS = 153, "a Compose key that ECS can't honour";
    IMAGE = 154, "a service has no image";
    ENVIRONMENT = 155, "a variable has no value";
    SECRET_SOURCE = 156, "a secret can't reach the container as it is written";
    HEALTH_CHECK = 157, "a health check that ECS doesn't take";
    SIZE = 158, "a size that Fargate doesn't have";
    FAMILY = 159, "services can't be grouped, or hold a component that we don't know";
    START_COMMAND = 160, "the start command must set the address of the task";
    SCALING = 161, "scaling that can't do what it says";
    CAPACITY = 162, "a capacity provider that a component must not run on";
    NAMESPACE = 163, "a name in Cloud Map that can't be";
    ADDRESS = 164, "an address of another service that doesn't lead there";
    INGRESS = 165, "a rule for somebody who doesn't exist";
    WORLD_OPEN = 166, "open to the whole internet";
    BALANCER = 167, "a load balancer that can't work";
    SUBNETS = 168, "subnets that nobody describes";
    TAG = 169, "a tag that AWS or we keep";
    PORT = 170, "a port that can't be opened";
    ALIAS = 171, "a name that its hosted zone can't hold";
    VOLUME = 172, "a volume that a task can't have, or can't keep";
    CONNECT = 173, "Service Connect that can't work";
    ALARM = 174, "an alarm that can't fire, or that nobody hears";
    LABEL = 175, "a label for ECS that isn't known";
    OVERLAY = 176, "raw CloudFormation that doesn't fit the template, or replaces a part of it";
    ONE_NAME = 177, "two names become one in the template";
    BALANCER_TARGET = 180, "a load balancer sends to what the task doesn't open";
    TARGET_TYPE = 181, "a target group for instances in front of tasks of Fargate";
    SERVICE_CONNECT_PORT = 182, "Service Connect offers a port that no container names";
    EXECUTION_ROLE = 183, "secrets without an execution role";
    LAUNCH = 184, "a launch type together with capacity providers";
    TASK_LIMIT = 185, "a time or a count that ECS doesn't take";
    SECRET_REFERENCE = 186, "a reference to a secret's key ends too early";
    IAM_STAR = 187, "a policy that allows more than it names";
    TEMPLATE_LIMIT = 189, "the template is over a limit of CloudFormation";
    SHARED_NAMES = 190, "two services share half of a cluster's names";
    HEAP = 191, "a heap that doesn't fit into the container's memory";
    CHECK_PROGRAM = 192, "a health check calls a program that the image lacks";
    ROLE_RIGHTS = 198, "a right that can't be put into a task role";
    CALLER = 201, "who calls AWS";
    SECRET_KEYS = 211, "a stored secret lacks a key that a container reads";
    SECRET_WHOLE = 212, "a secret is injected whole";
    NOT_IN_ACCOUNT = 220, "what the files name isn't in the account";
    SUBNET_ROOM = 221, "room for the tasks in their subnets";
    FOUND_TWICE = 222, "a lookup fits more than one thing of the account";
    UNUSABLE = 223, "what a lookup found can't be used";
    UNSAID = 224, "the files don't say which thing of the account is meant";
    WAY_OUT = 241, "the way out of the tasks' subnets";
    ROLE_READS = 242, "what the roles of the tasks may do";
    IMAGE_THERE = 243, "the images that the tasks would run";
    PROVIDERS = 244, "the capacity providers of the cluster";
    DNS = 301, "the cluster's name";
    TCP = 302, "the way to the cluster's port";
    TLS = 303, "TLS and the certificate";
    SASL = 304, "the login";
    BROKERS = 305, "the brokers that the cluster advertises";
    CLUSTER_ID = 306, "the cluster's own id";
    TOKEN = 307, "the token of a token endpoint";
    CLOCK = 308, "this machine's clock";
    QUOTA = 309, "a quota that holds the client back";
    GROUP_RIGHTS = 401, "rights on a consumer group";
    TOPIC_RIGHTS = 402, "rights on a topic";
    TOPIC_REFUSED = 403, "a topic that the cluster would not create as it is";
    TRANSACTIONAL_ID_RIGHTS = 404, "rights on a transactional id";
    CLUSTER_RIGHTS = 405, "rights on the cluster";
    RIGHTS_ENFORCED = 406, "whether rights end where nobody granted any";
    CONFIG_RIGHTS = 407, "the right to read a topic's configuration";
    TOPIC_SHAPE = 408, "an internal topic that its component can't use as it is";
    GROUP_MEMBERS = 409, "who the members of a component's group are";
    OTHER_REGISTRY = 410, "another registry's group on the same cluster";
    REGISTRY = 501, "the way to a schema registry";
    REGISTRY_KEY = 502, "the login to a schema registry";
    REGISTRY_MODE = 503, "the mode of a schema registry";
    COMPATIBILITY = 504, "the compatibility level of a schema registry";
    OWN_ADDRESS = 505, "an address that this stack itself deploys";
    OTHER_URL = 506, "the way to another URL";
    STACK_OF_OTHERS = 601, "a stack that is not this project's";
    STACK_BUSY = 602, "something else is at work on the stack";
    STACK_STATE = 603, "a stack in a state that takes no update";
    STACK_MOVED = 604, "the stack has moved since the plan was made";
    CHANGE_SET = 605, "a change set that isn't there or can't be executed";
    TEMPLATE_BUCKET = 606, "a large template without a bucket";
    IMAGE_NOT_PUSHED = 607, "an image that was built and not pushed";
    PROTECTED = 608, "a stack that is protected against deletion";
    NOTHING_TO_GO_BACK_TO = 609, "nothing is known that the stack could go back to";
    CHANGE_SET_REFUSED = 610, "CloudFormation refuses the change set";
    DEPLOY_FAILED = 611, "a deploy failed and was taken back";
    NOT_AS_ASKED = 612, "done by CloudFormation's word, and not what was asked for";
    STUCK = 613, "CloudFormation can't go on by itself";
    UNWATCHED = 614, "an operation goes on that is no longer watched";
    TASK_NETWORK = 621, "a task can't reach what it needs to start";
    TASK_RIGHTS = 622, "the execution role may not get what the task needs";
    TASK_SECRET = 623, "a secret that isn't there for the task";
    TASK_IMAGE = 624, "an image that can't be pulled or run";
    TASK_KILLED = 625, "a container was killed";
    TASK_UNHEALTHY = 626, "a task that counts as unhealthy";
    TASK_ADDRESSES = 627, "the subnets have no address left";
    TASK_COMMAND = 628, "a command that can't be run";
    PLUGIN_UNPINNED = 650, "a plugin that isn't pinned";
    PLUGIN_PLACE = 651, "a plugin that the service would not load";
    PLUGIN_FETCH = 652, "a plugin that can't be fetched";
    PLUGIN_BYTES = 653, "a plugin whose bytes are others than its hash says";
    PLUGIN_ARCHIVE = 654, "an archive that isn't unpacked";
    IMAGE_PLUGINS = 655, "an image that doesn't hold the plugins of the files";
    IN_VPC_TASK = 680, "the preflight's own task in the VPC";
    IN_VPC_REPORT = 681, "the report of a task in the VPC";
    IN_VPC_STAND_IN = 682, "what stood in for what the service will have";
    IN_VPC_PROGRAM = 683, "a program that can't run in an empty image";
    IN_VPC_UNSAID = 684, "a task in the VPC that can't be put together";
    IN_VPC_PART = 685, "a part named for the task in the VPC that doesn't fit";
    TASK_ROOM = 686, "Fargate has no room for a task at the moment";
}

#[cfg(test)]
mod tests {
    use super::{CODES, Code};

    #[test]
    fn numbers_are_unique_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn a_code_reads_as_it_is_searched_for() {
        assert_eq!(Code::UNREADABLE_FILE.to_string(), "CE101");
    }
}
