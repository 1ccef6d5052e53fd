from fulfillment.models.jeopardy import PromiseSlack, Remedy, StageTime
from fulfillment.models.manifests import Manifest, ManifestLine
from fulfillment.models.parcels import Label, Parcel, ParcelLine, TrackingEvent
from fulfillment.models.traced import TracedUnits
from fulfillment.models.work import FulfillmentLine, FulfillmentOrder, NodeRequest

__all__ = [
    "FulfillmentLine",
    "FulfillmentOrder",
    "Label",
    "Manifest",
    "ManifestLine",
    "NodeRequest",
    "Parcel",
    "ParcelLine",
    "PromiseSlack",
    "Remedy",
    "StageTime",
    "TracedUnits",
    "TrackingEvent",
]
