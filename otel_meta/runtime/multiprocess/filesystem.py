"""Whether a directory is on this machine: over a network, nobody sees others' locks and pages."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from otel_meta.errors import ConfigurationError

_MOUNTS: Final = Path("/proc/self/mountinfo")
_OF_A_NETWORK: Final = re.compile(
    "9p|afs|beegfs|ceph|cifs|coda|fuse.(ceph|gcsfuse|glusterfs|s3fs|sshfs)|gfs2|glusterfs|gpfs"
    "|lustre|ncpfs|nfs|nfs4|ocfs2|orangefs|smb3|smbfs"
)


def check_filesystem(path: Path, mounts: Path = _MOUNTS) -> None:
    """Refuse a directory on another machine.

    Raises:
        ConfigurationError: it is on one.
    """
    kind = _kind_of(path, mounts)
    if kind is not None and _OF_A_NETWORK.fullmatch(kind):
        raise ConfigurationError(
            f"workers cannot share their numbers in {path}, which is on a network ({kind}); "
            "set OTEL_META_MULTIPROCESS_DIR to a directory on a local disk or in memory"
        )


def _kind_of(path: Path, mounts: Path) -> str | None:
    """The file system that a directory is on; None where the kernel does not tell."""
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    # 36 35 98:0 /root /mount/point options ... - type source options
    for line in lines:
        fields, _, kind = line.partition(" - ")
        if fields.split()[2] == wanted:
            return kind.split()[0]
    return None
