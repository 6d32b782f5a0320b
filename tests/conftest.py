"""What all tests share: the option that writes readable outputs anew instead of comparing them."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite", action="store_true", help="write the files in tests/golden/expected anew"
    )
