"""What scripts/bench takes and refuses, before it builds anything."""

import contextlib
import io
import unittest
from unittest import mock

import main


def said(*words):
    """The arguments, or what is said against them."""
    errors = io.StringIO()
    with mock.patch("sys.argv", ["bench", *words]), contextlib.redirect_stderr(errors):
        try:
            return main.arguments()
        except SystemExit:
            return errors.getvalue()


class Arguments(unittest.TestCase):
    def test_goals_and_numbers_are_taken(self):
        wanted = said("cold", "verify", "--rounds", "5")
        self.assertEqual((wanted.goals, wanted.rounds, wanted.size), (["cold", "verify"], 5, 1024))

    def test_wrong_words_are_named(self):
        for words, error in {
            ("fast",): "there is no goal fast",
            ("--rounds", "0"): "0 is no number from 1 on",
            ("--size", "large"): "large is no number from 1 on",
            ("--json", "/nonesuch/figures"): "there is no folder /nonesuch",
        }.items():
            self.assertIn(error, said(*words))

    def test_a_part_of_the_table_does_not_replace_it(self):
        self.assertIn("so name none", said("cold", "--write"))
        self.assertTrue(said("--write").write)
