from inventory.models.adjustments import StockAdjustment
from inventory.models.availability import (
    AvailabilityTurn,
    ChannelAvailability,
    DirtySku,
    PickableTime,
)
from inventory.models.calendar import (
    NodeCapability,
    NodePickup,
    NodePlan,
    NodeSignal,
    NodeSpecialDay,
    PlannedPause,
)
from inventory.models.capacity import CapacityEntry, CapacityFold, CapacityWindow, NodeCapacity
from inventory.models.counts import CountRequest, Exclusion
from inventory.models.drift import DriftWatch, StockDrift
from inventory.models.feeds import Feed
from inventory.models.groups import NodeGroup, NodeGroupMember
from inventory.models.holds import CartHold
from inventory.models.imports import SupplyImport, SupplyImportPart
from inventory.models.inbound import Inbound, InboundLine
from inventory.models.inbound_ahead import AheadCap, Backing, SupplyLane
from inventory.models.items import (
    Barcode,
    ChannelListing,
    KitComponent,
    Sku,
    SkuPack,
    Substitute,
)
from inventory.models.lots import Allocation, ChannelLife, Lot, Recall, Serial
from inventory.models.network import (
    Carrier,
    ChannelNode,
    Node,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeGrant,
    NodeHours,
    ServiceLevel,
)
from inventory.models.offers import SupplierOffer
from inventory.models.owners import ConsignedUse, OwnerChannel, OwnerPrice, StockOwner
from inventory.models.quotas import Quota, QuotaPlan, QuotaUse
from inventory.models.reconciliation import (
    Difference,
    Reconciliation,
    SnapshotDocument,
    SnapshotLine,
    SnapshotPart,
    SnapshotProblem,
)
from inventory.models.reservations import Reservation
from inventory.models.rules import (
    BufferRule,
    ChannelTerm,
    NodeHaircut,
    PositionSafety,
    RuleRun,
)
from inventory.models.slips import InboundSlip
from inventory.models.stock import (
    LandedWork,
    Movement,
    ShortfallWork,
    StockLevel,
    StockPosition,
)
from inventory.models.transfers import Transfer, TransferClaim, TransferLine

__all__ = [
    "AheadCap",
    "Allocation",
    "AvailabilityTurn",
    "Backing",
    "Barcode",
    "BufferRule",
    "CapacityEntry",
    "CapacityFold",
    "CapacityWindow",
    "Carrier",
    "CartHold",
    "ChannelAvailability",
    "ChannelLife",
    "ChannelListing",
    "ChannelNode",
    "ChannelTerm",
    "ConsignedUse",
    "CountRequest",
    "Difference",
    "DirtySku",
    "DriftWatch",
    "Exclusion",
    "Feed",
    "Inbound",
    "InboundLine",
    "InboundSlip",
    "KitComponent",
    "LandedWork",
    "Lot",
    "Movement",
    "Node",
    "NodeCapability",
    "NodeCapacity",
    "NodeClosure",
    "NodeCutoff",
    "NodeFunction",
    "NodeGrant",
    "NodeGroup",
    "NodeGroupMember",
    "NodeHaircut",
    "NodeHours",
    "NodePickup",
    "NodePlan",
    "NodeSignal",
    "NodeSpecialDay",
    "OwnerChannel",
    "OwnerPrice",
    "PickableTime",
    "PlannedPause",
    "PositionSafety",
    "Quota",
    "QuotaPlan",
    "QuotaUse",
    "Recall",
    "Reconciliation",
    "Reservation",
    "RuleRun",
    "Serial",
    "ServiceLevel",
    "ShortfallWork",
    "Sku",
    "SkuPack",
    "SnapshotDocument",
    "SnapshotLine",
    "SnapshotPart",
    "SnapshotProblem",
    "StockAdjustment",
    "StockDrift",
    "StockLevel",
    "StockOwner",
    "StockPosition",
    "Substitute",
    "SupplierOffer",
    "SupplyImport",
    "SupplyImportPart",
    "SupplyLane",
    "Transfer",
    "TransferClaim",
    "TransferLine",
]
