"""Helpers that several packages of kimi_openai use. Not public."""
