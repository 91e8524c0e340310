"""A limit on the memory that a student's code may take, so that a mistake in it does not bring the machine to a stop.

The operating system keeps it (resource.setrlimit, on Linux and other Unixes); where there is no such limit, as on
Windows, there is none here either.
"""

import contextlib

try:
    import resource
except ImportError:  # Windows
    resource = None

MEGABYTE = 2**20
UNKNOWN = 2000  # megabytes that a process is taken to have reserved already where the system does not say


def limit_memory(megabytes):
    """Lets this process take so many megabytes beyond what it has; more is a MemoryError from then on."""
    if resource is None:
        return
    limit = int((reserved() + megabytes) * MEGABYTE)
    with contextlib.suppress(ValueError, OSError):  # a system that knows the limit and does not keep it
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))


def lift_limit():
    """Gives this process all memory again, to say what happened."""
    if resource is not None:
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def reserved():
    """Megabytes of addresses that this process has reserved."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize() / MEGABYTE
    except OSError:
        return UNKNOWN
