"""What the release binary costs: `--help`, `config` and `render` of a project of two services, its size, what it is linked to.

    python3 figures.py OUR-BINARY

The project has the size and the keys of a real one: Control Center and Connect, one base file and one for the environment.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import alternate

PROJECT = Path(__file__).resolve().parent.parent / "projects" / "two-components"
LIMITS_MS = {"--help": 10, "config": 15, "render": 50}
LIMIT_MIB = 35


def main():
    binary = Path(sys.argv[1]).absolute()
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "ENV_NAME": "dev", "CLUSTER_ID": "lkc-bench1", "AWS_ACCOUNT_ID": "111122223333", "AWS_DEFAULT_REGION": "eu-west-1"}
    files = ["-f", str(PROJECT / "docker-compose.yml"), "-f", str(PROJECT / "envs" / "dev.yml")]
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        commands = {"--help": ["--help"], "config": [*files, "config"], "render": [*files, "render", "-n", "bench-dev"]}
        runs = alternate(20, *(([binary, *arguments], folder, env) for arguments in commands.values()))
    print("| release build | median of 20 | promised |")
    print("|---|---:|---:|")
    for (name, run), limit in zip(zip(commands, runs), LIMITS_MS.values()):
        print(f"| `{name}` | {run.seconds * 1000:.1f} ms | {limit} ms |")
        if run.seconds * 1000 > limit:
            failed.append(f"{name} took {run.seconds * 1000:.1f} ms")
    size = binary.stat().st_size / 2**20
    print(f"| size | {size:.1f} MiB | {LIMIT_MIB} MB |")
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    libraries = sorted(line.split()[0].rsplit("/", 1)[-1] for line in linked.splitlines())
    print(f"| linked to | {', '.join(libraries)} | libc |")
    if size * 2**20 > LIMIT_MIB * 10**6:
        failed.append(f"the binary has {size:.1f} MiB")
    # glibc's own parts; libgcc_s unwinds and comes with every Rust program.
    libc = ("linux-vdso", "ld-linux", "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libresolv.so", "libgcc_s.so")
    failed += [f"linked to {library}" for library in libraries if not library.startswith(libc)]
    if failed:
        sys.exit("\n".join(failed))


main()
