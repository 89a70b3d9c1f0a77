"""Decoders of language: the shapes, layers and files of Llama, Mistral, Qwen2, Qwen3 and Gemma 3."""
