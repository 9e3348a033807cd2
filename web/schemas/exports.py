"""What an export takes: whose label counts, which files."""

from pydantic import Field

from web.exports.formats import ExportOptions
from web.exports.label_preference import By
from web.exports.sorted_zip import Tree
from web.schemas.common import Input
from web.schemas.results import AnyErrorCode, error_filter


class ExportQuery(Input):
    error_code: AnyErrorCode | None = Field(
        None, description="Only what failed for this reason; `any`: all that failed"
    )

    def to_options(self) -> ExportOptions:
        """The results that this query asks for."""
        return ExportOptions(results=error_filter(self.error_code))


class ReportQuery(Input):
    by: By = Field(
        By.FINAL, description="Whose label decides: the model's, the person's, the person's where there is one"
    )

    def to_options(self) -> ExportOptions:
        """The labels that this query asks for."""
        return ExportOptions(by=self.by)


class ZipQuery(ReportQuery):
    tree: Tree = Field(Tree.KEEP, description="`flat`: without the folders that were sent")

    def to_options(self) -> ExportOptions:
        """The labels and folders that this query asks for."""
        return ExportOptions(by=self.by, tree=self.tree)
