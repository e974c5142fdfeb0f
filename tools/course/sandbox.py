"""Confine this process, for good: files by Landlock, system calls by seccomp, amounts by limits.

All of it is the Linux kernel's own, needs no privileges, no container and no package, and cannot
be undone from inside. `confine` says what took hold; the caller decides whether that is enough.
"""

import ctypes
import os
import platform
import struct
import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no limits of this kind
    resource = None

# Landlock: rights on files, as bits, in the order of linux/landlock.h.
EXECUTE, WRITE, READ, LIST = 1, 2, 4, 8
TRUNCATE = 1 << 14
EVERYTHING_V1 = (1 << 13) - 1
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446

# seccomp: what a notebook of a problem set has no need of. Numbers by machine.
FORBIDDEN = {
    "x86_64": {
        "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "kill": 62, "tkill": 200,
        "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "pidfd_send_signal": 424,
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
        "pidfd_getfd": 438, "socket": 41, "connect": 42, "io_uring_setup": 425, "bpf": 321,
    },
    "aarch64": {
        "execve": 221, "execveat": 281, "kill": 129, "tkill": 130,
        "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240, "pidfd_send_signal": 424,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
        "pidfd_getfd": 438, "socket": 198, "connect": 203, "io_uring_setup": 425, "bpf": 280,
    },
}  # fmt: skip
ARCHITECTURE = {"x86_64": (0xC000003E, 56, 234), "aarch64": (0xC00000B7, 220, 131)}
CLONE3, CLONE_THREAD = 435, 0x10000
EPERM, ENOSYS = 1, 38
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def limit(memory: int, seconds: int, file_size: int) -> None:
    """Set hard limits: bytes of memory, seconds of processor time, bytes of any one file."""
    if resource is None:
        return
    for what, amount in (
        ("RLIMIT_AS", memory),
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_FSIZE", file_size),
        ("RLIMIT_CORE", 0),
    ):
        kind = getattr(resource, what)
        hard = resource.getrlimit(kind)[1]
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        try:
            resource.setrlimit(kind, (amount, amount))
        except (ValueError, OSError):  # macOS has no limit on address space
            if sys.platform == "linux":
                raise


def confine(readable: list[str], writable: list[str]) -> list[str]:
    """Shut this process in; return what holds: "files", "processes", both, or neither."""
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges: what both of the next ask for
    libc.capset(struct.pack("<Ii", 0x20080522, 0), bytes(24))  # root, if it is, in name only
    held = []
    if _landlock(libc, readable, writable):
        held.append("files")
    if _seccomp(libc):
        held.append("processes")
    return held


def _landlock(libc: ctypes.CDLL, readable: list[str], writable: list[str]) -> bool:
    version = libc.syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    handled = EVERYTHING_V1 | (1 << 13 if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0  # no signals and no abstract sockets to the outside
    attributes = struct.pack("<QQQ", handled, network, scoped)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return False
    read = EXECUTE | READ | LIST
    everything = handled & ~sum(1 << bit for bit in (6, 10, 11))  # no devices
    for paths, rights in ((readable, read), (writable, everything)):
        for path in paths:
            _allow(libc, ruleset, Path(path), rights & handled)
    done = libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return done


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        rights &= EXECUTE | WRITE | READ | TRUNCATE
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("<Qi", rights, opened)
        if libc.syscall(ADD_RULE, ruleset, 1, rule, 0) != 0:
            raise OSError(ctypes.get_errno(), "Landlock refused a rule", str(path))
    finally:
        os.close(opened)


def _seccomp(libc: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in FORBIDDEN:
        return False
    architecture, clone, tgkill = ARCHITECTURE[machine]

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, value)

    program = [step(LOAD, 4), step(EQUAL, architecture, 1, 0), step(RETURN, KILL)]
    program += [step(LOAD, 0)]
    program += [step(AT_LEAST, 0x40000000, 0, 1), step(RETURN, ERRNO | EPERM)]  # x32
    program += [step(EQUAL, CLONE3, 0, 1), step(RETURN, ERRNO | ENOSYS)]
    for number in FORBIDDEN[machine].values():
        program += [step(EQUAL, number, 0, 1), step(RETURN, ERRNO | EPERM)]
    # A clone may make a thread and no process; a signal may go to this process and no other.
    program += [step(EQUAL, clone, 0, 4), step(LOAD, 16), step(BITS, CLONE_THREAD, 1, 0)]
    program += [step(RETURN, ERRNO | EPERM), step(RETURN, ALLOW)]
    program += [step(EQUAL, tgkill, 0, 4), step(LOAD, 16), step(EQUAL, os.getpid(), 1, 0)]
    program += [step(RETURN, ERRNO | EPERM), step(RETURN, ALLOW), step(RETURN, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(program))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

    filter_ = Program(len(program), ctypes.cast(code, ctypes.c_void_p))
    return libc.prctl(22, 2, ctypes.byref(filter_), 0, 0) == 0
