"""Paper for nodes without a system of their own: pick list, packing slip, manifest; labels bundled.

What draws is loaded with the first page that is drawn: most processes never draw one.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from uuid import UUID

from fulfillment.carriers import PostalAddress
from fulfillment.models import FulfillmentOrder, Manifest, Parcel

PDF = "application/pdf"
ZIP = "application/zip"


def pick_list(orders: Sequence[FulfillmentOrder]) -> bytes:
    """What to take from the shelves: one page per fulfillment order, each line with its bars."""
    from fulfillment import drawing

    return drawing.pick_list(orders)


def packing_slip(parcels: Sequence[Parcel], destinations: Mapping[UUID, PostalAddress]) -> bytes:
    """What lies in each parcel, for the buyer: one page per parcel."""
    from fulfillment import drawing

    return drawing.packing_slip(parcels, destinations)


def manifest_list(manifest: Manifest) -> bytes:
    """What the carrier takes along and signs for."""
    from fulfillment import drawing

    return drawing.manifest_list(manifest)


def bundle(documents: Mapping[str, tuple[bytes, str]]) -> bytes:
    """Several labels as one ZIP archive, named by parcel number."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, (document, media_type) in sorted(documents.items()):
            suffix = "pdf" if media_type == PDF else "bin"
            packed.writestr(f"{number}.{suffix}", document)
    return archive.getvalue()
