"""What each role allows, and whose something is."""

import pytest

from core.accounts.rights import ROLE_RIGHTS, Actor, Right, Role, check_owner, check_right
from core.base.errors import Forbidden

ADA = Actor(1, "ada", ROLE_RIGHTS[Role.MEMBER], "session")
ADMIN = Actor(2, "owner", ROLE_RIGHTS[Role.ADMIN], "session")


def test_each_role_has_the_rights_of_the_one_below_and_more() -> None:
    assert ROLE_RIGHTS[Role.VIEWER] < ROLE_RIGHTS[Role.MEMBER] < ROLE_RIGHTS[Role.ADMIN] == frozenset(Right)


def test_a_viewer_only_sees() -> None:
    assert ROLE_RIGHTS[Role.VIEWER] == {Right.SEE}


def test_what_one_made_oneself_can_be_changed() -> None:
    check_owner(ADA, 1, "job 1")


@pytest.mark.parametrize("owner", [2, None], ids=["somebody else", "nobody known"])
def test_what_others_made_is_refused_with_the_way_to_get_it_changed(owner: int | None) -> None:
    with pytest.raises(Forbidden, match=r"owns job 1, or an admin, can change it; you are “ada”.*hand it over"):
        check_owner(ADA, owner, "job 1")


@pytest.mark.parametrize("owner", [1, None])
def test_an_admin_changes_everything(owner: int | None) -> None:
    check_owner(ADMIN, owner, "job 1")


def test_a_missing_right_is_refused_with_who_has_it() -> None:
    with pytest.raises(Forbidden, match=r"Only admins can promote, .* you are “ada”. Ask an admin"):
        check_right(ADA, Right.MODELS)
    viewer = Actor(3, "bob", ROLE_RIGHTS[Role.VIEWER], "session")
    with pytest.raises(Forbidden, match=r"Only people with the role member or admin can label pictures"):
        check_right(viewer, Right.LABEL)
