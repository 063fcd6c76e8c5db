"""Every page test has a store of its own, and loads no litellm in the background."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.ui import state
from playground.ui.state import sample as sample_state
from playground.ui.state.ledger import _ledger


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(state, "warm_up", lambda: None)
    monkeypatch.setenv("TICKET_PLAYGROUND_HOME", str(tmp_path / "home"))
    sample_state._store.clear()
    _ledger.clear()
    yield
    _ledger().close()
    _ledger.clear()
    sample_state.jobs().close()
    sample_state._store.clear()
