"""Where a destination lies, and how finely that is known. No database."""

import pytest

from routing.engine import Precision
from routing.places import locate


class TestLocate:
    @pytest.mark.parametrize(
        ("postal_code", "region", "country", "precision", "near"),
        [
            ("10118", "NY", "US", Precision.POSTAL_CODE, (40.7, -74.0)),
            ("10118-0110", "NY", "US", Precision.POSTAL_CODE, (40.7, -74.0)),
            ("94105", "", "us", Precision.POSTAL_CODE, (37.8, -122.4)),
            ("00901", "", "PR", Precision.POSTAL_CODE, (18.5, -66.1)),
            ("10000", "NY", "US", Precision.AREA, (40.7, -74.0)),
            ("00000", "CA", "US", Precision.REGION, (36.3, -119.8)),
            ("", "", "US", Precision.COUNTRY, (39.8, -98.6)),
            ("SW1A 1AA", "", "GB", Precision.COUNTRY, (54.0, -2.0)),
            ("", "", "", Precision.COUNTRY, (39.8, -98.6)),
            ("1", "", "XX", Precision.UNKNOWN, (0.0, 0.0)),
        ],
    )
    def test_gives_the_finest_point_that_is_known(
        self, postal_code, region, country, precision, near
    ):
        found = locate(postal_code, region, country)

        assert found.precision is precision
        assert (found.latitude, found.longitude) == pytest.approx(near, abs=1.0)

    def test_knows_the_time_zone_of_a_zip_code(self):
        assert locate("94105", "CA", "US").timezone == "America/Los_Angeles"
        assert locate("SW1A 1AA", "", "GB").timezone == "UTC"
