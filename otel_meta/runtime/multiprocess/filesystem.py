"""Files of a directory for workers, which is on no network file system.

There, neither locks nor mapped pages are shared.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.interruption import reraise_interruption

_MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK_FILESYSTEMS: Final = re.compile(
    "9p|afs|beegfs|ceph|cifs|coda|fuse.(ceph|gcsfuse|glusterfs|s3fs|sshfs)|gfs2|glusterfs|gpfs"
    "|lustre|ncpfs|nfs|nfs4|ocfs2|orangefs|smb3|smbfs"
)


def open_to_read(path: Path) -> int:
    """Return a file descriptor. The open of a named pipe of others does not wait for a writer.

    Raises:
        OSError: the file cannot be opened.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)


def check_filesystem(path: Path, mounts: Path = _MOUNTS) -> None:
    """Refuse a directory on a network file system.

    Args:
        path: an existing directory.
        mounts: table of mounts, in the format of ``/proc/self/mountinfo``. Without a table, every
            directory is accepted.

    Raises:
        ConfigurationError: the directory is on a network file system.
    """
    filesystem = _filesystem_of(path, mounts)
    if filesystem is not None and _NETWORK_FILESYSTEMS.fullmatch(filesystem):
        raise ConfigurationError(
            f"workers cannot share metrics in {path}, on a network file system ({filesystem}); "
            "set OTEL_META_MULTIPROCESS_DIR to a directory on a local disk or in memory"
        )


def _filesystem_of(path: Path, mounts: Path) -> str | None:
    """Return the type of a directory's file system; None if the table does not have it."""
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = mounts.read_text().splitlines()
    except OSError as error:
        reraise_interruption(error)
        return None
    # 36 35 98:0 /root /mount/point options ... - type source options
    for line in lines:
        fields, _, source = line.partition(" - ")
        if fields.split()[2] == wanted:
            return source.split()[0]
    return None
