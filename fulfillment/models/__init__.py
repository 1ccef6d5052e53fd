from fulfillment.models.parcels import Label, Parcel, ParcelLine, TrackingEvent
from fulfillment.models.work import FulfillmentLine, FulfillmentOrder, NodeRequest

__all__ = [
    "FulfillmentLine",
    "FulfillmentOrder",
    "Label",
    "NodeRequest",
    "Parcel",
    "ParcelLine",
    "TrackingEvent",
]
