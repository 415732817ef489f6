"""`bulk` with `engine="batch"`: the same lines and the same files, through Kimi's Batch API.

`splitting` writes the files that are uploaded, `parts` keeps them until their answers are in the output, `engine`
submits them and waits, `results` makes lines of the answers.
"""
