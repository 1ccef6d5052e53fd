"""Reads that span apps, in SQL: numbers and rows for people. They decide nothing and write nothing."""
