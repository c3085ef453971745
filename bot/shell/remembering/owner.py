"""Whose our files are: what root leaves behind must not keep the daemon's user out."""

import os
from pathlib import Path


def give_to_its_folder_s(path: Path) -> None:
    """Make the owner of the folder that `path` lies in the owner of `path`, where we are root."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)
