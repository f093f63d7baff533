//! A project and an account of its own to deploy it into: the emulator keeps what one test does from the others.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;
use super::bed::bed;
use super::http::{Reply, Request, Server, forward};
use super::program::{Ran, run_with};
use super::schema::{fits, fits_one};
use super::terminal;

/// One service of an image that nobody knows, one secret, lookups by tags.
const PROJECT: &str = r#"
name: shop
services:
  worker:
    image: acme/worker:1
    environment: { LEVEL: "${LEVEL:-1}" }
    ports: ["8080"]
    secrets: [worker]
    deploy: { replicas: 2, resources: { limits: { cpus: "0.5", memory: 1G } } }
secrets:
  worker:
    x-secrets:
      Name: /shop/worker
      JsonKeys: [{ SecretKey: TOKEN, VarName: TOKEN }]
"#;
const ENVIRONMENT: &str = r#"
x-vpc:
  Lookup:
    VpcId: { Tags: [{ Name: main }] }
    AppSubnets: { Tags: [{ "vpc::usage": app }] }
    StorageSubnets: { Tags: [{ "vpc::usage": storage }] }
    PublicSubnets: { Tags: [{ "vpc::usage": public }] }
x-cluster: { Lookup: shop }
"#;
/// Deploys without asking, and without a look at Kafka.
pub(crate) const UP: &[&str] = &["up", "--yes", "--skip-preflight"];
/// The emulator takes moments for what takes AWS minutes: AWS is asked as many times more often (see `src/deploy/pace.rs`).
const PACE: (&str, &str) = ("CONFLUENT_ECS_PACE", "4");

#[track_caller]
pub(crate) fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[track_caller]
pub(crate) fn ended(ran: &Ran, code: i32) {
    assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
}

/// The JSON document that a run wrote.
#[track_caller]
pub(crate) fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// Tasks that come up, write two lines and exit with 1.
pub(crate) fn crash() -> Value {
    json!({
        "stop": { "in": "RUNNING", "after": 0.2, "code": "EssentialContainerExited", "reason": "Essential container in task exited",
                  "containers": { "*": { "exit_code": 1 } } },
        "healthy": 30,
        "logs": ["INFO starting", "ERROR org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed"],
    })
}

/// Tasks that stay where they are until [`Deployment::release`]: for whoever wants to do something meanwhile, however long that takes.
pub(crate) fn held() -> Value {
    json!({ "provisioning": 600 })
}

/// A program that runs, and what it writes to its standard error.
pub(crate) struct Running {
    program: Child,
    lines: Lines<BufReader<ChildStderr>>,
    seen: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let lines = BufReader::new(program.stderr.take().unwrap()).lines();
        Self { program, lines, seen: String::new() }
    }

    /// Reads to the line that holds this.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        let seen = &mut self.seen;
        let found = self.lines.by_ref().map(Result::unwrap).any(|line| {
            seen.push_str(&line);
            seen.push('\n');
            line.contains(text)
        });
        assert!(found, "{text:?} never came: {seen}");
    }

    /// Sends a signal: `INT`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.program.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn kill(mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Ran {
        let mut stderr = std::mem::take(&mut self.seen);
        for line in self.lines.by_ref() {
            stderr.push_str(&line.unwrap());
            stderr.push('\n');
        }
        let mut stdout = String::new();
        self.program.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        checked(Ran { code: self.program.wait().unwrap().code().unwrap_or(-1), stdout, stderr })
    }
}

/// A test that fails leaves nothing running.
impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.program.kill();
        let _gone = self.program.wait();
    }
}

/// Stands in the stored secret: nothing that the program prints may hold it.
pub(crate) const STORED: &str = "a-value-that-must-not-be-seen";

/// A folder with a project, and an account.
pub(crate) struct Deployment {
    pub(crate) folder: TempDir,
    pub(crate) account: String,
    env: Vec<(String, String)>,
    fault_env: Vec<(String, String)>,
}

impl Deployment {
    /// The project above, and an account that has all it needs.
    pub(crate) fn new() -> Self {
        let deployment = Self::empty();
        let secret = json!({ "TOKEN": STORED }).to_string();
        deployment.seed(&json!({ "name": "main", "cluster": "shop", "secrets": { "/shop/worker": secret } }));
        deployment
    }

    /// … with nothing in the account.
    pub(crate) fn empty() -> Self {
        let made = bed().call("aws/new_account", &json!({}));
        let pairs = |key: &str| -> Vec<(String, String)> {
            let object = made[key].as_object().unwrap();
            let given = object.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
            given.chain([(PACE.0.to_owned(), PACE.1.to_owned())]).collect()
        };
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        fs::create_dir(folder.path().join("envs")).unwrap();
        write("docker-compose.yml", PROJECT);
        write("envs/dev.yml", ENVIRONMENT);
        let account = made["account"].as_str().unwrap().to_owned();
        Self { account, env: pairs("env"), fault_env: pairs("fault_env"), folder }
    }

    /// Calls an action of the AWS bed for this account.
    pub(crate) fn bed(&self, action: &str, arguments: &Value) -> Value {
        let mut arguments = arguments.clone();
        arguments["account"] = self.account.clone().into();
        bed().call(&format!("aws/{action}"), &arguments)
    }

    pub(crate) fn seed(&self, wanted: &Value) -> Value {
        self.bed("seed", wanted)
    }

    /// What will happen to the tasks of this service's revisions.
    pub(crate) fn script(&self, script: &Value) {
        let mut script = script.clone();
        script["service"] = "*".into();
        self.bed("script", &script);
    }

    /// Lets everything go that a script holds up.
    pub(crate) fn release(&self) {
        self.bed("release", &json!({}));
    }

    /// Deploys into crashes of this kind, and lets ECS give up only when what the tasks wrote is on the screen: its rollback of a creation
    /// takes the logs away.
    #[track_caller]
    pub(crate) fn crashes(&self, script: &Value, wrote: &str) -> Ran {
        let mut first = script.clone();
        first["restart"] = 600.into();
        self.script(&first);
        let deploy = self.start_until(UP, wrote);
        let mut then = script.clone();
        then["service"] = "*".into();
        self.bed("release", &json!({ "then": then }));
        deploy.finish()
    }

    /// Runs `confluent-ecs --env dev …` against the account.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "", &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str, more: &[(&str, &str)]) -> Ran {
        let variables: Vec<_> = borrowed(&self.env).into_iter().chain(more.iter().copied()).collect();
        checked(run_with(self.folder.path(), &with_env(arguments), input, &variables))
    }

    /// … with another environment in the task definition.
    pub(crate) fn changed(&self, arguments: &[&str], level: &str) -> Ran {
        self.run_with(arguments, "", &[("LEVEL", level)])
    }

    /// The lines of the project's journals, the oldest first.
    pub(crate) fn journals(&self) -> Vec<Vec<Value>> {
        let entries = fs::read_dir(self.path().join(".confluent-ecs/runs")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
        let read = |path| {
            let text = fs::read_to_string(path).unwrap();
            assert!(!text.contains(STORED), "a secret is in the journal:\n{text}");
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            lines.iter().for_each(fits_one);
            lines
        };
        files.into_iter().map(read).collect()
    }

    /// … through the proxy that makes the faults.
    pub(crate) fn run_faulty(&self, arguments: &[&str]) -> Ran {
        checked(run_with(self.folder.path(), &with_env(arguments), "", &borrowed(&self.fault_env)))
    }

    /// Starts `confluent-ecs --env dev …` through the proxy that makes the faults, and reads its stderr to the line that holds `until`.
    #[track_caller]
    pub(crate) fn start_until(&self, arguments: &[&str], until: &str) -> Running {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("confluent-ecs"));
        command.args(with_env(arguments)).current_dir(self.path()).env_clear().envs(borrowed(&self.fault_env));
        let mut running = Running::start(&mut command);
        running.until(until);
        running
    }

    /// Runs `confluent-ecs --env dev …` and gives the lines of its standard output while they come.
    pub(crate) fn stream(&self, arguments: &[&str]) -> (Child, impl Iterator<Item = String> + use<>) {
        let mut program = Command::new(assert_cmd::cargo::cargo_bin("confluent-ecs"))
            .args(with_env(arguments))
            .current_dir(self.path())
            .env_clear()
            .envs(borrowed(&self.env))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
        (program, lines)
    }

    /// Runs `confluent-ecs --env dev …` on a terminal and answers its questions.
    pub(crate) fn run_on_terminal(&self, arguments: &[&str], answers: &[&str]) -> Ran {
        checked(terminal::run_with(self.folder.path(), &with_env(arguments), answers, &borrowed(&self.env)))
    }

    /// A server between the program and the account: `answer` has the first word on each call, and what it leaves goes on to the emulator.
    /// Gives the server, with the variables that lead there.
    pub(crate) fn behind(
        &self,
        answer: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> (Server, Vec<(String, String)>) {
        let to = self.endpoint().to_owned();
        let server = Server::start(move |request| answer(request).unwrap_or_else(|| forward(request, &to)));
        let endpoint = format!("http://127.0.0.1:{}", server.port);
        let env = self.env.iter().map(|(name, value)| {
            let value = if name.starts_with("AWS_ENDPOINT_URL") { endpoint.clone() } else { value.clone() };
            (name.clone(), value)
        });
        (server, env.collect())
    }

    /// Runs `confluent-ecs --env dev …` with these variables and no others.
    pub(crate) fn run_in(&self, env: &[(String, String)], arguments: &[&str], more: &[(&str, &str)]) -> Ran {
        let variables: Vec<_> = borrowed(env).into_iter().chain(more.iter().copied()).collect();
        checked(run_with(self.folder.path(), &with_env(arguments), "", &variables))
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.env.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL").unwrap().1.trim_start_matches("http://")
    }

    /// Calls an AWS API of the query protocol itself, for what the program has no verb for; gives the answer as it is.
    pub(crate) fn aws(&self, service: &str, query: &str) -> String {
        self.ask(service, "POST", "/", query)
    }

    /// Reads from S3: `/bucket?versioning`.
    pub(crate) fn s3(&self, path: &str) -> String {
        self.ask("s3", "GET", path, "")
    }

    /// Makes a bucket: `/bucket`.
    pub(crate) fn make_bucket(&self, path: &str) {
        let here = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        let answer = self.ask("s3", "PUT", path, here);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Puts something into a bucket: `/bucket/key`.
    pub(crate) fn put_object(&self, path: &str) {
        let answer = self.ask("s3", "PUT", path, "something");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub(crate) fn remove_object(&self, path: &str) {
        let answer = self.ask("s3", "DELETE", path, "");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }

    /// Updates the stack as another tool would that leaves a failed update as it is.
    pub(crate) fn update_without_rollback(&self, before: &str, after: &str) {
        let template = self.aws("cloudformation", "Action=GetTemplate&Version=2010-05-15&StackName=shop-dev");
        let body = template.split("<TemplateBody>").nth(1).unwrap().split("</TemplateBody>").next().unwrap();
        let body = body.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        assert!(body.contains(before), "{body}");
        let stack = self.aws("cloudformation", "Action=DescribeStacks&Version=2010-05-15&StackName=shop-dev");
        let mut query = String::from(
            "Action=UpdateStack&Version=2010-05-15&StackName=shop-dev&DisableRollback=true&Capabilities.member.1=CAPABILITY_NAMED_IAM",
        );
        for (index, part) in stack.split("<ParameterKey>").skip(1).enumerate() {
            let key = part.split('<').next().unwrap();
            let member = format!("&Parameters.member.{}", index + 1);
            let _ = write!(query, "{member}.ParameterKey={key}{member}.UsePreviousValue=true");
        }
        query += "&TemplateBody=";
        for byte in body.replace(before, after).bytes() {
            let _ = write!(query, "%{byte:02X}");
        }
        let answer = self.aws("cloudformation", &query);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Waits until the stack is in this state.
    pub(crate) fn until(&self, status: &str) {
        self.until_said(&format!("<StackStatus>{status}<"));
    }

    /// … or until CloudFormation says this of it.
    pub(crate) fn until_said(&self, words: &str) {
        let end = std::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.aws("cloudformation", "Action=DescribeStacks&Version=2010-05-15&StackName=shop-dev");
            if answer.contains(words) {
                return;
            }
            assert!(std::time::Instant::now() < end, "never {words}: {answer}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// The name that ECS knows the one service by.
    pub(crate) fn service(&self) -> String {
        document(&self.run(&["status", "--output", "json"]))["outputs"][0]["value"].as_str().unwrap().to_owned()
    }

    /// Calls an AWS API that takes JSON.
    pub(crate) fn aws_json(&self, service: &str, operation: &str, body: &Value) -> String {
        let target = match service {
            "ecs" => "AmazonEC2ContainerServiceV20141113",
            "application-autoscaling" => "AnyScaleFrontendService",
            other => other,
        };
        let headers = format!("Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}.{operation}");
        self.send(service, "POST", "/", &headers, &body.to_string())
    }

    /// Gives an MSK cluster a secret to take a user from.
    pub(crate) fn associate(&self, cluster: &str, secret: &str) {
        let path = format!("/v1/clusters/{}/scram-secrets", cluster.replace(':', "%3A").replace('/', "%2F"));
        let body = json!({ "secretArnList": [secret] }).to_string();
        let answer = self.send("kafka", "POST", &path, "Content-Type: application/json", &body);
        assert!(answer.contains("\"unprocessedScramSecrets\": []"), "{answer}");
    }

    fn ask(&self, service: &str, method: &str, path: &str, body: &str) -> String {
        self.send(service, method, path, "Content-Type: application/x-www-form-urlencoded", body)
    }

    fn send(&self, service: &str, method: &str, path: &str, headers: &str, body: &str) -> String {
        let endpoint = self.endpoint();
        let mut stream = TcpStream::connect(endpoint).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {endpoint}\r\n{headers}\r\nAuthorization: \
             AWS4-HMAC-SHA256 Credential={}/20260101/eu-west-1/{service}/aws4_request\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.account,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// What an SDK needs to find the account.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        borrowed(&self.env)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn with_env<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    ["--env", "dev"].into_iter().chain(arguments.iter().copied()).collect()
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Every run is searched for the secret's value, and every document held to its schema.
#[track_caller]
fn checked(ran: Ran) -> Ran {
    fits(&ran.stdout);
    assert!(!ran.stdout.contains(STORED) && !ran.stderr.contains(STORED), "a secret value was printed: {ran:?}");
    ran
}
