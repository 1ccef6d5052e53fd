"""Human numbers of documents, from their sequences."""

from django.db import connection


def next_numbers(prefix: str, sequence: str, count: int) -> list[str]:
    """So many numbers, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count]
        )
        return [f"{prefix}-{row[0]}" for row in cursor.fetchall()]
