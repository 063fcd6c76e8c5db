"""Guardrails: parts that stand around a run and give a ticket to a person. None of them claims that nothing gets past it.

The canary goes outermost: what counts tokens, such as a cap, then counts those of its mark. The others may stand in any order.

ConfidenceGate   a draft that is not sure enough
Escalation       refunds above a limit, identity, the law, policies that ask for a person, the check's `escalate`
Canary           a secret mark of the system prompts that turns up in an output
Leaks            foreign links, what loads something, others' personal data, copied instructions
"""

from playground.guardrails.addresses import Sites
from playground.guardrails.canary import Canary, kept_mark, new_mark
from playground.guardrails.escalation import RULES, Escalation
from playground.guardrails.gate import ConfidenceGate
from playground.guardrails.leaks import Leaks

__all__ = ["RULES", "Canary", "ConfidenceGate", "Escalation", "Leaks", "Sites", "kept_mark", "new_mark"]
