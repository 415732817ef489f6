"""What one emulated service remembers: balance, prompt cache, files and batches.

`service_state` holds them together with the seed and the clock. Endpoints read and change the state.
"""
