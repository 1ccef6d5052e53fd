"""States of what fulfillment keeps. Each machine's diagram stands on its model."""

from django.db import models


class FulfillmentState(models.TextChoices):
    RELEASED = "released", "Released"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    PICKING = "picking", "Picking"
    PACKED = "packed", "Packed"
    SHIPPED = "shipped", "Shipped"
    COMPLETED = "completed", "Completed"
    READY_FOR_PICKUP = "ready_for_pickup", "Ready for pickup"
    COLLECTED = "collected", "Collected"
    EXPIRED = "expired", "Not collected in time"
    CANCELLED = "cancelled", "Cancelled"


OPEN_FULFILLMENT = (
    FulfillmentState.RELEASED,
    FulfillmentState.ACKNOWLEDGED,
    FulfillmentState.PICKING,
    FulfillmentState.PACKED,
    FulfillmentState.READY_FOR_PICKUP,
)
"""A node still has work to do, or a buyer still has to come."""


class RequestState(models.TextChoices):
    SENT = "sent", "Asked"
    ACCEPTED = "accepted", "Accepted"
    PARTLY = "partly", "Accepted in part"
    REFUSED = "refused", "Refused"
    TIMED_OUT = "timed_out", "No answer in time"


class RequestKind(models.TextChoices):
    """What a node is asked: to give up units for good, to send otherwise, or to let units go elsewhere."""

    CANCEL = "cancel", "Cancel units"
    CHANGE = "change", "Change address or service"
    PULL_BACK = "pull_back", "Give units back"


class ParcelState(models.TextChoices):
    PACKED = "packed", "Packed"
    LABELLED = "labelled", "Labelled"
    MANIFESTED = "manifested", "On a manifest"
    HANDED_OVER = "handed_over", "Handed to the carrier"
    IN_TRANSIT = "in_transit", "In transit"
    OUT_FOR_DELIVERY = "out_for_delivery", "Out for delivery"
    ATTEMPTED = "attempted", "Delivery attempted"
    AT_PICKUP_POINT = "at_pickup_point", "At a pickup point"
    DELIVERED = "delivered", "Delivered"
    RETURNING = "returning", "On its way back"
    RETURNED = "returned", "Came back"
    DAMAGED = "damaged", "Damaged"
    LOST = "lost", "Lost"
    VOIDED = "voided", "Voided"


AT_THE_NODE = (ParcelState.PACKED, ParcelState.LABELLED, ParcelState.MANIFESTED)
"""The parcel has not left: it may still be opened or voided."""

READY_FOR_CARRIER = (ParcelState.LABELLED, ParcelState.MANIFESTED)
"""The parcel waits for its carrier: it goes with the next manifest."""

ON_THE_WAY = (
    ParcelState.HANDED_OVER,
    ParcelState.IN_TRANSIT,
    ParcelState.OUT_FOR_DELIVERY,
    ParcelState.ATTEMPTED,
    ParcelState.AT_PICKUP_POINT,
    ParcelState.RETURNING,
)
"""The carrier has it, and should be heard of."""

FOLLOWED = (
    *READY_FOR_CARRIER,
    *ON_THE_WAY,
    ParcelState.DAMAGED,
    ParcelState.LOST,
)
"""A carrier may know more of it than we: a scan that we were not told of, a lost one found."""

TRACKED = (
    *ON_THE_WAY,
    ParcelState.DELIVERED,
    ParcelState.RETURNED,
    ParcelState.DAMAGED,
    ParcelState.LOST,
)
"""Every state that follows the handing over."""


class ShortReason(models.TextChoices):
    """Why a node cannot find or use a unit. `damaged` units are there but may not be sold."""

    MISSING = "missing", "Not on the shelf"
    DAMAGED = "damaged", "Damaged"
    WRONG_ITEM = "wrong_item", "Another item in its place"
    EXPIRED = "expired", "Past its date"


class RejectReason(models.TextChoices):
    """Why a node will not do the work, though the units may be there."""

    NO_CAPACITY = "no_capacity", "No capacity"
    NO_STOCK = "no_stock", "It is not there"
    CLOSED = "closed", "The node is closed"
    CANNOT_SHIP = "cannot_ship", "Cannot ship this item"
    OTHER = "other", "Other"


class Stage(models.TextChoices):
    """What a promise waits for, in this order. Each ends with the act that it is named after."""

    ACCEPT = "accept", "Accept"
    RELEASE = "release", "Release"
    ACKNOWLEDGE = "acknowledge", "Acknowledge"
    PICK = "pick", "Pick"
    PACK = "pack", "Pack"
    HAND_OVER = "hand_over", "Hand over"
    DELIVER = "deliver", "Deliver"


class RemedyKind(models.TextChoices):
    """What can be done for a promise in danger."""

    REROUTE = "reroute", "Send from another node"
    UPGRADE = "upgrade", "Faster service"
    SPLIT = "split", "Send what is ready"
    ASK = "ask", "Tell the buyer and ask"
    CANCEL = "cancel", "Cancel"
