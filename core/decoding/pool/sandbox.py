"""What a decoder may not do: Linux's seccomp refuses files, the network and other processes; limits bound the rest.

The filter is a small program that the kernel runs before each system call (seccomp(2)). What it refuses fails with
"operation not permitted"; the filter can never be taken off. It exists for x86-64 and arm64. Elsewhere, and where a
kernel has no seccomp, the limits on memory, files and time alone hold.

Source of the numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

import ctypes
import errno
import os
import platform
import resource
import sys
from struct import Struct
from typing import NamedTuple

_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2  # prctl(2)
_MAX_OPEN_FILES = 64
_CLONE_THREAD = 0x10000

# BPF, the machine of the filter: load a word, jump if equal / at least / bits set, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_INSTRUCTION = Struct("HBBI")
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENT_AT = 0, 4, 16  # in the kernel's struct seccomp_data; arguments' low words
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_REFUSE_AS_UNKNOWN = 0x00050000 | errno.ENOSYS
_X32 = 0x40000000  # calls of the other ABI of x86-64


class _Calls(NamedTuple):
    """System calls of one architecture.

    Attributes:
        audit: The kernel's number of the architecture.
        refused: Files, sockets, programs, other processes, namespaces, keys, limits, and other parts of the kernel.
        to_itself: Allowed with the process's own number as the first argument.
        clone: Allowed for threads.
        clone3: Unknown, so that the C library uses `clone`, whose arguments a filter can see.
    """

    audit: int
    refused: tuple[int, ...]
    to_itself: tuple[int, ...]
    clone: int
    clone3: int = 435


# Numbers from 424 on are the same everywhere: pidfd_send_signal, io_uring_setup, io_uring_enter, io_uring_register,
# open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_open, openat2, pidfd_getfd, mount_setattr, fchmodat2,
# setxattrat and its kind, open_tree_attr, file_getattr, file_setattr.
_COMMON = (424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 437, 438, 442, 452, *range(463, 470))
_X86_64 = _Calls(
    audit=0xC000003E,
    refused=(
        *(2, 85, 257, 304),  # open, creat, openat, open_by_handle_at
        *(76, 82, 83, 84, 86, 87, 88, 90, 92, 94, 132, 133),  # truncate, rename, mkdir, … chmod, chown, utime, mknod
        *(235, 258, 259, 260, 261, 263, 264, 265, 266, 268, 280, 316),  # the same, with a folder
        *(188, 189, 191, 192, 194, 195, 197, 198, 254, 300, 301),  # setxattr and its kind, inotify_add_watch, fanotify
        *(80, 161, 155, 165, 166, 272, 308),  # chdir, chroot, pivot_root, mount, umount2, unshare, setns
        *(41, 42, 43, 44, 46, 49, 50, 53, 288, 307),  # socket, connect, accept, sendto, sendmsg, bind, listen, …
        *(57, 58, 59, 322),  # fork, vfork, execve, execveat
        *(101, 310, 311, 129, 200, 297),  # ptrace, process_vm_readv and writev, rt_sigqueueinfo, tkill, …
        *(29, 30, 31, 64, 68, 69, 70, 240),  # shmget, shmat, shmctl, semget, msgget, msgsnd, msgrcv, mq_open
        *(105, 106, 113, 114, 117, 119, 126, 160, 302),  # setuid and its kind, capset, setrlimit, prlimit64
        *(246, 248, 249, 250, 298, 320, 321, 323),  # kexec, keys, perf_event_open, bpf, userfaultfd
        *(167, 168, 169, 175, 176, 313),  # swapon, swapoff, reboot, modules
        *_COMMON,
    ),
    to_itself=(62, 234),  # kill, tgkill
    clone=56,
)
_ARM64 = _Calls(
    audit=0xC00000B7,
    refused=(
        *(56, 265),  # openat, open_by_handle_at
        *(45, 33, 34, 35, 36, 37, 38, 53, 54, 88, 276),  # truncate, mknodat, mkdirat, unlinkat, … utimensat
        *(5, 6, 8, 9, 11, 12, 14, 15, 27, 262, 263),  # setxattr and its kind, inotify_add_watch, fanotify
        *(49, 51, 41, 40, 39, 97, 268),  # chdir, chroot, pivot_root, mount, umount2, unshare, setns
        *(198, 199, 200, 201, 202, 203, 206, 211, 242, 269),  # socket, socketpair, bind, listen, accept, connect, …
        *(221, 281),  # execve, execveat
        *(117, 270, 271, 138, 130, 240),  # ptrace, process_vm_readv and writev, rt_sigqueueinfo, tkill, …
        *(194, 195, 196, 190, 186, 188, 189, 180),  # shmget, shmctl, shmat, semget, msgget, msgrcv, msgsnd, mq_open
        *(143, 144, 145, 146, 147, 149, 91, 164, 261),  # setuid and its kind, capset, setrlimit, prlimit64
        *(104, 217, 218, 219, 241, 294, 280, 282),  # kexec, keys, perf_event_open, bpf, userfaultfd
        *(224, 225, 142, 105, 106, 273),  # swapon, swapoff, reboot, modules
        *_COMMON,
    ),
    to_itself=(129, 131),  # kill, tgkill
    clone=220,
)
_CALLS = {"x86_64": _X86_64, "aarch64": _ARM64}


class _Program(ctypes.Structure):
    _fields_ = (("n", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def enter(memory_bytes: int) -> bool:
    """Give up what a decoder does not need. There is no way back.

    Args:
        memory_bytes: Address space of this process.
    Returns:
        Whether the kernel refuses files, the network and other processes.
    """
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_FSIZE, 0)
    _set_limit(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    _set_limit(resource.RLIMIT_AS, memory_bytes)
    calls = _CALLS.get(platform.machine())
    if sys.platform != "linux" or calls is None:
        return False
    return _install(_write_filter(calls, os.getpid()))


def _set_limit(kind: int, most: int) -> None:
    try:
        resource.setrlimit(kind, (most, most))
    except (OSError, ValueError):
        return  # macOS refuses limits on address space; there the time limit alone protects


def _install(program: bytes) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    filter_ = _Program(len(program) // _INSTRUCTION.size, program)
    return bool(libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(filter_), 0, 0) == 0)


def _write_filter(calls: _Calls, own_pid: int) -> bytes:
    """The filter's program: each step jumps over the return behind it unless it applies."""
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, calls.audit),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
        (_EQUAL, 0, 1, calls.clone3),
        (_RETURN, 0, 0, _REFUSE_AS_UNKNOWN),
    ]
    for number in calls.refused:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    for number in calls.to_itself:
        steps += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, _ARGUMENT_AT), (_EQUAL, 0, 1, own_pid)]
        steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    steps += [(_EQUAL, 0, 3, calls.clone), (_LOAD, 0, 0, _ARGUMENT_AT), (_ANY_BIT, 1, 0, _CLONE_THREAD)]
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(_INSTRUCTION.pack(*step) for step in steps)
