import json
import logging

import pytest
import structlog

from config.logs import logging_settings


@pytest.fixture
def written():
    """Format a record as production does, as the lines' one handler would."""
    settings = logging_settings(readable=False, level="INFO")["formatters"]["line"]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=settings["foreign_pre_chain"], processors=settings["processors"]
    )

    def line(**record: object) -> dict[str, object]:
        made = logging.makeLogRecord(
            {"name": "celery", "levelno": 30, "levelname": "WARNING"} | record
        )
        return json.loads(formatter.format(made))

    return line


class TestALine:
    def test_is_json_with_the_words_filled_in(self, written):
        line = written(msg="%s orders", args=(3,))

        assert (line["event"], line["level"], line["logger"]) == ("3 orders", "warning", "celery")

    def test_carries_what_the_request_bound(self, written):
        with structlog.contextvars.bound_contextvars(request_id="r-1", order_id="o-7"):
            line = written(msg="held")

        assert (line["request_id"], line["order_id"]) == ("r-1", "o-7")

    def test_tells_an_exception_without_the_values_around_it(self, written):
        def fail(name: str) -> None:
            raise ValueError("no such place")

        try:
            fail("Ada Lovelace")
        except ValueError as error:
            told = (type(error), error, error.__traceback__)

        line = json.dumps(written(msg="refused", exc_info=told))

        assert "no such place" in line
        assert "Lovelace" not in line.replace('fail(\\"Ada Lovelace\\")', "")
