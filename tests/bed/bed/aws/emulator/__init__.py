"""The AWS emulator: ministack, with what it lacks or does wrongly put right.

`python -m bed.aws.emulator` (`__main__.py`) loads ministack into its own process, lets every module here replace the handlers that
it is about, and serves the result on 127.0.0.1. Each module has one `install()` and says, with the page of the AWS documentation,
which behaviour it imitates and where it stops. "seen:" marks a text that AWS doesn't document and that was taken from public
reports of people who met it.

    web.py          the gateway: one more API (Application Auto Scaling) and `POST /_bed/<action>`, the bed's own way in
    requests.py     what CloudFormation refuses before it touches anything: capabilities, parameters, stack states, template URLs
    validation.py   the validation of a change set, and DescribeEvents for it
    operations.py   a stack operation as AWS runs it: in parallel, waiting for resources to be stable, cancelling the others on a failure
    schemas.py      the resource types' own schemas: which property replaces, which type a value has, which name is unknown
    ecs_types.py    AWS::ECS::TaskDefinition and AWS::ECS::Service
    ecs_services.py the ECS API for services, keeping everything a request says
    ecs_tasks.py    what tasks do over time, deployments, the circuit breaker
    ecs_scripts.py  how a test tells a service what will happen to it
    scaling.py      Application Auto Scaling, API and resource types
    ec2_types.py    AWS::EC2::SecurityGroupIngress and -Egress
    msk.py          secrets that an MSK cluster takes its users from, API and resource type
    paper_types.py  composite alarms, addresses, NAT gateways and other types that only their stack looks at
    ecr.py          the registry's address and scans
    drift.py        drift of services, task definitions, groups and their rules
    small_fixes.py  the secret's Ref, the tagging API's missing services, target health
    account.py      what a seeded account has
"""
