from pathlib import Path

import pytest

from config import env as reader
from config.env import SettingError, env


class TestEnv:
    def test_reads_the_variable_through_its_cast(self, monkeypatch):
        monkeypatch.setenv("SY_THREADS", "8")

        assert env("SY_THREADS", int) == 8

    def test_reads_the_file_when_the_variable_is_unset(self, monkeypatch, tmp_path: Path):
        (tmp_path / "secret").write_text("from a mount\n")
        monkeypatch.setenv("SY_SECRET_FILE", str(tmp_path / "secret"))

        assert env("SY_SECRET") == "from a mount"

    def test_prefers_the_variable_to_the_file(self, monkeypatch, tmp_path: Path):
        monkeypatch.setenv("SY_SECRET", "from the environment")
        monkeypatch.setenv("SY_SECRET_FILE", str(tmp_path / "absent"))

        assert env("SY_SECRET") == "from the environment"

    def test_refuses_a_missing_variable_by_name(self):
        with pytest.raises(SettingError, match="SY_ABSENT is not set"):
            env("SY_ABSENT")

    def test_refuses_a_secret_file_that_cannot_be_read(self, monkeypatch, tmp_path: Path):
        monkeypatch.setenv("SY_SECRET_FILE", str(tmp_path / "absent"))

        with pytest.raises(SettingError, match="SY_SECRET_FILE cannot be read"):
            env("SY_SECRET", default="not this")

    def test_answers_the_default_as_it_is(self):
        assert env("SY_ABSENT", int, default=None) is None

    def test_refuses_a_value_that_its_cast_refuses(self, monkeypatch):
        monkeypatch.setenv("SY_THREADS", "many")

        with pytest.raises(SettingError, match="SY_THREADS is not valid"):
            env("SY_THREADS", int)


class TestBoolean:
    @pytest.mark.parametrize("text", ["1", "true", "Yes", " on "])
    def test_reads_yes(self, text: str):
        assert reader.boolean(text) is True

    @pytest.mark.parametrize("text", ["0", "FALSE", "no", "off", ""])
    def test_reads_no(self, text: str):
        assert reader.boolean(text) is False

    def test_refuses_to_take_anything_else_as_no(self):
        with pytest.raises(ValueError, match="neither yes nor no"):
            reader.boolean("disabled")


class TestPairs:
    def test_reads_names_with_their_values(self):
        assert reader.pairs("wms=http://a:1, carrier=http://b:2?x=1") == {
            "wms": "http://a:1",
            "carrier": "http://b:2?x=1",
        }

    def test_refuses_a_name_without_a_value(self):
        with pytest.raises(ValueError, match="'wms=' is no name=value"):
            reader.pairs("carrier=http://b:2,wms=")


class TestDatabase:
    def test_reads_every_part_of_the_url(self):
        read = reader.database("postgresql://anna:p%40ss@db.example:6432/oms?sslmode=require")

        assert read == {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "oms",
            "USER": "anna",
            "PASSWORD": "p@ss",
            "HOST": "db.example",
            "PORT": "6432",
            "OPTIONS": {"sslmode": "require"},
        }

    def test_reads_a_socket_directory(self):
        read = reader.database("postgresql://anna@/oms?host=/run/postgresql")

        assert (read["HOST"], read["PORT"]) == ("/run/postgresql", "")

    def test_refuses_another_kind_of_database(self):
        with pytest.raises(SettingError, match="begins with postgresql://"):
            reader.database("sqlite:///oms.db")


class TestRedisAddresses:
    def test_spells_a_socket_as_celery_does(self):
        assert (
            reader.broker("unix:///run/v.sock?db=2") == "redis+socket:///run/v.sock?virtual_host=2"
        )

    @pytest.mark.parametrize("url", ["redis://broker:6379/0", "amqp://guest@rabbit//"])
    def test_leaves_other_brokers_alone(self, url: str):
        assert reader.broker(url) == url

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("redis://cache:6379", "redis://cache:6379/1"),
            ("rediss://:pw@cache:6379/3?timeout=2", "rediss://:pw@cache:6379/4?timeout=2"),
            ("unix:///run/v.sock?db=0", "unix:///run/v.sock?db=1"),
        ],
    )
    def test_puts_the_cache_one_database_further(self, url: str, expected: str):
        assert reader.next_redis_database(url) == expected


class TestKept:
    def test_draws_once_and_keeps_it_private(self, tmp_path: Path):
        drawn = iter(["first", "second"])
        path = tmp_path / "keys" / "secret.key"

        values = [reader.kept(path, lambda: next(drawn)) for _ in range(2)]

        assert values == ["first", "first"]
        assert path.stat().st_mode & 0o777 == 0o600

    def test_takes_the_value_of_whoever_was_first(self, tmp_path: Path):
        path = tmp_path / "secret.key"

        def lose_the_race() -> str:
            path.write_text("theirs")
            return "ours"

        assert reader.kept(path, lose_the_race) == "theirs"
        assert list(tmp_path.iterdir()) == [path]
