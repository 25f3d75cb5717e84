"""One payment, one refund, one webhook, one close, wanted by thirty threads and by four processes at once: one effect and equal answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines import NoPostgresql
from tests.harness.arena import ENGINES, Arena, arena
from tests.harness.races import MUST_BE, RACES, SIZES, one, several
from tests.harness.result import Result
from tests.services.shop import findings

pytestmark = pytest.mark.process

SEED = 20261121
# The protocol's own acceptance: how many hands, dealt to how many processes.
CROWDS = ((30, 1), (32, 4))


@pytest.fixture(scope="module", params=ENGINES)
def where(request: pytest.FixtureRequest) -> Iterator[Arena]:
    try:
        with arena(request.param) as made:
            yield made
    except NoPostgresql as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("threads", "processes"), CROWDS)
@pytest.mark.parametrize("action", ["cash", "card", "refund", "webhook", "close"])
def test_a_crowd_on_one_action_has_one_effect(where: Arena, action: str, threads: int, processes: int) -> None:
    result = Result("races", MUST_BE, SEED, 1)
    number = 200 + 10 * list(RACES).index(action) + processes
    one(where, action, threads, processes, number, result)
    assert not result.failures, "\n".join(result.failures)
    assert findings(where.shop.app) == []


@pytest.mark.parametrize("action", RACES)
def test_any_number_of_hands(where: Arena, action: str) -> None:
    result = Result("races", MUST_BE, SEED, SIZES["commit"] // len(RACES))
    for number in range(list(RACES).index(action), SIZES["commit"], len(RACES)):
        several(where, range(number, number + 1), SEED, result)
    assert not result.failures, "\n".join(result.failures)
    assert findings(where.shop.app) == []
