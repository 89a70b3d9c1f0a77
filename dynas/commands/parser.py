"""Reads the command lines that Hydra does not read, and complains in one sentence as all commands do."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from dynas.errors import DynasError, did_you_mean, one_of


class Parser(argparse.ArgumentParser):
    """Raises DynasError where argparse would print how it is used."""

    def error(self, message: str) -> NoReturn:
        """Raise DynasError, with the name that may have been meant."""
        choice = re.fullmatch(r"argument (?P<option>\S+): invalid choice: '(?P<given>.*)' \((?P<known>.*)\)", message)
        if choice:
            known = re.findall(r"[\w-]+", choice["known"].removeprefix("choose from"))
            raise one_of(choice["option"], choice["given"], known)
        hint = ""
        if unknown := re.match(r"unrecognized arguments: (-[^\s=]*)", message):
            message, hint = f"no option {unknown[1]}", did_you_mean(unknown[1], self._option_string_actions)
        raise DynasError(f"{message}{hint}; see {self.prog} --help")
