# Written by `course build` from solutions/src/11_operate_and_improve.py: change it there.
# The exercise's own cell.
from collections import Counter


async def operator(console) -> None:
    """Watch the service until the shift ends, and end the incident if there is one."""
    while await console.wait(1):
        fired = {page.alert for page in console.pages()}
        answers = console.answers(10)

        if "MostAnswersFail" in fired:
            console.diagnose("model down")
            return console.act("switch-model")

        lied = [one["document"] for one in answers if one["addresses"]]
        if "ForeignAddress" in fired and lied:
            console.diagnose("poisoned document")
            return console.act("withdraw", lied[-1])

        if "CanaryWrong" in fired:
            console.diagnose("bad release")
            return console.act("rollback")

        customers = Counter(one["customer"] for one in answers if one["customer"])
        if "SpendingFast" in fired and customers:
            [(customer, times)] = customers.most_common(1)
            if times > 0.3 * len(answers):
                console.diagnose("cost spike")
                return console.act("limit", customer)
ANSWER = operator
