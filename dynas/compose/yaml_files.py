"""YAML of somebody else's: aliases must not let a small file fill the memory."""

from __future__ import annotations

import os

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource as HydrasSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from yaml.nodes import CollectionNode, MappingNode, Node

from dynas.errors import DynasError

MOST = 100_000  # values of a file with its aliases written out


def check_aliases(text: str, name: str) -> None:
    """Raise DynasError where YAML is nested too deeply, or grows too large when its aliases are written out."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        size = written_out(root, {}) if root else 0
    except RecursionError as error:
        raise DynasError(f"'{name}' is nested too deeply, or an alias (*) in it means what it is part of") from error
    if size > MOST:
        raise DynasError(f"'{name}' holds more than {MOST:,} values when its aliases (*) are written out: refused")


def written_out(node: Node, known: dict[int, int]) -> int:
    """Return the number of values beneath a node, those of aliases counted wherever they stand."""
    if not isinstance(node, CollectionNode):
        return 1
    if id(node) not in known:
        inner = [one for pair in node.value for one in pair] if isinstance(node, MappingNode) else node.value
        known[id(node)] = 1 + sum(written_out(one, known) for one in inner)
    return known[id(node)]


class FileConfigSource(HydrasSource):
    """Reads config files as Hydra does, after a look at their aliases."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Return a config, or raise DynasError as `check_aliases` does."""
        path = os.path.join(self.path, self._normalize_file_name(config_path))
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if "*" in text or text.count("[") + text.count("{") > 500 or "- - - -" in text:
                check_aliases(text, path)
        return super().load_config(config_path)


def limit_configs() -> None:
    """Let Hydra read config files by our source from now on."""
    Plugins.instance()  # which registers Hydra's own
    SourcesRegistry.instance().types[FileConfigSource.scheme()] = FileConfigSource
