"""Folders of small pictures on the disk, to be dropped on a page."""

from pathlib import Path

from tests.support.factories import draw_picture

N_DRAWN = 40


def make_tree(root: Path, n_files: int, depth: int) -> list[str]:
    """A folder of pictures, spread over its levels.

    Args:
        root: The folder to make.
        n_files: How many; each has other bytes.
        depth: How many folders lie inside each other.
    Returns:
        The paths as they must arrive, beginning with the folder's name, sorted.
    """
    drawn = [draw_picture(seed) for seed in range(N_DRAWN)]
    paths = []
    for n in range(n_files):
        folders = [f"level {level} {'ü' if level % 2 else ''}{n % 2}" for level in range(n % depth)]
        path = root.joinpath(*folders, f"{n:05}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Bytes behind the end of a JPEG are no part of the picture.
        path.write_bytes(drawn[n % N_DRAWN] + n.to_bytes(4))
        paths.append(f"{root.name}/{path.relative_to(root).as_posix()}")
    return sorted(paths)
