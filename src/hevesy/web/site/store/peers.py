"""The client of an archive, whichever way it speaks."""

from __future__ import annotations

import os

from hevesy.web.site.store.dicomweb import DicomWeb
from hevesy.web.site.store.dimse import Dimse
from hevesy.web.site.store.models import Archive
from hevesy.web.site.store.peer_address import SCHEME, PeerAddress


def client_of(archive: Archive) -> DicomWeb | Dimse:
    """Return the client of an archive that an administrator named."""
    if archive.address.startswith(SCHEME):
        return Dimse(PeerAddress.read(archive.address), os.environ.get("HEVESY_DICOM_TITLE", "HEVESY"))
    return DicomWeb.of(archive)
