"""Feeds by request: what they declare, their changes, their snapshots in parts, what differs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Outcome
from inventory import selectors, services
from inventory.api import feed_shapes as shapes
from inventory.api.reading import account_meant, nodes_meant, read_body, uuid_of
from inventory.feed_registration import enqueue_snapshot
from inventory.models import Difference, Feed, SnapshotDocument
from inventory.snapshot_files import read_rows
from inventory.states import DifferenceState, SnapshotState
from inventory.types import Decision, FeedDelta, FeedTerms, SnapshotDraft, StockChange

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE)
WRITE = (Permission.INVENTORY_ADJUST, Permission.API_STOCK_WRITE)
DECLARE = (Permission.NETWORK_EDIT,)
MOST_ROWS: Final = 10_000
_UUID: Final = "[0-9a-f-]{36}"


def _node(request: Request, code: str, account_id: UUID) -> int:
    found = nodes_meant(request, [code], account_id)
    if code not in found:
        raise NotFound("There is no such node.")
    return found[code]


def _within(request: Request, found: QuerySet[Any], column: str = "node_id") -> QuerySet[Any]:
    nodes = nodes_in_reach(request)
    return found if nodes is None else found.filter(**{f"{column}__in": nodes})


class FeedViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Feed]):
    """Who tells of stock at which node, and how far they have told."""

    serializer_class = shapes.FeedShape
    pagination_class = KeysetPagination
    keyset_order = ("id",)
    queryset = Feed.objects.none()

    def get_permissions(self) -> Sequence[Any]:
        asked = {"list": SEE, "create": DECLARE}.get(self.action, WRITE)
        return [needs(*asked)()]

    def get_queryset(self) -> Any:
        found = Feed.objects.for_scope(reach_of(self.request)).select_related("node")
        return _within(self.request, found)

    @extend_schema(request=shapes.FeedTermsInput, responses=shapes.FeedShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Declare a feed, or change what it declares: one per node, source and account."""
        given = read_body(shapes.FeedTermsInput, request)
        account_id = account_meant(request, given.pop("account"))
        node_id = _node(request, given.pop("node"), account_id)
        for name in ("expected_every", "silent_after", "reconcile_every"):
            seconds = given.pop(f"{name}_seconds")
            given[name] = timedelta(seconds=seconds) if seconds else None
        terms = FeedTerms(node_id, account_id=account_id, **given)
        [feed_id] = services.declare_feeds([terms], at=clock.now(), actor=actor_of(request))
        return Response(shapes.FeedShape(self.get_queryset().get(pk=feed_id)).data, status=201)

    @extend_schema(request=shapes.DeltasInput, responses=shapes.DeltasShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def deltas(self, request: Request) -> Response:
        """Tell what has changed at a node: up to 1,000, each with its own outcome, in any order."""
        given = read_body(shapes.DeltasInput, request)
        account_id = account_meant(request, given["account"])
        node_id = _node(request, given["node"], account_id)
        rows = given["deltas"]
        codes = {row["sku"] for row in rows}
        skus = selectors.skus_by_code(account_id, channel_of_key(request), codes)
        told = [
            FeedDelta(
                StockChange(
                    node_id,
                    skus[row["sku"]].id,
                    account_id,
                    row["quantity"],
                    row["kind"],
                    row["condition"],
                    row["lot"],
                    source=given["source"],
                    external_id=row["external_id"],
                    happened_at=row["happened_at"],
                    expected_on_hand=row["expected_on_hand"],
                ),
                row["sequence"],
            )
            for row in rows
            if row["sku"] in skus
        ]
        outcomes = iter(
            services.apply_deltas(
                node_id, given["source"], told, at=clock.now(), actor=actor_of(request)
            )
        )
        shown = [
            _item(next(outcomes) if row["sku"] in skus else _unknown(row["sku"])) for row in rows
        ]
        where = {"node_id": node_id, "source": given["source"], "account_id": account_id}
        feed = self.get_queryset().filter(**where).first()
        return Response(
            {
                "results": shown,
                "sequence": feed.sequence if feed else None,
                "missing": feed.missing if feed else [],
            }
        )


class SnapshotViewSet(viewsets.GenericViewSet[Any]):
    """Snapshots of any size, in parts: nothing counts before they are closed and accepted."""

    lookup_value_regex = _UUID
    queryset = SnapshotDocument.objects.none()
    serializer_class = shapes.SnapshotShape

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action in {"retrieve", "problems"} else WRITE))()]

    @extend_schema(request=shapes.SnapshotDraftInput, responses=shapes.SnapshotShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Open a snapshot; send its parts next."""
        given = read_body(shapes.SnapshotDraftInput, request)
        account_id = account_meant(request, given.pop("account"))
        node_id = _node(request, given.pop("node"), account_id)
        draft = SnapshotDraft(node_id, account_id, **given)
        document_id = services.open_snapshot(draft, at=clock.now(), actor=actor_of(request))
        return self._shown(request, document_id, status=201)

    @extend_schema(responses=shapes.SnapshotShape)
    def retrieve(self, request: Request, pk: str) -> Response:
        """How the snapshot stands: how many rows are applied, or why it was refused."""
        return self._shown(request, UUID(pk))

    @extend_schema(request=shapes.SnapshotPartShape, responses=shapes.SnapshotShape)
    @action(detail=True, methods=["post"])
    @idempotent
    def parts(self, request: Request, pk: str) -> Response:
        """Send the next part, up to 10,000 rows. The same part sent again changes nothing."""
        number, rows = _part(request.data)
        self._require(request, UUID(pk))
        read = read_rows(rows, first=1)
        at, actor = clock.now(), actor_of(request)
        services.add_part(UUID(pk), number, read, at=at, actor=actor)
        return self._shown(request, UUID(pk))

    @extend_schema(request=shapes.SnapshotCloseInput, responses=shapes.SnapshotShape)
    @action(detail=True, methods=["post"])
    @idempotent
    def close(self, request: Request, pk: str) -> Response:
        """Close it: refused with every problem by row, or accepted and applied to its end."""
        given = read_body(shapes.SnapshotCloseInput, request)
        self._require(request, UUID(pk))
        at, actor = clock.now(), actor_of(request)
        totals = services.Totals(given["rows"], given["units"])
        document = services.close_snapshot(UUID(pk), totals, at=at, actor=actor)
        if document.state == SnapshotState.ACCEPTED:
            enqueue_snapshot(document.pk, document.rows, document.account_id, at=at, actor=actor)
        return self._shown(request, UUID(pk))

    @extend_schema(request=None, responses=shapes.SnapshotShape)
    @action(detail=True, methods=["post"])
    @idempotent
    def withdraw(self, request: Request, pk: str) -> Response:
        """Give up a snapshot that is open."""
        self._require(request, UUID(pk))
        services.withdraw_snapshot(UUID(pk), at=clock.now(), actor=actor_of(request))
        return self._shown(request, UUID(pk))

    @extend_schema(
        parameters=[OpenApiParameter("after", int, description="How many to leave out.")],
        responses=shapes.RowProblemShape(many=True),
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def problems(self, request: Request, pk: str) -> Response:
        """Why it was refused, by row, a hundred at a time."""
        self._require(request, UUID(pk))
        after = request.query_params.get("after", "0")
        found = selectors.snapshot_problems(UUID(pk), after=int(after) if after.isdigit() else 0)
        return Response(shapes.RowProblemShape(found, many=True).data)

    def _require(self, request: Request, document_id: UUID) -> None:
        found = SnapshotDocument.objects.for_scope(reach_of(request)).filter(pk=document_id)
        if not _within(request, found).exists():
            raise NotFound("There is no such snapshot.")

    def _shown(self, request: Request, document_id: UUID, *, status: int = 200) -> Response:
        self._require(request, document_id)
        seen = selectors.snapshot_of(document_id, reach_of(request))
        return Response(shapes.SnapshotShape(seen).data, status=status)


class DifferenceViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Difference]):
    """Lines at which a feed and the book differ; `?state=` and `?run=` narrow them."""

    serializer_class = shapes.DifferenceShape
    pagination_class = KeysetPagination
    keyset_order = ("id",)
    queryset = Difference.objects.none()

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action == "list" else WRITE))()]

    def get_queryset(self) -> Any:
        found = Difference.objects.for_scope(reach_of(self.request)).select_related("sku")
        asked = self.request.query_params
        found = found.filter(state=asked.get("state", DifferenceState.OPEN.value))
        if run := asked.get("run"):
            found = found.filter(run_id=uuid_of(run, "?run"))
        return _within(self.request, found, "run__node_id")

    @extend_schema(
        parameters=[OpenApiParameter("state", str), OpenApiParameter("run", str)],
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=shapes.DecisionsInput, responses=shapes.DecisionsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def decide(self, request: Request) -> Response:
        """Accept theirs, keep ours and ask for a count, or explain: up to 1,000, an outcome each."""
        given = read_body(shapes.DecisionsInput, request)
        asked = [Decision(row["id"], row["movement_id"], row["note"]) for row in given["items"]]
        wanted = [one.difference_id for one in asked]
        lines = Difference.objects.for_scope(reach_of(request)).filter(pk__in=wanted)
        reached = set(_within(request, lines, "run__node_id").values_list("pk", flat=True))
        command = {
            "theirs": services.accept_theirs,
            "ours": services.keep_ours,
            "explained": services.explain_differences,
        }[given["verdict"]]
        known = [one for one in asked if one.difference_id in reached]
        outcomes = iter(command(known, at=clock.now(), actor=actor_of(request)))
        missing: Outcome[int] = Outcome.refused("not-found", "There is no such difference.")
        return Response(
            {
                "results": [
                    _decided(next(outcomes) if one.difference_id in reached else missing)
                    for one in asked
                ]
            }
        )


def _part(data: Any) -> tuple[int, list[Any]]:
    """The part's number and rows. Rows are not looked into here: they are read once, by row."""
    number = data.get("number") if isinstance(data, dict) else None
    rows = data.get("rows") if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Invalid("A part has a number.", errors=[_pointer("/number", "A number from 1.")])
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        detail = f"A list of 1 to {MOST_ROWS:,} rows."
        raise Invalid("A part has rows.", errors=[_pointer("/rows", detail)])
    return number, rows


def _pointer(pointer: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "code": "invalid", "detail": detail}


def _unknown(code: str) -> Outcome[Any]:
    return Outcome.refused("unknown-sku", f"There is no SKU {code}.")


def _item(outcome: Outcome[Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.value is not None:
        shown["movement_id"] = str(outcome.value.movement_id)
        shown["on_hand"] = outcome.value.on_hand
    if outcome.problem is not None:
        shown["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
        if "on_hand" in outcome.problem.extra:
            shown["on_hand"] = outcome.problem.extra["on_hand"]
    return shown


def _decided(outcome: Outcome[int]) -> dict[str, Any]:
    shown: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.value is not None:
        shown["units"] = outcome.value
    if outcome.problem is not None:
        shown["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
    return shown
