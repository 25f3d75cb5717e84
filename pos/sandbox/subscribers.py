"""Who is behind a number, as the carrier believes it before anybody sells anything.

There are twenty thousand numbers and each has an owner, a plan and an end; they are worked out from the digits, so that
the same number always tells the same story and nothing needs to be loaded.

The last digit picks the person of PEOPLE. With 5 or 9 as third digit from the end the last two digits may tell a
special story (STORIES); the same hundred also holds the magic numbers of ``faults``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pos.sandbox.catalogue import OFFERINGS, UNLIMITED, Offering, first_plan
from pos.sandbox.numbers import Line

# A plan that ended less than this long ago can still be renewed; later the number is given up.
GRACE = timedelta(days=90)


@dataclass(frozen=True)
class Person:
    """A registered owner. Invented; ``birth_date`` YYYY-MM-DD, document types as in CAMARA KYC Match v0.4.0."""

    given_name: str
    family_name: str
    name: str
    document_type: str
    document_number: str
    birth_date: str


PEOPLE: tuple[Person, ...] = (
    Person("Tai Man", "Chan", "CHAN TAI MAN", "passport", "K12345670", "1985-03-14"),
    Person("Alice", "Walker", "ALICE WALKER", "passport", "501234561", "1990-07-02"),
    Person("Wei", "Zhang", "ZHANG WEI", "passport", "E12345672", "1988-11-23"),
    Person("Priya", "Sharma", "PRIYA SHARMA", "passport", "Z1234563", "1995-01-30"),
    Person("Siu Ming", "Wong", "WONG SIU MING", "national_id_card", "A1234564", "1979-09-09"),
    Person("Olivia", "Brown", "OLIVIA BROWN", "driver_licence", "BROWN962052O95AB", "1992-12-05"),
    Person("Mei Ling", "Lee", "LEE MEI LING", "passport", "K12345676", "2001-05-18"),
    Person("Ahmed", "Hassan", "AHMED HASSAN", "passport", "A12345677", "1983-04-27"),
    Person("Sofia", "Garcia", "SOFIA GARCIA", "passport", "PAB123458", "1998-08-08"),
    Person("Yuki", "Tanaka", "TANAKA YUKI", "residence_permit", "RP1234569", "1975-10-31"),
)

# last two digits -> what is special; only where the third digit from the end is 5 or 9
STORIES: dict[str, str] = {
    "40": "expired three days ago, can be renewed",
    "41": "expired 120 days ago, too late to renew (INELIGIBLE)",
    "42": "suspended (INELIGIBLE)",
    "43": "barred (INELIGIBLE)",
    "44": "ends in three days",
    "45": "ends in one hour",
    "46": "unlimited data until next month",
    "47": "nobody is registered: identity answers are not_available",
    "48": "identity is compared only with the right document number",
}


@dataclass
class Subscriber:
    """One line as the carrier has it now. ``main_minor`` is money on the SIM; ``hold`` "", suspended or barred."""

    number: str
    iccid: str
    operator: str
    market: str
    currency: str
    offering: str
    starts_at: datetime
    expires_at: datetime
    hold: str
    main_minor: int
    data_mb: int
    minutes: int
    texts: int
    person: Person | None
    needs_document: bool = False

    def status(self, now: datetime) -> str:
        """active, expired, suspended or barred."""
        return self.hold or ("active" if now < self.expires_at else "expired")

    def may_renew(self, now: datetime) -> bool:
        return not self.hold and now < self.expires_at + GRACE

    def renew(self, plan: Offering, now: datetime) -> datetime:
        """A new period of ``plan``: it begins when the current one ends, or now. Returns the new end."""
        self.offering = plan.key
        self.starts_at = now
        self.expires_at = max(now, self.expires_at) + timedelta(days=plan.valid_days)
        self.data_mb, self.minutes, self.texts = plan.data_mb, plan.minutes, plan.texts
        return self.expires_at


def story_of(number: str) -> str | None:
    """The last two digits when the number is one of the special hundred (third digit from the end 5 or 9)."""
    return number[-2:] if number[-3] in "59" else None


def first_state(line: Line, opened_at: datetime) -> Subscriber:
    """What the books hold about a number nobody has touched; ``opened_at`` is when the books were opened."""
    digits = int(line.number[-3:])
    plan = first_plan(line.operator, line.market, digits)
    story = story_of(line.number)
    days_left = 1 + digits * 7 % plan.valid_days  # something believable inside the plan's length
    left = {
        "40": timedelta(days=-3),
        "41": timedelta(days=-120),
        "44": timedelta(days=3),
        "45": timedelta(hours=1),
        "46": timedelta(days=24),
    }.get(story or "", timedelta(days=days_left))
    if story == "46":
        plan = next(o for o in OFFERINGS.values() if (o.market, o.data_mb) == (line.market, UNLIMITED))
    used = 20 + digits % 60  # per cent
    expires_at = opened_at + left
    return Subscriber(
        number=line.number,
        iccid=line.iccid,
        operator=line.operator,
        market=line.market,
        currency=line.currency,
        offering=plan.key,
        starts_at=expires_at - timedelta(days=plan.valid_days),
        expires_at=expires_at,
        hold={"42": "suspended", "43": "barred"}.get(story or "", ""),
        main_minor=digits % 13 * 50,
        data_mb=_rest(plan.data_mb, used),
        minutes=_rest(plan.minutes, used),
        texts=_rest(plan.texts, used),
        person=None if story == "47" else PEOPLE[int(line.number[-1])],
        needs_document=story == "48",
    )


def _rest(amount: int, used_percent: int) -> int:
    return amount if amount == UNLIMITED else amount * (100 - used_percent) // 100
