"""Sub-networks that were measured once, and a model fitted to them: a landscape that is searched without measuring.

The table is a folder, which scripts/assets/build_table.py writes: ``run.json`` and ``results.csv.xz`` of the random
search that measured, and ``model.json`` with the variances of a Gaussian process per objective and its cross-validated
errors. The package has one of several of its supernets.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dynas.core.bench import Bench, Meter
from dynas.core.data import Data
from dynas.core.metric import CountedMetric
from dynas.core.objectives import Values
from dynas.core.space import Genotypes, SearchSpace
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.predictors.features import levels
from dynas.predictors.gp import GaussianProcess
from dynas.system.compressed import read_bytes
from dynas.system.files import from_json

RESULTS, MODEL = "results.csv.xz", "model.json"
TABLES = Path(__file__).parent / "embedded" / "tables"
KIND = "hardware"  # of target, among what latencies depend on
DIGITS = 6  # that a value is rounded to: more would depend on what is computed together


class Tabulated(Data):
    """Stands in for measurements by models that were fitted to a table of them; it holds no samples.

    Args:
        path: the folder of the table, or the name of a shipped one.

    Attributes:
        replaces: a model per objective of the table.
        digest: SHA-256 of the table and of the model's file.

    Raises:
        DynasError: there is no such table.
    """

    def __init__(self, path: str) -> None:
        folder = find(path)
        table, described = (read_bytes(folder / name, "table") for name in (RESULTS, MODEL))
        self.digest = hashlib.sha256(table + described).hexdigest()
        try:
            model = from_json(described)
            rows = list(csv.DictReader(io.StringIO(table.decode("utf-8"))))
            self.task, self.quality = str(model["task"]), str(model["quality"])
            examples = Examples(model["variables"], [from_json(row["architecture"]) for row in rows])
            target = {"precision": str(model["precision"]), "meter": dict(model["meter"])}
            self.replaces = {
                name: Modelled(
                    name,
                    {**target, **one, **({"meter": {}} if name == self.quality else {})},
                    examples,
                    np.array([float(row[one["column"]]) for row in rows]),
                )
                for name, one in model["objectives"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DynasError(f"'{folder}' is no table written by scripts/assets/build_table.py: {error!r}") from error


def shipped() -> list[str]:
    """Return the names of the package's tables: a supernet, with a precision other than fp32."""
    return sorted(folder.name for folder in TABLES.iterdir()) if TABLES.is_dir() else []


def find(path: str) -> Path:
    """Return the folder of a table: a shipped one by its name, any other by its path.

    Raises:
        DynasError: there is none.
    """
    folder = TABLES / path if path in shipped() else Path(path).expanduser()
    if not folder.is_dir():
        raise DynasError(f"data.path={path}: give {', '.join(shipped())}, or the folder of a table")
    return folder


def described(space: SearchSpace) -> list[list[Any]]:
    """Return the design variables of a space as a table knows them: name, options, length."""
    return [[one.name, list(one.choices), one.length] for one in space.variables]


def meter_facts(meter: Meter) -> dict[str, object]:
    """Return what must be the same for latencies to be comparable: the kind of target, batch size and threads."""
    kind = type(meter)
    told = {key: meter.facts[key] for key in ("batch_size", "threads") if key in meter.facts}
    return {KIND: f"{kind.__module__}.{kind.__qualname__}", **told}


class Examples:
    """The sub-networks of a table, as features once the space is known."""

    def __init__(self, variables: list[Any], architectures: list[Any]) -> None:
        self._variables, self._architectures = variables, architectures
        self._features: Values | None = None

    def __len__(self) -> int:
        return len(self._architectures)

    def features(self, space: SearchSpace) -> Values:
        """Return the features ``(n, D)`` of all sub-networks.

        Raises:
            DynasError: the table is of another space.
        """
        found = described(space)
        if found != self._variables:
            names = (", ".join(str(one[0]) for one in variables) for variables in (self._variables, found))
            raise DynasError(
                "the table is of another search space ({}) than that of the supernet ({}): give the supernet that it "
                "was measured on, with the same options".format(*names)
            )
        if self._features is None:
            self._features = levels(space, np.stack([space.encode(one) for one in self._architectures]))
        return self._features


class Modelled(CountedMetric):
    """An objective as a Gaussian process tells it that knows all measured sub-networks of a table.

    Args:
        name: of the objective.
        model: its unit, variances and errors, the precision of the measured sub-networks, and what of `meter_facts`
            its values depend on.
        examples: the measured sub-networks.
        values: what was measured of them ``(n,)``.
    """

    exact = False

    def __init__(self, name: str, model: Mapping[str, Any], examples: Examples, values: Values) -> None:
        self._name, self._meter, self.precision = name, model["meter"], model["precision"]
        self.unit = f"{model['unit']}, modelled"
        self._examples, self._logarithmic = examples, bool(model["logarithmic"])
        self._values = np.log(values) if self._logarithmic else values
        self._process = GaussianProcess.known(model["theta"])
        self._fitted = False
        self.note = (
            f"{name} is a model's estimate fitted to {len(examples):,} measured sub-networks (cross-validated error "
            f"{model['mape']:.2f} %, Kendall tau {model['kendall_tau']:.3f}; {model['measured']}), not a measurement"
        )

    def check(self, bench: Bench) -> None:
        """Raise DynasError where the table is of another target."""
        own = meter_facts(bench.meter)
        wanted = {key: value for key, value in self._meter.items() if own.get(key) != value}
        if KIND in wanted:
            raise DynasError(
                f"the table's {self._name} was measured by {wanted[KIND]}, not by {own[KIND]}: give that hardware, or "
                "data to measure on"
            )
        if wanted:
            settings = " ".join(f"hardware.{key}={value}" for key, value in wanted.items())
            raise DynasError(f"the table's {self._name} was measured with {settings}: give that, or data to measure on")

    def count(self, supernet: Supernet, genotypes: Genotypes) -> Values:
        """Return the estimates ``(n,)`` of canonical genotypes ``(n, G)``.

        Raises:
            DynasError: the table is of another space.
        """
        if not self._fitted:
            self._process.fit(self._examples.features(supernet.space), self._values)
            self._fitted = True
        found = self._process.predict(levels(supernet.space, genotypes))
        return np.round(np.exp(found) if self._logarithmic else found, DIGITS)
