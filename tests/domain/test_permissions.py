"""Who may do what. The table here is written a second time on purpose: a right given by accident shows as a difference."""

from __future__ import annotations

import pytest

from pos.domain.permissions import RIGHTS, Permission, Role, may

MATRIX = {
    #                              clerk  manager owner auditor
    Permission.ANYBODY: (False, False, False, False),
    Permission.TILL: (False, False, False, False),
    Permission.OWN_PIN: (True, True, True, True),
    Permission.SELL: (True, True, True, False),
    Permission.SHIFT: (True, True, True, False),
    Permission.SEARCH: (True, True, True, True),
    Permission.REPRINT: (True, True, True, False),
    Permission.REFUND: (True, True, True, False),
    Permission.REFUND_OVER_LIMIT: (False, True, True, False),
    Permission.REFUND_CARD_IN_CASH: (False, True, True, False),
    Permission.OVERRIDE_DUPLICATE: (False, True, True, False),
    Permission.OVERRIDE_IDENTITY: (False, True, True, False),
    Permission.SEE_EXPECTED_CASH: (False, True, True, True),
    Permission.MOVE_OVER_LIMIT: (False, True, True, False),
    Permission.NO_SALE: (False, True, True, False),
    Permission.APPROVE_DIFFERENCE: (False, True, True, False),
    Permission.REISSUE_CODE: (False, True, True, False),
    Permission.PRINTERS: (True, True, True, False),
    Permission.SET_PRINTERS: (False, True, True, False),
    Permission.DECIDE: (False, True, True, False),
    Permission.AGREE: (True, True, True, False),
    Permission.RECONCILE: (False, True, True, False),
    Permission.REPORTS: (False, True, True, True),
    Permission.CLOSE_DAY: (False, True, True, False),
    Permission.DISPUTES: (False, True, True, True),
    Permission.PRICES: (False, False, True, False),
    Permission.RESTORE: (False, True, True, False),
    Permission.AUDIT: (False, True, True, True),
    Permission.PEOPLE: (False, True, True, False),
    Permission.STAFF: (False, False, True, False),
    Permission.TILLS: (False, True, True, False),
}
ROLES = (Role.CLERK, Role.MANAGER, Role.OWNER, Role.AUDITOR)


def test_every_permission_and_role_stands_in_the_matrix() -> None:
    assert set(MATRIX) == set(Permission), "a new permission needs its line here"
    assert set(ROLES) == set(Role) == set(RIGHTS)


@pytest.mark.parametrize("permission", MATRIX)
def test_who_has_the_right(permission: Permission) -> None:
    assert tuple(may(role, permission) for role in ROLES) == MATRIX[permission]


def test_who_may_not_see_expected_cash_sees_no_report_either() -> None:
    for role in ROLES:
        for permission in (Permission.REPORTS, Permission.CLOSE_DAY, Permission.DISPUTES):
            assert may(role, Permission.SEE_EXPECTED_CASH) or not may(role, permission)
