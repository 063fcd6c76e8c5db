"""What the words on the screen mean, one line each."""

from __future__ import annotations

import streamlit as st

WORDS = """
- **today**, **before**: what each stage runs on now. **was**: what the same call costs there.
- **stratified**: one cheap, one middle and one top model, chosen once for each kind of stage.
- **kr-auto**: at each stage the cheapest model that clears the bar.
- **bar**: the lowest quality a stage accepts. 0.95 means: as good as the best-measured model on 95 of 100 tickets.
- **estimated**: public benchmarks say it clears the bar. **proven**: a test on your own tickets has passed it.
- **pair**: what the current model and a candidate make of the same prompt, scored. **margin**: how much worse a stage may get.
- **CUT OVER**: shown to be not worse by more than the margin. **KEEP**: shown to be worse. **CONTINUE**: not decided yet.
- **range, any look**: where the true difference lies, right however often you look. **fixed n**: right at one look only.
- **judge**: a model of another family that reads both answers in both orders. **label**: what a person says, without knowing whose
  answer is whose.
- **fresh**: made from what is set now. **stale**: something above it changed since; run it again.
- **equivalent**: a model that may answer in another's place when its provider fails. **failover**: the call goes on there.
- **confidence**: how sure a draft says it is, from 0 to 1. **calibrated**: what such a figure was worth on drafts whose outcome is
  known.
- **second opinion**: the next tier up answers a stage as well. It is compared, paid for apart, and never served.
- **exact cache**: an answer served again for the very same call of the same customer. **semantic cache**: a label served again
  for a ticket that says nearly the same.
- **embedding**: a text as a list of numbers, made by a model; texts that mean the same get similar numbers. **by letters**: texts
  compared without a model.
- **prompt caching**: the provider reads the fixed part of a prompt again at a lower price. **written**: a call that came too late.
- **round**: one pass of a ticket through all stages. A ticket that comes back takes another.
- **hard**: something about the ticket asks for care, such as anger, a refund or a security matter, and raises the bar for it.
- **all in**: models, failed attempts, tickets that come back, the fixed cost, and people for escalated tickets.
- **priced, not run**: no model answered; the cost of the same tokens at another model's price.
"""


def words() -> None:
    """The words, folded away."""
    with st.expander("What the words mean"):
        st.markdown(WORDS)
