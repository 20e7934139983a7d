"""An archive without DICOMweb, as a client sees it: search (C-FIND), fetch (C-MOVE), send (C-STORE); PS3.4."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.filereader import read_file_meta_info
from pynetdicom import AE, build_context
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)

from hevesy.errors import BadConfiguration, EmptyInput, PeerFailed
from hevesy.web.site.store.door import Door
from hevesy.web.site.store.found import FOUND, FoundStudy
from hevesy.web.site.store.peer_address import PeerAddress

#: s to connect, and for an answer; a tape is slow
CONNECT_S, ANSWER_S = 10, 600
#: what is asked of each study besides what is looked for
FIELDS = (
    "PatientName",
    "PatientID",
    "StudyDate",
    "StudyDescription",
    "ModalitiesInStudy",
    "StudyInstanceUID",
    "NumberOfStudyRelatedInstances",
)
#: answers that are not the last, and the one that is
PENDING, SUCCESS = (0xFF00, 0xFF01), 0x0000
#: some of the objects were not moved
WARNING = 0xB000


@dataclass(frozen=True, slots=True)
class Dimse:
    """A classic archive.

    Parameters
    ----------
    peer : PeerAddress
        Its title, host and port.
    title : str
        What this site calls itself.
    """

    peer: PeerAddress
    title: str

    def search(self, **filters: str) -> list[FoundStudy]:
        """Return studies that match, at most `FOUND`.

        Parameters
        ----------
        **filters
            Keyword to value, such as ``PatientID="P1"``; empty ones ask for nothing.

        Raises
        ------
        PeerFailed
            If it does not answer as it should.
        """
        asked = Dataset()
        asked.QueryRetrieveLevel = "STUDY"
        for keyword in FIELDS:
            setattr(asked, keyword, filters.get(keyword, ""))
        found: list[FoundStudy] = []
        with self._associated(StudyRootQueryRetrieveInformationModelFind) as association:
            for status, study in association.send_c_find(asked, StudyRootQueryRetrieveInformationModelFind):
                _require(status, (*PENDING, SUCCESS), "search")
                if study is not None and len(found) < FOUND:
                    found.append(_study(study))
        return found

    def move(self, study: str, mark: int, progress: Callable[[float | None, str], None]) -> int:
        """Have a study sent to this site's listener, and return how many objects were.

        Parameters
        ----------
        study : str
            Its UID.
        mark : int
            By which the listener tells what was asked for: the message ID of the request, 1 to 65535.
        progress : callable
            Told how far it is.

        Raises
        ------
        PeerFailed
            If it does not send all of it.
        EmptyInput
            If it holds nothing of it.
        """
        asked = Dataset()
        asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", study
        moved = 0
        with self._associated(StudyRootQueryRetrieveInformationModelMove) as association:
            model = StudyRootQueryRetrieveInformationModelMove
            for status, _ in association.send_c_move(asked, self.title, model, msg_id=mark):
                _require(status, (*PENDING, SUCCESS, WARNING), "send")
                left = int(status.get("NumberOfRemainingSuboperations") or 0)
                moved = int(status.get("NumberOfCompletedSuboperations") or moved)
                failed = int(status.get("NumberOfFailedSuboperations") or 0)
                progress(moved / (moved + left) if moved + left else None, f"{moved} objects fetched")
                if failed and status.Status not in PENDING:
                    raise PeerFailed(f"{failed} objects of the study did not come.", "See the listener's report.")
        if not moved:
            raise EmptyInput("The archive holds nothing of this study.")
        return moved

    def store(self, paths: Sequence[Path]) -> None:
        """Send objects.

        Raises
        ------
        PeerFailed
            If it refuses one of them.
        """
        kinds = sorted({_kind(path) for path in paths})
        with self._associated(*kinds) as association:
            for path in paths:
                status = association.send_c_store(path)
                if status.get("Status", -1) not in (SUCCESS, WARNING):
                    raise PeerFailed(f"The archive refused one of {len(paths)} objects.", "See its log.")

    @contextmanager
    def _associated(self, *kinds: Any) -> Iterator[Association]:
        unit = AE(ae_title=self.title)
        unit.connection_timeout = unit.acse_timeout = CONNECT_S
        unit.dimse_timeout = unit.network_timeout = ANSWER_S
        contexts = [build_context(*kind) if isinstance(kind, tuple) else build_context(kind) for kind in kinds]
        self._knock()
        association = unit.associate(self.peer.host, self.peer.port, contexts, ae_title=self.peer.title)
        if not association.is_established:
            refused = "The archive does not take calls of this site."
            raise PeerFailed(refused, f"Have it know the title {self.title}, and check its own.")
        try:
            if len(association.accepted_contexts) < len(contexts):
                raise PeerFailed(
                    "The archive does not offer what is asked of it, such as to search or to take a kind of object."
                )
            yield association
        finally:
            association.release()

    def _knock(self) -> None:
        # pynetdicom tells one that is not there and one that refuses alike, and leaves its socket open
        try:
            socket.create_connection((self.peer.host, self.peer.port), CONNECT_S).close()
        except OSError as fault:
            refused = f"The archive does not answer ({fault.strerror or type(fault).__name__})."
            raise PeerFailed(refused, "Check its address.") from None


def new_mark() -> int:
    """Return a message ID for a fetch; chance keeps two at once apart."""
    return 1 + secrets.randbelow(65535)


def require_listener() -> None:
    """Refuse to fetch where nothing would listen for what comes.

    Raises
    ------
    BadConfiguration
        If this site has no DICOM listener.
    """
    if Door.from_environment() is None:
        raise BadConfiguration(
            "What this archive sends comes to the DICOM listener, and there is none.", "Set HEVESY_DICOM_PORT."
        )


def _kind(path: Path) -> tuple[str, str]:
    meta = read_file_meta_info(path)
    return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)


def _require(status: Dataset, wanted: Sequence[int], what: str) -> None:
    code = status.get("Status")
    if code is None:
        raise PeerFailed("The archive broke off.", "Try again.")
    if code not in wanted:
        raise PeerFailed(f"The archive did not {what} (status {code:04X}).", "See its log.")


def _study(found: Dataset) -> FoundStudy:
    def value(keyword: str) -> str:
        held = found.get(keyword, "")
        several = not isinstance(held, str) and hasattr(held, "__iter__") and keyword == "ModalitiesInStudy"
        return (" ".join(map(str, held)) if several else str(held if held is not None else ""))[:200]

    return FoundStudy(
        uid=value("StudyInstanceUID"),
        patient=value("PatientName"),
        identifier=value("PatientID"),
        description=value("StudyDescription"),
        date=value("StudyDate"),
        modalities=value("ModalitiesInStudy"),
        objects=value("NumberOfStudyRelatedInstances"),
    )
