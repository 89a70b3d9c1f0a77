"""Every option of every config group composes, and what it describes can be built."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir

from dynas.algos.pareto_local_search import ParetoLocalSearch
from dynas.api import search
from dynas.compose.build import build
from dynas.compose.frames import register
from dynas.compose.parts import build_trackers
from dynas.compose.problem import build_problem
from dynas.data.fashion_mnist import DEBIAN
from dynas.data.phrases import EMBEDDED
from dynas.data.sentiment import EMBEDDED as SENTIMENT
from dynas.data.sentiment import VOCABULARY
from dynas.data.simulated_choices import CHOICES
from dynas.modes.linas import Linas
from dynas.predictors.gp_average import GaussianProcessAverage
from dynas.system.folders import CONFIGS
from tests.data.test_fairseq_binary import write_folder
from tests.data.test_ncf_files import ITEMS, USERS, write_ncf
from tests.helpers.language_tasks import write_tasks
from tests.helpers.photos import write_imagenet
from tests.helpers.tables import write_table

pytestmark = pytest.mark.slow

GROUPS = (
    *("supernet", "data", "hardware", "precision", "objectives", "algo", "mode", "predictor", "executor", "experiment"),
    "track",
)
OPTIONS = [
    (group, path.relative_to(CONFIGS / group).with_suffix("").as_posix())
    for group in GROUPS
    for path in sorted((CONFIGS / group).rglob("*.yaml"))
]

PAPER = ("linas", "nsga2", "random")
TRANSFORMERS = [
    *("transformer", "hat_transformer", "phrases", "parallel_text", "wmt14_en_de", "bleu", "bleu_latency"),
    *("params_without_embeddings", *(f"paper/transformer_{how}" for how in PAPER)),
]
RATED = ["movielens", "simulated_choices", "ratings", "ml1m", "pinterest20"]
RECOMMENDERS = [
    *RATED,
    "ncf",
    "ncf_movielens",
    "hr10",
    "ndcg10",
    "hr10_latency",
    *(f"paper/ncf_{how}" for how in PAPER),
]
TEXTS = ["bert_base", "dynast/bert_sst2", "sentiment", "text_classification", "accuracy", "accuracy_latency"]
DECODERS = [
    *(
        "decoder",
        "brown",
        "text",
        "bits_per_byte",
        "perplexity",
        "kl",
        "ttft",
        "tpot",
        "tokens_per_second",
        "memory",
        "lm_eval",
    ),
    "bits_per_byte_tpot_memory",
]
VISION = ["vit_base", "dynast/vit_b"]
AUTOFORMERS = {
    "autoformer_t": 1_056_964_608, "autoformer_s": 77_103_263_459_313, "autoformer_b": 10_108_977_168_384,
}  # fmt: skip
BOOTSTRAPPED = ["bootstrap_resnet50", *(f"paper/bnas_{how}" for how in PAPER)]
OF_ORIGINALS = ("peak_memory", "agreement", "divergence")  # objectives that need a network that was traced
SIZES = {  # distinct sub-networks where they are not those of mbv3
    "proxyless": 9 * 7371**5,
    "ofa_proxyless": 9 * 7371**5,
    **dict.fromkeys(["resnet50", *(f"paper/resnet50_{how}" for how in PAPER)], 2_458_914_796_962),
    "ofa_resnet50": 2_458_914_796_962 * 2 // 3,  # two widths within the stem round to the same channels
    **dict.fromkeys(TRANSFORMERS, 417_846_678_672_384),
    **dict.fromkeys(RECOMMENDERS, 7_489_800),
    **dict.fromkeys(BOOTSTRAPPED, 80_621_568),
    **dict.fromkeys(TEXTS, 9_726_654_763_008),
    **dict.fromkeys(["bert", "vit"], sum(16**layers for layers in range(2, 7))),
    **dict.fromkeys(DECODERS, 2_218_033_216),
    "llamacpp": 4 * 21**2 * 22**4,
    **dict.fromkeys(VISION, 9_721_026_183_168),
    **AUTOFORMERS,
    **dict.fromkeys(
        ["prune", "unlabelled", *OF_ORIGINALS], 2**3 * (1 + 2) ** 2
    ),  # three groups of two shares, and two blocks with one of their own
}
IMAGENET = ["data.path={images}", "data.calibration_size=4", "supernet.classes=4"]
BINARISED = ["data.path=${{oc.env:BINARISED}}", "supernet.source_vocabulary=16", "supernet.target_vocabulary=16"]
NCF_FILES = ["supernet=ncf", "data.path=${{oc.env:NCF}}", f"supernet.users={USERS}", f"supernet.items={ITEMS}"]
READ = [f"data.path={SENTIMENT / 'validation.tsv.xz'}", "data.validation_size=10"]
BERT = ["supernet=bert_base", f"supernet.vocabulary={len((SENTIMENT / VOCABULARY).read_text().splitlines())}"]
TOKENIZER = f"data.tokenizer={SENTIMENT / VOCABULARY}"
LAYOUT = (
    "supernet.network={{channels:1,classes:100,kernel:7,stem:8,outputs:[32,64,128,256],"
    "middles:[[8,8,8],[16,16,16,16],[32,32,32,32,32,32],[64,64,64]]}}"
)
WINDOWS = ["supernet=decoder", "data.window=32", "data.stride=16", "data.validation_size=2"]
PRUNED = [
    *("supernet.model=tests.helpers.networks:Residual", "supernet.resolution=[28,56]", "supernet.channels=1"),
    *("supernet.divisor=4", "supernet.shares=[0.5,1.0]"),
]
COMPANIONS = {  # what an option cannot be used without; weights are random throughout, so that nothing is downloaded
    "note10": ["data=imagenet_surrogate"],
    "tabulated": ["data.path=${{oc.env:TABLE}}"],
    "lut": ["hardware.table=note10", "hardware.width=1.2", "data=imagenet_surrogate"],
    "command": ["hardware.command=echo"],
    "imagenet": IMAGENET,
    "image_folder": IMAGENET,
    "unlabelled": ["data.path={images}", "supernet=prune", *PRUNED, "objectives=[agreement,latency]"],
    "dataset": ["data.train=tests.helpers.photos:numbered", "data.classes=100"],
    **dict.fromkeys((*VISION, *AUTOFORMERS), IMAGENET),
    "bert": [
        "supernet.network={{vocabulary:9076,positions:64,segments:2,classes:2,width:24,layers:6,heads:12,units:48}}"
    ],
    **dict.fromkeys(DECODERS, WINDOWS),
    "llamacpp": [*WINDOWS, "supernet.groups=[0.333,0.667,1.0]"],
    "lm_eval": [
        *WINDOWS,
        "objectives.lm_eval.metric.folder=${{oc.env:TASKS}}",
        "objectives.lm_eval.metric.tasks=two_ways",
    ],
    "text": [*WINDOWS, "data=text", f"data.path={SENTIMENT / 'LICENCE'}"],
    "bert_base": [*BERT, *READ, TOKENIZER],
    "dynast/bert_sst2": [*BERT[1:], *READ, TOKENIZER],
    "text_classification": [*BERT, *READ, TOKENIZER, "objectives=accuracy"],
    "sentiment": [*BERT, "data=sentiment", "objectives=accuracy"],
    "accuracy": [*BERT, "data=sentiment"],
    "accuracy_latency": [*BERT, "data=sentiment"],
    "prune": PRUNED,
    **{option: ["supernet=prune", *PRUNED] for option in OF_ORIGINALS},
    "ofa_mbv3": IMAGENET,
    "ofa_mbv3_w12": IMAGENET,
    "ofa_proxyless": IMAGENET,
    "ofa_resnet50": IMAGENET,
    "phrases": ["supernet=transformer"],
    "parallel_text": [
        "supernet=transformer",
        f"data.source={EMBEDDED / 'validation.tsv.xz'}",
        *("data.validation_size=100", f"data.subwords={EMBEDDED / 'codes.txt'}"),
        f"data.dictionary={EMBEDDED / 'dictionary.txt'}",
    ],
    "wmt14_en_de": ["supernet=transformer", *BINARISED],
    "hat_transformer": [*BINARISED, "supernet.embed_dims=[8,16]", "supernet.ffn_dims=[8,16,24]", "supernet.qkv_dim=16"],
    **{option: [LAYOUT] for option in BOOTSTRAPPED},
    "bleu": ["supernet=transformer"],
    "bleu_latency": ["supernet=transformer"],
    "params_without_embeddings": ["supernet=transformer"],
    "movielens": ["supernet=ncf_movielens"],
    "simulated_choices": ["supernet=ncf"],
    "ratings": ["supernet=ncf", f"data.path={CHOICES}"],
    "ml1m": NCF_FILES,
    "pinterest20": NCF_FILES,
    **{option: ["supernet=ncf"] for option in ("hr10", "ndcg10", "hr10_latency")},
}


@pytest.fixture(scope="module", autouse=True)
def _folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Small folders for data=wmt14_en_de, data=ml1m, data=pinterest20 and data=tabulated."""
    binarised, ncf = tmp_path_factory.mktemp("binarised"), tmp_path_factory.mktemp("ncf")
    for name in ("ml-1m", "pinterest-20"):
        write_ncf(ncf, name=name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BINARISED", str(write_folder(binarised)))
        patched.setenv("NCF", str(ncf))
        patched.setenv("TABLE", str(write_table(tmp_path_factory.mktemp("table"))))
        patched.setenv("TASKS", str(write_tasks(tmp_path_factory.mktemp("tasks"))))
        yield


@pytest.fixture(autouse=True)
def _hydra() -> object:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_imagenet(tmp_path_factory.mktemp("imagenet"), validation=1, train=1)


NEEDS = {
    "cuda": (torch.cuda.is_available(), "torch finds no GPU on this machine"),
    "fashion_mnist_full": (DEBIAN.is_dir(), "Debian's package dataset-fashion-mnist is not on this machine"),
    "llamacpp": (importlib.util.find_spec("xllamacpp") is not None, "xllamacpp is not installed"),
    **{
        package: (importlib.util.find_spec(package) is not None, f"{package} is not installed")
        for package in ("ray", "lm_eval", "tensorboard", "mlflow", "wandb")
    },
}


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_and_builds(group: str, option: str, images: Path) -> None:
    there, lacking = NEEDS.get(option, (True, ""))
    if not there:
        pytest.skip(lacking)
    companions = [override.format(images=images) for override in COMPANIONS.get(option, [])]
    config = compose("search", overrides=[f"{group}={option}", "supernet.weights=random", *companions])
    problem, measurer = build_problem(config)
    assert problem.space.size == SIZES.get(option, 7371**5)
    assert [objective.name for objective in problem.objectives] == list(measurer.metrics)
    for part in ("mode", "algo", "predictor", "executor"):
        assert callable(getattr(build(config, part), "run", None) or build(config, part))
    assert len(build_trackers(config)) == len(config.track)


@pytest.mark.parametrize("option", RATED)
def test_every_option_of_ratings_can_be_ranked(option: str) -> None:
    settings = [override.format() for override in COMPANIONS[option] if override.startswith("data.")]
    data = build(compose("search", overrides=[f"data={option}", *settings]), "data")
    assert (data.quality, data.candidates.shape) == ("hr10", (len(data.ranked_users), 100))


@pytest.mark.parametrize("option", [path.stem for path in sorted((CONFIGS / "recipe").glob("*.yaml"))])
def test_every_recipe_composes_and_builds(option: str) -> None:
    config = compose("train", overrides=[f"recipe={option}"])
    assert build(config, "recipe").epochs >= 1


def test_the_defaults_in_yaml_are_those_in_python() -> None:
    config = compose("search")
    assert (config.budget, list(config.objectives)) == (250, ["top1", "latency"])
    for part, target in (("mode", Linas), ("algo", ParetoLocalSearch), ("predictor", GaussianProcessAverage)):
        written = {key: value for key, value in config[part].items() if not key.startswith("_")}
        parameters = inspect.signature(target).parameters
        defaults = {key: parameters[key].default for key in written}
        assert written == {key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()}
    defaults = inspect.signature(search).parameters
    assert (defaults["algo"].default, defaults["predictor"].default) == ("pareto_local_search", "gp")


def test_the_landscape_brings_its_network_unless_told_otherwise() -> None:
    for command in ("search", "train"):
        supernet = compose(command, overrides=["data=imagenet_surrogate"]).supernet
        assert (supernet.weights, supernet.width, supernet.classes) == ("random", 1.0, 1000)
        assert (list(supernet.resolution), list(supernet.strides)) == ([224, 224], [2, 2, 2, 1, 2])
        assert compose(command, overrides=["data=imagenet_surrogate", "supernet.width=1.2"]).supernet.width == 1.2


@pytest.mark.parametrize("supernet", ["transformer", "hat_transformer"])
def test_a_transformer_brings_what_suits_it_unless_told_otherwise(supernet: str) -> None:
    for command in ("search", "evaluate", "predictors"):
        config = compose(command, overrides=[f"supernet={supernet}"])
        assert list(config.objectives) == ["bleu", "latency"]
        assert config.supernet.latency_batch == 1, "one sentence at a time"
        assert config.hardware.batch_size is None, "the supernet's own"
        assert compose(command, overrides=[f"supernet={supernet}", "hardware.batch_size=4"]).hardware.batch_size == 4
        assert "batch_size" not in compose(command, overrides=[f"supernet={supernet}", "hardware=note10"]).hardware
    assert compose("search").hardware.batch_size is None
    recipe = compose("train", overrides=[f"supernet={supernet}"]).recipe
    assert recipe.batch_size > compose("train").recipe.batch_size, "of tokens, not of images"
    assert compose("train", overrides=[f"supernet={supernet}", "recipe.epochs=3"]).recipe.epochs == 3


def test_all_that_times_modules_follows_the_same_rules() -> None:
    options = ("cpu", "cuda", "openvino", "llamacpp")
    configs = {option: compose("search", overrides=[f"hardware={option}"]).hardware for option in options}
    for config in configs.values():
        assert (config.tolerance, config.min_repeats, config.batch_size) == (0.02, 5, None)
    assert compose("search", overrides=["hardware=cuda", "supernet=ncf"]).supernet.latency_batch == 100
    assert configs["cpu"].backend == configs["cuda"].backend == "eager"
    assert "backend" not in configs["openvino"]


def test_int8_brings_the_runtime_that_it_needs_unless_told_otherwise() -> None:
    for command in ("search", "evaluate", "predictors"):
        config = compose(command, overrides=["precision=int8", "hardware.calibration_images=9"])
        assert (config.precision, config.hardware.calibration_images) == ("int8", 9)
        assert "calibration_images" not in compose(command, overrides=["precision=int8", "hardware=cpu"]).hardware
        assert compose(command, overrides=["hardware=openvino"]).precision == "fp32"
        assert compose(command, overrides=["hardware=openvino"]).hardware.batch_size is None, "as on the cpu"


@pytest.mark.parametrize("hardware", ["cpu", "onnxruntime", "openvino", "command"])
def test_a_recommender_is_timed_on_the_candidates_of_one_user_everywhere(hardware: str) -> None:
    for command in ("search", "evaluate", "predictors"):
        config = compose(command, overrides=[f"hardware={hardware}", "supernet=ncf"])
        assert (config.supernet.latency_batch, config.hardware.batch_size) == (100, None)


def test_the_note10_is_one_of_many_tables() -> None:
    for option, width in (("note10", 1.2), ("lut", None)):
        hardware = compose("search", overrides=[f"hardware={option}", "hardware.table=mine.csv"]).hardware
        assert (hardware.table, hardware.width, hardware.scale, hardware.offset) == ("mine.csv", width, 1, 0)


def test_hats_transformer_has_hats_numbers() -> None:
    supernet = compose("search", overrides=["supernet=hat_transformer", "supernet.weights=random"]).supernet
    assert (supernet.source_vocabulary, supernet.target_vocabulary, supernet.shared_embeddings) == (32768, 32768, True)
    assert (list(supernet.embed_dims), list(supernet.ffn_dims)) == ([512, 640], [1024, 2048, 3072])
    assert (supernet.qkv_dim, supernet.encoder_layers, supernet.decoder_layers) == (512, 6, 6)
    assert (list(supernet.heads), supernet.max_positions, supernet.sentence_length) == ([4, 8], 1024, 30)


def test_every_key_is_explained() -> None:
    for path in Path(CONFIGS).rglob("*.yaml"):
        text = path.read_text()
        assert text.startswith("#") or "hydra/help" in str(path), f"{path} does not say what it is"
