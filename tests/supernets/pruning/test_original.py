"""Where a network that is to be pruned comes from: functions, programs and files of weights."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dynas import DynasError
from dynas.export.network import relative_difference
from dynas.supernets.prune import PruneSupernet
from dynas.supernets.pruning.original import original
from dynas.supernets.weights.storage import save_weights
from tests.helpers.networks import network, pruned

PLACE = "tests.helpers.networks:Residual"
SHAPE: dict[str, Any] = {"resolution": (28, 56), "channels": 1, "shares": (0.25, 0.5, 1.0), "divisor": 4}


def outputs(supernet: PruneSupernet, which: str = "largest") -> torch.Tensor:
    genotype = getattr(supernet.space, which)()
    with torch.inference_mode():
        answer: torch.Tensor = supernet.subnet(supernet.space.decode(genotype))(*supernet.example_inputs(2))
    return answer


def wrapped() -> nn.Module:
    """A network all of whose names start as those of a wrapper do."""
    module = nn.Module()
    module.model = network("residual")
    module.forward = module.model.forward  # type: ignore[method-assign]
    return module


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "model."])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_state_dict_fills_the_network_that_a_function_returns(prefix: str, suffix: str, tmp_path: Path) -> None:
    state = {f"{prefix}{name}": value.clone() for name, value in network("residual").state_dict().items()}
    path = tmp_path / f"net.{suffix}"
    torch.save(state, path) if suffix == "pth" else save_file(state, path)
    supernet = PruneSupernet(PLACE, str(path), **SHAPE)
    assert torch.equal(outputs(supernet), outputs(pruned("residual")))
    assert len(supernet.weights_digest) == 64


def test_a_network_may_be_called_model_itself(tmp_path: Path) -> None:
    torch.save({name: 0.5 * value for name, value in wrapped().state_dict().items()}, tmp_path / "net.pth")
    filled = PruneSupernet(wrapped(), str(tmp_path / "net.pth"), **SHAPE)
    assert not torch.equal(outputs(filled), outputs(pruned("residual")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("6.bias"), "lacks '6.bias'"),
        (lambda state: state.update(more=torch.ones(2)), "has unexpected 'more'"),
        (lambda state: state.update({"6.bias": torch.ones(7)}), "has '6.bias' as (7,) instead of (100,)"),
        (lambda state: state["6.bias"].fill_(float("nan")), "no finite numbers in '6.bias'"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: Any, message: str, tmp_path: Path) -> None:
    state = {name: value.clone() for name, value in network("residual").state_dict().items()}
    change(state)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(DynasError) as refused:
        PruneSupernet(PLACE, str(tmp_path / "net.pth"), **SHAPE)
    assert message in str(refused.value)


def test_trained_weights_keep_the_order_that_they_were_trained_in(tmp_path: Path) -> None:
    trained = pruned("residual")
    with torch.no_grad():
        weight = trained.elastic.get_submodule("original.1.first.0").weight
        weight.mul_(torch.linspace(0, 20, len(weight)).view(-1, 1, 1, 1))  # type: ignore[operator]
    save_weights(trained.elastic, tmp_path / "weights.safetensors", "half")
    again = PruneSupernet(PLACE, str(tmp_path / "weights.safetensors"), **SHAPE)
    expected = outputs(trained, "middle")
    assert relative_difference((expected,), (outputs(again, "middle"),)) < 0.01
    fresh = PruneSupernet(trained.elastic.original, **SHAPE)
    assert relative_difference((expected,), (outputs(fresh, "middle"),)) > 0.02, "in another order"
    with pytest.raises(DynasError, match="do not fit the network"):
        PruneSupernet("tests.helpers.networks:Mobile", str(tmp_path / "weights.safetensors"), **SHAPE)


def test_a_program_of_torch_export_is_pruned_as_the_network_is(tmp_path: Path) -> None:
    inputs = pruned("residual").example_inputs(2)
    program = torch.export.export(network("residual"), inputs, dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, tmp_path / "net.pt2")
    supernet = PruneSupernet(str(tmp_path / "net.pt2"), **SHAPE)
    assert supernet.space.size == pruned("residual").space.size
    subnet = supernet.subnet(supernet.space.decode(supernet.space.middle()))
    assert any(isinstance(module, nn.BatchNorm2d) for module in subnet.modules()), "to be re-calibrated"
    for which in ("largest", "middle", "smallest"):
        assert torch.allclose(outputs(supernet, which), outputs(pruned("residual"), which), atol=1e-4)


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_a_program_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path, evil, mark = tmp_path / "net.pt2", tmp_path / "evil.pt2", tmp_path / "it ran"
    program = torch.export.export(network("residual"), pruned("residual").example_inputs(2))
    torch.export.save(program, path)
    torch.save({"bomb": Bomb(mark)}, tmp_path / "bomb.pt")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(evil, "w") as after:
        for name in before.namelist():
            bomb = "sample_inputs" in name or "constants" in name
            after.writestr(name, (tmp_path / "bomb.pt").read_bytes() if bomb else before.read(name))
    with pytest.raises(DynasError, match="more than tensors; nothing was loaded"):
        original(str(evil))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("mine", "give <module>:<function>"),
        ("no_such_module:network", "No module named 'no_such_module'"),
        ("tests.helpers.networks:no_such", "no_such"),
        ("os:getcwd", "gives a str, but a torch.nn.Module is needed"),
        ("there/is/no.pt2", "there is no such file"),
        (7, "gives a int"),
    ],
)
def test_what_names_no_network_is_refused(model: Any, message: str) -> None:
    with pytest.raises(DynasError) as refused:
        original(model)
    assert message in str(refused.value)


def test_a_broken_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(pickle.dumps([1]))
    with pytest.raises(DynasError, match=r"no program of torch\.export"):
        original(str(tmp_path / "net.pt2"))


def test_it_can_be_sent_to_other_processes() -> None:
    supernet = PruneSupernet(PLACE, **SHAPE)
    again = pickle.loads(pickle.dumps(supernet))
    assert again.space.size == supernet.space.size
