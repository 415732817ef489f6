"""A genuine `openai.OpenAI` client for Moonshot's Kimi."""
