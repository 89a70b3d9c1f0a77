"""The cache of decoded pixels: written once, never taken for whole when it is not."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dynas import DynasError
from dynas.data.images.parallel import AHEAD, in_order
from dynas.data.images.tensor_cache import in_file, in_memory

SHAPE = (5, 4, 6, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)


def fail() -> Iterator[np.ndarray]:
    yield IMAGES[0]
    raise DynasError("cannot decode the image 'x'")


def never() -> Iterator[np.ndarray]:
    pytest.fail("decoded again")


def test_a_file_is_written_once_and_mapped(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "pixels.npy"
    first = in_file(path, SHAPE, lambda: iter(IMAGES))
    again = in_file(path, SHAPE, never)
    for pixels in (first, again, in_memory(SHAPE, lambda: iter(IMAGES))):
        np.testing.assert_array_equal(pixels, IMAGES)
    assert isinstance(again, np.memmap)
    assert not again.flags.writeable
    assert [one.name for one in path.parent.iterdir()] == ["pixels.npy"]


def test_an_interrupted_file_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "pixels.npy"
    with pytest.raises(DynasError, match="cannot decode"):
        in_file(path, SHAPE, fail)
    assert not path.exists()
    np.testing.assert_array_equal(in_file(path, SHAPE, lambda: iter(IMAGES)), IMAGES)


@pytest.mark.parametrize("damage", ["empty", "torn", "text", "shape", "dtype"])
def test_a_damaged_file_is_written_again(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "pixels.npy"
    in_file(path, SHAPE, lambda: iter(IMAGES))
    if damage in ("shape", "dtype"):
        np.save(path, IMAGES[:3] if damage == "shape" else IMAGES.astype(np.int16))
    else:
        path.write_bytes({"empty": b"", "torn": path.read_bytes()[:-1], "text": b"no array"}[damage])
    np.testing.assert_array_equal(in_file(path, SHAPE, lambda: iter(IMAGES)), IMAGES)


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DynasError, match=r"decoded images in '.*file/below': .* data\.cache=ram"):
        in_file(tmp_path / "file" / "below" / "pixels.npy", SHAPE, lambda: iter(IMAGES))


def write_slowly(path: Path, counter: Path) -> None:
    def decode() -> Iterator[np.ndarray]:
        with counter.open("a") as file:
            file.write("decoded\n")
        for image in IMAGES:
            time.sleep(0.02)
            yield image

    assert np.array_equal(in_file(path, SHAPE, decode), IMAGES)


def test_of_several_processes_one_writes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    arguments = (tmp_path / "pixels.npy", tmp_path / "counter")
    children = [context.Process(target=write_slowly, args=arguments) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    assert (tmp_path / "counter").read_text() == "decoded\n"


def test_results_come_in_order_and_from_several_threads() -> None:
    barrier, threads = threading.Barrier(2, timeout=10), set()

    def square(number: int) -> int:
        threads.add(threading.get_ident())
        barrier.wait()  # passes only when two threads are at work
        return number * number

    assert list(in_order(square, range(10), 2)) == [number * number for number in range(10)]
    assert len(threads) == 2


def test_threads_work_ahead_but_not_without_end() -> None:
    started: list[int] = []
    results = in_order(lambda number: started.append(number), range(10 * AHEAD), 2)
    next(results)
    time.sleep(0.05)
    assert 1 < len(started) <= AHEAD + 1
    results.close()  # type: ignore[attr-defined]
    assert len(started) <= AHEAD + 1


def test_an_error_comes_out_at_its_turn() -> None:
    def check(number: int) -> int:
        if number == 3:
            raise DynasError("three")
        return number

    results = in_order(check, range(10), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DynasError, match="three"):
        next(results)
