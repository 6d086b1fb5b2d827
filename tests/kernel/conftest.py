from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.shop import KernelShop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[KernelShop]:
    made = KernelShop(tmp_path)
    yield made
    made.close()
