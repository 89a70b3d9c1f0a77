"""What others made is read, never run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dynas import DynasError
from dynas.compose.stored import danger, stored_overrides
from dynas.data.images.tensor_cache import mapped
from dynas.supernets.weights.state import read_state
from tests.helpers.cli import dynas
from tests.helpers.processes import one_sentence
from tests.helpers.training import small_training


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def as_pickle(path: Path, bomb: Bomb) -> None:
    path.write_bytes(pickle.dumps({"state_dict": bomb}))


def as_checkpoint(path: Path, bomb: Bomb) -> None:
    torch.save({"state_dict": {"weight": torch.ones(1)}, "args": bomb}, path)


def as_legacy_checkpoint(path: Path, bomb: Bomb) -> None:
    torch.save({"net": bomb, "optimizer": bomb, "epochs": bomb}, path, _use_new_zipfile_serialization=False)


def as_torchscript(path: Path, bomb: Bomb) -> None:
    torch.save({"weight": torch.ones(1)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{archive.namelist()[0].split('/')[0]}/constants.pkl", pickle.dumps(bomb))


@pytest.mark.parametrize("save", [as_pickle, as_checkpoint, as_legacy_checkpoint, as_torchscript])
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_a_checkpoint_that_would_run_code_is_refused(
    tmp_path: Path, save: Callable[[Path, Bomb], None], name: str
) -> None:
    path, mark = tmp_path / name, tmp_path / "it ran"
    save(path, Bomb(mark))
    with pytest.raises(DynasError, match=r"nothing was loaded|cannot read weights"):
        read_state(path)
    with pytest.raises(DynasError, match="is no checkpoint of this training"):
        small_training().restore(path)
    assert not mark.exists()


def test_the_bomb_would_work(tmp_path: Path) -> None:
    as_pickle(tmp_path / "bomb", Bomb(tmp_path / "it ran"))
    pickle.loads((tmp_path / "bomb").read_bytes())
    assert (tmp_path / "it ran").exists()


def test_a_cache_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    bombs = np.array([Bomb(tmp_path / "it ran")], dtype=object)
    np.save(tmp_path / "cache.npy", bombs, allow_pickle=True)
    as_pickle(tmp_path / "pickle.npy", Bomb(tmp_path / "it ran"))
    assert mapped(tmp_path / "cache.npy", (1, 1, 1, 3)) is None
    assert mapped(tmp_path / "pickle.npy", (1, 1, 1, 3)) is None
    assert not (tmp_path / "it ran").exists()


EVIL = '_target_: os.mkdir\npath: "{mark}"\n'
ATTACKS = [
    "track.mlflow.uri=http://10.0.0.1:5000",
    "mode._target_=os.abort",
    'mode={_target_: os.mkdir, path: "MARK"}',
    "supernet='${oc.decode:\"{_tar${.x}get_: os.abort}\"}'",
    "supernet.weights=${oc.env:HOME}",
    "algo=../../../MARK/../evil",
    "algo=FOLDER/evil",
    "predictor@mode=../evil",
    "objectives.top1.predictor=../../../evil",
    'mode.schedule={2: ["algo=../../../evil"]}',
    "hydra.callbacks.x._target_=os.abort",
    "hydra/launcher=joblib",
    "algo@hydra.callbacks.x=nsga2",
    "+experiment=../evil",
    "++mode.x=1",
    "~mode",
    "supernet.model=mine:network",
    "supernet={model: 'mine:network'}",
    "data.train=mine:photos",
    "data={validation: 'mine:photos'}",
    "supernet.model=FOLDER/evil.pt2",
    "hardware.command=touch MARK",
    'hardware={command: "touch MARK"}',
    "--config-dir=FOLDER",
    "mode",
    "",
    r"algo=$\{oc.create\:$\{warm_start\}\}",
    r'mode.schedule={2: ["algo=$\{oc.create\:$\{warm_start\}\}"]}',
    r"mode={\x5ftarget\x5f: os.abort}",
    r"supernet.weights=a\x5fb",
    "mode={start: {_target_: os.abort}}",
    "objectives.top1={predictor: ../../../../tmp/p}",
    "objectives.top1={predictor: FOLDER/evil}",
    "objectives={top1: {predictor: ../evil}}",
    'mode.schedule={2: ["objectives.top1.predictor=../evil"]}',
    'mode={schedule: {2: ["algo=../evil"]}}',
    "predictors=[ridge,../evil]",
    "experiment=paper/../../evil",
    "executor={address: 'tcp://10.0.0.1:8786'}",
    "seed=1,2",
    "algo=glob(*)",
    "mode=" + "[" * 2000 + "]" * 2000,
    "architectures=" + "x" * 30_000,
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_run_folder_of_somebody_else_runs_nothing(attack: str, whole: Path, tmp_path: Path) -> None:
    folder, mark = tmp_path / "run", tmp_path / "it_ran"
    folder.mkdir()
    shutil.copy(whole / "results.csv", folder)
    (folder / "evil.yaml").write_text(EVIL.format(mark=mark))
    facts = json.loads((whole / "run.json").read_text())
    override = attack.replace("MARK", str(mark)).replace("FOLDER", str(folder))
    facts["overrides"] = [*facts["overrides"], override]
    (folder / "run.json").write_text(json.dumps(facts))
    assert danger(override)
    with pytest.raises(DynasError, match="is not taken over unseen"):
        stored_overrides(folder)
    if override:
        assert override not in stored_overrides(folder, given=[override]), "what the user repeats is the user's own"
    assert not mark.exists()


def test_the_commands_refuse_such_a_folder_in_one_sentence(whole: Path, tmp_path: Path) -> None:
    folder, mark = tmp_path / "run", tmp_path / "it_ran"
    shutil.copytree(whole, folder)
    facts = json.loads((whole / "run.json").read_text())
    relative = os.path.relpath(folder, Path(__file__).parents[2] / "configs" / "supernet")
    (folder / "evil.yaml").write_text(EVIL.format(mark=mark))
    (folder / ".hydra" / "overrides.yaml").write_text(f"- supernet._target_=os.mkdir\n- +supernet.path={mark}\n")
    (folder / ".hydra" / "config.pickle").write_bytes(pickle.dumps(Bomb(mark)))
    facts["overrides"] = [*facts["overrides"], f"supernet={relative}/evil"]
    (folder / "run.json").write_text(json.dumps(facts))
    for arguments in (["search", "resume=run"], ["transfer", "run"], ["export", "run", "--row", "1"]):
        refused = dynas(*arguments, cwd=tmp_path)
        assert refused.returncode == 1
        assert "is not taken over unseen" in refused.stderr
        assert one_sentence(refused.stderr), refused.stderr
    rerun = dynas("search", "--experimental-rerun", "run/.hydra/config.pickle", cwd=tmp_path)
    assert rerun.returncode == 1
    assert "runs code from a file" in rerun.stderr
    assert dynas("report", "run", "--html", "page.html", cwd=tmp_path).returncode == 0
    assert not mark.exists()


def test_what_searches_are_usually_started_with_is_harmless(whole: Path) -> None:
    stored = json.loads((whole / "run.json").read_text())["overrides"]
    assert stored_overrides(whole) == stored
    usual = [
        "experiment=paper/linas", "objectives=[top1,macs]", "objectives.top1.predictor=svr_rbf", "seed=3",
        'mode.schedule={3: ["algo=agemoea", "predictor=svr_rbf"]}', "mode.ranges={latency: [7, 9, 11]}",
        "data.path=../imagenet", "supernet.weights=/models/a b.pt", "hardware=command", "executor=dask",
        "warm_start=outputs/../x/run",
        "track=[tensorboard,mlflow]", "track=none", "mode.examples=sqlite:///study.db",
        "predictors=[ridge,gp]", "mode.examples=/somewhere/results.csv", "architectures=[smallest,largest]",
    ]  # fmt: skip
    assert [override for override in usual if danger(override)] == []


def test_a_command_of_ones_own_goes_on_when_it_is_repeated() -> None:
    assert "program" in danger("hardware.command='./phone.sh {onnx}'")
    assert "another machine" in danger("executor.address=tcp://10.0.0.1:8786")
    assert "another machine" in danger("executor={address: 'ray://10.0.0.1:10001'}")
    assert "tells results" in danger("track.mlflow.uri=http://10.0.0.1:5000")
    assert "tells results" in danger("track={wandb: {entity: somebody}}")
