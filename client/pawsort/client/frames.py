"""Results as a data frame of pandas, which is no dependency."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pawsort.api.errors import ClientError
from pawsort.schemas import Result

if TYPE_CHECKING:
    import pandas


def to_frame(results: Iterable[Result]) -> "pandas.DataFrame":
    """Return results as a data frame: the fields of a result, and a column p_<class> for each probability.

    Raises:
        ClientError: There is no pandas.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise ClientError("Data frames need pandas: pip install pandas") from error
    return pandas.DataFrame([_row(result) for result in results])


def _row(result: Result) -> dict[str, Any]:
    row = asdict(result)
    probabilities = row.pop("probabilities") or {}
    return row | {f"p_{name}": value for name, value in probabilities.items()}
