"""An example for hardware=command: takes an ONNX file and prints milliseconds, here those of ONNX Runtime.

    dynas search hardware=command hardware.command="python tests/helpers/own/board.py {onnx} {shape}"

For a phone, copy the file there instead, run the phone's own benchmark, and print what it says.
"""

import sys
import time

import numpy as np
import onnxruntime

path, shapes = sys.argv[1:3]
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
feeds = {}
for one, shape in zip(session.get_inputs(), shapes.split(","), strict=True):
    kind = np.int64 if one.type == "tensor(int64)" else np.float32
    feeds[one.name] = np.ones([int(size) for size in shape.split("x")], dtype=kind)
times = []
for _ in range(5):
    start = time.perf_counter()
    session.run(None, feeds)
    times.append(1e3 * (time.perf_counter() - start))
print("this line is not read")
print(*times[1:])
