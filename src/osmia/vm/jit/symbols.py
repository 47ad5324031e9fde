"""What the names that a unit wants stand for in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from osmia.errors import InternalError
from osmia.maps.handle import WORD
from osmia.raw import ld64
from osmia.vm.decode import Code
from osmia.vm.env import FastBody
from osmia.vm.jit.gate import address_of_call
from osmia.vm.jit.unit import CALL_SIGNATURES, Symbol


class Names:
    """Resolves the symbols of one program: its maps, its rows, the helpers' native bodies, kernel variables."""

    def __init__(self, code: Code, maps: Sequence[Any], ksyms: Mapping[str, int]) -> None:
        self.code, self.maps, self.ksyms = code, maps, ksyms
        self.fast = {body.name: body.address for body in code.bodies if isinstance(body, FastBody)}

    def addresses(self, symbols: Mapping[str, Symbol]) -> dict[str, int]:
        """Name → address.  Raises InternalError for a symbol that nothing here defines."""
        return {name: self.address(symbol) for name, symbol in symbols.items()}

    def address(self, symbol: Symbol) -> int:
        """The address that one symbol stands for."""
        if symbol.kind in CALL_SIGNATURES:
            return address_of_call(symbol.kind)
        if symbol.kind == "code":
            return self.code.address
        if symbol.kind == "ksym":
            return self.ksyms.get(symbol.name, 0)
        if symbol.kind == "fast":
            return self._known(self.fast.get(symbol.name, 0), symbol)
        return self._of_map(self.maps[symbol.number], symbol)

    def _of_map(self, map_: Any, symbol: Symbol) -> int:
        if symbol.kind == "map":
            return int(map_.address)
        if symbol.kind == "value":
            return int(map_.direct_value(symbol.offset))
        if symbol.kind in WORD:
            return self._known(ld64(map_.address + WORD[symbol.kind]), symbol)
        raise InternalError(f"the JIT knows no symbol {symbol}")

    def _known(self, address: int, symbol: Symbol) -> int:
        if not address:
            raise InternalError(f"nothing stands behind the JIT's symbol {symbol}")
        return address
