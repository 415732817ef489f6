"""Tests of kimi_openai.adapting."""
