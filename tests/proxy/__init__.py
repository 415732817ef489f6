"""Tests of kimi_openai.proxy."""
