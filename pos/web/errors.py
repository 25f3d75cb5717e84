"""An error's family decides the status; its sentence stands at the field, at the top of the page, or on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from flask import g, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from pos.domain import errors as e
from pos.domain.money import Money
from pos.domain.words import N_, fill
from pos.web.fields import kept
from pos.web.filters import money

log = structlog.get_logger()

STATUS = {e.BadInput: 422, e.NotFound: 404, e.NotAllowed: 403, e.NeedsAttention: 409, e.OutOfReach: 503}
# Words inside sentences that are themselves translated.
_WORDS = ("fault", "state", "what")

EXPIRED_FORM = N_("This page was open for too long, or in another window. Nothing was booked; please do it once more.")
BROKEN = N_(
    "Something went wrong in the program. If money was being taken: do not charge again. "
    "Look at the sale first; it shows what was booked."
)
HTTP_SENTENCES = {
    404: N_("There is no such page at this counter."),
    405: N_("This page cannot be used in that way. Go back and press the button once more."),
    413: N_("What was sent is far too large. Nothing was booked."),
    400: N_("What was sent cannot be read. Nothing was booked; please do it once more."),
    429: N_("Too many tries. Wait a moment; nothing was booked."),
}


def status_of(error: e.CounterError) -> int:
    for family, status in STATUS.items():
        if isinstance(error, family):
            return status
    return 400


def say(error: e.CounterError) -> str:
    """The error's sentence in the reader's language, with amounts as screens show them."""
    values = {
        name: money(value) if isinstance(value, Money) else (fill(gettext(str(value)), error.values) if name in _WORDS else value)
        for name, value in error.values.items()
    }
    return fill(gettext(error.sentence), values)


def shown_again(page: Callable[..., str], *fields: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """When the view is refused, show ``page`` again with the sentence at its field and with everything that was typed.

    ``fields`` are the names the page has a place for; any other sentence stands at the top."""

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def again(*args: Any, **kwargs: Any) -> Any:
            try:
                return view(*args, **kwargs)
            except e.CounterError as error:
                if isinstance(error, (e.NotFound, e.NotAllowed)):
                    raise
                return refused(error, page, fields, *args, **kwargs)

        return again

    return wrap


def placed(sentences: dict[str, str], *fields: str) -> dict[str, str]:
    """The sentences that the page has a field for; of the others, one goes to the top, so that none is lost."""
    elsewhere = [sentence for name, sentence in sentences.items() if name not in fields]
    g.notice = elsewhere[0] if elsewhere else None
    return {name: sentence for name, sentence in sentences.items() if name in fields}


def to_the_top(sentences: dict[str, str], *names: str) -> dict[str, str]:
    """The sentences without those at fields that this page does not show now; one of them goes to the top."""
    hidden = [sentence for name, sentence in sentences.items() if name in names]
    if hidden:
        g.notice = hidden[0]
    return {name: sentence for name, sentence in sentences.items() if name not in names}


def refused(error: e.CounterError, page: Callable[..., str], fields: tuple[str, ...], *args: Any, **kwargs: Any) -> Any:
    """The page with the sentence where it belongs."""
    sentence = say(error)
    at_field = error.field in fields
    g.notice = None if at_field else sentence
    found = {error.field: sentence} if at_field else {}
    return page(*args, **kwargs, errors=found, typed=kept(request.form)), status_of(error)


def answer(error: Exception) -> Any:
    """The page for whatever went wrong behind a screen."""
    match error:
        case e.CounterError():
            return _counter_error(error)
        case CSRFError():
            return _expired_form(error)
        case HTTPException():
            return _http_error(error)
        case _:
            return _fault(error)


def _counter_error(error: e.CounterError) -> tuple[str, int]:
    return error_page(say(error), status_of(error))


def _expired_form(_error: CSRFError) -> tuple[str, int]:
    return error_page(gettext(EXPIRED_FORM), 400)


def _http_error(error: HTTPException) -> Any:
    code = error.code or 500
    if code < 400:
        return error
    if isinstance(error, SecurityError):
        # For a host that nobody announced no address can be built, so there is no page either.
        return gettext(HTTP_SENTENCES[400]) + "\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
    return error_page(gettext(HTTP_SENTENCES.get(code, HTTP_SENTENCES[400] if code < 500 else BROKEN)), code)


def _fault(error: Exception) -> tuple[str, int]:
    log.exception("web.fault", endpoint=request.endpoint, kind=type(error).__name__)
    return error_page(gettext(BROKEN), 500)


def error_page(sentence: str, status: int) -> tuple[str, int]:
    """A page of its own: what happened, and where to go from here."""
    steps = [(gettext("Back to the counter"), url_for("counter.home"))]
    if request.view_args and "sale_id" in request.view_args:
        steps.insert(0, (gettext("Look at the sale"), url_for("counter.sale", sale_id=request.view_args["sale_id"])))
    title = gettext("This did not work")
    page = render_template("error.html", title=title, sentence=sentence, next_steps=steps, status=status)
    return page, status
