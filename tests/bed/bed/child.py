"""Runs one program so that it can't outlive the bed: `python -I -S child.py <pid of the supervisor> program arguments…`.

Asks the kernel for SIGKILL at the death of the thread that started us, then becomes the program (exec keeps the request).
A program's own children are not covered by it: a part that starts a program with children must end them itself in `stop`.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the supervisor was gone before this program began")
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
