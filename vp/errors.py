"""Every error that VP raises on purpose.

A message is a sentence: what is wrong, where, what was expected. `hint` says what to do about it. `code` is
stable and goes over the wire; `close_code` is the websocket close code that follows it.
"""

from __future__ import annotations

BAD_REQUEST = 1008
FAULT = 1011
FULL = 1013
QUOTED_CHARACTERS = 60


def quoted(value: str) -> str:
    """A value as an error repeats it: in quotes, and not endless."""
    return repr(value if len(value) <= QUOTED_CHARACTERS else value[:QUOTED_CHARACTERS] + "…")


class VPError(Exception):
    """Any error that a user can be told about; with this code of its own, one that nothing more can be said of."""

    code = "error"
    close_code = FAULT
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class RequestError(VPError):
    """What was asked for does not exist or cannot be understood."""

    code = "bad_request"
    close_code = BAD_REQUEST
    exit_code = 2


class BadParameterError(RequestError):
    """A value is of the wrong form or out of range: speed, throttle, fields, times."""

    code = "bad_parameter"


class UnknownProductTypeError(RequestError):
    """The product type is not served; the message lists the served ones."""

    code = "unknown_product_type"


class UnknownRootError(RequestError):
    """No product has a symbol of this form; the message lists the known roots."""

    code = "unknown_root"


class UnknownSymbolError(RequestError):
    """The raw file does not hold the symbol; the message lists what it holds."""

    code = "unknown_symbol"


class BadDateError(RequestError):
    """A date that is no YYYY-MM-DD or that the calendar does not have."""

    code = "bad_date"


class BadStartTimeError(RequestError):
    """A time of day that is no HH:MM or lies outside the session; the message states the session in ET."""

    code = "bad_start_time"


class NoRawFileError(RequestError):
    """The lake holds no raw file for the date; the message lists the dates it holds."""

    code = "no_raw_file"


class EmptySessionError(RequestError):
    """The raw file holds no record of the contract in the session's time, or a snapshot of its book alone."""

    code = "empty_session"


class QueryError(RequestError):
    """A query that cannot be run as it stands; the message is the database's own."""

    code = "bad_query"


class QueryLimitError(RequestError):
    """A query that took more time or memory than it may."""

    code = "query_limit"


class NoBookSnapshotError(RequestError):
    """The cache holds no book of this session at this time."""

    code = "no_book_snapshot"


class NoSessionError(RequestError):
    """A query reads a session, and none is named; the message lists those of the lake."""

    code = "no_session"


class NoRecordingError(RequestError):
    """There is no recording of this session, or a file is none."""

    code = "no_recording"


class ServerFullError(VPError):
    """The server has as many viewers or sessions as it may have; try again later."""

    code = "server_full"
    close_code = FULL


class FeedNotReadyError(VPError):
    """The live feed has sent nothing yet; try again soon."""

    code = "feed_not_ready"
    close_code = FULL


class LakeError(VPError):
    """A directory of the lake cannot be read or written."""

    code = "lake_unusable"


class ObjectStoreError(VPError):
    """Object storage cannot be reached, refuses, or does not give whole what it holds; no key is ever repeated."""

    code = "object_store"


class HistoryPlaceError(VPError):
    """The directory for the older frames of sessions cannot be written to."""

    code = "history_place_unusable"


class ProductsFileError(VPError):
    """products.yaml cannot be understood; the message names the entry, the field and the expected form."""

    code = "bad_products_file"


class PortInUseError(VPError):
    """Another program listens on the port."""

    code = "port_in_use"


class ApiKeyError(VPError):
    """Databento's key is missing, malformed or refused; the message never repeats it."""

    code = "api_key"


class VendorRefusedError(VPError):
    """Databento answered that a request cannot be served; asking again would not help.

    `status` is the answer's HTTP status (0 where there was none), `case` the service's own word for the reason.
    """

    code = "vendor_refused"

    def __init__(self, message: str, *, hint: str = "", status: int = 0, case: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.case = case


class UnexpectedAnswerError(VPError):
    """An answer of Databento's whose fields are not those expected: it says nothing, and least of all "not found"."""

    code = "unexpected_answer"


class VendorUnreachableError(VPError):
    """Databento did not answer, or only with passing faults, for as long as it was worth trying."""

    code = "vendor_unreachable"


class UncertainSubmissionError(VPError):
    """An order of which nobody knows whether it was bought; nothing more may be ordered until someone does."""

    code = "uncertain_submission"


class CostLimitError(RequestError):
    """What was asked for costs more than --max-cost, or takes more orders than --max-orders."""

    code = "cost_limit"


class DownloadError(VPError):
    """A file that cannot be fetched, does not hold what was ordered, or has no free place in the lake."""

    code = "download_failed"


class FeedDamagedError(VPError):
    """What the live feed sends cannot be what it should be."""

    code = "feed_damaged"


class CaptureError(VPError):
    """A live recording cannot go on: its disk is full, or somebody else records the same."""

    code = "capture_failed"


class FileError(VPError):
    """A raw file that cannot be used. `path`, `record_index` and `byte_offset` say where."""

    code = "bad_file"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        path: str = "",
        record_index: int | None = None,
        byte_offset: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.record_index = record_index
        self.byte_offset = byte_offset


class NotDbnError(FileError):
    """A file that is no DBN file."""

    code = "not_dbn"


class WrongSchemaError(FileError):
    """A DBN file of another schema than market-by-order."""

    code = "wrong_schema"


class DamagedFileError(FileError):
    """A record or stream that breaks the format; `byte_offset` counts uncompressed bytes."""

    code = "damaged_file"


class ChangedFileError(FileError):
    """A file that is no longer what it was when it was opened: raw files never change."""

    code = "changed_file"


class UnreadableFileError(FileError):
    """The system cannot read on in a file: the disk has gone, or fails."""

    code = "unreadable_file"


class ExpansionError(FileError):
    """A compressed file that expands to far more than market data does."""

    code = "expands_too_far"


class TruncatedFileError(DamagedFileError):
    """The file ends inside its header, a record, or a compressed frame."""

    code = "truncated_file"


class WorkerDiedError(VPError):
    """The process that worked on a session ended without an answer, as often as it was tried."""

    code = "worker_died"


class IncompleteInstallationError(VPError):
    """A file that belongs to the product is not where the product was installed; the message names it."""

    code = "incomplete_installation"


class PageScriptError(VPError):
    """The page's modules cannot be put together to one script; the message names the module and the line."""

    code = "bad_page_script"
