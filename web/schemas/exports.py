"""What an export takes: whose label counts, which files."""

from pydantic import Field

from web.exports.archive import Tree
from web.exports.whose import By
from web.schemas.common import Input
from web.schemas.results import AnyErrorCode


class ExportQuery(Input):
    error_code: AnyErrorCode | None = Field(
        None, description="Only what failed for this reason; `any`: all that failed"
    )


class ReportQuery(Input):
    by: By = Field(
        By.FINAL, description="Whose label decides: the model's, the person's, the person's where there is one"
    )


class ZipQuery(ReportQuery):
    tree: Tree = Field(Tree.KEEP, description="`flat`: without the folders that were sent")
