"""Secrets that systemd hands over as files: LoadCredential= of deploy/syncworker.service, see systemd.exec(5)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PREFIX = "syncworker_"  # LoadCredential=syncworker:FOLDER names each file of the folder so


def credentials(env: Mapping[str, str]) -> dict[str, str]:
    """The variables in $CREDENTIALS_DIRECTORY, one a file, named as the variable; none where it is unset."""
    folder = env.get("CREDENTIALS_DIRECTORY")
    if not folder or not os.path.isdir(folder):
        return {}
    files = [path for path in Path(folder).iterdir() if path.name.startswith(PREFIX)]
    return {path.name.removeprefix(PREFIX): path.read_text(encoding="utf-8").strip() for path in files}
