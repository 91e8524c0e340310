"""Files that are written whole or not at all, and one kind of error that names the file.

    new content -> .numpylm-….tmp in the same folder -> sync to disk -> rename over the old file

A process that is killed leaves the old file as it was, and its temporary file behind. A later write into the folder
removes such a file when it is a minute old and nobody holds its lock, as a living writer does.
"""

import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

STALE_SECONDS = 60  # a writer locks its file at once


class FileError(Exception):
    """A file that cannot be read or written: its path, the reason, and a hint what to do."""

    def __str__(self):
        path, reason, hint = self.args
        return f"{path}: {reason}; {hint}"


@contextmanager
def one_error(path, hint, kind=FileError, catch=Exception):
    """Turn the exceptions of class `catch` into a FileError of this kind. A FileError passes as it is."""
    try:
        yield
    except FileError:
        raise
    except MemoryError as error:
        raise kind(path, "it does not fit into memory", "free some memory") from error
    except catch as error:
        name = "" if type(error) is ValueError else f"{type(error).__name__}: "
        reason = getattr(error, "strerror", None) or name + str(error).partition("\n")[0][:400]
        raise kind(path, reason, hint) from error


@contextmanager
def replacing(path, kind=FileError):
    """A new binary file, open for writing. When the block ends well, it takes path's place.

    If anything fails, path keeps what it held. A link at path is replaced, not followed.
    Raises a FileError of this kind if the folder is missing, path is a folder, a device or a pipe (/dev/null stays what
    it is), or the system refuses.
    """
    path = Path(path)
    hint = "nothing was written; check the folder, its permissions and its free space"
    with one_error(path, hint, kind, catch=OSError):
        if not path.parent.is_dir():
            raise kind(path, f"it cannot be written: there is no folder {path.parent}", "make the folder first")
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a device or a pipe"
            raise kind(path, f"it is {what}, where a file belongs", "name a file")
        remove_stale(path.parent)
        temporary = path.parent / f".numpylm-{os.urandom(8).hex()}.tmp"
        try:
            with open(temporary, "x+b") as file:
                with suppress(OSError):  # a file system without locks
                    lock(file.fileno())
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with suppress(OSError):
                temporary.unlink()
        _sync_folder(path.parent)


def lock(descriptor):
    """Lock an open file until it is closed or its process ends. Raises OSError if another process holds the lock."""
    if fcntl:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)


def remove_stale(folder):
    """Remove the temporary files of writers that were killed."""
    for temporary in folder.glob(".numpylm-*.tmp"):
        with suppress(OSError), open(temporary, "rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime > STALE_SECONDS:
                lock(file.fileno())  # raises OSError while the writer lives
                temporary.unlink()


def _sync_folder(folder):
    """Make the rename last, where the platform can open and sync a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
