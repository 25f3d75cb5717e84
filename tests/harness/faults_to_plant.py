"""The list of faults to plant: what a tired programmer might write, and who must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """``old`` stands exactly once in ``file`` and becomes ``new``; ``tests`` are the pytest ids that should fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


_RENEWALS = "tests/services/test_renewals.py::"
_PAYMENTS = "tests/services/test_payments.py::"
_REVIEWED = "tests/services/test_reviewed.py::"
_SHIFTS = "tests/services/test_shifts.py::"
_PRINTING = "tests/services/test_print_jobs.py::"
_WIRE = "tests/carriers/test_wire.py::"
_CONTRACT = "tests/carriers/test_contract.py::"

PLANTS: tuple[Plant, ...] = (
    # ------------------------------------------------ the five that the protocol names
    Plant(
        "a new reference on each try",
        "pos/services/sending.py",
        "    attempt.tries += 1\n    attempt.sent_at",
        '    attempt.tries += 1\n    attempt.ref = "SC-" + b32encode(secrets.token_bytes(15)).decode()\n    attempt.sent_at',
        (
            _RENEWALS + "test_silence_before_it_was_done_sends_the_same_reference_again",
            _RENEWALS + "test_an_order_that_is_done_after_we_read_absent_is_done_once",
            _RENEWALS + "test_a_refused_connection_keeps_it_paid_and_the_same_reference_goes_later",
            _RENEWALS + "test_too_many_requests_waits_as_told_and_sends_the_same_reference",
        ),
    ),
    Plant(
        "a time-out means refund",
        "pos/carriers/adapter.py",
        "return Outcome(OutcomeState.UNKNOWN, reason=Reason.NO_ANSWER, raw_code=fault.why)",
        "return Outcome(OutcomeState.FAILED, reason=Reason.NO_ANSWER, raw_code=fault.why)",
        (
            _RENEWALS + "test_silence_after_it_was_done_is_found_by_asking",
            _RENEWALS + "test_an_answer_that_takes_too_long_is_cut_off_and_found",
            _CONTRACT + "test_a_lost_answer_is_unknown_until_the_look_up_tells_it_was_done",
            _CONTRACT + "test_an_answer_that_does_not_end_is_unknown_in_time",
        ),
    ),
    Plant(
        "absent is final",
        "pos/services/renewals.py",
        "    if now < case.attempt.settles_at:\n        return\n",
        "    if now < case.attempt.settles_at:\n        return _reject(case, Outcome(OutcomeState.FAILED))\n",
        (
            _RENEWALS + "test_without_enforced_references_absence_goes_to_a_manager_and_is_never_sent_again",
            _RENEWALS + "test_without_enforced_references_an_order_that_appears_late_is_still_found",
        ),
    ),
    Plant(
        "sent again without enforced references",
        "pos/services/sending.py",
        "    enforced = kit.carriers[renewal.carrier].declaration().enforces_unique_refs\n",
        "    enforced = True\n",
        (
            _RENEWALS + "test_without_enforced_references_absence_goes_to_a_manager_and_is_never_sent_again",
            _RENEWALS + "test_without_enforced_references_an_order_that_appears_late_is_still_found",
        ),
    ),
    Plant(
        "sent before the attempt is written",
        "pos/services/sending.py",
        "        if renewal.state is RenewalState.PAID:\n            return _prepare_sending(session, renewal, deadline, now, kit)\n",
        "        if renewal.state is RenewalState.PAID:\n"
        "            ready = _prepare_sending(session, renewal, deadline, now, kit)\n"
        "            if ready is not None and ready.request is not None:\n"
        "                carrier.submit(ready.request)\n"
        "            return ready\n",
        (
            _RENEWALS + "test_no_transaction_is_open_while_the_carrier_thinks",
            _RENEWALS + "test_no_socket_is_touched_while_a_write_transaction_is_open",
            _RENEWALS + "test_the_attempt_is_on_disk_before_the_first_byte_leaves",
            _RENEWALS + "test_a_renewal_is_confirmed_with_one_debit_and_the_carriers_id",
        ),
    ),
    # ------------------------------------------------ the renewal at the carrier
    Plant(
        "the fence is not looked at",
        "pos/services/renewals.py",
        "if renewal is None or renewal.fence != task.fence or renewal.state not in states:",
        "if renewal is None:",
        (
            _RENEWALS + "test_a_second_owners_word_stands",
            _RENEWALS + "test_the_fence_holds_while_the_second_owner_is_still_sending",
            _RENEWALS + "test_the_same_answer_many_times_is_one_move",
        ),
    ),
    Plant(
        "a refusal of a re-send is final",
        "pos/services/renewals.py",
        "elif outcome.state is OutcomeState.FAILED and case.attempt.tries == 1:",
        "elif outcome.state is OutcomeState.FAILED:",
        (
            _RENEWALS + "test_a_refusal_of_a_resend_never_becomes_a_refund_by_itself",
            "tests/harness/test_fault_matrix.py::test_it_ends_as_the_protocol_says[F3-submit-is_refused_when_sent_again-enforced]",
        ),
    ),
    Plant(
        "what the carrier repeats is not compared",
        "pos/services/renewals.py",
        "    if outcome.provider_ref is None or outcome.cost not in (None, renewal.cost) or not _echoes(renewal, outcome, task):",
        "    if outcome.provider_ref is None:",
        (
            _RENEWALS + "test_another_number_amount_currency_or_plan_goes_to_a_manager_with_the_money_held",
            "tests/harness/test_fault_matrix.py::test_it_ends_as_the_protocol_says[F12-submit-confirms_something_else-enforced]",
        ),
    ),
    Plant(
        "an orphan of a dead worker is sent again",
        "pos/services/sending.py",
        'move(session, renewal, RENEWAL, RenewalState.UNKNOWN, pen_of(session, renewal, kit, now), {"why": "orphan"})',
        'move(session, renewal, RENEWAL, RenewalState.PAID, pen_of(session, renewal, kit, now), {"why": "orphan"})',
        (
            _RENEWALS + "test_the_order_of_a_dead_worker_is_asked_about",
            _RENEWALS + "test_an_ended_lease_is_found_by_whoever_keeps_house",
        ),
    ),
    Plant(
        "a lease that another worker holds is not respected",
        "pos/store/renewals.py",
        "Renewal.state.in_(WAITING), Renewal.due_at <= now, free)",
        "Renewal.state.in_(WAITING), Renewal.due_at <= now)",
        (
            "tests/services/test_leases.py::test_what_one_worker_asks_about_is_left_alone_by_another",
            "tests/services/test_leases.py::test_a_lease_is_given_once_until_it_ends",
        ),
    ),
    Plant(
        "the day of asking begins with the money",
        "pos/services/renewals.py",
        "        if renewal.state in rows.WAITING and asked_for_a_day(case.attempt, case.now):",
        "        if renewal.state in rows.WAITING and case.now - (renewal.paid_at or case.now) > GIVE_UP_AFTER:",
        (
            _RENEWALS + "test_the_day_of_asking_begins_when_the_order_left",
            _RENEWALS + "test_an_order_that_did_not_leave_is_not_asked_about_yet",
        ),
    ),
    Plant(
        "two orders for one SIM at once",
        "pos/services/sending.py",
        "    if rows.number_is_busy(session, renewal.number_look_up, renewal.id):\n        free(renewal)",
        "    if False:\n        free(renewal)",
        (
            _RENEWALS + "test_one_sim_has_one_order_at_the_carrier_at_a_time",
            "tests/services/test_family.py::test_two_plans_for_one_sim_go_one_after_the_other",
        ),
    ),
    Plant(
        "a stranger's status word counts as done",
        "pos/carriers/tmforum_records.py",
        "    reason = None if word in _WAITING else Reason.UNKNOWN_STATUS\n",
        "    if word not in _WAITING:\n        return Outcome(OutcomeState.SUCCEEDED, provider_ref, raw_code=raw_code)\n    reason = None\n",
        (
            _CONTRACT + "test_an_unknown_status_word_is_not_yet",
            _RENEWALS + "test_an_unknown_status_word_is_asked_about",
            "tests/carriers/test_tmforum.py",
        ),
    ),
    Plant(
        "a known reference is a failure",
        "pos/carriers/tmforum.py",
        "            return Outcome(OutcomeState.UNKNOWN, reason=Reason.DUPLICATE_REF, raw_code=raw_code)",
        "            return Outcome(OutcomeState.FAILED, reason=Reason.DUPLICATE_REF, raw_code=raw_code)",
        (
            _CONTRACT + "test_a_repeated_reference_is_in_doubt_and_never_failed",
            _RENEWALS + "test_a_known_reference_is_looked_up_and_never_a_failure",
        ),
    ),
    # ------------------------------------------------ the wire
    Plant(
        "a cut answer is called never sent",
        "pos/carriers/wire.py",
        "            raise NoAnswer(type(fault).__name__) from None\n\n    def _request",
        "            raise NeverSent(type(fault).__name__) from None\n\n    def _request",
        (
            _WIRE + "test_a_reset_after_the_request_is_unknown",
            _WIRE + "test_silence_is_unknown_at_the_deadline",
            _WIRE + "test_a_fault_after_the_first_byte_is_unknown_whatever_its_class_says",
        ),
    ),
    Plant(
        "an answer without an end is read to the end",
        "pos/carriers/wire.py",
        '        if len(body) > limit_bytes:\n            raise NoAnswer("too_large")\n        if not deadline',
        "        if not deadline",
        (
            _WIRE + "test_a_pouring_server_is_cut_without_filling_the_memory",
            _WIRE + "test_the_limit_is_exact_for_an_answer_that_does_not_tell_its_length",
        ),
    ),
    # ------------------------------------------------ money at the counter
    Plant(
        "the same number and plan is not stopped",
        "pos/services/sales.py",
        "    if found is not None:\n        renewal, sale = found\n",
        "    if False:\n        renewal, sale = found\n",
        (
            _PAYMENTS + "test_the_same_number_and_plan_stops_within_ten_minutes_at_any_till",
            _PAYMENTS + "test_two_windows_with_the_same_customer_are_paid_once",
            _PAYMENTS + "test_two_tills_that_pay_the_same_renewal_at_once_take_one_payment",
        ),
    ),
    Plant(
        "change is not a movement",
        "pos/services/payments.py",
        "        if change:\n            add_movement(session, shift, Movement.CHANGE, change, desk, now, sale_id=sale_id)\n",
        "",
        (
            _PAYMENTS + "test_cash_and_change_are_two_movements",
            _SHIFTS + "test_x_and_z_are_the_sum_of_what_happened",
        ),
    ),
    Plant(
        "another body under the same id is swallowed",
        "pos/services/payments.py",
        "payment.tender is Tender.CASH and payment.tendered == tendered:",
        "payment.tender is Tender.CASH:",
        (
            _PAYMENTS + "test_other_content_under_the_same_id_is_refused",
            _PAYMENTS + "test_the_screen_says_that_the_sale_was_paid_otherwise",
        ),
    ),
    Plant(
        "a receipt number is left out",
        "pos/store/receipts.py",
        "series.last += 1",
        "series.last += 2",
        (
            _PAYMENTS + "test_receipt_numbers_have_no_gap_with_two_tills_and_many_threads",
            _PAYMENTS + "test_a_payment_that_breaks_half_way_leaves_nothing_and_no_gap",
        ),
    ),
    Plant(
        "tax is not taken out of the revenue",
        "pos/domain/ledger.py",
        'cost, revenue and tax are real."""\n    net = price - tax\n',
        'cost, revenue and tax are real."""\n    net = price\n',
        (
            "tests/domain/test_ledger.py",
            _RENEWALS + "test_a_renewal_is_confirmed_with_one_debit_and_the_carriers_id",
        ),
    ),
    Plant(
        "one terminal slip pays two sales",
        "pos/services/payments.py",
        "        if used is not None:\n            raise SlipAlreadyUsed",
        "        if False:\n            raise SlipAlreadyUsed",
        (
            _REVIEWED + "test_one_terminal_slip_pays_one_sale",
            _PAYMENTS + "test_a_terminal_slip_that_paid_a_sale_pays_no_other",
        ),
    ),
    # ------------------------------------------------ evidence, paper, database
    Plant(
        "a seal does not know the seal before",
        "pos/store/journal.py",
        "        prev_mac=head.mac,",
        "        prev_mac=GENESIS,",
        (
            _PAYMENTS + "test_cash_and_change_are_two_movements",
            _RENEWALS + "test_a_renewal_is_confirmed_with_one_debit_and_the_carriers_id",
        ),
    ),
    Plant(
        "an original whose proof is missing prints again by itself",
        "pos/services/print_jobs.py",
        "        if job.first_byte_at is not None or job.kind is JobKind.DRAWER:",
        "        if False:",
        (
            _PRINTING + "test_an_abandoned_job_with_a_byte_is_a_question",
            _PRINTING + "test_a_pulse_of_a_dead_worker_is_never_repeated",
        ),
    ),
    Plant(
        "writers begin deferred",
        "pos/store/db.py",
        '    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")',
        '    connection.exec_driver_sql("BEGIN")',
        (
            _PAYMENTS + "test_the_same_form_in_two_processes_at_once_is_one_sale",
            "tests/harness/test_races.py::test_a_crowd_on_one_action_has_one_effect[sqlite-cash-32-4]",
        ),
    ),
)
