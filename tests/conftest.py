"""Network off but for loopback, and where the shared data is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

# A machine that others use too is slow at times, which says nothing of the code. A gate gives the same answer twice: in CI the
# examples are the same each time, and what a developer's run finds becomes an example of its own.
settings.register_profile("developer", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "developer"))
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared data folder is not on this machine")
    return SHARED
