"""Every way the counter can say no, as one tree. Each class is one sentence for the person at the counter:
what happened, what is true of the money, what to press next.

CounterError
├── BadInput                 the sentence stands at a field; nothing was changed
│   ├── NotAnAmount, TooLittleCash, WrongAmount, UnreadableNumber, LooksLikeCard, WrongPin ...
├── NotFound                 no such thing here (also: not yours to see)
├── NotAllowed               the role may not
├── NeedsAttention           right request, wrong moment; nothing was changed
│   ├── StaleForm, AlreadyDone, OtherContent, NoOpenShift, DuplicateRenewal, QuoteExpired ...
└── OutOfReach               something outside does not answer; says where the money is
    ├── CarrierDown, CarrierSellsNothing
"""

from __future__ import annotations

from pos.domain.portability import Claim
from pos.domain.words import N_, fill


class CounterError(Exception):
    """``sentence`` has ``{places}`` that ``values`` fill; the edge translates before filling."""

    sentence = N_("Something went wrong. Nothing was changed.")
    field: str | None = None

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(fill(self.sentence, values))


# ------------------------------------------------------------------ what was typed


class BadInput(CounterError):
    sentence = N_("This cannot be read. Nothing was changed; please correct it.")


class NotAnAmount(BadInput):
    sentence = N_("This is not an amount. Type digits, for example 20.00.")
    field = "amount"


class TooLittleCash(BadInput):
    sentence = N_("{tendered} is less than the {due} due. Nothing was booked; ask for {missing} more.")
    field = "tendered"


class TooMuchCash(BadInput):
    sentence = N_("{tendered} is far more than the {due} due. Nothing was booked; please check the amount.")
    field = "tendered"


class UnreadableEntry(BadInput):
    sentence = N_("This is not a phone number, a SIM number, a document or a receipt of this shop. Please type it again.")
    field = "entry"


class PrinterAddressWrong(BadInput):
    sentence = N_("This is no address of such a printer. Nothing was changed; look at the examples below the field.")
    field = "address"


class AddressWrong(BadInput):
    sentence = N_("This is not an e-mail address. Nothing was sent; please type it again, such as name@mail.example.")
    field = "email"


class FileRefused(BadInput):
    """A statement's file that is not whole, or is another one; the sentence is one of domain/settlement_files.py."""

    field = "statement"

    def __init__(self, sentence: str, **values: object) -> None:
        self.sentence = sentence
        super().__init__(**values)


class NoSuchProfile(BadInput):
    sentence = N_("Choose who sent the file. Nothing was stored.")
    field = "profile"


class NoSuchAction(BadInput):
    sentence = N_("Choose one of the decisions below. Nothing was booked.")
    field = "action"


class DayMissing(BadInput):
    sentence = N_("Type the day on which somebody looks at it again. Nothing was changed.")
    field = "next_on"


class ConsentMissing(BadInput):
    sentence = N_("Ask the customer first, and tick that the customer agrees. Nothing was sent.")
    field = "consent"


class PrinterSettingsWrong(BadInput):
    sentence = N_("No printer has such settings. Nothing was changed; please choose again.")


class NumberNotValid(BadInput):
    sentence = N_("{number} is not a complete mobile number. Compare it with the customer's phone and type it again.")
    field = "entry"


class NumberOfAnotherCarrier(BadInput):
    sentence = N_("{number} does not belong to a carrier this shop renews. Take no money; check the number with the customer.")
    field = "entry"


class SimNumberNotValid(BadInput):
    sentence = N_("The check digit of this SIM number is wrong. Scan it again or type the number that stands on the card.")
    field = "entry"


class SimBarred(BadInput):
    sentence = N_("The carrier has barred this SIM. Take no money; the customer asks the carrier why.")
    field = "entry"


class SimSuspended(BadInput):
    sentence = N_("The carrier has suspended this SIM. Take no money; the customer has it released by the carrier first.")
    field = "entry"


class SimGivenUp(BadInput):
    sentence = N_("The plan of this SIM ended too long ago; the carrier renews it no more. Take no money; offer a new SIM.")
    field = "entry"


class TypeItAgain(BadInput):
    sentence = N_(
        "The carrier tells nothing about this number, so nothing confirms it. "
        "Let the customer say it again and type it once more."
    )
    field = "entry_again"


class TypedDifferently(BadInput):
    sentence = N_("The two numbers differ. Take no money; ask the customer to show the number and type both again.")
    field = "entry_again"


class LooksLikeCard(BadInput):
    sentence = N_("This looks like a payment card number. It was not stored. Card numbers are never typed here.")
    field = "entry"


class DocumentUnreadable(BadInput):
    sentence = N_("The document does not read right: {fault}. Scan it again or type it from the document.")
    field = "document_number"


class ScannedTooLongAgo(BadInput):
    sentence = N_("The document was scanned too long ago, or for another customer. Nothing was kept of it; scan it again.")
    field = "mrz"


class DocumentNotAccepted(BadInput):
    sentence = N_("This document cannot be used here: {fault}. Take no money; ask for another document.")
    field = "document_number"


class PersonDoesNotMatch(BadInput):
    sentence = N_("Tick that the person matches the document. If the person does not match, do not sell.")
    field = "matches_person"


class ReasonNamesDocument(BadInput):
    sentence = N_("The reason must not hold the number of the document; nothing was kept. Say why in other words.")
    field = "reason"


class ApproverRefused(BadInput):
    sentence = N_(
        "This number and PIN give no right to agree, or the account is locked. Nothing was changed; another manager may try."
    )
    field = "approver_pin"


class OnePersonTwice(BadInput):
    sentence = N_("The two people must be different ones. Nothing was changed; another person types number and PIN.")
    field = "approver_pin"


class OverMovementLimit(BadInput):
    sentence = N_("{amount} is more than {limit}. Nothing was booked; a manager agrees below with number and PIN.")
    field = "approver_pin"


class ReasonUnknown(BadInput):
    sentence = N_("Choose a reason from the list; another reason wants a sentence. Nothing was booked.")
    field = "reason"


class CardSlipIncomplete(BadInput):
    sentence = N_("Copy the last four digits and the authorisation code from the terminal's slip.")
    field = "last4"


class RefundSlipIncomplete(BadInput):
    sentence = N_("Copy the authorisation code and the slip number from the terminal's refund slip. Nothing was booked.")
    field = "authorisation"


class ReasonMissing(BadInput):
    sentence = N_("Say why. The reason stands in the journal. Nothing was booked.")
    field = "reason"


class PinTooWeak(BadInput):
    sentence = N_("This PIN is too easy to guess. Choose six digits that are not a row, a repetition or a date.")
    field = "pin"


class StaffNumberWrong(BadInput):
    sentence = N_("A number has two to twelve digits or letters. Nothing was changed.")
    field = "number"


class TillCodeWrong(BadInput):
    sentence = N_("A till's code has two to twelve capital letters or digits. Nothing was changed.")
    field = "code"


class NameMissing(BadInput):
    sentence = N_("Type the name. Nothing was changed.")
    field = "name"


class PinsDiffer(BadInput):
    sentence = N_("The two are not the same. Nothing was changed; type the new PIN twice.")
    field = "again"


class PinAsBefore(BadInput):
    sentence = N_("This is the PIN you have now. Nothing was changed; choose another one.")
    field = "pin"


class OldPinRefused(BadInput):
    sentence = N_("This is not your PIN, or the account is locked. After five wrong tries wait 15 minutes. Nothing was changed.")
    field = "old_pin"


class CountIncomplete(BadInput):
    sentence = N_("Type how many pieces there are of each; zero counts too. Nothing was closed.")


class EvidenceMissing(BadInput):
    sentence = N_(
        "Write where the evidence can be found again: the statement's line, or who said it and when. Nothing was changed."
    )
    field = "reference"


class CarrierNumberMissing(BadInput):
    sentence = N_("Copy the carrier's own number of the order; without it nothing can count as renewed. Nothing was changed.")
    field = "provider_ref"


# ------------------------------------------------------------------ who and what


class NotFound(CounterError):
    sentence = N_("There is no such thing at this counter. It may belong to another shop, or the address is incomplete.")


class SaleNotFound(NotFound):
    sentence = N_("There is no such sale in this shop. Search by receipt number, or start with the customer's number.")


class NumberNowhere(NotFound):
    sentence = N_("This number stands in no sale, so there is nothing to erase. Compare it with what the customer wrote.")


class NotAllowed(CounterError):
    sentence = N_("Your role does not allow this. Nothing was changed; ask a manager.")


class PinIsGiven(NotAllowed):
    sentence = N_("Somebody else gave this PIN. Choose your own at the till first; nothing was changed.")


class SignInRefused(CounterError):
    sentence = N_("The name and the PIN do not match, or the account is locked. After five wrong tries wait 15 minutes.")
    field = "pin"


class TillUnknown(CounterError):
    sentence = N_("This browser is not a till yet. Ask the manager for an enrolment code.")


class DeviceUnknown(TillUnknown):
    sentence = N_("This device is not a till of the shop, or was enrolled anew elsewhere. Ask the manager for an enrolment code.")


class NobodySignedIn(CounterError):
    sentence = N_("Nobody is signed in at this till, or the stay has ended. Sign in with number and PIN; nothing was changed.")


class EnrolmentCodeWrong(CounterError):
    sentence = N_("This code is not valid any more. Ask the manager for a new one.")
    field = "code"


# ------------------------------------------------------------------ right request, wrong moment


class NeedsAttention(CounterError):
    sentence = N_("This is not possible at the moment. Nothing was changed.")


class StaleForm(NeedsAttention):
    sentence = N_(
        "This page is out of date: the sale has moved on since it was opened. Nothing was booked twice; look at the sale below."
    )


class OtherContent(NeedsAttention):
    sentence = N_(
        "This sale was already paid in another way. Nothing was changed; take no more money and look at the sale below."
    )


class OtherRequest(NeedsAttention):
    sentence = N_(
        "This sale's id was used with other content before. Nothing was changed; look at that sale, or begin with a new id."
    )


class SaleOver(NeedsAttention):
    sentence = N_("This sale is already finished. Nothing was changed; start with the next customer.")


class SaleParked(NeedsAttention):
    sentence = N_("This sale was begun by another clerk. Nothing was changed; only that clerk or a manager can go on with it.")


class NoOpenShift(NeedsAttention):
    sentence = N_("No shift is open at this till, so no money can be taken. Open the shift first.")


class ShiftAlreadyOpen(NeedsAttention):
    sentence = N_("A shift is already open at this till. Nothing was changed.")


class DuplicateRenewal(NeedsAttention):
    sentence = N_("This number got this plan {minutes} min ago, state: {state}. Take no money; look at that sale first.")


class SamePlanTwice(NeedsAttention):
    sentence = N_(
        "{number} gets this plan in this sale already. Take no money for it twice; choose another plan or remove the number."
    )


class TooManyNumbers(NeedsAttention):
    sentence = N_("A sale has room for {most} numbers. Nothing was added; take the money for these, then begin another sale.")
    field = "entry"


class LastNumber(NeedsAttention):
    sentence = N_("This is the only number of the sale, so it stays. No money moved; to end the sale, give it up.")


class PlanOfOtherOperator(NeedsAttention):
    sentence = N_(
        "This number is with {operator} now, whatever its first digits say, and the plan is not. "
        "Take no money; choose a plan of {operator}."
    )


class NumberDisputed(NeedsAttention):
    sentence = N_(
        "More than one operator is named for {number}. Take no money yet: "
        "ask the customer whose SIM it is, then choose below, or give up if nobody knows."
    )
    field = "entry"

    def __init__(self, number: str, claims: tuple[Claim, ...]) -> None:
        super().__init__(number=number)
        self.claims = claims


class QuoteExpired(NeedsAttention):
    sentence = N_("The price on this page is too old or has changed. Take no money; choose the plan again.")


class PlanRetired(NeedsAttention):
    sentence = N_("This plan is not sold any more. Take no money; choose another plan.")


class DocumentMissing(NeedsAttention):
    sentence = N_("The customer's document has not been checked yet. Take no money; check the document first.")


class ApprovalNeeded(NeedsAttention):
    sentence = N_(
        "A manager has to agree: {fault}. Take no money before that; the manager types number, PIN and the reason here."
    )


class OwnerOnly(NeedsAttention):
    sentence = N_("This shop renews a number for its owner only. Take no money; ask the owner to come with a document.")


class OtherOwner(NeedsAttention):
    sentence = N_("The carrier has another owner on record for this number. Take no money; ask whose number it is.")


class DocumentNeeded(NeedsAttention):
    sentence = N_("In this shop nobody renews without a document. Take no money; ask for one that can be used here.")


class PlanMissing(NeedsAttention):
    sentence = N_("No plan was chosen yet. Take no money; choose a plan first.")


class TenderOpen(NeedsAttention):
    sentence = N_(
        "A card payment of {amount} is still open. Look at the terminal's own list before anything else and say what it shows."
    )


class NumberBusy(NeedsAttention):
    sentence = N_("The carrier has not decided an earlier renewal of this number. Take no money; look at the unfinished list.")


class FloatUsedUp(NeedsAttention):
    sentence = N_("The shop's float at this carrier is used up. Take no money for its plans; tell the manager to fill it.")


class CarrierRefusesPlan(NeedsAttention):
    """Before money: ``why`` is a sentence of pos.domain.carriers."""

    sentence = N_("The carrier would not do it: %(why)s No money was taken; choose another plan.")


class CarrierUnasked(NeedsAttention):
    sentence = N_(
        "The carrier cannot be asked at the moment what became of a renewal. Take no money for its plans; "
        "try again in a few minutes."
    )


class StillOpen(NeedsAttention):
    sentence = N_(
        "{count} sales of this customer are not over: money or an answer is on its way. Nothing was erased; "
        "finish them first, then do it again."
    )


class NothingToDecide(NeedsAttention):
    sentence = N_("There is nothing to decide about this renewal any more. Nothing was changed; look at the sale.")


class ItemDecided(NeedsAttention):
    sentence = N_("This is settled already. Nothing was booked; look at what it says below.")


class ItemMoved(NeedsAttention):
    sentence = N_("Another line came in the meantime, and this is not what it was. Nothing was booked; read it again and decide.")


class OtherVerdict(NeedsAttention):
    sentence = N_(
        "Something else was proposed for this renewal and waits for a second person. Nothing was changed; decide that first."
    )


class SamePerson(NeedsAttention):
    sentence = N_("You proposed this yourself. Nothing was changed; another person has to agree.")


class SlipAlreadyUsed(NeedsAttention):
    sentence = N_("This terminal slip already paid sale {number} today. Nothing was booked; copy the slip of this payment.")
    field = "authorisation"


class OtherRefund(NeedsAttention):
    sentence = N_(
        "This sale was given back with another slip already. Nothing was booked now; if the terminal paid twice, call a manager."
    )


class NothingToRefund(NeedsAttention):
    sentence = N_("There is nothing to give back for this sale. Nothing was changed.")


class WhichLine(NeedsAttention):
    sentence = N_("Several renewals of this sale are to be given back. Nothing was booked; open the sale and choose one.")


class RefundOverLimit(NeedsAttention):
    sentence = N_(
        "{amount} is more than the {limit} that a clerk gives back. Nothing was booked; a manager signs in here and does it."
    )


class MoreThanPaid(NeedsAttention):
    sentence = N_("More would be given back than was paid. Nothing was booked; give nothing back and call a manager.")


class RefundSlipUsed(NeedsAttention):
    sentence = N_("This terminal slip already stands for {number}. Nothing was booked; copy the slip of this refund.")
    field = "authorisation"


class OtherPrice(NeedsAttention):
    sentence = N_(
        "{plan} costs {price}, but {paid} was paid. Nothing was changed; give the money back first, then sell that plan anew."
    )


class OtherReplacement(NeedsAttention):
    sentence = N_(
        "This renewal was replaced by another one already. Nothing was changed; take no money and look at the sale below."
    )


class PlanDoesNotFit(NeedsAttention):
    sentence = N_(
        "This plan is not for a SIM of that number. Nothing was changed; choose another plan, or give the money back first."
    )


class NothingToReplace(NeedsAttention):
    sentence = N_("This renewal is not waiting for its money any more. Nothing was changed; look at the sale below.")


class ShiftOfToday(NeedsAttention):
    sentence = N_("This shift belongs to today. Nothing was closed; count the drawer and close it at its till.")


class DifferenceIsYours(NeedsAttention):
    sentence = N_("You closed this shift yourself. Nothing was changed; another manager looks at the difference.")


class DrawerTooLow(NeedsAttention):
    sentence = N_("The till's books show less cash in the drawer than {amount}. Nothing was booked; call a manager.")


class NotYetKnown(NeedsAttention):
    sentence = N_(
        "It is not known yet whether the carrier renewed the plan. The money is recorded; give nothing back before it is known."
    )


class AlreadyAsking(NeedsAttention):
    sentence = N_("The carrier is being asked at this moment. The money is recorded; do not charge again.")


class CodeNotThere(NeedsAttention):
    sentence = N_(
        "The code is not there. The money is recorded; do not charge again. As long as the sale says paid, the carrier is "
        "asked for it."
    )


class CodeHandedOut(NeedsAttention):
    sentence = N_(
        "This code was handed out before. The money is right and nothing was shown; a manager signs in here and does it again."
    )


class SlipUnderWay(NeedsAttention):
    sentence = N_("The slip with the code is on its way to the printer. Nothing was printed twice; look at the printer first.")


class NoPrinter(NeedsAttention):
    sentence = N_("This till has no printer. Nothing was printed; show the code on the screen or save it as a PDF.")


class NoPrinterForReport(NeedsAttention):
    sentence = N_("This till has no printer. Nothing was printed; save the report as a PDF.")


class DayNotOver(NeedsAttention):
    sentence = N_("{period} is not over yet. Nothing was closed; look at the report of the running day instead.")


class DayAlreadyClosed(NeedsAttention):
    sentence = N_("{period} is closed already, as {number}. Nothing was changed; what comes late is in the next closing.")


class CodeUnreadable(NeedsAttention):
    sentence = N_(
        "The code is kept but cannot be opened: a key is missing. The money is recorded; do not charge again, call the owner."
    )


class PrinterNameTaken(NeedsAttention):
    sentence = N_("There is a printer called {name} already. Nothing was changed; choose another name.")
    field = "name"


class CodeTaken(NeedsAttention):
    sentence = N_("{code} is taken already. Nothing was changed; choose another code.")


# ------------------------------------------------------------------ outside


class OutOfReach(CounterError):
    sentence = N_("Something outside this shop does not answer.")


class CarrierDown(OutOfReach):
    sentence = N_("The carrier does not answer. Take no money for a renewal now; try again in a minute.")
    field = "entry"


class CannotRecord(OutOfReach):
    """Nothing can be written: every verb ends here, and what was written before stays as it is."""

    sentence = N_(
        "The server cannot write anything down: its disk is full or out of order. Nothing was booked. Do not take money, and "
        "tell the owner; what was paid before is safe and can be looked at."
    )


class ReceiptUnprintable(OutOfReach):
    sentence = N_("The receipt cannot be drawn. The sale is valid; show the number on the screen.")
