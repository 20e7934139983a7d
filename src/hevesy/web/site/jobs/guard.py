"""No orphans: a child dies with its parent, with all that it started, however its parent died."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


class Lifeline:
    """A pipe that hangs up when the process that made it is gone.

    The end that is written to is held by this process alone; children are given the other.
    """

    def __init__(self) -> None:
        self.end, self._held = os.pipe()

    def over(self) -> None:
        """Tell the guard that its group has come to its end in peace."""
        os.write(self._held, b"over\n")

    def close(self) -> None:
        """Hang up."""
        os.close(self.end)
        os.close(self._held)


def start_guard(group: int, lifeline: Lifeline) -> subprocess.Popen[bytes]:
    """Start a tiny process that kills a process group when the lifeline hangs up.

    A child that computes may not come to look at a pipe, and one that is killed cannot take along what it started.
    """
    script = "read line || kill -s KILL -- -$1 2>/dev/null"
    command = ["/bin/sh", "-c", script, "hevesy-guard", str(group)]
    return subprocess.Popen(command, stdin=lifeline.end, stdout=subprocess.DEVNULL, start_new_session=True)


def die_with_parent(parent: int, lifeline: int) -> None:
    """Bind the life of this process to that of its parent: by the kernel on Linux, by the pipe everywhere.

    Parameters
    ----------
    parent : int
        Process id of the parent that is meant; another one means that it is dead already.
    lifeline : int
        File descriptor of the end of a `Lifeline` that is read from.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    threading.Thread(target=_die_at_hangup, args=(lifeline,), daemon=True, name="lifeline").start()
    if os.getppid() != parent:
        os._exit(1)


def _die_at_hangup(lifeline: int) -> None:
    watch = select.poll()
    watch.register(lifeline, 0)  # a hang-up is told without being asked for; what is written is the guard's to read
    watch.poll()
    os._exit(1)


def kill_group(group: int) -> None:
    """Kill every process of a group that is left."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a child has ended, without taking its exit status, so that its number is not given anew yet."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
