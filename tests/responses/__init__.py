"""Tests of `kimi_openai.responses`."""
