"""Files that are written whole or not at all, and the one error that says what is wrong with one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class FileError(Exception):
    """A file that cannot be read or written: its ``path``, the ``reason``, and a ``hint`` what to do.

    No ValueError, because it stands for a missing file or a full disk as well as for bad contents.
    """

    def __init__(self, path: str | os.PathLike, reason: str, hint: str):
        super().__init__(path, reason, hint)
        self.path, self.reason, self.hint = path, reason, hint

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}; {self.hint}"


@contextmanager
def one_error(path: str | os.PathLike, hint: str, kind: type[FileError]) -> Iterator[None]:
    """Turn any failure into a FileError of that kind; hostile bytes raise more kinds than parsers document."""
    try:
        yield
    except FileError:
        raise
    except MemoryError as error:
        raise kind(path, "it does not fit into memory", "free some memory") from error
    except Exception as error:
        name = "" if type(error) is ValueError else f"{type(error).__name__}: "
        reason = getattr(error, "strerror", None) or name + str(error).partition("\n")[0][:400]
        raise kind(path, reason, hint) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder, which takes path's place when the block ends well.

    Whoever writes it syncs it; if anything fails, path still holds what it did before. A link at path is replaced, not
    followed. A killed process may leave a ``.numpylm-*.tmp`` behind. Raises ValueError if the folder is missing.
    """
    if not path.parent.is_dir():
        raise ValueError(f"cannot be written: there is no folder {path.parent}")
    temporary = path.parent / f".numpylm-{os.urandom(8).hex()}.tmp"
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename last, where the platform can open and sync a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
