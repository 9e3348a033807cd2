"""Decoding in children that stay alive: no network, no files, no keys, a deadline and a memory limit for each picture.

    decoder_pool ─► child (the parent's side) ─ socket: a request and a block's descriptor ─► child_main ─► sandbox
                                              ─ block: the files' bytes, pixels, results ───

It imports `core.base.errors` and `core.decoding.decoded`; only the child's own process imports the decoder.
"""
