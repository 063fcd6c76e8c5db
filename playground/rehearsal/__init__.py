"""The offline provider: works on the ticket with rules and word statistics. Every page labels it: no model was called.

It answers the same `Request` as a live provider, from `request.context`, and never reads a prompt's text. A ticket longer
than twice `sentences.READ_CHARS` is read from both ends only. Text in a ticket is looked up and quoted, never obeyed: there
is nothing in here that an instruction could reach.

Usage is counted, so it is always an "estimate": no provider saw the call. Input tokens are those of the real prompt, output
tokens those of the real output plus the thinking assumed for the candidate's effort. Nothing was cached and nothing took
time, so no cache tokens and no latency are made up.
"""

from playground.rehearsal.examples import Example, load_examples
from playground.rehearsal.provider import Rehearsal, sample_rehearsal

__all__ = ["Example", "Rehearsal", "load_examples", "sample_rehearsal"]
