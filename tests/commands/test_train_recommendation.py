"""NCF is trained on a table of ratings from the command line, resumed, and searched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from tests.helpers.cli import BRIEF, dynas, killed, read_rows

pytestmark = pytest.mark.slow

USERS, ITEMS, TASTES = 60, 240, 4
SHAPE = (
    *(
        "supernet=ncf",
        "data=ratings",
        "data.path=ratings.csv",
        "data.k_core=1",
        f"supernet.users={USERS}",
        f"supernet.items={ITEMS}",
    ),
    *("supernet.embed_dims=[4,8,16]", "supernet.hidden_sizes=[8,16]", "supernet.layers=2"),
)
TRAINING = ("recipe.epochs=8", "recipe.batch_size=128", "recipe.learning_rate=0.02", "threads=1")
SEARCH = (
    "budget=8",
    "mode.start_size=null",
    "mode.population=4",
    "algo.population=4",
    "mode.predicted_evaluations=100",
    *BRIEF,
)


def write_ratings(path: Path) -> None:
    """Write what users choose who like every fourth item: of whichever remainder is to their taste."""
    rng = np.random.default_rng(0)
    lines = ["user,item,timestamp\n"]
    for user in range(USERS):
        liked = rng.permutation(np.arange(user % TASTES, ITEMS, TASTES))[:30]
        lines += [f"{user},{item},{time}\n" for time, item in enumerate(liked)]
    path.write_text("".join(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ratings and a finished training on them."""
    folder = tmp_path_factory.mktemp("recommendation")
    write_ratings(folder / "ratings.csv")
    done = dynas("train", *SHAPE, *TRAINING, "hydra.run.dir=run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "quality on the validation samples" in done.stdout
    return folder


def test_it_learns_what_users_like_and_says_how_well(folder: Path) -> None:
    rows = json.loads((folder / "run" / "run.json").read_text())["qualities"]
    assert all(row["hr10 [%]"] > 25 for row in rows), "chance is 10 %; who knows all tastes reaches about 50 %"
    assert f"| largest | {rows[-1]['hr10 [%]']} |" in (folder / "run" / "model_card.md").read_text()


def test_a_killed_training_resumes_to_the_same_weights(folder: Path, tmp_path: Path) -> None:
    write_ratings(tmp_path / "ratings.csv")
    killed("train", *SHAPE, *TRAINING, "hydra.run.dir=run", cwd=tmp_path, once=tmp_path / "run" / "checkpoint.pt")
    assert not (tmp_path / "run" / "weights.safetensors").exists(), "the training must be killed half-way"
    resumed = dynas("train", "resume=run", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    expected, found = (load_file(where / "run" / "weights.safetensors") for where in (folder, tmp_path))
    assert all(bool((expected[key] == found[key]).all()) for key in expected)


@pytest.mark.parametrize("objectives", ["hr10_latency", "[hr10,macs]", "[ndcg10,params_without_embeddings]"])
def test_a_search_measures_what_training_reported(folder: Path, objectives: str) -> None:
    weights = f"supernet.weights={folder / 'run' / 'weights.safetensors'}"
    name = objectives.strip("[]").replace(",", "_")
    chosen = (f"objectives={objectives}", f"hydra.run.dir={name}")
    done = dynas("search", *SHAPE, *SEARCH, weights, *chosen, cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = read_rows(folder / name)
    assert len(rows) == 8
    assert all(row["error"] == "" for row in rows)
    quality = "ndcg10 [%]" if "ndcg10" in objectives else "hr10 [%]"
    assert all(float(row[quality]) > 10 for row in rows)


def test_the_ends_of_the_space_are_what_training_reported(folder: Path) -> None:
    weights = f"supernet.weights={folder / 'run' / 'weights.safetensors'}"
    ends = ("architectures=[smallest,largest]", "objectives=hr10", "hydra.run.dir=ends")
    assert dynas("evaluate", *SHAPE, weights, *ends, cwd=folder).returncode == 0
    trained = json.loads((folder / "run" / "run.json").read_text())["qualities"]
    for row, reported in zip(read_rows(folder / "ends"), (trained[0], trained[-1]), strict=True):
        assert float(row["hr10 [%]"]) == pytest.approx(reported["hr10 [%]"], abs=0.006)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data=movielens",), "top1 judges classification, but the data are for recommendation"),
        (("supernet=ncf", "data=fashion_mnist"), "hr10 judges recommendation, but the data are for classification"),
        (("supernet=ncf", "objectives=bleu"), "bleu judges translation, but the data are for recommendation"),
        (
            ("supernet=transformer", "data=movielens", "objectives=hr10"),
            "hr10 judges recommendation, but supernet 'transformer' is made for translation",
        ),
        (("supernet=ncf", "supernet.weights=random", "supernet.users=9"), "give supernet.users=1200 supernet.items="),
        (("supernet=ncf", "supernet.users=9"), "do not fit this supernet"),
        (("supernet=ncf", "supernet.weights=random", "hardware=note10"), "give hardware=cpu"),
        (("supernet=ncf", "supernet.embed_dims=[16,8]"), "supernet.embed_dims=[16, 8]: give positive numbers in asc"),
        (("supernet=ncf", "supernet.weights=random", "supernet.layers=0"), "needs users, items and layers of at least"),
    ],
)
def test_what_does_not_fit_gets_one_sentence(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = dynas("search", *arguments, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
