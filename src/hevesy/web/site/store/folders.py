"""Chosen instances as a folder of files that other programs read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from hevesy.errors import BadInput
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Attachment, Instance


def lay_out(instances: Iterable[Instance], folder: Path, attachments: Iterable[Attachment] = ()) -> None:
    """Link the files of instances into a folder, as ``SERIES-UID/INSTANCE-UID.dcm``, so that it is the same each time.

    Parameters
    ----------
    instances : iterable of Instance
        Best a query set with `series` selected.
    folder : Path
        Made where it is missing. Its files share their bytes with the store: they are read-only, and to be read only.
    attachments : iterable of Attachment
        Laid under the names that they came with.

    Raises
    ------
    UnknownName
        If the store lost a file.
    BadInput
        If an attachment's name leads out of the folder, or two have one name.
    """
    store = FileStore.of_site()
    folder.mkdir(parents=True, exist_ok=True)
    for instance in instances:
        _link(store.path_of(instance.sha256), folder / instance.series.uid / f"{instance.uid}.dcm")
    for attachment in attachments:
        parts = PurePosixPath(attachment.name).parts
        if not parts or ".." in parts or attachment.name.startswith("/"):
            raise BadInput(f"The attachment's name '{attachment.name}' leads out of the folder.")
        _link(store.path_of(attachment.sha256), folder.joinpath(*parts))


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        if not target.samefile(source):
            raise BadInput(f"Two files are to lie under the name {target.name}.", "Choose one of them.") from None
    except OSError:  # another file system
        shutil.copyfile(source, target)
