"""Our algorithms by name: what each accepts, refuses and warns of."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

from dynas import DynasError, SearchSpace
from dynas.algos.base import OBJECTIVES, SUIT_TWO
from dynas.algos.named import ALGORITHMS, algorithm
from dynas.errors import DynasWarning
from dynas.system.folders import CONFIGS
from tests.helpers.algorithms import CASES, begin, fewest
from tests.helpers.cli import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if fewest(name) > 1])
def test_too_few_objectives_are_refused_with_a_way_out(analytic_mbv3: Any, name: str) -> None:
    message = (
        f"algo={name} needs at least 2 objectives, 1 given: "
        "change objectives=[...] or choose algo=random or algo=pareto_local_search or algo=ga or "
        "algo=cmaes or algo=motpe"
    )
    with pytest.raises(DynasError, match=rf"^{re.escape(message)}$"):
        begin(analytic_mbv3, name, 1)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if OBJECTIVES[name][1] is not None])
def test_too_many_objectives_are_refused_with_a_way_out(analytic_mbv3: Any, name: str) -> None:
    message = (
        f"algo={name} needs exactly 1 objective, 2 given: change objectives=[...] or choose algo=random or "
        "algo=pareto_local_search or algo=motpe or algo=nsga2 "
        "or algo=agemoea or algo=unsga3 or algo=ctaea or algo=moead"
    )
    with pytest.raises(DynasError, match=rf"^{re.escape(message)}$"):
        begin(analytic_mbv3, name, 2)


@pytest.mark.parametrize("name", SUIT_TWO)
def test_more_objectives_than_suit_an_algorithm_are_warned_of(analytic_mbv3: Any, name: str) -> None:
    message = f"algo={name} suits two objectives best, 3 given: consider algo=unsga3, algo=ctaea or algo=moead"
    with pytest.warns(DynasWarning, match=rf"^{re.escape(message)}$"):
        begin(analytic_mbv3, name, 3)


@pytest.mark.parametrize(("name", "n_objectives"), [(name, m) for name, m in CASES if name not in SUIT_TWO or m < 3])
def test_what_suits_is_searched_without_a_warning(analytic_mbv3: Any, name: str, n_objectives: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        begin(analytic_mbv3, name, n_objectives).run(60)
        with pytest.raises(DynasWarning):
            warnings.warn("no algorithm switches warnings off", DynasWarning, stacklevel=1)


@pytest.mark.parametrize("population", [0, -3])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_senseless_population_is_refused(analytic_mbv3: Any, name: str, population: int) -> None:
    with pytest.raises(DynasError, match=r"algo\.population"):
        begin(analytic_mbv3, name, fewest(name), population=population)


SENSELESS: list[tuple[str, dict[str, Any], str]] = [
    *(
        (name, {setting: value}, f"algo={name} needs algo.{setting} between 0 and 1, got {value}")
        for name in ("nsga2", "agemoea", "ga", "unsga3", "ctaea", "moead")
        for setting in ("crossover", "mutation")
        for value in (1.5, -0.1)
    ),
    ("moead", {"neighbour_mating": 2.0}, "algo.neighbour_mating between 0 and 1"),
    ("moead", {"neighbours": 1}, "algo.neighbours >= 2, got 1"),
    ("unsga3", {"partitions": 0}, "algo.partitions >= 1, got 0"),
    ("motpe", {"prior_weight": -1.0}, "algo.prior_weight >= 0"),
    ("motpe", {"ei_candidates": 0}, "algo.ei_candidates >= 1"),
    ("cmaes", {"sigma": 0.0}, "algo.sigma above 0 and at most 1, got 0.0"),
    ("random", {"draw": "networks"}, "unknown algo.draw 'networks': choose one of genes, subnetworks"),
    ("nsga2", {"sigma": 1.0}, "unknown setting of nsga2 'sigma': choose one of crossover, mutation, population"),
]


@pytest.mark.parametrize(("name", "settings", "message"), SENSELESS)
def test_senseless_settings_are_refused(analytic_mbv3: Any, name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=re.escape(message)):
        begin(analytic_mbv3, name, fewest(name), **settings)


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(DynasError, match=r"^unknown algorithm 'nsga3': choose one of agemoea, cmaes, ctaea, ga, moead"):
        algorithm("nsga3")


def test_every_algorithm_has_a_config_of_its_name() -> None:
    for name, target in ALGORITHMS.items():
        assert f"_target_: {target}\n" in (CONFIGS / "algo" / f"{name}.yaml").read_text()
    assert set(ALGORITHMS) == set(OBJECTIVES) == {path.stem for path in (CONFIGS / "algo").glob("*.yaml")}


@pytest.mark.parametrize("draw", ["subnetworks", "genes"])
def test_random_search_draws_as_it_is_told(analytic: Any, gated_space: SearchSpace, draw: str) -> None:
    depths = [
        begin(analytic(gated_space), "random", population=5, draw=draw, seed=seed).algorithm.ask()[0, 4:]
        for seed in range(2000)
    ]
    # 9 of 12 settings of a unit have the greater depth
    assert np.mean(depths) == pytest.approx(0.75 if draw == "subnetworks" else 0.5, abs=0.03)


def test_importing_an_algorithm_does_not_import_the_libraries_of_others() -> None:
    code = (
        "import sys, dynas, dynas.algos.evolutionary, dynas.algos.named; "
        "print([name for name in ('optuna', 'numba', 'cma') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"
