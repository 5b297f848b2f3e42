"""A budget is a hard stop: what a call may cost at most is reserved before it is sent, and settled after.

Each payer (a model or judge) has an equal share. What it will not need of it goes to the others: a payer may spend
more than its share as long as it leaves to each other what that still needs, up to its share. So a cheap model is done
before an expensive one has used everything up. Who cannot pay now waits for what others may give back; once nothing
more will come, its calls are not sent.

A judge's questions come from answers, and what they may cost is reserved together with these. Of its share only what
the answers of other models may yet ask of it is therefore left to it.
"""

import asyncio
import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from tasks.calls.gate import Attempt, Need, NotAdmitted
from tasks.calls.ledger import Ledger, Page
from tasks.calls.line import Line
from tasks.calls.pledges import PLEDGE, Pledge
from tasks.config import Price
from tasks.records import CallStatus

ENOUGH_TRIALS = 10
CAUTION = 1.25
"""How much more than so far a payer's trials may cost on average, when others are let use what it seems not to need."""

NOT_BILLED = frozenset(
    {
        CallStatus.RATE_LIMITED,
        CallStatus.QUOTA_EXHAUSTED,
        CallStatus.SERVER_ERROR,
        CallStatus.CONTEXT_OVERFLOW,
        CallStatus.BAD_REQUEST,
        CallStatus.UNAUTHORIZED,
        CallStatus.MODEL_NOT_FOUND,
    }
)
"""What a provider rejects; the rest may have been billed even where no answer came, and then counts in full."""

LOOK_EVERY_S = 0.05
"""How often a payer looks whether another process has given something back."""

STALLED_S = 1.0
"""Nothing was under way for so long: what is kept for others is kept in vain."""


class Account:
    """What one payer has spent and reserved, in USD, and the trials that it has behind and before it."""

    def __init__(self, page: Page) -> None:
        self.spent = page.cell("spent")
        self.reserved = page.count("reserved")
        self.sent = page.count("sent")
        self.under_way = page.count("under way")
        self.done = page.cell("done")
        self.to_do = page.cell("to do")
        self.waiting = page.count("waiting")

    def reserve(self, usd: float) -> None:
        """Set aside what one more call may cost."""
        self.reserved.value += usd
        self.under_way.value += 1

    def release(self, usd: float, *, sent: bool) -> None:
        """Take back what was set aside for a call."""
        self.under_way.value -= 1
        self.reserved.value = self.reserved.value - usd if self.under_way.value else 0.0
        if sent:
            self.sent.value = self.sent.value - usd if self.under_way.value else 0.0

    def bury(self) -> None:
        """Count as spent what this process, which is no more, had sent: it may have been billed."""
        self.spent.value += self.sent.value
        self.sent.value = self.reserved.value = self.under_way.value = self.waiting.value = 0

    @property
    def used(self) -> float:
        """What others cannot have."""
        return self.spent.value + self.reserved.total

    def still_needs(self, share: float, to_do: float) -> float:
        """What of its share it will probably use yet for so many trials, of which some may cost nothing."""
        if to_do <= 0:
            return 0.0
        rest = max(0.0, share - self.used)
        if self.done.value < ENOUGH_TRIALS:
            return rest
        return min(rest, CAUTION * to_do * self.spent.value / self.done.value)


class Budget:
    """The budget of a run; `payers` are the names of those who pay from it, `judges` those of them that are asked about
    answers, and `ledger` is where they write."""

    def __init__(
        self, usd: float, payers: Iterable[str], ledger: Ledger | None = None, *, judges: Collection[str] = ()
    ) -> None:
        self.ledger = ledger or Ledger()
        self.look_after_s = LOOK_EVERY_S if self.ledger.is_shared else STALLED_S / 2
        self._usd = usd
        self._spent_before = self.ledger.cell("budget: spent before")
        self._stalled_since = math.inf
        self._accounts = {name: account_in(self.ledger, name) for name in payers}
        self._judges = [self._accounts[name] for name in judges]
        self._lines = {name: Line() for name in self._accounts}

    @property
    def spent_usd(self) -> float:
        """What was spent, and what may have been: of a call under way nobody knows."""
        return self._spent_before.value + sum(one.spent.value + one.sent.total for one in self._accounts.values())

    def begin(self, *, spent_before_usd: float) -> None:
        """Begin with what an earlier attempt left; of several processes one does so."""
        self._spent_before.value = spent_before_usd

    def expect(self, calls: Mapping[str, int]) -> None:
        """Set how many trials ask something of each payer; of several processes one does so."""
        for name, account in self._accounts.items():
            account.to_do.value = calls.get(name, 0)

    def bury(self, seat: int) -> None:
        """Settle what a process that is no more had under way."""
        seen_from_there = self.ledger.seen_from(seat)
        theirs = [account_in(seen_from_there, name) for name in self._accounts]
        with self.ledger.lock():
            for account in theirs:
                account.bury()
        self.did_change()

    def purse(self, payer: str, price: Price, most_answer_tokens: int) -> "Purse":
        """What a payer pays from: at most `price`, and for answers no longer than that where nothing bounds them."""
        return Purse(self, self._accounts[payer], self._lines[payer], price, most_answer_tokens)

    def is_granted(self, account: Account, usd: float, pledged: Sequence[tuple[Account, float]] = ()) -> bool:
        """Reserve that much, and what is pledged beside it, if all can be had now; raises NotAdmitted where it never
        will."""
        wanted = [(account, usd), *pledged]
        in_flight = any(one.under_way.total for one in self._accounts.values())
        left_usd = self._usd - self._spent_before.value
        share = left_usd / len(self._accounts)
        for one, amount in wanted:
            one.reserve(amount)
        used = sum(one.used for one in self._accounts.values())
        held = self._left_to_others(account, share, in_flight=in_flight)
        if used + held <= left_usd:
            return True
        for one, amount in wanted:
            one.release(amount, sent=False)
        if not in_flight and not held:
            raise NotAdmitted(CallStatus.BUDGET, f"budget: what is left of {self._usd:g} USD does not pay for it")
        return False

    def _left_to_others(self, account: Account, share: float, *, in_flight: bool) -> float:
        """What of their shares others will probably use yet; who waits while nothing is under way waits for this."""
        if self._is_stalled(in_flight=in_flight):
            return 0.0
        judges = [one for one in self._judges if one is not account]
        models = [one for one in self._accounts.values() if one is not account and one not in self._judges]
        trials_of_others = sum(one.to_do.value for one in models if not one.waiting.total)
        needs = [one.still_needs(share, one.to_do.value) for one in models if in_flight or not one.waiting.total]
        needs += [one.still_needs(share, min(one.to_do.value, trials_of_others)) for one in judges]
        return sum(needs)

    def _is_stalled(self, *, in_flight: bool) -> bool:
        """True when somebody has waited for a while in which nothing moved."""
        moment = asyncio.get_running_loop().time()
        self._stalled_since = math.inf if in_flight else min(self._stalled_since, moment)
        return moment - self._stalled_since >= STALLED_S

    def did_change(self) -> None:
        """Let all look again."""
        for line in self._lines.values():
            line.look_again()


def account_in(ledger: Ledger, payer: str) -> Account:
    """The account of a payer."""
    return Account(ledger.page(f"budget of {payer}"))


class Purse:
    """What one payer's calls are paid from."""

    def __init__(self, budget: Budget, account: Account, line: Line, price: Price, most_answer_tokens: int) -> None:
        self._budget = budget
        self._account = account
        self._line = line
        self._price = price
        self._most_answer_tokens = most_answer_tokens

    async def reserve(self, need: Need) -> float:
        """Wait until what a call may cost is reserved; gives the USD. Raises NotAdmitted where it never will be.

        A call whose answer will be judged has that reserved with it; a judge's call draws from there.
        """
        usd, pledge = self.most_usd(need), PLEDGE.get() or Pledge()
        if pledge.is_due:
            drawn = pledge.draw(self, usd)
            if drawn is not None:
                return drawn
            pledge = Pledge()
        pledge.give_back()  # of an attempt before this one: who waits for money must hold none
        async with self._line as line:
            try:
                await line.until(lambda: 0.0 if self._is_granted(usd, pledge) else self._budget.look_after_s)
            finally:
                self._wait(0)
        return usd

    def _is_granted(self, usd: float, pledge: Pledge) -> bool:
        pledged = [(purse._account, amount) for purse, amount in pledge.wanted]
        with self._budget.ledger.lock():
            granted = self._budget.is_granted(self._account, usd, pledged)
        if granted:
            pledge.set_aside()
        else:
            self._wait(1)
        return granted

    def _wait(self, value: int) -> None:
        """Tell others whether anything of this payer can move, as far as it is in its own hands."""
        if self._account.waiting.value != value:
            self._account.waiting.value = value
            self._budget.did_change()

    def send(self, reserved_usd: float) -> None:
        """What was reserved may be billed from now on."""
        self._account.sent.value += reserved_usd

    def settle(self, reserved_usd: float, attempt: Attempt | None) -> None:
        """Put what a call came to in the place of what was reserved for it; None was cancelled, and may be billed."""
        with self._budget.ledger.lock():
            self._account.spent.value += came_to(attempt, reserved_usd)  # first: killed in between, it counts twice
            self._account.release(reserved_usd, sent=True)
        self._budget.did_change()

    def give_back(self, reserved_usd: float) -> None:
        """Nothing was sent."""
        with self._budget.ledger.lock():
            self._account.release(reserved_usd, sent=False)
        self._budget.did_change()

    def did(self, trials: int) -> None:
        """So many of the trials to do are behind it, whether something was sent for them or not."""
        with self._budget.ledger.lock():
            self._account.to_do.value -= trials
            self._account.done.value += trials
        self._budget.did_change()

    def most_usd(self, need: Need) -> float:
        """What a call may cost at most."""
        answer_tokens = self._most_answer_tokens if need.most_answer_tokens is None else need.most_answer_tokens
        price = self._price
        return (need.most_prompt_tokens * price.input_per_million + answer_tokens * price.output_per_million) / 1e6


def came_to(attempt: Attempt | None, reserved_usd: float) -> float:
    """What a call cost, or may have cost where nobody says."""
    if attempt is None:
        return reserved_usd
    if attempt.cost_usd is not None:
        return attempt.cost_usd
    return 0.0 if attempt.status in NOT_BILLED else reserved_usd
