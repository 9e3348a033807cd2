"""The kinds of problems that programs can tell apart: each has a name that stays, and a page at `/problems/<name>`.

An error of `core` has the type of its nearest class here, everything else the first type of its status.
"""

from dataclasses import dataclass

from core.base.errors import (
    BadWeights,
    BlobMissing,
    Busy,
    Conflict,
    DiskFull,
    EditConflict,
    Forbidden,
    Gone,
    IdTaken,
    ImageError,
    IncompleteBody,
    InUse,
    Invalid,
    JobHasEnded,
    JobNotEnded,
    NameTaken,
    NotFound,
    OriginalsGone,
    OriginalsMissing,
    OutdatedCursor,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from core.formats.archives.entries import ArchiveError, OtherArchive
from core.formats.archives.zip_headers import ZipError
from core.formats.shards import ShardError, ShardTooLarge
from core.formats.tar_headers import TarError
from core.models.registry import NoPreviousVersion
from core.uploads.shards import CompleteUpload, ShardDigestMismatch
from core.uploads.uploads import IncompleteUpload
from core.uploads.usage import QuotaExceeded

ADDRESS = "/problems/"


@dataclass(frozen=True)
class ProblemType:
    """One kind of problem.

    Attributes:
        status: The HTTP status that it usually comes with.
        name: The last part of its address, and its `code`. Never changed: programs compare it.
        title: The problem in a few words.
        meaning: What happened.
        remedy: What to do.
        errors: The errors of this kind.
    """

    status: int
    name: str
    title: str
    meaning: str
    remedy: str
    errors: tuple[type[Exception], ...] = ()

    @property
    def address(self) -> str:
        """The address of its page."""
        return ADDRESS + self.name


INVALID_REQUEST = ProblemType(
    422,
    "invalid-request",
    "A value is missing or wrong",
    "The body or the query does not match its description: a field is missing, unknown, or has a wrong value. Nothing"
    " was changed.",
    "`errors` has one entry for each wrong value: where it is, what was expected, and what came. Correct them and send"
    " the request again. /docs describes all fields.",
)
CSRF = ProblemType(
    403,
    "csrf-token-missing",
    "The CSRF token is missing or out of date",
    "A request with the cookie of a session needs the session's CSRF token, so that other sites cannot send it.",
    "Reload the page. Programs send a bearer token, which needs no CSRF token.",
)
PROBLEM_TYPES = (
    ProblemType(
        400,
        "bad-request",
        "The request cannot be read",
        "The body is not valid JSON, or the server does not accept the host name in the address.",
        "Read `detail`, correct the request and send it again.",
    ),
    ProblemType(
        401,
        "unauthenticated",
        "A login is needed",
        "The request has no token or session, or the one it has is not valid, has expired, or was revoked.",
        "Send `Authorization: Bearer TOKEN`. The page Account, or `pawsort token create` on the server, makes one.",
        (Unauthenticated,),
    ),
    ProblemType(
        403,
        "forbidden",
        "Not allowed",
        "Your role, or the scopes of your token, do not allow this, or what you want to change belongs to another"
        " person.",
        "`detail` says which right is needed. Use a token with this scope, or ask an admin.",
        (Forbidden,),
    ),
    CSRF,
    ProblemType(
        404,
        "not-found",
        "Nothing has this id",
        "Nothing with this id exists, or the address is mistyped.",
        "Check the id and the address. The lists show what there is; /docs shows all calls.",
        (NotFound,),
    ),
    ProblemType(
        404,
        "file-missing",
        "A file is missing in the store",
        "The database knows the file, but the store does not have it any more.",
        "Try again in a moment: it may have been deleted just now. Otherwise ask the person who runs this server to run"
        " `pawsort doctor`.",
        (BlobMissing,),
    ),
    ProblemType(
        405,
        "method-not-allowed",
        "This address has no such method",
        "The address exists, but not with this method.",
        "`detail` and the header `Allow` name the methods that it has.",
    ),
    ProblemType(
        409,
        "conflict",
        "Not possible in this state",
        "The request is right by itself, but not in the present state of what it is about. Nothing was changed.",
        "`detail` says what stands in the way. Sending the same request again does not help until that has changed.",
        (Conflict,),
    ),
    ProblemType(
        409,
        "id-taken",
        "The id is taken",
        "Something else has the id that you chose.",
        "Choose a new UUID. To repeat a call after an interruption, send it with the same id and the same values.",
        (IdTaken,),
    ),
    ProblemType(
        409,
        "name-taken",
        "The name is taken",
        "Something else has this name, and names must differ here.",
        "Choose another name.",
        (NameTaken,),
    ),
    ProblemType(
        409,
        "edit-conflict",
        "Changed in the meantime",
        "Somebody changed this since you read it. Your change was not made.",
        "Read it again, decide again, and send the change again.",
        (EditConflict,),
    ),
    ProblemType(
        409,
        "in-use",
        "In use",
        "Something else needs this, so it cannot be deleted.",
        "`detail` names what needs it. Delete or change that first.",
        (InUse,),
    ),
    ProblemType(
        409,
        "job-has-ended",
        "The job has ended",
        "This is for jobs that have not ended yet.",
        "Retry the job, or create a new one.",
        (JobHasEnded,),
    ),
    ProblemType(
        409,
        "job-not-ended",
        "The job has not ended yet",
        "This is for jobs that have ended.",
        "Wait until its state is done, cancelled or failed, or cancel it.",
        (JobNotEnded,),
    ),
    ProblemType(
        409,
        "upload-incomplete",
        "Shards are missing",
        "The upload cannot be completed, because not all shards have arrived. `missing` lists the first of their"
        " numbers.",
        "Send the missing shards and complete the upload again, or send `partial: true`.",
        (IncompleteUpload,),
    ),
    ProblemType(
        409,
        "upload-complete",
        "The upload is complete",
        "A complete upload takes no further shards.",
        "Create a new upload for further files.",
        (CompleteUpload,),
    ),
    ProblemType(
        409,
        "shard-digest-mismatch",
        "Another shard has this number",
        "A shard with this number has arrived before, with other bytes. The first one is kept.",
        "Give new files a new number. To repeat an interrupted upload, send exactly the same bytes.",
        (ShardDigestMismatch,),
    ),
    ProblemType(
        409,
        "originals-discarded",
        "The originals were discarded",
        "The upload was sent with `discard_originals`, so its files were deleted once they had been classified. Labels,"
        " results and previews are kept.",
        "Download a table instead, or upload the files again.",
        (OriginalsMissing, OriginalsGone),
    ),
    ProblemType(
        409,
        "no-previous-version",
        "No previous version",
        "No version was in use before the current one, so there is nothing to roll back to.",
        "Promote another version.",
        (NoPreviousVersion,),
    ),
    ProblemType(
        409,
        "weights-damaged",
        "The weights are missing or damaged",
        "The weights of this version do not match the digest in its manifest.",
        "Use another version, and ask the person who runs this server to run `pawsort doctor`.",
        (BadWeights,),
    ),
    ProblemType(
        410,
        "gone",
        "Deleted",
        "It existed and was deleted. Its id is not used again.",
        "Remove the id from your records. For a new upload or job, choose a new UUID.",
        (Gone,),
    ),
    ProblemType(
        413,
        "too-large",
        "Too large",
        "The body exceeds a limit. Nothing of it was kept, except for whole shards of an archive.",
        "`detail` states the limit. Send less at a time, or split the archive.",
        (TooLarge,),
    ),
    ProblemType(
        413,
        "shard-too-large",
        "The shard is too large",
        "A shard has at most 256 files and 32 MiB, or one larger file.",
        "Split it into more shards.",
        (ShardTooLarge,),
    ),
    ProblemType(
        413,
        "quota-exceeded",
        "Your quota is used up",
        "With this, your uploads would exceed your quota.",
        "Delete jobs that you do not need any more, or ask an admin for a larger quota. GET /api/v1/account/usage shows"
        " what you use.",
        (QuotaExceeded,),
    ),
    ProblemType(
        415,
        "unsupported-media-type",
        "The body is not JSON",
        "The body is not of the type application/json.",
        "Send the header `Content-Type: application/json`.",
    ),
    ProblemType(
        422,
        "invalid",
        "This cannot be used",
        "What was sent can be read, but not used. Nothing of it was kept.",
        "`detail` says what was expected and what came. Correct it and send it again.",
        (Invalid,),
    ),
    INVALID_REQUEST,
    ProblemType(
        422,
        "outdated-cursor",
        "The cursor is out of date",
        "The cursor does not belong to this list, or to this order of it.",
        "Begin again without `cursor`, and use `next` of each page unchanged.",
        (OutdatedCursor,),
    ),
    ProblemType(
        422,
        "incomplete-body",
        "The body ended too early",
        "The connection ended before the whole body had arrived. Whole shards of an archive are kept.",
        "Send it again, with the same id: what has arrived is not stored twice.",
        (IncompleteBody,),
    ),
    ProblemType(
        422,
        "invalid-shard",
        "Not a valid shard",
        "The TAR is damaged or incomplete, or has an entry that is not allowed: a link, a device, a path with `..`.",
        "`detail` names the entry. Build the shard again without it.",
        (ShardError, TarError),
    ),
    ProblemType(
        422,
        "invalid-archive",
        "The archive cannot be read",
        "The body is no archive, contains no file, or is damaged. If `job` is there, the files before the damage are"
        " kept in this job.",
        "Pack the archive again. TAR, ZIP, and compressed TARs are read.",
        (ArchiveError, ZipError),
    ),
    ProblemType(
        422,
        "unsupported-archive",
        "This kind of archive is not supported",
        "The body is an archive of a kind that is not read; `archive` names the kind.",
        "Pack the files as TAR or ZIP.",
        (OtherArchive,),
    ),
    ProblemType(
        422,
        "unreadable-image",
        "The picture cannot be read",
        "The file cannot be decoded; `error_code` says why.",
        "Save it again as JPEG or PNG, and upload that.",
        (ImageError,),
    ),
    ProblemType(
        429,
        "too-many-requests",
        "Too many requests",
        "You send more requests or bytes than allowed, or have too much running at the same time.",
        "Wait as many seconds as the header `Retry-After` says, then send the request again.",
        (TooMany,),
    ),
    ProblemType(
        500,
        "internal-error",
        "Something went wrong on the server",
        "This is a fault of the server. `error_id` is in its log, with the details.",
        "Try again once. If that does not help, give the `error_id` to the person who runs this server.",
    ),
    ProblemType(
        503,
        "unavailable",
        "A part of the server is not responding",
        "The database, the queue or the store is not responding, or accepts no changes at the moment.",
        "Try again after as many seconds as the header `Retry-After` says. If that does not help, tell the person who"
        " runs this server.",
        (Unavailable,),
    ),
    ProblemType(
        503,
        "busy",
        "The server is too busy",
        "The server has too much to do at the moment.",
        "Try again after as many seconds as the header `Retry-After` says.",
        (Busy,),
    ),
    ProblemType(
        507,
        "disk-full",
        "A disk of the server is full",
        "The disk of the files or of the database is full, or nearly so. Nothing was kept.",
        "Delete jobs that are not needed any more, or ask the person who runs this server to free disk space.",
        (DiskFull,),
    ),
)
BY_NAME = {kind.name: kind for kind in PROBLEM_TYPES}
_OF_ERROR = {error: kind for kind in PROBLEM_TYPES for error in kind.errors}
_OF_STATUS = {kind.status: kind for kind in reversed(PROBLEM_TYPES)}


def type_of_error(error: Exception) -> ProblemType | None:
    """The type of an error, from its nearest class."""
    return next((_OF_ERROR[kind] for kind in type(error).__mro__ if kind in _OF_ERROR), None)


def type_of_status(status: int) -> ProblemType | None:
    """The most general type of a status; None if all there is to say is the status."""
    return _OF_STATUS.get(status)
