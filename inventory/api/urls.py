"""Routes of the stock API, taken in by the versioned router."""

from rest_framework.routers import BaseRouter

from inventory.api.adjustments import AdjustmentViewSet
from inventory.api.availability import AvailabilityViewSet
from inventory.api.counts import CountViewSet
from inventory.api.feeds import DifferenceViewSet, FeedViewSet, SnapshotViewSet
from inventory.api.holds import HoldViewSet
from inventory.api.inbound import AheadCapViewSet, InboundViewSet, SupplyLaneViewSet
from inventory.api.items import SkuViewSet
from inventory.api.lots import LotViewSet
from inventory.api.network import NodePlanViewSet, NodeViewSet
from inventory.api.offers import SupplierOfferViewSet
from inventory.api.owners import OwnerViewSet
from inventory.api.reservations import ReservationViewSet
from inventory.api.rules import BufferRuleViewSet, QuotaViewSet
from inventory.api.transfers import TransferViewSet
from inventory.api.views import StockViewSet


def routes(router: BaseRouter) -> None:
    router.register("skus", SkuViewSet, "sku")
    router.register("nodes", NodeViewSet, "node")
    router.register("node-plans", NodePlanViewSet, "node-plan")
    router.register("stock", StockViewSet, "stock")
    router.register("reservations", ReservationViewSet, "reservation")
    router.register("availability", AvailabilityViewSet, "availability")
    router.register("inbound", InboundViewSet, "inbound")
    router.register("ahead-caps", AheadCapViewSet, "ahead-cap")
    router.register("supply-lanes", SupplyLaneViewSet, "supply-lane")
    router.register("holds", HoldViewSet, "hold")
    router.register("buffer-rules", BufferRuleViewSet, "buffer-rule")
    router.register("quotas", QuotaViewSet, "quota")
    router.register("owners", OwnerViewSet, "owner")
    router.register("supplier-offers", SupplierOfferViewSet, "supplier-offer")
    router.register("adjustments", AdjustmentViewSet, "adjustment")
    router.register("transfers", TransferViewSet, "transfer")
    router.register("counts", CountViewSet, "count")
    router.register("feeds", FeedViewSet, "feed")
    router.register("lots", LotViewSet, "lot")
    router.register("snapshots", SnapshotViewSet, "snapshot")
    router.register("differences", DifferenceViewSet, "difference")
