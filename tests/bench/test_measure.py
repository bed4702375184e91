"""The arithmetic of the table: python3 -m unittest discover tests/bench"""

import sys
import unittest

import goals
from measure import Cost, Series, run


def cost(wall, read=0, memory=0):
    """A cost of which only these figures matter."""
    return Cost(wall, wall, memory, read, 0)


class Arithmetic(unittest.TestCase):
    """What a reader of the table relies on."""

    def series(self):
        """Three rounds, of which the second saw a busy machine."""
        series = Series(3)
        ours, theirs = iter((1.0, 9.0, 3.0)), iter((2.0, 10.0, 4.0))
        series.measure({"ours": lambda: cost(next(ours)), "theirs": lambda: cost(next(theirs))})
        return series

    def test_a_ratio_is_of_two_runs_of_one_round(self):
        self.assertEqual(self.series().ratio("ours", "theirs"), (0.75, 0.5, 0.9))

    def test_the_contenders_run_in_turn(self):
        order = []

        def note(name):
            order.append(name)
            return cost(1.0)

        Series(2).measure({"a": lambda: note("a"), "b": lambda: note("b")})
        self.assertEqual(order, ["a", "b", "a", "b"])

    def test_a_goal_is_met_by_the_median(self):
        series = self.series()
        self.assertTrue(goals.ratio("1", "", series, ("ours", "theirs"), 0.75).is_met)
        self.assertFalse(goals.ratio("1", "", series, ("ours", "theirs"), 0.74).is_met)

    def test_memory_is_judged_by_the_figure_that_is_shown(self):
        self.assertTrue(goals.memory("`build`", [cost(1, memory=96_000_000)], 96).is_met)
        line = goals.memory("`build`", [cost(1), cost(1, memory=97_000_000)], 96)
        self.assertEqual((line.measured, line.is_met), ("97 MB", False))

    def test_a_child_counts_with_the_one_that_waits_for_it(self):
        alone = run(["true"])
        told = run(["sh", "-c", "head -c 5000000 /dev/zero > /dev/null; true"])
        self.assertGreaterEqual(told.written - alone.written, 5_000_000)
        self.assertGreaterEqual(told.read - alone.read, 5_000_000)

    def test_what_fails_has_no_cost(self):
        with self.assertRaises(SystemExit):
            run([sys.executable, "-c", "raise SystemExit(1)"])


if __name__ == "__main__":
    unittest.main()
