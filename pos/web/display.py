"""The customer's screen: a second window of the till's own browser. It asks by itself and takes nothing."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_babel import force_locale, get_locale
from markupsafe import Markup

from pos.domain.permissions import Permission
from pos.services import displays
from pos.web.login import current_desk, door, kit

bp = Blueprint("display", __name__)


@bp.get("/display")
@door(Permission.TILL)
def show() -> str:
    return _page("display/show.html")


@bp.get("/display/now")
@door(Permission.TILL)
def now() -> str:
    return _page("display/_now.html")


def _page(template: str) -> str:
    picture = displays.of_till(current_desk(), kit=kit())
    language = picture.sale.language if picture.sale is not None else str(get_locale())
    with force_locale(language):
        # The picture is built by the renderer, which escapes every text it is given.
        code = Markup(picture.code)  # noqa: S704
        return render_template(template, picture=picture, sale=picture.sale, code=code, spoken=language)
