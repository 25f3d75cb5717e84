"""Staff, their sessions, and the wrong tries that lock them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from pos.domain import tills as domain
from pos.domain.permissions import Role
from pos.store.base import Base, Moment, Word
from pos.store.db import locked


class Staff(Base):
    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[Role] = mapped_column(Word(Role))
    store_id: Mapped[int | None] = mapped_column(ForeignKey("stores.id"))
    language: Mapped[str] = mapped_column(String(10))
    pin_hash: Mapped[str] = mapped_column(String(200))
    suspended_at: Mapped[datetime | None] = mapped_column(Moment)
    # Until when a PIN that somebody else gave opens the page where it is changed; empty: the person's own PIN.
    pin_given_until: Mapped[datetime | None] = mapped_column(Moment)
    # Since when nobody but a manager lets this person sign in again: too many wrong PINs in one day.
    locked_at: Mapped[datetime | None] = mapped_column(Moment)

    def plain(self) -> domain.Staff:
        return domain.Staff(
            id=self.id,
            number=self.number,
            name=self.name,
            role=self.role,
            store_id=self.store_id,
            language=self.language,
            pin_is_given=self.pin_given_until is not None,
        )


class SignIn(Base):
    """One stay of a person at a till. The browser holds the random id; here stands only its SHA-256."""

    __tablename__ = "sign_ins"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    began_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_why: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (Index(None, "till_id", "ended_at"),)


class WrongTry(Base):
    """Counted before the PIN is looked at, and given back when it was right, so that parallel guesses cannot slip through."""

    __tablename__ = "wrong_tries"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index(None, "staff_id", "at"), Index(None, "till_id", "at"))


def people_of(session: Session, store_id: int) -> list[Staff]:
    """Who may sign in at a till of this store, in the order of the sign-in screen."""
    at_home = or_(Staff.store_id == store_id, Staff.store_id.is_(None))
    return list(session.scalars(select(Staff).where(at_home, Staff.suspended_at.is_(None)).order_by(Staff.number)))


def everybody(session: Session) -> list[Staff]:
    """People of all stores, those who left among them: what they did keeps their name."""
    return list(session.scalars(select(Staff).order_by(Staff.number)))


def by_number(session: Session, number: str) -> Staff | None:
    return session.scalar(select(Staff).where(Staff.number == number))


def lock(session: Session, staff_id: int) -> None:
    """Hold a person's row until the transaction ends, after the till's."""
    session.scalar(locked(select(Staff).where(Staff.id == staff_id)))


def wrong_tries(session: Session, since: datetime, *, staff_id: int | None = None, till_id: int | None = None) -> int:
    """How many tries went wrong since a moment, for one person or for one till."""
    count = select(func.count()).select_from(WrongTry).where(WrongTry.at > since)
    count = count.where(WrongTry.staff_id == staff_id) if staff_id is not None else count.where(WrongTry.till_id == till_id)
    return session.scalar(count) or 0


def forgive(session: Session, staff_id: int) -> None:
    """A person's wrong tries count against nobody any more but the tills they were made at."""
    session.execute(update(WrongTry).where(WrongTry.staff_id == staff_id).values(staff_id=None))


def sign_in_of(session: Session, id_hash: str) -> tuple[SignIn, Staff] | None:
    """A stay and whose it is, in one statement: every request asks it."""
    chosen = select(SignIn, Staff).join(Staff, Staff.id == SignIn.staff_id).where(SignIn.id_hash == id_hash)
    found = session.execute(chosen).first()
    return None if found is None else (found[0], found[1])


def live_sign_ins(session: Session, till_id: int) -> list[SignIn]:
    return list(session.scalars(select(SignIn).where(SignIn.till_id == till_id, SignIn.ended_at.is_(None))))


def live_sign_ins_of(session: Session, staff_id: int) -> list[SignIn]:
    return list(session.scalars(select(SignIn).where(SignIn.staff_id == staff_id, SignIn.ended_at.is_(None))))
