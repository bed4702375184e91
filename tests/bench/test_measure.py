"""The arithmetic of the table: python3 -m unittest discover tests/bench"""

import hashlib
import io
import sys
import tarfile
import unittest

import goals
import holes
import many
from lines import at_most
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

    def test_a_time_is_judged_by_the_median(self):
        series = self.series()
        self.assertTrue(at_most("3", series, "ours", 3).is_met)
        line = at_most("3", series, "ours", 2.9)
        self.assertEqual((line.measured, line.is_met), ("3.00 s", False))

    def test_a_child_counts_with_the_one_that_waits_for_it(self):
        alone = run(["true"])
        told = run(["sh", "-c", "head -c 5000000 /dev/zero > /dev/null; true"])
        self.assertGreaterEqual(told.written - alone.written, 5_000_000)
        self.assertGreaterEqual(told.read - alone.read, 5_000_000)

    def test_what_fails_has_no_cost(self):
        with self.assertRaises(SystemExit):
            run([sys.executable, "-c", "raise SystemExit(1)"])


class Made(unittest.TestCase):
    """What the large bundles are made of."""

    def test_holes_are_as_large_as_asked_and_one_is_larger_than_octal_digits(self):
        sizes = holes.sizes(60_000_000_000)
        self.assertTrue(0 <= sum(sizes) - 60_000_000_000 < len(sizes) ** 2 << 20)
        self.assertGreater(sizes[-1], 8 << 30)

    def test_holes_have_the_digests_of_zeros(self):
        for blob in holes.zeros([1 << 20, 3 << 20]):
            digest = hashlib.sha256(bytes(blob["size"])).hexdigest()
            self.assertEqual(blob["digest"], f"sha256:{digest}")

    def test_headers_are_read_as_they_were_meant(self):
        for size in (0, 1000, 9 << 30):
            file = io.BytesIO(holes.header("blobs/sha256/00", size))
            entry = tarfile.open(fileobj=file).next()
            self.assertEqual((entry.name, entry.size, entry.mode), ("blobs/sha256/00", size, 0o644))

    def test_the_number_of_a_bill_is_the_locks(self):
        digest = f"sha256:{hashlib.sha256().hexdigest()}"
        self.assertEqual(
            holes.serial_number(digest), "urn:uuid:e3b0c442-98fc-8c14-8afb-f4c8996fb924"
        )

    def test_many_layers_differ_and_are_archives(self):
        first, second = many.layer("many/0 0"), many.layer("many/999 97")
        self.assertNotEqual(first, second)
        with tarfile.open(fileobj=io.BytesIO(second[0])) as tar:
            (entry,) = tar
            self.assertEqual(tar.extractfile(entry).read().rstrip(b"\0"), b"many/999 97")


if __name__ == "__main__":
    unittest.main()
