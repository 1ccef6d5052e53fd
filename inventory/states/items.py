"""What is sold: kinds, lives, packs, barcodes, laws, and the files in which it comes."""

from django.db.models import TextChoices


class SkuKind(TextChoices):
    """Only stock is sourced; a kit is sold as one and shipped as its components."""

    STOCK = "stock", "Stock"
    KIT = "kit", "Kit"
    SERVICE = "service", "Service"
    DIGITAL = "digital", "Digital"
    GIFT_CARD = "gift_card", "Gift card"


class Lifecycle(TextChoices):
    """planned → active ⇄ phasing_out → discontinued; revived it is active again."""

    PLANNED = "planned", "Planned"
    ACTIVE = "active", "Active"
    PHASING_OUT = "phasing_out", "Phasing out"
    DISCONTINUED = "discontinued", "Discontinued"


class Storage(TextChoices):
    """At what temperature it is kept."""

    AMBIENT = "ambient", "Ambient"
    CHILLED = "chilled", "Chilled (2 to 8 °C)"
    FROZEN = "frozen", "Frozen (−18 °C or less)"


class PackLevel(TextChoices):
    """How units are packed; each level holds whole packs of the one before."""

    EACH = "each", "Each"
    INNER = "inner", "Inner pack"
    CASE = "case", "Case"
    PALLET = "pallet", "Pallet"


class BarcodeKind(TextChoices):
    """Given out by GS1, with a check digit; or by the retailer itself."""

    GTIN = "gtin", "GTIN"
    INTERNAL = "internal", "Internal"


class SubstituteState(TextChoices):
    """proposed → approved → retired; one that is changed is proposed again."""

    PROPOSED = "proposed", "Proposed"
    APPROVED = "approved", "Approved"
    RETIRED = "retired", "Retired"


class PriceRule(TextChoices):
    """What the buyer pays for a substitute."""

    KEEP = "keep", "As sold"
    LOWER = "lower", "The lower of the two"
    OWN = "own", "Its own price"


class SupplyImportState(TextChoices):
    """received → checking → checked → applying → applied; also applied without a check."""

    RECEIVED = "received", "Received"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked"
    APPLYING = "applying", "Being applied"
    APPLIED = "applied", "Applied"


class Regulation(TextChoices):
    """Which law a SKU falls under, where one does."""

    NONE = "", "None"
    ALCOHOL = "alcohol", "Alcohol"
    TOBACCO = "tobacco", "Tobacco"
    MEDICINE = "medicine", "Medicine"
    AGE_RESTRICTED = "age_restricted", "Age-restricted"
    BATTERY = "battery", "Batteries"


VERIFIED_BEFORE_RESALE = frozenset(
    {Regulation.MEDICINE.value, Regulation.ALCOHOL.value, Regulation.TOBACCO.value}
)
"""Laws under which goods that came back are sold again only once somebody has verified them."""
