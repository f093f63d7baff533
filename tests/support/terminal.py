"""Runs a program on a terminal of its own and answers its questions: `terminal.py FOLDER SECONDS PROGRAM ARGUMENT… < answers`.

Each line of standard input is typed when the program has been silent and waits. What the terminal showed goes to standard output; the
exit code is the program's. A program that is still there after SECONDS is killed."""

import os
import pty
import select
import signal
import sys
import time

QUIET = 0.3


def is_prompt(shown):
    return shown.rstrip(b" ").endswith((b":", b"]"))


def main(folder, seconds, *command):
    answers = [line.rstrip("\n") for line in sys.stdin]
    end = time.monotonic() + float(seconds)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execv(command[0], command)
    shown, answered = b"", b""
    while True:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            break
        if select.select([terminal], [], [], QUIET)[0]:
            try:
                read = os.read(terminal, 4096)
            except OSError:  # The program's end of the terminal is closed.
                break
            if not read:
                break
            shown += read
        elif answers and shown != answered and is_prompt(shown):
            answered = shown  # What is typed without echo shows nothing: the same prompt is not answered twice.
            os.write(terminal, answers.pop(0).encode() + b"\r")
    _, status = os.waitpid(child, 0)
    sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
    return os.waitstatus_to_exitcode(status) % 256


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
