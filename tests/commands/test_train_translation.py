"""A Transformer is trained on sentence pairs from the command line, resumed and searched."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dynas.data.parallel_text import parallel_text
from tests.helpers.cli import BRIEF, dynas, killed, read_rows

pytestmark = pytest.mark.slow

ENGLISH = "one two three four five six seven eight nine ten".split()
GERMAN = dict(zip(ENGLISH, "eins zwei drei vier fünf sechs sieben acht neun zehn".split(), strict=True))
VALIDATION = 40
DATA = ("data=parallel_text", "data.source=pairs.tsv", f"data.validation_size={VALIDATION}", "data.merges=60")
LONG = ("recipe.epochs=16", "recipe.largest_epochs=5")
SHORT = ("recipe.epochs=3", "recipe.largest_epochs=1")  # learns little
TRAINING = ("recipe.batch_size=200", "recipe.learning_rate=0.01", "threads=1")
SEARCH = (
    "budget=8",
    "mode.start_size=null",
    "mode.population=4",
    "algo.population=4",
    "mode.predicted_evaluations=100",
    *BRIEF,
)


def write_pairs(path: Path) -> None:
    """Write 500 sentences of number words and their translations."""
    draw = random.Random(0)
    rows = {tuple(draw.choices(ENGLISH, k=draw.randint(4, 7))) for _ in range(500)}
    lines = [f"{' '.join(row)}\t{' '.join(GERMAN[word] for word in row)}\n" for row in sorted(rows)]
    path.write_text("".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sentence pairs and a finished training on them."""
    folder = tmp_path_factory.mktemp("translation")
    write_pairs(folder / "pairs.tsv")
    done = dynas("train", *DATA, *shape(folder), *LONG, *TRAINING, "hydra.run.dir=run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "quality on the validation samples" in done.stdout
    assert "dynas search supernet=transformer supernet.weights=" in done.stdout
    return folder


def shape(folder: Path) -> list[str]:
    """Return a Transformer of tiny widths for the folder's sentences."""
    data = parallel_text(
        source=str(folder / "pairs.tsv"), target=None, languages=("en", "de"), validation_source=None,
        validation_target=None, validation_size=VALIDATION, subwords="learn", merges=60, dictionary=None,
        max_length=100, seed=0,
    )  # fmt: skip
    vocabulary = data.source_vocabulary
    sizes = ["embed_dims=[16,32]", "ffn_dims=[32,64]", "heads=[2,4]", "qkv_dim=32", "max_positions=40"]
    sizes += ["encoder_layers=3", "decoder_layers=2", "sentence_length=8"]
    sizes += [f"source_vocabulary={vocabulary}", f"target_vocabulary={vocabulary}"]
    return ["supernet=transformer", *(f"supernet.{size}" for size in sizes)]


def test_it_learns_to_translate_and_says_how_well(folder: Path) -> None:
    rows = json.loads((folder / "run" / "run.json").read_text())["qualities"]
    assert [rows[0]["sub-network"], rows[-1]["sub-network"]] == ["smallest", "largest"]
    assert rows[-1]["bleu [BLEU]"] > 40, "an untrained one has about 0"
    assert rows[0]["bleu [BLEU]"] > 3
    assert f"| largest | {rows[-1]['bleu [BLEU]']} |" in (folder / "run" / "model_card.md").read_text()


def test_a_killed_training_resumes_to_the_same_weights(folder: Path) -> None:
    arguments = ("train", *DATA, *shape(folder), *SHORT, *TRAINING)
    whole = dynas(*arguments, "hydra.run.dir=whole", cwd=folder)
    assert whole.returncode == 0, whole.stderr
    killed(*arguments, "hydra.run.dir=killed", cwd=folder, once=folder / "killed" / "checkpoint.pt")
    assert not (folder / "killed" / "weights.safetensors").exists(), "the training must be killed half-way"
    resumed = dynas("train", "resume=killed", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    expected, found = (load_file(folder / name / "weights.safetensors") for name in ("whole", "killed"))
    assert all(bool((expected[key] == found[key]).all()) for key in expected)


def test_a_search_measures_what_training_reported(folder: Path) -> None:
    weights = f"supernet.weights={folder / 'run' / 'weights.safetensors'}"
    done = dynas("search", *DATA, *shape(folder), *SEARCH, weights, "hydra.run.dir=search", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = read_rows(folder / "search")
    assert len(rows) == 8
    assert all(row["error"] == "" for row in rows)
    assert max(float(row["bleu [BLEU]"]) for row in rows) > 15
    assert all(0.1 < float(row["latency [ms]"]) < 1000 for row in rows)
    ends = ("architectures=[smallest,largest]", "objectives=bleu", "hydra.run.dir=ends")
    assert dynas("evaluate", *DATA, *shape(folder), weights, *ends, cwd=folder).returncode == 0
    trained = json.loads((folder / "run" / "run.json").read_text())["qualities"]
    for row, reported in zip(read_rows(folder / "ends"), (trained[0], trained[-1]), strict=True):
        assert float(row["bleu [BLEU]"]) == pytest.approx(reported["bleu [BLEU]"], abs=0.006)


@pytest.mark.parametrize("objectives", ["[bleu,macs]", "[bleu,params_without_embeddings,throughput]"])
def test_other_costs_are_searched_too(folder: Path, tmp_path: Path, objectives: str) -> None:
    write_pairs(tmp_path / "pairs.tsv")
    chosen = ("supernet.weights=random", f"objectives={objectives}", "algo=unsga3", "mode=linas")
    done = dynas("search", *DATA, *shape(folder), *SEARCH, *chosen, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run")
    assert len(rows) == 8
    columns = [name for name in rows[0] if name.split(" ")[0] in objectives.strip("[]").split(",")]
    assert len(columns) == objectives.count(",") + 1
    assert all(float(row[column]) >= 0 for row in rows for column in columns)
    assert len({row[columns[1]] for row in rows}) > 3, "sub-networks differ in cost"
