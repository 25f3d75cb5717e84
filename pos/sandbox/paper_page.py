"""The page that shows the virtual printer's paper as it comes out, and the JSON that tests read."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from pos.sandbox.paper_words import LANGUAGES, Words, choose
from pos.sandbox.printer import Condition, Paper, VirtualPrinter

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'"
)
LARGEST_REQUEST_BYTES = 16_384
MECHANICS = (Condition.NEAR_END, Condition.PAPER_OUT, Condition.COVER_OPEN, Condition.OFFLINE)
LINE = (Condition.MUTE, Condition.SLOW, Condition.STALL, Condition.RESET, Condition.REFUSE)
ROW_BYTES, HEX_ROWS, ROWS_BEFORE = 16, 8, 2


def create_paper_app(printer: VirtualPrinter) -> Flask:
    """The page of one printer.

    For people: ``GET /``. For tests: ``GET /papers`` (oldest first), ``GET /papers/<id>.png`` and ``.bin``,
    ``GET /state``; ``POST /condition`` {"condition": "paper_out"} and ``POST /clear`` answer JSON with the new state,
    or lead a form back to the page."""
    app = Flask(__name__, template_folder="paper_templates", static_folder="paper_assets", static_url_path="/assets")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST_BYTES
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.register_blueprint(_pages(printer))
    app.register_blueprint(_data(printer))
    app.before_request(_refuse_other_sites)
    app.after_request(_add_headers)
    return app


def _pages(printer: VirtualPrinter) -> Blueprint:
    """What a browser shows, and the buttons on it."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def show() -> str:
        words = _words()
        return render_template(
            "paper.html",
            words=words,
            languages=LANGUAGES,
            asked=request.args.get("lang"),
            printer=printer,
            state=_state(printer),
            groups=(("mechanics", MECHANICS), ("line", LINE)),
            slips=[Slip(paper) for paper in reversed(printer.papers())],
        )

    @pages.post("/condition")
    def switch() -> Response:
        try:
            printer.set_condition(_wanted())
        except ValueError:
            abort(400, "The conditions are: " + ", ".join(Condition))
        except OSError:
            abort(409, "The printer's port was taken by another program.")
        return _done(printer)

    @pages.post("/clear")
    def clear() -> Response:
        printer.clear()
        return _done(printer)

    return pages


def _data(printer: VirtualPrinter) -> Blueprint:
    """What tests and the page's own script read."""
    data = Blueprint("data", __name__)

    @data.get("/state")
    def state() -> Response:
        return jsonify(_state(printer))

    @data.get("/papers")
    def papers() -> Response:
        return jsonify([_facts(paper) for paper in printer.papers()])

    @data.get("/papers/<int:number>.png")
    def picture(number: int) -> Response:
        paper = printer.paper(number)
        if paper is None or paper.png is None:
            abort(404)
        return _file(paper.png, "image/png")

    @data.get("/papers/<int:number>.bin")
    def raw(number: int) -> Response:
        paper = printer.paper(number)
        if paper is None:
            abort(404)
        return _file(paper.data, "application/octet-stream")

    return data


@dataclass(frozen=True)
class Slip:
    """A paper as the page shows it."""

    paper: Paper

    @property
    def local_time(self) -> str:
        """Hours, minutes and seconds where this computer stands."""
        return self.paper.received_at.astimezone().strftime("%H:%M:%S")

    @property
    def utc(self) -> str:
        return self.paper.received_at.isoformat(timespec="milliseconds")

    @property
    def hex_rows(self) -> list[str]:
        """The bytes around the first wrong one; nothing where no byte is wrong."""
        if self.paper.error_offset is None:
            return []
        first = max(0, self.paper.error_offset // ROW_BYTES - ROWS_BEFORE) * ROW_BYTES
        starts = range(first, min(len(self.paper.data), first + HEX_ROWS * ROW_BYTES), ROW_BYTES)
        return [f"{start:06x}  {self.paper.data[start : start + ROW_BYTES].hex(' ')}" for start in starts]


# One copy of this run's sign for all pages: after a restart the counts begin anew, and an open page must notice.
RUN = secrets.token_hex(4)


def _state(printer: VirtualPrinter) -> dict[str, str]:
    """``version`` differs whenever the page would."""
    return {"version": f"{RUN}-{printer.changes}", "condition": printer.condition}


def _facts(paper: Paper) -> dict[str, object]:
    """``time`` is ISO 8601 in UTC; ``width`` and ``height`` are dots, 0 where no paper came out."""
    return {
        "id": paper.number,
        "time": paper.received_at.isoformat(timespec="milliseconds"),
        "bytes": len(paper.data),
        "drawer": paper.drawer,
        "cut": paper.cut,
        "complete": paper.complete,
        "error": paper.error,
        "width": paper.width,
        "height": paper.height,
    }


def _words() -> Words:
    return Words(choose(request.args.get("lang"), request.accept_languages.values()))


def _wanted() -> str:
    """The word a form or a JSON body asks for; an empty one where there is none."""
    body = request.get_json(silent=True) if request.is_json else request.form
    return str(body.get("condition", "")) if isinstance(body, dict) else ""


def _done(printer: VirtualPrinter) -> Response:
    if request.is_json or not request.accept_mimetypes.accept_html:
        return jsonify(_state(printer))
    return redirect(url_for("pages.show", lang=request.args.get("lang")), 303)


def _file(content: bytes, kind: str) -> Response:
    response = Response(content, mimetype=kind)
    response.add_etag()
    return response.make_conditional(request)


def _refuse_other_sites() -> None:
    """The buttons need no login, so a foreign page open in the same browser must not press them."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and urlsplit(origin).netloc != request.host:
        abort(403, "The printer's buttons work from its own page only.")


def _add_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-cache"
    return response
