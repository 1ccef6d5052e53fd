"""Cases: reports fold into them, people work on them, detectors clear them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from config.kernel import case_reports, ids, pagination, selectors
from config.kernel.case_reports import CaseKind, Report
from config.kernel.models import Account, Case, CaseReport, CaseState, Event, User
from config.kernel.services import case_folding, cases, dwell
from config.kernel.services.dwell import Stayer
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome, Scope
from tests.factories.kernel import AccountFactory, CaseFactory, UserFactory

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ANNA = Actor(ActorKind.USER, "42", "anna", ALL_ACCOUNTS)
KIND = "TEST_LATE"


class Detector:
    def __init__(self) -> None:
        self.standing: set[UUID] | None = None
        self.asked: list[list[UUID]] = []

    def still_true(self, subject_ids: Sequence[UUID]) -> set[UUID]:
        self.asked.append(list(subject_ids))
        return set(subject_ids) if self.standing is None else self.standing & set(subject_ids)


@pytest.fixture
def detector() -> Iterator[Detector]:
    made = Detector()
    case_reports.declare(
        CaseKind(KIND, "Late", 2, timedelta(hours=4), "ops", "Look.", made.still_true)
    )
    yield made
    del case_reports._kinds[KIND]


@pytest.fixture
def account() -> Account:
    return AccountFactory()


def report(account: Account, *subjects: UUID, at: datetime = NOON, **kwargs: Any) -> None:
    case_reports.report(
        [Report(KIND, "order", subject, account.pk, **kwargs) for subject in subjects], at=at
    )


def open_cases() -> list[Case]:
    return list(selectors.open_cases(ALL_ACCOUNTS))


def topics() -> list[str]:
    return list(
        Event.objects.for_scope(ALL_ACCOUNTS).order_by("id").values_list("topic", flat=True)
    )


@pytest.mark.django_db
class TestReport:
    def test_refuses_a_kind_nobody_declared(self, account: Account) -> None:
        with pytest.raises(KeyError):
            case_reports.report([Report("NOBODY", "order", ids.uuid7(), account.pk)], at=NOON)

    def test_is_one_statement(
        self, detector: Detector, account: Account, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            report(account, *[ids.uuid7() for _ in range(40)])


@pytest.mark.django_db
class TestFoldReports:
    def test_opens_one_case_per_problem(self, detector: Detector, account: Account) -> None:
        subject, thread = ids.uuid7(), ids.uuid7()
        report(account, subject, cause="node A", evidence={"n": 1}, thread_id=thread)
        report(account, subject, at=LATER, cause="node A", evidence={"n": 2}, thread_id=thread)

        assert case_folding.fold_reports(at=LATER) == 2
        (case,) = open_cases()
        assert (case.kind, case.subject_id, case.thread_id) == (KIND, subject, thread)
        assert (case.severity, case.owner_team, case.cause) == (2, "ops", "node A")
        assert (case.occurrences, case.evidence) == (2, {"n": 2})
        assert (case.opened_at, case.last_seen_at) == (NOON, LATER)
        assert case.due_at == NOON + timedelta(hours=4)
        assert case.history.get().actor_name == "case-folder"
        assert topics() == ["case.opened"]
        assert not CaseReport.objects.filter(folded=False).exists()

    def test_counts_a_repeat_without_a_new_case_or_event(
        self, detector: Detector, account: Account
    ) -> None:
        subject = ids.uuid7()
        report(account, subject)
        case_folding.fold_reports(at=NOON)
        detector.standing = set()
        report(account, subject, at=LATER)
        case_folding.fold_reports(at=LATER)

        (case,) = open_cases()
        assert (case.occurrences, case.last_seen_at) == (2, LATER)
        assert topics() == ["case.opened"]

    def test_opens_nothing_for_what_is_gone_already(
        self, detector: Detector, account: Account
    ) -> None:
        gone, standing = ids.uuid7(), ids.uuid7()
        detector.standing = {standing}
        report(account, gone, standing)
        case_folding.fold_reports(at=NOON)

        assert [case.subject_id for case in open_cases()] == [standing]
        assert len(detector.asked) == 1

    def test_opens_a_new_case_when_a_resolved_one_repeats(
        self, detector: Detector, account: Account
    ) -> None:
        subject = ids.uuid7()
        report(account, subject)
        case_folding.fold_reports(at=NOON)
        first = open_cases()[0]
        cases.resolve_cases([first.pk], resolution="called", at=NOON, actor=ANNA)
        report(account, subject, at=LATER)
        case_folding.fold_reports(at=LATER)

        (second,) = open_cases()
        assert second.pk != first.pk
        assert second.number > first.number

    def test_is_not_stopped_by_a_predicate_that_fails(
        self, detector: Detector, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: Sequence[UUID]) -> set[UUID]:
            raise RuntimeError

        kind = case_reports.case_kind(KIND)
        case_reports._kinds[KIND] = CaseKind(
            KIND, kind.label, 2, kind.due, "ops", "Look.", still_true=fail
        )
        report(account, ids.uuid7())
        case_folding.fold_reports(at=NOON)

        assert len(open_cases()) == 1

    def test_is_not_stopped_by_an_account_that_does_not_exist(
        self, detector: Detector, account: Account
    ) -> None:
        case_reports.report([Report(KIND, "order", ids.uuid7(), ids.uuid7())], at=NOON)
        report(account, ids.uuid7())
        case_folding.fold_reports(at=NOON)

        assert len(open_cases()) == 1

    def test_costs_the_same_for_one_and_for_many(
        self, detector: Detector, account: Account, django_assert_num_queries: Any
    ) -> None:
        for count in (1, 100):
            report(account, *[ids.uuid7() for _ in range(count)])
            with django_assert_num_queries(13):
                case_folding.fold_reports(at=NOON)


@pytest.mark.django_db
class TestClearResolved:
    def test_ends_cases_whose_problem_is_gone(self, detector: Detector, account: Account) -> None:
        gone, standing = ids.uuid7(), ids.uuid7()
        report(account, gone, standing)
        case_folding.fold_reports(at=NOON)
        detector.standing = {standing}

        assert case_folding.clear_resolved(at=LATER) == 1
        assert [case.subject_id for case in open_cases()] == [standing]
        ended = Case.objects.for_scope(ALL_ACCOUNTS).get(subject_id=gone)
        assert (ended.state, ended.resolved_at) == (CaseState.AUTO_RESOLVED, LATER)
        assert topics()[-1] == "case.auto_resolved"

    def test_leaves_to_people_what_only_they_can_tell(self) -> None:
        CaseFactory(kind="JOB_FAILED")

        assert case_folding.clear_resolved(at=NOON) == 0


MOVES: dict[str, tuple[Callable[..., list[Outcome[Case]]], set[str], str]] = {
    "acknowledge": (
        lambda pks: cases.acknowledge_cases(pks, at=NOON, actor=ANNA),
        {"open"},
        "acknowledged",
    ),
    "take up": (
        lambda pks: cases.take_up_cases(pks, at=NOON, actor=ANNA),
        {"open", "acknowledged", "waiting"},
        "in_progress",
    ),
    "wait": (
        lambda pks: cases.put_cases_on_wait(pks, until=LATER, reason="", at=NOON, actor=ANNA),
        {"open", "acknowledged", "in_progress"},
        "waiting",
    ),
    "put back": (
        lambda pks: cases.put_cases_back(pks, at=NOON, actor=ANNA),
        {"acknowledged", "in_progress", "waiting"},
        "open",
    ),
    "resolve": (
        lambda pks: cases.resolve_cases(pks, resolution="done", at=NOON, actor=ANNA),
        {"open", "acknowledged", "in_progress", "waiting"},
        "resolved",
    ),
    "clear": (
        lambda pks: cases.clear_cases(pks, evidence="gone", at=NOON, actor=ANNA),
        {"open", "acknowledged", "in_progress", "waiting"},
        "auto_resolved",
    ),
    "reopen": (
        lambda pks: cases.reopen_cases(pks, reason="wrong", at=NOON, actor=ANNA),
        {"resolved", "auto_resolved"},
        "open",
    ),
}


@pytest.mark.django_db
class TestCommands:
    @pytest.mark.parametrize("name", MOVES)
    def test_answer_each_case_of_a_mixed_batch(self, name: str) -> None:
        command, sources, target = MOVES[name]
        batch = [CaseFactory(state=state) for state in CaseState.values]

        outcomes = command([case.pk for case in batch])

        for case, outcome in zip(batch, outcomes, strict=True):
            before = case.state
            case.refresh_from_db()
            assert outcome.ok is (before in sources)
            assert case.state == (target if outcome.ok else before)
            assert case.event_seq == (1 if outcome.ok else 0)
            assert case.history.count() == (1 if outcome.ok else 0)
            if not outcome.ok:
                assert outcome.problem is not None
                assert outcome.problem.code == "illegal-transition"
        assert len(topics()) == len(sources)

    def test_cost_the_same_for_one_and_for_many(self, django_assert_num_queries: Any) -> None:
        for count in (1, 60):
            batch = [case.pk for case in CaseFactory.create_batch(count)]
            with django_assert_num_queries(6):  # savepoint, lock, update, history, events, release
                cases.acknowledge_cases(batch, at=NOON, actor=ANNA)

    def test_do_not_see_other_accounts(self) -> None:
        case = CaseFactory()
        eve = Actor(ActorKind.USER, "9", "eve", Scope(frozenset({ids.uuid7()})))

        (outcome,) = cases.acknowledge_cases([case.pk], at=NOON, actor=eve)
        assert outcome.problem is not None
        assert outcome.problem.code == "not-found"

    def test_record_the_reason(self) -> None:
        case = CaseFactory()
        cases.resolve_cases([case.pk], resolution="The buyer was called.", at=NOON, actor=ANNA)

        assert case.history.get().history_change_reason == "The buyer was called."
        case.refresh_from_db()
        assert (case.resolution, case.resolved_at) == ("The buyer was called.", NOON)


@pytest.mark.django_db
class TestAssign:
    def test_gives_a_case_to_a_person_and_back(self) -> None:
        case, anna = CaseFactory(), UserFactory(username="anna")

        cases.assign_cases([case.pk], anna.pk, at=NOON, actor=ANNA)
        case.refresh_from_db()
        assert case.assignee == anna
        cases.assign_cases([case.pk], None, at=NOON, actor=ANNA)
        case.refresh_from_db()
        assert case.assignee is None
        assert [row.history_change_reason for row in case.history.all()] == [
            "assigned to nobody",
            "assigned to anna",
        ]

    def test_refuses_an_ended_case_and_an_unknown_person(self) -> None:
        ended, case, anna = CaseFactory(resolved=True), CaseFactory(), UserFactory()

        assert not cases.assign_cases([ended.pk], anna.pk, at=NOON, actor=ANNA)[0].ok
        assert not cases.assign_cases([case.pk], ids.uuid7(), at=NOON, actor=ANNA)[0].ok
        User.objects.filter(pk=anna.pk).update(is_active=False)
        assert not cases.assign_cases([case.pk], anna.pk, at=NOON, actor=ANNA)[0].ok


@pytest.mark.django_db
class TestReopen:
    def test_refuses_when_the_problem_has_a_newer_case(self) -> None:
        old = CaseFactory(resolved=True, dedupe_key="same")
        CaseFactory(account=old.account, dedupe_key="same")

        (outcome,) = cases.reopen_cases([old.pk], reason="", at=NOON, actor=ANNA)
        assert outcome.problem is not None
        assert "newer case" in outcome.problem.detail


@pytest.mark.django_db
class TestWakeWaiting:
    def test_brings_back_those_whose_time_is_over(self) -> None:
        over = CaseFactory(state=CaseState.WAITING, waiting_until=NOON)
        not_yet = CaseFactory(state=CaseState.WAITING, waiting_until=LATER)

        assert cases.wake_waiting(at=NOON) == 1
        over.refresh_from_db()
        not_yet.refresh_from_db()
        assert (over.state, over.waiting_until) == (CaseState.IN_PROGRESS, None)
        assert not_yet.state == CaseState.WAITING


@pytest.fixture
def stayers(account: Account) -> Iterator[list[Stayer]]:
    found: list[Stayer] = []

    def finder(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
        return [
            stayer
            for stayer in found
            if stayer.since < before and (among is None or stayer.subject_id in among)
        ][:limit]

    dwell.declare("test", "captured", timedelta(hours=1), finder)
    yield found
    del dwell._limits["test", "captured"]


@pytest.mark.django_db
class TestDetectStuck:
    def test_reports_once_who_stays_too_long(self, stayers: list[Stayer], account: Account) -> None:
        stayers += [
            Stayer(ids.uuid7(), account.pk, NOON - timedelta(hours=2)),
            Stayer(ids.uuid7(), account.pk, NOON - timedelta(minutes=5)),
        ]

        assert dwell.detect(at=NOON) == 1
        assert dwell.detect(at=NOON) == 0
        case_folding.fold_reports(at=NOON)
        (case,) = open_cases()
        assert (case.kind, case.cause) == ("STUCK", "test captured")
        assert dwell.detect(at=NOON) == 0

    def test_clears_when_the_subject_has_moved_on(
        self, stayers: list[Stayer], account: Account
    ) -> None:
        stayers.append(Stayer(ids.uuid7(), account.pk, NOON - timedelta(hours=2)))
        dwell.detect(at=NOON)
        case_folding.fold_reports(at=NOON)
        stayers.clear()

        assert case_folding.clear_resolved(at=LATER) == 1
        assert open_cases() == []


@pytest.mark.django_db
class TestQueues:
    def test_put_the_worst_and_the_soonest_first(self, account: Account) -> None:
        mild = CaseFactory(account=account, severity=4, due_at=NOON)
        soon = CaseFactory(account=account, severity=1, due_at=NOON)
        late = CaseFactory(account=account, severity=1, due_at=LATER)
        CaseFactory(account=account, resolved=True)

        assert open_cases() == [soon, late, mild]
        rows, cursor = pagination.page(
            selectors.open_cases(ALL_ACCOUNTS), selectors.CASE_ORDER, limit=2
        )
        assert rows == [soon, late]
        rest, end = pagination.page(
            selectors.open_cases(ALL_ACCOUNTS), selectors.CASE_ORDER, cursor=cursor, limit=2
        )
        assert (rest, end) == ([mild], "")

    def test_count_what_is_open(self, account: Account) -> None:
        CaseFactory(account=account, severity=1, due_at=NOON)
        CaseFactory(account=account, due_at=LATER, assignee=UserFactory())
        CaseFactory(resolved=True)

        assert selectors.case_counts(ALL_ACCOUNTS, at=NOON + timedelta(minutes=1)) == {
            "open": 2,
            "overdue": 1,
            "unassigned": 1,
            "urgent": 1,
        }
        assert selectors.case_counts_by_kind(ALL_ACCOUNTS) == [("STUCK", "Stuck in a state", 2)]

    def test_show_clusters_by_cause(self, account: Account) -> None:
        same = [CaseFactory(account=account, cause="Reno, MUG-RED") for _ in range(3)]
        CaseFactory(account=account, cause="alone")
        CaseFactory(account=account)

        (cluster,) = selectors.clusters(ALL_ACCOUNTS)
        assert (cluster.kind, cluster.cause, cluster.count) == ("STUCK", "Reno, MUG-RED", 3)
        assert selectors.cluster_case_ids(ALL_ACCOUNTS, "STUCK", cluster.cause) == [
            case.pk for case in same
        ]
        assert selectors.clusters(Scope(frozenset())) == []
