"""Visitors without a browser: they speak Streamlit's own protocol over its websocket, load pages and press buttons."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

SLOW_S = 60.0


@dataclass
class Visitor:
    """One session of the app at `url`. `errors` are what the screen would have shown as one."""

    url: str
    pages: dict[str, str] = field(default_factory=dict)
    """A page's path to its hash, as the app's navigation names it."""
    buttons: dict[str, str] = field(default_factory=dict)
    """A button's label to its id, as last drawn."""
    errors: list[str] = field(default_factory=list)
    page: str = ""
    _kept: dict[str, ForwardMsg] = field(default_factory=dict)
    _socket: ClientConnection | None = None

    async def __aenter__(self) -> Visitor:
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await connect(address, origin=self.url, max_size=None, open_timeout=SLOW_S)  # type: ignore[arg-type]
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def load(self, page: str = "") -> None:
        """Open a page and wait until it has drawn."""
        self.page = self.pages.get(page, "")
        self.buttons.clear()
        await self._ask(BackMsg(rerun_script=self._state()))

    async def press(self, label: str) -> None:
        """Press a button of the page that is open and wait until the page has drawn again."""
        state = self._state()
        state.widget_states.widgets.add(id=self.buttons[label], trigger_value=True)
        await self._ask(BackMsg(rerun_script=state))

    def _state(self) -> Any:
        message = BackMsg()
        message.rerun_script.page_script_hash = self.page
        return message.rerun_script

    async def _ask(self, message: BackMsg) -> None:
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(SLOW_S):
            while not self._seen(await self._next()):
                pass

    async def _next(self) -> ForwardMsg:
        assert self._socket is not None
        found = ForwardMsg()
        found.ParseFromString(await self._socket.recv())
        return found

    def _seen(self, message: ForwardMsg) -> bool:
        """Take a message in; whether the page has finished with it."""
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            return self._seen(self._kept[message.ref_hash]) if message.ref_hash in self._kept else False
        if message.metadata.cacheable:
            self._kept[message.hash] = message
        if kind == "navigation":
            self.pages = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
        if kind == "delta":
            self._drawn(message)
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _drawn(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        what = element.WhichOneof("type")
        if what == "button":
            self.buttons[element.button.label] = element.button.id
        elif what == "exception":
            self.errors.append(f"{element.exception.type} on {self.page}")
        elif what == "alert" and element.alert.format == element.alert.ERROR:
            self.errors.append(f"alert on {self.page}: {element.alert.body[:120]}")
