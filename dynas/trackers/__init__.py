"""Experiment trackers that hear of a search: TensorBoard, MLflow, Weights & Biases."""
