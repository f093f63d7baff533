"""`python -m bed.aws.emulator PORT FOLDER`: serves the emulator on 127.0.0.1:PORT, keeps its files in FOLDER, ends on SIGTERM."""

import asyncio
import os
import signal
import sys


def main(port, folder):
    # Read when ministack's modules are imported: no docker, no listener but ours, no file outside the folder.
    os.environ.update({
        "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": port, "MINISTACK_HOST": "localhost", "MINISTACK_REGION": "eu-west-1",
        "MINISTACK_ACCOUNT_ID": "000000000000", "LOG_LEVEL": "WARNING", "TMPDIR": folder, "S3_DATA_DIR": f"{folder}/s3",
        "STATE_DIR": f"{folder}/state", "PERSIST_STATE": "0", "S3_PERSIST": "0", "AUTH": "false", "USE_SSL": "0", "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0", "DOCKER_HOST": "unix:///nonexistent", "MINISTACK_TEST_NO_AUTOSTART": "1",
    })  # fmt: skip
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app

    from . import (
        drift,
        ec2_types,
        ecr,
        ecs_one_off,
        ecs_services,
        ecs_tasks,
        ecs_types,
        msk,
        operations,
        paper_types,
        requests,
        scaling,
        schemas,
        small_fixes,
        validation,
        web,
    )

    modules = (
        schemas,
        requests,
        validation,
        operations,
        small_fixes,
        scaling,
        ec2_types,
        paper_types,
        ecr,
        ecs_services,
        ecs_types,
        ecs_tasks,
        ecs_one_off,
        drift,
        msk,
    )
    for module in modules:
        module.install()
    config = Config()
    config.bind, config.keep_alive_timeout, config.loglevel, config.graceful_timeout = [f"127.0.0.1:{port}"], 75, "WARNING", 0.2
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(serve(web.Gateway(app.app), config))


main(*sys.argv[1:])
