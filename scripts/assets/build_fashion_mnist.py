"""Cut the package's Fashion-MNIST subset out of the full set (Debian package dataset-fashion-mnist).

    python scripts/assets/build_fashion_mnist.py [FOLDER]

Takes the first images of each class, in file order, so that classes are balanced and the result is
the same file on every machine.
"""

import sys
from pathlib import Path

import numpy as np

from dynas.data.fashion_mnist import DEBIAN, EMBEDDED, FILES, read_split
from dynas.data.images.idx import write_idx

SIZES = {"train": 6000, "validation": 2500}

LICENCE = """\
Fashion-MNIST: a subset of {train:,} training and {validation:,} test images, unchanged pixels.
Source: https://github.com/zalandoresearch/fashion-mnist (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747),
as packaged in Debian's dataset-fashion-mnist; cut by scripts/assets/build_fashion_mnist.py.

The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE
USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main() -> None:
    """Write the subset into the package."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEBIAN
    EMBEDDED.mkdir(parents=True, exist_ok=True)
    for split, size in SIZES.items():
        full = read_split(folder, split)
        labels = full.labels.numpy()
        rows = np.sort(np.concatenate([np.flatnonzero(labels == c)[: size // 10] for c in range(10)]))
        write_idx(EMBEDDED / f"{FILES[split]}-images-idx3-ubyte.gz", full.images.numpy()[rows])
        write_idx(EMBEDDED / f"{FILES[split]}-labels-idx1-ubyte.gz", labels[rows].astype(np.uint8))
    (EMBEDDED / "LICENCE").write_text(LICENCE.format(**SIZES))
    for path in sorted(EMBEDDED.iterdir()):
        print(f"{path.stat().st_size:>10,} bytes  {path.name}")


if __name__ == "__main__":
    main()
