"""Files that are there whole or not at all, whatever process or machine ends meanwhile."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: bytes, *, synced: bool = True) -> None:
    """Write a file in place of an earlier one, and the folders above it; OSError passes through."""
    with in_place_of(path, synced=synced) as temporary:
        temporary.write_bytes(content)


@contextmanager
def in_place_of(path: Path, *, synced: bool = True) -> Iterator[Path]:
    """Give the name of a file to be written, which takes the place of `path` when the block ends well.

    It is removed when the block fails. One that is `synced` is on the disk when this ends, also after a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        yield temporary
        if synced:
            sync(temporary)
        publish(temporary, path, synced=synced)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """A name that no other process takes, in the same folder."""
    return path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def publish(temporary: Path, path: Path, *, synced: bool = True) -> None:
    """Give a finished file its name."""
    temporary.replace(path)
    if synced:
        sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
