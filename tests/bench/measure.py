"""Times whole processes: wall time and peak memory as the kernel counted them."""

import os
import statistics
import subprocess
import sys
import time


class Run:
    """Medians of several runs of one command. Seconds, MiB."""

    def __init__(self, seconds, mebibytes):
        self.seconds, self.mebibytes = statistics.median(seconds), max(mebibytes)


def once(argv, cwd, env=None):
    began = time.monotonic()
    process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, argv))} ended with {process.returncode}:\n{said.decode(errors='replace')[-2000:]}")
    return seconds, usage.ru_maxrss / 1024


def alternate(runs, *commands):
    """Runs the commands in turn, A B A B …, so that a machine that gets slower does so for all; one round before is not counted."""
    measured = [([], []) for _ in commands]
    for round_number in range(runs + 1):
        for (seconds, memory), (argv, cwd, env) in zip(measured, commands):
            took, peak = once(argv, cwd, env)
            if round_number:
                seconds.append(took)
                memory.append(peak)
    return [Run(seconds, memory) for seconds, memory in measured]
