"""A folder of tasks for lm-evaluation-harness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

QUESTIONS = [
    {"q": f"The {word} is", "a": [" big.", " of the"], "y": number % 2} for number, word in enumerate("abcdef")
]
TEXTS = [{"text": "A short text, naïve."}, {"text": "Another one. " * 60}]
TASKS: dict[str, dict[str, Any]] = {
    "two_ways": {
        "output_type": "multiple_choice", "doc_to_text": "{{q}}", "doc_to_choice": "{{a}}", "doc_to_target": "{{y}}",
        "target_delimiter": "",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    },
    "rolling": {
        "output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "{{text}}",
        "metric_list": [{"metric": "bits_per_byte"}],
    },
    "words": {
        "output_type": "generate_until", "doc_to_text": "{{q}}", "doc_to_target": "x",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 4, "do_sample": False},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    },
}  # fmt: skip


def write_tasks(folder: Path) -> Path:
    """Write a file for each task, and their documents."""
    for name, rows in (("questions", QUESTIONS), ("texts", TEXTS)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for name, task in TASKS.items():
        file = folder / ("texts.jsonl" if name == "rolling" else "questions.jsonl")
        given = {"task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(file)}}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(given | {"test_split": "test"} | task))
    return folder
