"""
The peers, each in its best form, with the same small functions where it can do the work.

``build(graph, side)`` makes what the peer needs outside of the clock (and is on a line of its own);
``counts``, ``trees``, ``table``, ``nearest``, ``prepare`` and ``customise`` are timed. ``NAME_answer`` turns what one
of them made into arrays to compare and ``NAME_given`` what they are given into what a peer takes, outside of the clock.
"""
