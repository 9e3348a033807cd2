"""The options of exports: which files, whose label, which folders."""

from dataclasses import replace

from pydantic import Field

from web.exports.formats import ExportOptions
from web.exports.label_preference import By
from web.exports.sorted_zip import Tree
from web.schemas.common import Input
from web.schemas.results import ResultFilterQuery


class ExportQuery(ResultFilterQuery):
    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return ExportOptions(results=self.to_filter())


class CsvQuery(ExportQuery):
    bom: bool = Field(False, description="`1`: begin with a byte order mark, by which Excel knows UTF-8")

    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return replace(super().to_options(), has_bom=self.bom)


class ReportQuery(Input):
    by: By = Field(
        By.FINAL,
        description="Whose label to use: the model's, the person's, or `final`: the person's, otherwise the model's",
    )

    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return ExportOptions(by=self.by)


class ZipQuery(ReportQuery):
    tree: Tree = Field(Tree.KEEP, description="`flat`: without the uploaded folders")

    def to_options(self) -> ExportOptions:
        """The options of this query."""
        return ExportOptions(by=self.by, tree=self.tree)
