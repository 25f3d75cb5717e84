"""What only people can decide: the list, a manager's proposal, the second person's answer, and a carrier's stop lifted."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from pos.domain.carriers import REASONS
from pos.domain.permissions import Permission
from pos.domain.verdicts import EVIDENCE_WORDS, SAYS_WORDS, Evidence, Says
from pos.services import standings, verdicts
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

bp = Blueprint("verdicts", __name__)

_FIELDS = ("reference", "provider_ref")


class VerdictForm(CounterForm):
    says = ShortText(longest=20)
    evidence = ShortText(longest=20)
    reference = ShortText(longest=200)
    provider_ref = ShortText(longest=80)


def page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None, renewal_id: str = "") -> str:
    return render_template(
        "verdicts/list.html",
        cases=verdicts.to_decide(desk()),
        alarms=standings.alarms_now(kit=kit()),
        says_words={says.value: words for says, words in SAYS_WORDS.items()},
        evidence_words={evidence.value: words for evidence, words in EVIDENCE_WORDS.items()},
        reasons=REASONS,
        asked=renewal_id,
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/verdicts")
@door(Permission.AGREE)
def show() -> str:
    return page()


def _again(renewal_id: str, errors: dict[str, str], typed: dict[str, str]) -> str:
    return page(errors, typed, renewal_id)


@bp.post("/verdicts/<uuid:renewal_id>")
@door(Permission.DECIDE)
def propose(renewal_id: Any) -> Any:
    return _propose(renewal_id=str(renewal_id))


@shown_again(_again, *_FIELDS)
def _propose(renewal_id: str) -> Any:
    form = VerdictForm()
    if not form.validate():
        return _again(renewal_id, placed(form.first_errors(), *_FIELDS), kept(request.form)), 422
    if form.says.data not in set(Says) or form.evidence.data not in set(Evidence):
        abort(400)
    verdicts.propose(
        renewal_id,
        Says(form.says.data),
        Evidence(form.evidence.data),
        form.reference.data or "",
        desk(),
        kit=kit(),
        provider_ref=form.provider_ref.data or "",
    )
    return redirect(url_for("verdicts.show"))


@bp.post("/verdicts/<int(max=2147483647):verdict_id>/agree")
@door(Permission.AGREE)
def agree(verdict_id: int) -> Any:
    return redirect(url_for("counter.sale", sale_id=verdicts.agree(verdict_id, desk(), kit=kit())))


@bp.post("/verdicts/<int(max=2147483647):verdict_id>/refuse")
@door(Permission.AGREE)
def refuse(verdict_id: int) -> Any:
    verdicts.refuse(verdict_id, desk(), kit=kit())
    return redirect(url_for("verdicts.show"))


@bp.post("/carriers/<carrier>/lift")
@door(Permission.DECIDE)
def lift(carrier: str) -> Any:
    standings.lift(carrier, desk(), kit=kit())
    return redirect(url_for("verdicts.show"))
