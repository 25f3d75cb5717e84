"""The demo shop: a London counter and a Hong Kong airport kiosk, with invented people, carriers and paper."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pos.domain.permissions import Role
from pos.services import plans, staff
from pos.services.kit import Kit
from pos.store import prices as rule_rows
from pos.store import tills as rows
from pos.store.db import reading, transaction

CARRIER = "sandbox"

PEOPLE = (
    ("101", "Amelia Ward", Role.CLERK, "LON", "en"),
    ("102", "Li Wei 李伟", Role.CLERK, "LON", "zh_Hans"),
    ("201", "Priya Nair", Role.MANAGER, "LON", "en"),
    ("801", "Ruth Okafor", Role.OWNER, "LON", "en"),
    ("301", "Chan Mei Ling 陳美玲", Role.CLERK, "HKG", "zh_Hant"),
    ("302", "Jonas Weber", Role.CLERK, "HKG", "en"),
    ("401", "Ho Ka Man 何嘉文", Role.MANAGER, "HKG", "zh_Hant"),
)


def is_empty() -> bool:
    """Whether nobody has furnished this database yet."""
    with reading() as session:
        return not rows.all_tills(session)


def furnish(printer_port: int, pins: dict[str, str], *, kit: Kit) -> None:
    """Stores, tills, printer, people. Prices come with the first reading of the carrier's catalogue."""
    with transaction() as session:
        _london(session, printer_port)
        _hong_kong(session, printer_port)
    for number, name, role, store_code, language in PEOPLE:
        staff.add(number, name, role, store_code, pins[number], language, kit=kit)


def stock(*, kit: Kit) -> int:
    """Read every carrier's catalogue into the price lists; the number of plans. Of the resellers, who charge in pounds for what
    is worth something elsewhere, London asks a quarter more than they do, in steps of half a pound."""
    others = [name for name in kit.carriers if name != CARRIER]
    with transaction() as session:
        london = rows.store_by_code(session, "LON")
        if london is not None and not rule_rows.of_store(session, london.id):
            session.add_all(
                rule_rows.PriceRule(store_id=london.id, carrier=name, margin_basis_points=2500, add_minor=0, round_to_minor=50)
                for name in others
            )
    both = sum(plans.import_catalogue(store_code, CARRIER, kit=kit) for store_code in ("LON", "HKG"))
    return both + sum(plans.import_catalogue("LON", name, kit=kit) for name in others)


def move_printers(port: int) -> None:
    """Point the demo's printers at the port the virtual printer got this time."""
    with transaction() as session:
        for printer in session.scalars(select(rows.Printer)):
            printer.settings = {**printer.settings, "port": port}


def _london(session: Session, port: int) -> None:
    store = rows.Store(
        code="LON",
        name="Camden Mobile",
        legal_name="Camden Mobile Ltd (demo)",
        address=["148 Camden High Street", "London NW1 0NE"],
        tax_label="VAT no.",
        tax_number="GB 000 0000 00",
        country="GB",
        currency="GBP",
        zone="Europe/London",
        day_starts_minutes=0,
        tax_name="VAT",
        tax_basis_points=2000,
        support=["Help: 020 7946 0018", "help@camden-mobile.example"],
        hours="Mon-Sat 09:00-20:00, Sun 10:00-18:00",
        footer=["Keep this slip: thermal paper fades.", "Thank you."],
        drawer_tolerance_minor=100,
        refund_limit_minor=5_000,
        movement_limit_minor=10_000,
        drawer_limit_minor=50_000,
        difference_limit_minor=1_000,
    )
    _fit_out(session, store, port, (("LON1", "Counter 1", "counter"), ("LON2", "Counter 2", "counter")))


def _hong_kong(session: Session, port: int) -> None:
    store = rows.Store(
        code="HKG",
        name="SkyLink 機場通訊",
        legal_name="SkyLink Kiosk Ltd (demo)",
        address=["Arrivals Hall B, Kiosk 12", "Hong Kong International Airport"],
        tax_label="BR no.",
        tax_number="00000000-000",
        country="HK",
        currency="HKD",
        zone="Asia/Hong_Kong",
        day_starts_minutes=4 * 60,
        tax_name="",
        tax_basis_points=0,
        support=["Help / 查詢: +852 3000 0000", "help@skylink.example"],
        hours="24 hours / 24 小時",
        footer=["Keep this slip: thermal paper fades.", "請保留此收據，熱敏紙會褪色。"],
        drawer_tolerance_minor=1000,
        refund_limit_minor=50_000,
        movement_limit_minor=100_000,
        drawer_limit_minor=500_000,
        difference_limit_minor=10_000,
    )
    _fit_out(session, store, port, (("HKG1", "Kiosk 12", "kiosk"),))


def _fit_out(session: Session, store: rows.Store, port: int, tills: tuple[tuple[str, str, str], ...]) -> None:
    """A printer that all tills of the store share, and the tills."""
    session.add(store)
    session.flush()
    settings: dict[str, object] = {"address": "127.0.0.1", "port": port, "dots": 576, "columns": 48}
    printer = rows.Printer(store_id=store.id, name="Receipts 80 mm", settings=settings, near_end=False)
    session.add(printer)
    session.flush()
    for code, name, surface in tills:
        session.add(
            rows.Till(store_id=store.id, code=code, name=name, surface=surface, printer_id=printer.id, enrolment_misses=0)
        )
