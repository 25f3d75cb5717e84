"""C25: the plug is pulled while `pos keys rotate` runs; every value can still be read, and the next run goes on."""

from __future__ import annotations

import random

from tests.harness.machine import Machine
from tests.harness.points import POINTS, ROTATION


def rotation_round(machine: Machine, chance: random.Random, number: int) -> int:
    """The shop is shut meanwhile. How often the plug was pulled."""
    machine.pull_the_plug()
    place = chance.choice(POINTS["C25"].places)
    # Only these two write values anew.
    purpose = chance.choice(("enc", "idx") if place.function == f"{ROTATION}:_page" else ("enc", "idx", "jrn"))
    command = ("keys", "rotate", purpose, "--asked-by", "201", "--agreed-by", "401")
    hit = chance.randint(1, place.most)
    machine.order(f"{number}/C25|{place.function}|{place.moment}||{hit}|kill")
    status, _ = machine.run(*command)
    assert status == -9, f"{purpose} at {place}: it ended with {status}: {machine.complaints()[-1000:]}"
    status, said = machine.run("verify")
    assert status == 0, f"{purpose} at {place}: {said}"
    status, said = machine.run(*command)
    assert status == 0, f"{purpose} at {place}: {said} {machine.complaints()[-1000:]}"
    status, said = machine.run("verify")
    assert status == 0, f"{purpose} at {place}: {said}"
    status, said = machine.run("keys", "list")
    lines = [line.split() for line in said.splitlines()]
    left = [key for key, where, count in lines if where == "old" and key.startswith(purpose) and int(count)]
    assert status == 0, said
    # What a request of a sale was made of is not kept, so its digest stays under the old key; so do the journal's old rows.
    assert purpose != "enc" or not left, said
    return 1
