"""What the networks see of an image file, against arithmetic done here by hand."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dynas import DynasError
from dynas.data.images.transform import augmented, centre, normalise, random_box, read_rgb
from tests.helpers.photos import photo

RNG = np.random.default_rng(0)


def triangle_weights(inputs: int, outputs: int) -> np.ndarray:
    """Return the matrix ``(outputs, inputs)`` of antialiased bilinear resizing along one side."""
    scale = inputs / outputs
    reach = max(scale, 1.0)
    centres = (np.arange(outputs) + 0.5) * scale
    weights = np.maximum(1 - np.abs(np.arange(inputs) + 0.5 - centres[:, None]) / reach, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def resized_and_cropped(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return the evaluation view as floats in [0, 255]."""
    height, width = pixels.shape[:2]
    short = math.ceil(size / 0.875)
    new = (short, int(short * width / height)) if height <= width else (int(short * height / width), short)
    rows, columns = triangle_weights(height, new[0]), triangle_weights(width, new[1])
    resized = np.einsum("ah,bw,hwc->abc", rows, columns, pixels.astype(float), optimize=True)
    top, left = round((new[0] - size) / 2), round((new[1] - size) / 2)
    return resized[top : top + size, left : left + size]


@pytest.mark.parametrize(("width", "height"), [(75, 50), (50, 83), (64, 64), (20, 31), (500, 375)])
def test_the_evaluation_view_is_the_antialiased_resize_and_crop(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "one.png"
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    for size in (24, 31, 56):
        view = centre(read_rgb(str(path)), (size, size))
        assert view.shape == (size, size, 3)
        wanted = resized_and_cropped(pixels, size)
        assert np.abs(view - wanted).max() <= 1.0, "but for rounding to bytes"
        seen = normalise(view[None])[0].permute(1, 2, 0).numpy()
        by_hand = (wanted / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        assert np.abs(seen - by_hand).max() <= 1.0 / 255 / 0.224


def test_a_square_of_224_pixels_is_cut_from_256(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3))
    view = centre(Image.fromarray(ramp.copy()), (224, 224))
    assert (view == np.arange(16, 240)[None, :, None]).all(), "256 pixels stay as they are, 16 fall away on each side"


def test_an_oblong_view_keeps_the_proportions() -> None:
    ramp = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None], (200, 100, 3))
    view = centre(Image.fromarray(ramp.copy()), (56, 28))
    assert view.shape == (56, 28, 3)
    steps = np.diff(view[:, 0, 0].astype(float))
    assert steps.mean() == pytest.approx(200 / 64, rel=0.05)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64), st.integers(1, 64))
def test_every_image_fills_every_view(width: int, height: int, high: int, wide: int) -> None:
    grey = Image.new("RGB", (width, height), (90, 90, 90))
    assert (centre(grey, (high, wide)) == 90).all(), "no pixel comes from outside"
    assert augmented(grey, (high, wide), np.random.default_rng(0)).shape == (high, wide, 3)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "RGBA", "LA", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    rgb = photo(RNG)
    image = rgb.convert(mode)
    suffix = "tiff" if mode in ("CMYK", "YCbCr") else "png"
    image.save(tmp_path / f"one.{suffix}")
    read = read_rgb(str(tmp_path / f"one.{suffix}"))
    assert (read.mode, read.size) == ("RGB", (50, 40))
    assert np.array_equal(np.asarray(read), np.asarray(image.convert("RGB")))


RAMP = np.linspace(0, 65535, 64 * 48).reshape(48, 64)


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_of_16_bits_the_upper_8_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"grey.{suffix}"
    Image.fromarray(RAMP.astype(np.int32 if suffix == "pgm" else np.uint16)).save(path)
    wanted = (RAMP.astype(np.uint16) >> 8).astype(np.uint8)
    assert np.array_equal(np.asarray(read_rgb(str(path))), np.repeat(wanted[..., None], 3, axis=2))


def test_of_16_bits_per_colour_the_upper_8_are_kept(tmp_path: Path) -> None:
    colours = np.stack([RAMP, RAMP[::-1], RAMP.T.reshape(RAMP.shape)], axis=2).astype(">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in colours)
    header = struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    content = b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in chunks
    )
    (tmp_path / "colour.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    assert np.array_equal(np.asarray(read_rgb(str(tmp_path / "colour.png"))), colours >> 8)


@pytest.mark.parametrize(("kind", "numbers"), [(np.int32, "whole numbers"), (np.float32, "floating-point numbers")])
def test_pixels_of_which_white_is_unknown_are_refused(tmp_path: Path, kind: type, numbers: str) -> None:
    Image.fromarray((RAMP / 257).astype(kind)).save(tmp_path / "x.tif")
    with pytest.raises(DynasError, match=rf"'.*x\.tif': its pixels are {numbers}.*: convert it to 8 or 16 bits"):
        read_rgb(str(tmp_path / "x.tif"))


def test_broken_exif_is_passed_over_without_a_word(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker" * 9
    photo(RNG).save(tmp_path / "x.JPEG", exif=exif.tobytes()[:-20])
    code = "import sys; from dynas.data.images.transform import read_rgb; print(read_rgb(sys.argv[1]).size)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.JPEG")], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("(50, 40)\n", "")


def test_an_image_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ppm").write_bytes(b"P6 20000 20000 255\n")
    with pytest.raises(DynasError, match=r"x\.ppm': Image size \(400000000 pixels\) exceeds limit"):
        read_rgb(str(tmp_path / "x.ppm"))


def test_a_cmyk_jpeg_and_a_png_named_jpeg_are_read(tmp_path: Path) -> None:
    photo(RNG).convert("CMYK").save(tmp_path / "cmyk.JPEG", "JPEG")
    photo(RNG).save(tmp_path / "png.JPEG", "PNG")
    for name in ("cmyk.JPEG", "png.JPEG"):
        assert read_rgb(str(tmp_path / name)).mode == "RGB"


def test_the_orientation_of_exif_is_ignored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    photo(RNG).save(tmp_path / "turned.JPEG", exif=exif)
    assert read_rgb(str(tmp_path / "turned.JPEG")).size == (50, 40)


@pytest.mark.parametrize("content", [b"", b"no image at all", "truncated"])
def test_a_file_that_cannot_be_decoded_is_named(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "n01440764_7.JPEG"
    photo(RNG, 200, 200).save(path)
    path.write_bytes(path.read_bytes()[:1500] if isinstance(content, str) else content)
    with pytest.raises(DynasError, match=r"cannot decode the image '.*n01440764_7\.JPEG'") as caught:
        read_rgb(str(path))
    assert "\n" not in str(caught.value)


def test_normalised_batches_are_channels_last_and_leave_the_pixels_alone() -> None:
    pixels = RNG.integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
    pixels.flags.writeable = False  # as a mapped cache file is
    batch = normalise(pixels)
    assert batch.shape == (3, 3, 5, 7)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    plain = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    torch.testing.assert_close(batch, (plain - mean) / std, rtol=1e-5, atol=1e-6, check_stride=False)


def test_training_views_are_decided_by_their_generator() -> None:
    image = photo(RNG, 120, 90)
    first, same, other = (augmented(image, (32, 32), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 2**32))
def test_random_crops_lie_inside_the_image(width: int, height: int, seed: int) -> None:
    left, top, right, bottom = random_box(width, height, np.random.default_rng(seed))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_random_crops_have_the_area_and_aspect_of_the_recipe() -> None:
    rng = np.random.default_rng(0)
    boxes = np.array([random_box(450, 450, rng) for _ in range(4000)])
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    area, aspect = wide * high / 450**2, wide / high
    assert 0.075 < area.min() < 0.1
    assert area.max() > 0.9
    assert 0.74 < aspect.min() < 0.77
    assert 1.30 < aspect.max() < 1.35
    assert np.log(aspect).mean() == pytest.approx(0, abs=0.02)
    assert len(np.unique(boxes[:, 0])) > 100, "anywhere in the image"


def test_an_image_that_is_far_too_long_gives_its_middle() -> None:
    assert random_box(1000, 30, np.random.default_rng(0)) == (480, 0, 520, 30)
    assert random_box(30, 1000, np.random.default_rng(0)) == (0, 480, 30, 520)


def test_half_of_the_training_views_are_mirrored_and_their_colours_change_a_little() -> None:
    ramp = np.zeros((64, 64, 3), dtype=np.uint8)
    ramp[..., 0] = np.linspace(40, 200, 64)[None]
    image = Image.fromarray(ramp)
    views = np.stack([augmented(image, (32, 32), np.random.default_rng(seed)) for seed in range(300)]).astype(float)
    rising = (np.diff(views[..., 0], axis=2).mean((1, 2)) > 0).mean()
    assert rising == pytest.approx(0.5, abs=0.1)
    flat = Image.new("RGB", (64, 64), (100, 100, 100))
    grey = np.array([augmented(flat, (8, 8), np.random.default_rng(seed)).mean() for seed in range(300)])
    assert 87 <= grey.min() < 90, "32/255 darker"
    assert 110 < grey.max() <= 113
    red = Image.new("RGB", (64, 64), (150, 60, 60))
    spread = np.array([np.ptp(augmented(red, (8, 8), np.random.default_rng(s))[0, 0].astype(int)) for s in range(300)])
    assert spread.min() < 60 < 90 < 120 < spread.max(), "half as colourful to half as much again"
