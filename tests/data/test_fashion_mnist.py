from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from dynas import DynasError
from dynas.data.fashion_mnist import EMBEDDED, JITTER, FashionMNIST, jitter, join, normalise, read_split
from dynas.data.images.idx import read_idx, write_idx
from dynas.data.images.resize import resize

FILES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]


def make_folder(folder: Path, train: int = 40, validation: int = 20) -> Path:
    """Write a small data set in which all pixels of an image are its number in its split."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, size in (("train", train), ("t10k", validation)):
        numbers = np.arange(size, dtype=np.uint8)
        write_idx(
            folder / f"{part}-images-idx3-ubyte.gz", np.broadcast_to(numbers[:, None, None], (size, 28, 28)).copy()
        )
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", numbers % 10)
    return folder


def numbers_of(images: torch.Tensor, garments: int) -> np.ndarray:
    """Return which images were put side by side ``(n, garments)``, from the middle pixel of each."""
    raw = images * 0.3530 + 0.2860
    return np.stack([(255 * raw[:, 0, 14, 28 * place + 14]).round().int().numpy() for place in range(garments)], axis=1)


@pytest.fixture(scope="module")
def embedded() -> FashionMNIST:
    return FashionMNIST("embedded", 2, 2500, 500)


@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, max_side=5)))
def test_an_array_of_bytes_reads_back(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("idx") / "array.gz"
    write_idx(path, array)
    np.testing.assert_array_equal(read_idx(path), array)
    first = path.read_bytes()
    write_idx(path, array)
    assert path.read_bytes() == first, "equal arrays give equal files"


def test_the_header_is_that_of_the_idx_format(tmp_path: Path) -> None:
    write_idx(tmp_path / "array.gz", np.array([[7, 8, 9]], dtype=np.uint8))
    assert gzip.decompress((tmp_path / "array.gz").read_bytes()) == bytes.fromhex("00000802 00000001 00000003 070809")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        gzip.compress(b""),
        gzip.compress(b"\x00\x00\x08"),
        gzip.compress(struct.pack(">HBBI", 0, 8, 1, 3) + b"ab"),
        gzip.compress(struct.pack(">HBBI", 0, 8, 1, 3) + b"abcd"),
        gzip.compress(struct.pack(">HBBI", 0, 13, 1, 1) + b"abcd"),
        gzip.compress(struct.pack(">HBBI", 1, 8, 1, 1) + b"a"),
        gzip.compress(b"P5 28 28 255 " + bytes(784)),
    ],
    ids=["empty", "text", "nothing", "header", "short", "long", "floats", "magic", "image"],
)
def test_a_file_that_is_no_idx_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "array.gz").write_bytes(content)
    with pytest.raises(DynasError, match=r"array\.gz' is no IDX file|cannot read '.*array"):
        read_idx(tmp_path / "array.gz")


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_file_is_refused_or_reads_as_before(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("idx") / "array.gz"
    array = np.random.default_rng(0).binomial(20, 0.1, (4, 28, 28)).astype(np.uint8)  # compressible, as real images are
    write_idx(path, array)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans(), "torn"):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        read = read_idx(path)
    except DynasError:
        return
    np.testing.assert_array_equal(read, array)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"no data file '.*nothing\.gz'"):
        read_idx(tmp_path / "nothing.gz")


def test_the_embedded_images_are_balanced(embedded: FashionMNIST) -> None:
    train, validation = (read_split(EMBEDDED, split) for split in ("train", "validation"))
    assert (len(train), len(validation), len(embedded)) == (6000, 2500, 6000)
    assert torch.bincount(train.labels).tolist() == [600] * 10
    assert torch.bincount(validation.labels).tolist() == [250] * 10
    assert train.images.dtype == torch.uint8
    assert len(train.images.flatten(1).unique(dim=0)) > 5950, "real images, hardly any of them twice"


def test_the_embedded_samples_have_the_shape_of_the_task(embedded: FashionMNIST) -> None:
    images, labels = embedded.validation
    assert images.shape == (2500, 1, 28, 56)
    assert embedded.calibration.shape == (500, 1, 28, 56)
    assert embedded.classes == 100
    assert set(labels.tolist()) == set(range(100))
    assert embedded.calibration.mean().abs() < 0.05
    assert abs(embedded.calibration.std() - 1) < 0.05


def test_joined_images_stand_side_by_side_and_their_classes_are_digits(tmp_path: Path) -> None:
    split = read_split(make_folder(tmp_path), "train")
    images, labels = join(split, np.array([[3, 17], [39, 0]]))
    assert images.shape == (2, 1, 28, 56)
    assert images.dtype == torch.float32
    for row, (left, right) in enumerate([(3, 17), (39, 0)]):
        assert (images[row, 0, :, :28] == np.float32(left) / 255).all()
        assert (images[row, 0, :, 28:] == np.float32(right) / 255).all()
    assert labels.tolist() == [37, 90]
    assert join(split, np.array([[12, 25, 9]]))[1].tolist() == [259]
    assert join(split, np.array([[12]]))[1].tolist() == [2]


def test_joining_keeps_the_pixels_of_real_images(embedded: FashionMNIST) -> None:
    images, _ = join(embedded.train, np.array([[5, 8]]))
    pixels = (255 * images[0, 0]).round().to(torch.uint8)
    assert torch.equal(pixels[:, :28], embedded.train.images[5])
    assert torch.equal(pixels[:, 28:], embedded.train.images[8])


@pytest.mark.parametrize("garments", [1, 2, 3])
def test_fixed_samples_show_no_garment_twice_in_the_same_place(tmp_path: Path, garments: int) -> None:
    data = FashionMNIST(str(make_folder(tmp_path)), garments, 20, 40)
    images, labels = data.validation
    numbers = numbers_of(images, garments)
    assert data.classes == 10**garments
    assert images.shape == (20, 1, 28, 28 * garments)
    assert all(sorted(column) == list(range(20)) for column in numbers.T)
    assert labels.tolist() == [int("".join(str(number % 10) for number in row)) for row in numbers]
    assert all(sorted(column) == list(range(40)) for column in numbers_of(data.calibration, garments).T)


def test_the_seed_decides_the_fixed_samples(tmp_path: Path) -> None:
    folder = str(make_folder(tmp_path))
    first, same, other = (FashionMNIST(folder, 2, 15, 30, seed) for seed in (1, 1, 2))
    assert torch.equal(first.validation[0], same.validation[0])
    assert torch.equal(first.validation[1], same.validation[1])
    assert torch.equal(first.calibration, same.calibration)
    assert not torch.equal(first.validation[0], other.validation[0])
    assert not torch.equal(first.calibration, other.calibration)
    assert first.digest == other.digest


def test_the_digest_tells_other_pixels_and_other_labels(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    digests = {FashionMNIST(str(folder), 1, 5, 5).digest}
    for name in FILES:
        array = read_idx(folder / name).copy()
        array.flat[0] += 1
        write_idx(folder / name, array)
        digests.add(FashionMNIST(str(folder), 1, 5, 5).digest)
    assert len(digests) == 5


def test_batches_hold_every_fixed_sample_once_and_in_order() -> None:
    data = FashionMNIST("embedded", 2, 1203, 501)
    batches = list(data.validation_batches())
    assert torch.equal(torch.cat([images for images, _ in batches]), data.validation[0])
    assert torch.equal(torch.cat([labels for _, labels in batches]), data.validation[1])
    assert torch.equal(torch.cat(list(data.calibration_batches())), data.calibration)
    assert len(batches) > 1


@pytest.mark.parametrize("garments", [1, 2])
def test_an_epoch_shows_every_image_once_in_every_place(tmp_path: Path, garments: int) -> None:
    data = FashionMNIST(str(make_folder(tmp_path)), garments, 10, 10)
    batches = list(data.training_batches(8, np.random.default_rng(0)))
    assert [len(labels) for _, labels in batches] == [8] * 5
    numbers = np.concatenate([numbers_of(images, garments) for images, _ in batches])
    assert all(sorted(column) == list(range(40)) for column in numbers.T)
    labels = np.concatenate([labels.numpy() for _, labels in batches])
    assert labels.tolist() == [int("".join(str(number % 10) for number in row)) for row in numbers]
    if garments == 2:
        assert (numbers[:, 0] != numbers[:, 1]).any(), "not every image beside itself"


def test_only_full_batches_are_shown(tmp_path: Path) -> None:
    data = FashionMNIST(str(make_folder(tmp_path)), 2, 10, 10)
    assert [len(labels) for _, labels in data.training_batches(15, np.random.default_rng(0))] == [15, 15]


def test_epochs_differ_and_are_decided_by_their_generator(tmp_path: Path) -> None:
    data = FashionMNIST(str(make_folder(tmp_path)), 2, 10, 10)
    first, same, other = (
        torch.cat([images for images, _ in data.training_batches(20, np.random.default_rng(seed))])
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_jitter_only_shifts_an_image_by_up_to_two_pixels() -> None:
    image = torch.rand(1, 1, 6, 9, generator=torch.Generator().manual_seed(0)) + 1
    jittered = jitter(image.expand(400, 1, 6, 9), np.random.default_rng(0))
    assert jittered.shape == (400, 1, 6, 9)
    shifts = {}
    for down in range(-JITTER, JITTER + 1):
        for right in range(-JITTER, JITTER + 1):
            shifted = torch.zeros(6, 9)
            rows, columns = slice(max(down, 0), 6 + min(down, 0)), slice(max(right, 0), 9 + min(right, 0))
            source_rows = slice(max(-down, 0), 6 + min(-down, 0))
            source_columns = slice(max(-right, 0), 9 + min(-right, 0))
            shifted[rows, columns] = image[0, 0, source_rows, source_columns]
            shifts[shifted.numpy().tobytes()] = (down, right)
    met = {shifts.get(one[0].numpy().tobytes()) for one in jittered}
    assert None not in met, "every image is a shift of the original"
    assert len(met) == 25, "and every shift happens"


def test_normalising_takes_the_mean_to_zero_and_the_deviation_to_one() -> None:
    torch.testing.assert_close(normalise(torch.tensor([0.2860, 0.2860 + 0.3530])), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("source", ["nowhere/to/be/found", "~/nowhere/to/be/found"])
def test_a_missing_folder_is_refused_with_a_way_out(source: str) -> None:
    with pytest.raises(DynasError, match=r"no Fashion-MNIST folder '.*found': give data\.source=embedded"):
        FashionMNIST(source, 2, 10, 10)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_part_is_named(tmp_path: Path, name: str) -> None:
    (make_folder(tmp_path) / name).unlink()
    with pytest.raises(DynasError, match=f"no data file '.*{name}'"):
        FashionMNIST(str(tmp_path), 2, 10, 10)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        (FILES[0], np.zeros((40, 27, 28), dtype=np.uint8)),
        (FILES[0], np.zeros((39, 28, 28), dtype=np.uint8)),
        (FILES[0], np.zeros((40, 784), dtype=np.uint8)),
        (FILES[1], np.zeros((40, 1), dtype=np.uint8)),
    ],
)
def test_images_and_labels_that_do_not_belong_together_are_refused(
    tmp_path: Path, name: str, array: np.ndarray
) -> None:
    write_idx(make_folder(tmp_path) / name, array)
    with pytest.raises(DynasError, match="do not hold as many labels as 28x28 images"):
        FashionMNIST(str(tmp_path), 2, 10, 10)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((21, 10), r"data\.validation_size=21 must be between 1 and the 20 images"),
        ((0, 10), r"data\.validation_size=0 must be between 1 and the 20 images"),
        ((10, 41), r"data\.calibration_size=41 must be between 1 and the 40 images"),
        ((10, -1), r"data\.calibration_size=-1"),
    ],
)
def test_more_samples_than_there_are_images_are_refused(tmp_path: Path, sizes: tuple[int, int], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        FashionMNIST(str(make_folder(tmp_path)), 2, *sizes)


@pytest.mark.parametrize("garments", [0, -1])
def test_at_least_one_garment_is_needed(tmp_path: Path, garments: int) -> None:
    with pytest.raises(DynasError, match=r"data\.garments"):
        FashionMNIST(str(make_folder(tmp_path)), garments, 10, 10)


def test_images_come_in_other_sizes_with_the_same_labels(embedded: FashionMNIST) -> None:
    assert embedded.at((28, 56)) is embedded
    small = embedded.at((14, 28))
    assert embedded.at((14, 28)) is small, "kept"
    assert small.at((28, 56)) is embedded, "nothing is resized twice"
    assert small.validation[0].shape == (2500, 1, 14, 28)
    assert small.calibration.shape == (500, 1, 14, 28)
    assert torch.equal(small.validation[1], embedded.validation[1])
    assert embedded.validation[0].shape == (2500, 1, 28, 56)
    images, labels = next(small.training_batches(8, np.random.default_rng(0)))
    whole, same = next(embedded.training_batches(8, np.random.default_rng(0)))
    assert images.shape == (8, 1, 14, 28)
    assert torch.equal(labels, same)
    pooled = torch.nn.functional.avg_pool2d(whole, 2)
    assert (images - pooled).abs().mean() < 0.2 * whole.std(), "the same pictures"


def test_smaller_images_are_antialiased() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(14).expand(1, 1, 28, 28)
    small = resize(stripes, (7, 7))
    assert (small - 0.5).abs().max() < 0.13
    assert resize(stripes, (28, 28)) is stripes
