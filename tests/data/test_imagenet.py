"""ImageNet from folders that the tests write: layouts, labels, subsets, batches, refusals, and whole commands."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import loadmat, savemat

from dynas import DynasError
from dynas.data.imagenet import ImageNet
from dynas.data.images.imagenet_labels import read_meta
from dynas.data.images.mat_file import read_mat
from dynas.data.images.photographs import stratified_rows
from dynas.data.images.transform import centre, normalise, read_rgb
from dynas.errors import DynasWarning
from dynas.system.folders import cache_folder
from tests.helpers.cli import dynas, read_rows
from tests.helpers.photos import (
    CLASSES,
    DEVKIT_ORDER,
    write_flat,
    write_ground_truth,
    write_imagenet,
    write_meta,
    write_solution,
)

pytestmark = pytest.mark.slow

FLAT = (3, 1, 0, 2, 2, 0, 1, 3, 1, 1)  # classes of the images of a flat folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_imagenet(tmp_path_factory.mktemp("imagenet"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DYNAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "imagenet"


def load(root: Path, **settings: object) -> ImageNet:
    usual = {"resolution": (16, 16), "calibration_size": 10, "cache": "ram", "workers": 2}
    return ImageNet(str(root), **(usual | settings))  # type: ignore[arg-type]


def validation(data: ImageNet) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = zip(*data.validation_batches(), strict=True)
    return torch.cat(images), torch.cat(labels)


def calibration(data: ImageNet) -> torch.Tensor:
    return torch.cat(list(data.calibration_batches()))


def test_classes_follow_the_sorted_folders_and_no_image_is_lost(root: Path) -> None:
    data = load(root)
    images, labels = validation(data)
    assert (data.classes, len(data)) == (4, 32)
    assert labels.tolist() == [index for index in range(4) for _ in range(5)]
    paths = [path for name in CLASSES for path in sorted((root / "val" / name).iterdir())]
    wanted = torch.cat([normalise(centre(read_rgb(str(path)), (16, 16))[None]) for path in paths])
    torch.testing.assert_close(images, wanted, rtol=0, atol=1e-6)


def test_the_last_batch_may_be_a_small_one(root: Path) -> None:
    sizes = [len(labels) for _, labels in load(root, resolution=(300, 300)).validation_batches()]
    assert sum(sizes) == 20
    assert len(sizes) > 1
    assert sizes == [max(sizes)] * (len(sizes) - 1) + [sizes[-1]]
    assert [len(images) for images in load(root, calibration_batch=4).calibration_batches()] == [4, 4, 2]


def test_batches_are_what_a_channels_last_network_takes(root: Path) -> None:
    images, _ = next(load(root).validation_batches())
    assert images.dtype == torch.float32
    assert images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("place", [".", "ILSVRC2012_devkit_t12/data", "elsewhere"])
def test_a_flat_folder_takes_the_development_kit(tmp_path: Path, place: str) -> None:
    root = write_flat(tmp_path / "flat", FLAT)
    path = write_ground_truth(root / place, FLAT)
    write_meta(root / place)
    labels = validation(load(root, labels=str(path) if place == "elsewhere" else None))[1]
    assert labels.tolist() == list(FLAT)
    numbers = [int(line) for line in path.read_text().split()]
    assert numbers != [1 + index for index in FLAT], "the kit counts classes in another order"
    assert [DEVKIT_ORDER[number - 1] for number in numbers] == list(FLAT)


@pytest.mark.parametrize("place", ["flat", ".", "elsewhere"])
def test_a_flat_folder_takes_the_solution_of_kaggle(tmp_path: Path, place: str) -> None:
    root = write_flat(tmp_path / ("flat" if place != "." else "ILSVRC/Data/CLS-LOC"), FLAT)
    (tmp_path / place).mkdir(exist_ok=True)
    path = write_solution(tmp_path / place / "LOC_val_solution.csv", FLAT)
    data = load(root, labels=str(path) if place == "elsewhere" else None)
    assert validation(data)[1].tolist() == list(FLAT)
    assert data.classes == 4


def test_both_layouts_give_the_same_labels_to_the_same_images(tmp_path: Path) -> None:
    flat = write_flat(tmp_path / "flat", FLAT)
    write_solution(flat / "LOC_val_solution.csv", FLAT)
    sorted_ = write_flat(tmp_path / "sorted", FLAT)
    for number, index in enumerate(FLAT, start=1):
        name = f"ILSVRC2012_val_{number:08}.JPEG"
        (sorted_ / "val" / CLASSES[index]).mkdir(exist_ok=True)
        (sorted_ / "val" / name).rename(sorted_ / "val" / CLASSES[index] / name)
    first, second = (validation(load(root)) for root in (flat, sorted_))
    order = torch.argsort(first[1], stable=True)
    assert torch.equal(first[1][order], second[1])
    assert torch.equal(first[0][order], second[0])


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.integers(0, 9)
)
def test_subsets_are_stratified_and_nested(labels: list[int], one: float, other: float, seed: int) -> None:
    array = np.array(labels)
    small, large = (stratified_rows(array, fraction, np.random.default_rng(seed)) for fraction in sorted((one, other)))
    assert set(small) <= set(large)
    assert len(small) == max(1, round(min(one, other) * len(array)))
    assert list(large) == sorted(set(large))
    for index in set(labels):
        share = len(large) / len(array) * (array == index).sum()
        assert abs((array[large] == index).sum() - share) < 2.5
    assert list(stratified_rows(array, 1.0, np.random.default_rng(seed))) == list(range(len(array)))


def test_equal_classes_have_equal_shares_of_a_subset() -> None:
    labels = np.repeat(np.arange(1000), 50)
    kept = stratified_rows(labels, 0.1, np.random.default_rng(0))
    assert len(kept) == 5000
    assert (np.bincount(labels[kept]) == 5).all()


def test_the_seed_decides_the_subset_and_the_calibration_images(root: Path) -> None:
    first, same, other = (load(root, fraction=0.4, seed=seed) for seed in (1, 1, 2))
    assert len(validation(first)[1]) == 8
    assert torch.equal(validation(first)[0], validation(same)[0])
    assert torch.equal(calibration(first), calibration(same))
    assert not torch.equal(validation(first)[0], validation(other)[0])
    assert not torch.equal(calibration(first), calibration(other))
    assert first.digest == same.digest != other.digest


def test_the_number_of_workers_changes_nothing(root: Path) -> None:
    one, many = load(root, workers=1), load(root, workers=5)
    assert torch.equal(validation(one)[0], validation(many)[0])
    assert torch.equal(calibration(one), calibration(many))
    batches = [list(data.training_batches(8, np.random.default_rng(0))) for data in (one, many)]
    assert all(torch.equal(a[0], b[0]) for a, b in zip(*batches, strict=True))


def test_calibration_sees_random_views_of_distinct_training_images(root: Path) -> None:
    data = load(root, calibration_size=32, resolution=(40, 40))
    images = calibration(data)
    assert images.shape == (32, 3, 40, 40)
    assert sorted(data._calibration.names) == sorted(data.train.names)
    assert data._calibration.labels[:8].tolist() != sorted(data._calibration.labels)[:8], "classes are mixed in batches"
    plain = torch.stack([normalise(centre(read_rgb(data._calibration.path(i)), (40, 40))[None])[0] for i in range(32)])
    assert ((images - plain).abs().mean((1, 2, 3)) > 0.01).all(), "cropped and coloured as in training"


def test_another_size_shows_the_same_images(root: Path) -> None:
    data = load(root, fraction=0.5)
    larger = data.at((24, 32))
    assert validation(larger)[0].shape == (10, 3, 24, 32)
    assert calibration(larger).shape == (10, 3, 24, 32)
    assert torch.equal(validation(larger)[1], validation(data)[1])
    assert torch.equal(validation(larger.at((16, 16)))[0], validation(data)[0])
    assert torch.equal(validation(load(root, fraction=0.5, resolution=(24, 32)))[0], validation(larger)[0])
    assert data.resolution == (16, 16)


def test_an_epoch_shows_every_training_image_once_in_full_batches(root: Path) -> None:
    data = load(root)
    batches = list(data.training_batches(10, np.random.default_rng(0)))
    assert [images.shape for images, _ in batches] == [(10, 3, 16, 16)] * 3
    labels = torch.cat([labels for _, labels in data.training_batches(8, np.random.default_rng(0))])
    assert torch.bincount(labels).tolist() == [8] * 4
    assert labels.tolist() != sorted(labels.tolist())
    again, other = (torch.cat([i for i, _ in data.training_batches(10, np.random.default_rng(s))]) for s in (0, 1))
    assert torch.equal(again, torch.cat([images for images, _ in batches]))
    assert not torch.equal(again, other)


def test_labels_of_training_batches_belong_to_their_images(tmp_path: Path) -> None:
    root = write_imagenet(tmp_path / "in")
    for index, name in enumerate(CLASSES):
        for path in (root / "train" / name).iterdir():
            Image.new("RGB", (30, 30), (60 * index + 40,) * 3).save(path, quality=100)
    for images, labels in load(root).training_batches(8, np.random.default_rng(0)):
        grey = 255 * (images[:, 0].mean((1, 2)) * 0.229 + 0.485)
        assert torch.corrcoef(torch.stack([grey, labels.float()]))[0, 1] > 0.95


# the cache


def test_later_runs_read_the_cache_and_no_image(root: Path, tmp_path: Path, cache: Path) -> None:
    copied = shutil.copytree(root, tmp_path / "in")  # with its times
    first = load(copied, cache=None)
    images, statistics = validation(first)[0], calibration(first)
    assert sorted(path.name.split("-")[0] for path in cache.iterdir()) == ["calibration", "validation"]
    for path in copied.rglob("*.JPEG"):
        size, times = path.stat().st_size, path.stat().st_mtime_ns
        path.write_bytes(bytes(size))
        os.utime(path, ns=(times, times))
    again = load(copied, cache=None)
    assert torch.equal(validation(again)[0], images)
    assert torch.equal(calibration(again), statistics)


@pytest.mark.parametrize("change", [{"resolution": (17, 17)}, {"fraction": 0.6}, {"seed": 1}, "touched", "added"])
def test_another_request_is_decoded_anew(
    root: Path, tmp_path: Path, cache: Path, change: dict[str, object] | str
) -> None:
    copied = shutil.copytree(root, tmp_path / "in")
    settings: dict[str, object] = {"fraction": 0.5}
    validation(load(copied, cache=None, **settings))
    for path in (copied / "val" / CLASSES[0]).iterdir():
        if change == "touched":
            os.utime(path)
        elif change == "added":
            shutil.copy(path, path.with_stem("more"))
    settings |= change if isinstance(change, dict) else {}
    cached, fresh = (load(copied, cache=setting, **settings) for setting in (None, "ram"))
    assert torch.equal(validation(cached)[0], validation(fresh)[0])
    assert len(list(cache.iterdir())) == 2


def test_the_cache_lies_where_the_setting_says(root: Path, tmp_path: Path) -> None:
    validation(load(root, cache=str(tmp_path / "mine")))
    assert len(list((tmp_path / "mine").glob("validation-16x16-*.npy"))) == 1


def test_the_cache_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNAS_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("DYNAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "dynas"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "dynas"


def test_the_digest_tells_other_files_wherever_they_lie(root: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(root, tmp_path / "moved", copy_function=shutil.copyfile)
    assert load(moved).digest == load(root).digest
    with (moved / "val" / CLASSES[1] / f"{CLASSES[1]}_1.JPEG").open("ab") as file:
        file.write(b" ")
    assert load(moved).digest != load(root).digest


# refusals


def refuse(root: Path, message: str, **settings: object) -> None:
    with pytest.raises(DynasError, match=message) as caught:
        validation(load(root, **settings))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fraction": 0.0}, r"data\.fraction=0\.0"),
        ({"fraction": 1.5}, r"data\.fraction=1\.5"),
        ({"workers": 0}, r"data\.workers=0"),
        ({"calibration_batch": 0}, r"data\.calibration_batch=0"),
        ({"calibration_size": 0}, r"data\.calibration_size=0"),
        ({"resolution": (224,)}, r"data\.resolution=\[224\]"),
        ({"resolution": (0, 224)}, r"data\.resolution=\[0, 224\]"),
        ({"labels": "x.txt"}, r"data\.labels=x\.txt is for a flat folder"),
    ],
)
def test_settings_that_make_no_sense_are_refused(root: Path, settings: dict[str, object], message: str) -> None:
    refuse(root, message, **settings)


def test_missing_folders_and_images_are_named(tmp_path: Path) -> None:
    refuse(tmp_path / "nowhere", r"no ImageNet at '.*nowhere'")
    (tmp_path / "val").mkdir()
    refuse(tmp_path, r"val' holds neither class folders nor images")
    root = write_imagenet(tmp_path / "in")
    shutil.rmtree(root / "train")
    refuse(root, r"no folder '.*train': batch norm is re-calibrated on training images")


def test_folders_of_other_classes_are_refused(tmp_path: Path) -> None:
    root = write_imagenet(tmp_path / "in")
    (root / "train" / CLASSES[2]).rename(root / "train" / "n09999999")
    refuse(root, rf"train' has 4 class folders where 4 are wanted: '{CLASSES[2]}' is missing")
    shutil.rmtree(root / "train" / "n09999999")
    refuse(root, r"train' has 3 class folders where 4 are wanted")
    (root / "val" / CLASSES[2]).rename(root / "val" / "empty")
    for path in (root / "val" / "empty").iterdir():
        path.rename(path.with_suffix(".txt"))
    refuse(root, r"the class folder '.*empty' holds no image")


def test_an_image_that_cannot_be_decoded_is_named_and_nothing_is_cached(tmp_path: Path, cache: Path) -> None:
    root = write_imagenet(tmp_path / "in")
    (root / "val" / CLASSES[3] / f"{CLASSES[3]}_2.JPEG").write_bytes(b"not a photo")
    for setting in ("ram", None):
        refuse(root, rf"cannot decode the image '.*{CLASSES[3]}_2\.JPEG'", cache=setting)
    assert not list(cache.glob("*.npy"))


def test_where_there_are_fewer_training_images_all_of_them_calibrate(root: Path) -> None:
    with pytest.warns(DynasWarning, match=r"on the 32 images of .* no data\.calibration_size=2000"):
        data = load(root, calibration_size=2000)
    assert len(calibration(data)) == 32


def test_folders_of_the_system_are_no_classes(tmp_path: Path, root: Path) -> None:
    other = tmp_path / "in"
    shutil.copytree(root, other)
    for name in ("__MACOSX", "@eaDir", ".cache"):
        (other / "val" / name).mkdir()
        (other / "train" / CLASSES[0] / name).mkdir()
        (other / "train" / CLASSES[0] / name / "._1.JPEG").write_bytes(b"no image")
        (other / "train" / CLASSES[0] / name / "1.JPEG").write_bytes(b"no image")
    (other / "val" / CLASSES[0] / "Thumbs.db").write_bytes(b"")
    assert load(other).digest == load(root).digest


def test_images_in_folders_below_a_class_and_in_other_formats_are_read(tmp_path: Path) -> None:
    root = write_imagenet(tmp_path / "in")
    folder = root / "train" / CLASSES[1]
    (folder / "images" / "more").mkdir(parents=True)
    (folder / "images" / "loop").symlink_to(folder)
    for number, name in enumerate(("a.webp", "b.bmp", "more/c.tif", "d.GIF")):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(folder / "images" / name)
    data = load(root)
    found = {name for name in data.train.names if "/images/" in name}
    assert found == {f"{CLASSES[1]}/images/{name}" for name in ("a.webp", "b.bmp", "more/c.tif", "d.GIF")}
    assert len(data) == 36


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    root = write_imagenet(tmp_path / "in")
    for name in ("1.heic", "boxes.txt"):
        (root / "train" / CLASSES[1] / name).write_bytes(b"")
    with pytest.warns(DynasWarning, match=rf"left out of '.*train': '{CLASSES[1]}/1\.heic' and 1 more; images that"):
        assert len(load(root)) == 32


def test_names_that_are_no_utf8_are_read(tmp_path: Path) -> None:
    root = write_imagenet(tmp_path / "in")
    path = next((root / "val" / CLASSES[0]).iterdir())
    path.rename(path.with_name(os.fsdecode(b"caf\xe9.JPEG")))
    data, plain = load(root, cache=None), load(write_imagenet(tmp_path / "other"))
    assert len(validation(data)[0]) == len(validation(plain)[0])
    assert data.digest != plain.digest
    path.with_name(os.fsdecode(b"caf\xe9.JPEG")).write_bytes(b"no image")
    refuse(root, r"cannot decode the image '.*caf\\udce9\.JPEG'")


def test_labels_may_begin_with_a_byte_order_mark_and_have_windows_line_ends(tmp_path: Path) -> None:
    root = write_flat(tmp_path / "flat", FLAT)
    for path in (write_solution(root / "LOC_val_solution.csv", FLAT), write_ground_truth(root, FLAT)):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        write_meta(root)
        assert validation(load(root, labels=str(path)))[1].tolist() == list(FLAT)


@pytest.mark.parametrize("compressed", [False, True])
def test_meta_is_read_as_scipy_reads_it(tmp_path: Path, compressed: bool) -> None:
    path = write_meta(tmp_path)
    content = loadmat(str(path))
    savemat(path, {"other": np.arange(6.0).reshape(2, 3), "synsets": content["synsets"]}, do_compression=compressed)
    rows = loadmat(str(path), squeeze_me=True)["synsets"]
    wanted = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in rows if row["num_children"] == 0}
    assert read_meta(path) == wanted
    matrices = read_mat(path.read_bytes())
    assert matrices["other"] == np.arange(6.0).reshape(2, 3).ravel(order="F").tolist()
    assert [row["words"] for row in matrices["synsets"]] == rows["words"].tolist()


def test_one_changed_byte_of_meta_ends_nothing(tmp_path: Path) -> None:
    path = write_meta(tmp_path)
    whole = path.read_bytes()
    for place in range(128, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 95]) + whole[place + 1 :])
        with contextlib.suppress(DynasError):
            read_meta(path)


def test_numbers_without_their_meaning_are_refused(tmp_path: Path) -> None:
    root = write_flat(tmp_path / "flat", FLAT)
    refuse(root, r"no labels lie beside it: put ILSVRC2012_validation_ground_truth\.txt with its meta\.mat")
    path = write_ground_truth(root, FLAT)
    refuse(root, r"are in an order that only '.*meta\.mat' explains, which is missing")
    (root / "meta.mat").write_bytes(b"MATLAB 5.0")
    refuse(root, r"meta\.mat' is not the meta\.mat of ILSVRC 2012's development kit")
    write_meta(root)
    for line in ("5", "x", "0", "-1", "3\x1f", "²", " ", "9" * 5000):  # 5 is the number of an inner node
        path.write_text(f"{line}\n" + "1\n" * 9)
        refuse(root, rf"line 1 of '.*ground_truth\.txt' is '{line[:1]}")
    for count in (9, 11):
        path.write_text("1\n" * count)
        refuse(root, rf"the 10 images of '.*val' are not those of the {count} labels")
    refuse(root, r"no file of labels '/nowhere\.txt'", labels="/nowhere.txt")


def test_a_solution_that_is_none_is_refused(tmp_path: Path) -> None:
    root = write_flat(tmp_path / "flat", FLAT)
    path = root / "LOC_val_solution.csv"
    path.write_text("image,label\nILSVRC2012_val_00000001,3\n")
    refuse(root, r"needs the columns ImageId and PredictionString")
    path.write_text("ImageId,PredictionString\nILSVRC2012_val_00000001,\n")
    refuse(root, r"has no class for the image 'ILSVRC2012_val_00000001'")
    path.write_bytes(b"ImageId\xff")
    refuse(root, r"LOC_val_solution\.csv' line 1 is not in UTF-8")
    write_solution(path, [FLAT[0], *FLAT])
    path.write_text(path.read_text().replace("00000002", "00000001"))
    refuse(root, r"has the image 'ILSVRC2012_val_00000001' twice")
    write_solution(path, FLAT[:-1])
    refuse(root, r"the 10 images of '.*val' are not those of the 9 labels")


# whole commands

NETWORK = (
    "supernet.resolution=[32,32]", "supernet.channels=3", "supernet.classes=4", "data=imagenet",
    "data.calibration_size=16", "data.workers=2",
)  # fmt: skip
SEARCH = ("supernet.weights=random", "objectives=[top1,macs]", "mode=validation", "algo=random", "algo.population=3")


def test_a_search_measures_on_the_images(root: Path, tmp_path: Path, cache: Path) -> None:
    arguments = ("search", *NETWORK, *SEARCH, "budget=3", f"data.path={root}", "data.fraction=0.5")
    done = dynas(*arguments, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run")
    assert len(rows) == 3
    assert all(float(row["top1 [%]"]) % 10 == 0 and row["error"] == "" for row in rows), "of ten images"
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["data_sha256"] == load(root, calibration_size=16, fraction=0.5).digest
    assert facts["config"]["data"]["resolution"] == [32, 32], "that of the network"
    written = {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}
    again = dynas(*arguments, "hydra.run.dir=again", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert [row["top1 [%]"] for row in read_rows(tmp_path / "again")] == [row["top1 [%]"] for row in rows]
    assert {path.name: path.stat().st_mtime_ns for path in cache.iterdir()} == written


def test_a_supernet_can_be_trained_on_the_images(root: Path, tmp_path: Path) -> None:
    few = ("recipe.epochs=2", "recipe.largest_epochs=1", "recipe.batch_size=8", "recipe.random_subnets=1", "threads=1")
    done = dynas("train", *NETWORK, *few, f"data.path={root}", "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "weights.safetensors").exists()
    assert "imagenet" in (tmp_path / "run" / "model_card.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*NETWORK,), "data.path is missing and has no default: give data.path=<value>"),
        ((*NETWORK, "data.path={root}", "data.cache=/proc/none"), "cannot keep 0.0 GB of decoded images in '/proc/no"),
    ],
)
def test_bad_requests_get_one_sentence(root: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = dynas("search", *SEARCH, *(one.format(root=root) for one in arguments), "budget=3", cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
