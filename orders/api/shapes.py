"""Shapes of the orders API as the schema documents them. Requests are read in `parsing`, by hand."""

from typing import Any

from rest_framework import serializers

from orders.states import (
    CollectedBy,
    DisputeState,
    DocumentKind,
    FulfilledBy,
    Initiator,
    LineKind,
    Method,
    PickupChoice,
)


class PartyShape(serializers.Serializer[Any]):
    name = serializers.CharField(required=False)
    company = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False)


class AddressShape(serializers.Serializer[Any]):
    name = serializers.CharField(required=False)
    company = serializers.CharField(required=False)
    line1 = serializers.CharField(required=False)
    line2 = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    region = serializers.CharField(required=False)
    postal_code = serializers.CharField(required=False)
    country = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)


class LineInput(serializers.Serializer[Any]):
    external_id = serializers.CharField(required=False)
    sku_code = serializers.CharField(required=False)
    quantity = serializers.IntegerField(min_value=1)
    title = serializers.CharField(required=False)
    kind = serializers.ChoiceField(LineKind.choices, required=False)
    unit_price = serializers.CharField(required=False, help_text="Decimal in major units.")
    discount_minor = serializers.IntegerField(required=False)
    tax_minor = serializers.IntegerField(required=False)
    total_minor = serializers.IntegerField(required=False, help_text="Paid for the line, with tax.")
    parent_external_id = serializers.CharField(required=False)
    relation = serializers.CharField(required=False)
    properties = serializers.DictField(child=serializers.CharField(), required=False)


class QuoteReferenceInput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    option = serializers.CharField(max_length=64)


class GroupInput(serializers.Serializer[Any]):
    lines = LineInput(many=True)
    method = serializers.ChoiceField(Method.choices, required=False)
    fulfilled_by = serializers.ChoiceField(FulfilledBy.choices, required=False)
    address = AddressShape(required=False)
    pickup_node_code = serializers.CharField(required=False)
    service_level_code = serializers.CharField(required=False)
    ship_complete = serializers.BooleanField(required=False)
    not_before = serializers.DateTimeField(required=False)
    requested_by = serializers.DateTimeField(required=False)
    gift_message = serializers.CharField(required=False)
    handling_notes = serializers.CharField(required=False)
    quote = QuoteReferenceInput(
        required=False, help_text="What the buyer was quoted: it is promised so, while it holds."
    )


class TenderInput(serializers.Serializer[Any]):
    kind = serializers.CharField()
    amount_minor = serializers.IntegerField()
    collected_by = serializers.ChoiceField(CollectedBy.choices, required=False)
    provider = serializers.CharField(required=False)
    authorization_reference = serializers.CharField(required=False)
    authorization_expires_at = serializers.DateTimeField(required=False)
    captured_minor = serializers.IntegerField(required=False)


class TotalsShape(serializers.Serializer[Any]):
    items_minor = serializers.IntegerField(required=False)
    discount_minor = serializers.IntegerField(required=False)
    shipping_minor = serializers.IntegerField(required=False)
    tax_minor = serializers.IntegerField(required=False)
    total_minor = serializers.IntegerField(required=False)


class OrderInput(serializers.Serializer[Any]):
    external_id = serializers.CharField(max_length=128)
    channel = serializers.CharField(
        required=False, help_text="Code; needed when the key is not bound to a channel."
    )
    external_number = serializers.CharField(required=False)
    document_kind = serializers.ChoiceField(DocumentKind.choices, required=False)
    currency = serializers.CharField(required=False)
    placed_at = serializers.DateTimeField(required=False)
    tax_inclusive = serializers.BooleanField(required=False)
    customer = PartyShape(required=False)
    groups = GroupInput(many=True)
    tenders = TenderInput(many=True, required=False)
    totals = TotalsShape(required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    customer_tags = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="What you say of the customer (vip, wholesale); rules of routing may ask for it.",
    )
    priority = serializers.IntegerField(required=False)
    note = serializers.CharField(required=False)
    cart = serializers.CharField(
        required=False,
        max_length=64,
        help_text=(
            "The shop's id of the cart, as `/holds/` knows it: what it holds becomes the order's at "
            "acceptance, and what the order does not need of it is free. Refused where nothing was "
            "ever held for it, or another order has it; a hold that has ended is a warning."
        ),
    )


class BulkInput(serializers.Serializer[Any]):
    orders = OrderInput(many=True)


class CancelLineInput(serializers.Serializer[Any]):
    line_id = serializers.UUIDField()
    quantity = serializers.IntegerField(required=False, min_value=1)


_REASON = "A code or a short sentence, kept in the clear: it names nobody."


class CancelInput(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, max_length=200, help_text=_REASON)
    initiator = serializers.ChoiceField(Initiator.choices, required=False)
    lines = CancelLineInput(
        many=True, required=False, help_text="All that is left when it is absent."
    )


class HoldInput(serializers.Serializer[Any]):
    type = serializers.CharField(required=False, help_text="“manual” when it is absent.")
    reason = serializers.CharField(max_length=200, help_text=_REASON)
    group_id = serializers.UUIDField(required=False)
    line_id = serializers.UUIDField(required=False)
    until = serializers.DateTimeField(required=False)
    handle = serializers.CharField(required=False)


class ReleaseHoldInput(serializers.Serializer[Any]):
    hold_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="Every hold when it is absent."
    )
    reason = serializers.CharField(required=False, max_length=200, help_text=_REASON)


class AddressInput(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    address = AddressShape()


class PinInput(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    node = serializers.CharField(allow_null=True, help_text="Code of the node, or null.")


class PickupChoiceInput(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    choice = serializers.ChoiceField(choices=PickupChoice.choices)
    node = serializers.CharField(
        required=False, help_text="Code of the store; needed to `collect` elsewhere."
    )
    address = AddressShape(
        required=False, help_text="Where to `ship` to; without it, to the order's own address."
    )


class PickupChoiceShape(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    choice = serializers.CharField()
    units = serializers.IntegerField()


class NoteInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=5_000)


class ChangedShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    outcome = serializers.CharField()


class SettlementInput(serializers.Serializer[Any]):
    """What a person found out about a refund or capture."""

    payment_id = serializers.UUIDField()
    happened = serializers.BooleanField(help_text="Whether the money was moved.")
    reference = serializers.CharField(
        max_length=128,
        default="",
        allow_blank=True,
        help_text="Where it is found; needed if it was.",
    )


class RiskInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class AuthorizationInput(serializers.Serializer[Any]):
    reference = serializers.CharField(max_length=128, help_text="The provider's.")
    amount_minor = serializers.IntegerField(min_value=1)
    expires_at = serializers.DateTimeField(required=False)
    tender_id = serializers.UUIDField(
        required=False, help_text="The first tender of ours that is not secured, when absent."
    )


class ProblemShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class TakenOrderShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    external_id = serializers.CharField()
    state = serializers.CharField()
    progress = serializers.CharField()
    holds = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
    repeated = serializers.BooleanField()
    reserved = serializers.IntegerField()
    backordered = serializers.IntegerField()
    ship_by = serializers.DateTimeField(allow_null=True)
    deliver_by = serializers.DateTimeField(allow_null=True)


class ItemShape(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(["done", "repeated", "refused"])
    order = TakenOrderShape(required=False)
    problem = ProblemShape(required=False)


class ItemsShape(serializers.Serializer[Any]):
    results = ItemShape(many=True)


class CancelledShape(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(["done", "refused"])
    cancelled = serializers.IntegerField(required=False)
    asked = serializers.IntegerField(required=False)
    refused = serializers.IntegerField(required=False)
    problem = ProblemShape(required=False)


class CancelAnswerShape(serializers.Serializer[Any]):
    state = serializers.CharField()
    results = CancelledShape(many=True)


class HoldAnswerShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    outcome = serializers.CharField()


class PaymentAnswerShape(serializers.Serializer[Any]):
    payment_state = serializers.CharField()
    outcome = serializers.CharField()


class ReleaseAnswerShape(serializers.Serializer[Any]):
    results = HoldAnswerShape(many=True)


class OrderShape(serializers.Serializer[Any]):
    """One row of the list."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    external_id = serializers.CharField()
    external_number = serializers.CharField()
    channel = serializers.CharField()
    state = serializers.CharField()
    progress = serializers.CharField()
    payment_state = serializers.CharField()
    currency = serializers.CharField()
    total_minor = serializers.IntegerField()
    cancelled_minor = serializers.IntegerField()
    holds_open = serializers.IntegerField()
    placed_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    ship_by = serializers.DateTimeField(allow_null=True)
    deliver_by = serializers.DateTimeField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    customer_tags = serializers.ListField(child=serializers.CharField())


class LineShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    external_id = serializers.CharField()
    external_sku = serializers.CharField()
    sku = serializers.CharField(allow_null=True)
    kind = serializers.CharField()
    title = serializers.CharField()
    parent_id = serializers.UUIDField(allow_null=True)
    relation = serializers.CharField()
    unit_price = serializers.CharField()
    total_minor = serializers.IntegerField()
    quantities = serializers.DictField(child=serializers.IntegerField())


class QuoteReferenceShape(serializers.Serializer[Any]):
    """The quote that it was ordered by: `kept`, `missed` with why, or `waits` until it is promised."""

    id = serializers.UUIDField()
    option = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["waits", "kept", "missed"])
    why = serializers.CharField(help_text="A code; empty unless it was missed.")
    detail = serializers.CharField()


class GroupShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    method = serializers.CharField()
    fulfilled_by = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()
    pickup_node = serializers.CharField(allow_null=True)
    service_level = serializers.CharField(allow_null=True)
    ship_by = serializers.DateTimeField(allow_null=True)
    deliver_by = serializers.DateTimeField(allow_null=True)
    quote = QuoteReferenceShape(allow_null=True)
    address = AddressShape(required=False)
    lines = LineShape(many=True)


class HoldShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    type = serializers.CharField()
    scope = serializers.CharField()
    state = serializers.CharField()
    blocks = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    placed_at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)


class MoneyShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    state = serializers.CharField()
    amount_minor = serializers.IntegerField()


class TenderShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    provider = serializers.CharField()
    collected_by = serializers.CharField()
    amount_minor = serializers.IntegerField()
    captured_minor = serializers.IntegerField()
    refunded_minor = serializers.IntegerField()
    charged_back_minor = serializers.IntegerField()


class DisputeShape(serializers.Serializer[Any]):
    """A buyer disputes a payment with their bank; what it took back is charged back."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=DisputeState.choices)
    amount_minor = serializers.IntegerField()
    reason = serializers.CharField()
    evidence_due_at = serializers.DateTimeField(allow_null=True)
    opened_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    charged_back_minor = serializers.IntegerField()


class PromiseShape(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    version = serializers.IntegerField()
    cause = serializers.CharField()
    ship_by = serializers.DateTimeField()
    deliver_earliest = serializers.DateTimeField()
    deliver_latest = serializers.DateTimeField()
    at = serializers.DateTimeField()


class OrderPageShape(OrderShape):
    """One order with everything that belongs to it."""

    groups = GroupShape(many=True)
    holds = HoldShape(many=True)
    money = MoneyShape(many=True)
    tenders = TenderShape(many=True)
    disputes = DisputeShape(many=True)
    promises = PromiseShape(many=True)
    fulfillment_orders = serializers.ListField(
        child=serializers.DictField(),
        help_text="As `/fulfillment-orders` shows them, with lines, parcels and tracking numbers.",
    )
    contacts = serializers.ChoiceField(
        choices=["masked", "shown"], help_text="Whether people and places are shown in full."
    )
    customer = PartyShape(required=False)
