"""Python's standard library in the runtime."""

import importlib
import os
import random
import sys
import threading
import unittest

import uv_runtime
from uv_runtime.library import ABSENT


class Library(unittest.TestCase):
    def test_everything_in_it_can_be_imported(self) -> None:
        names = uv_runtime.LIBRARY.names()
        self.assertGreater(len(names), 400)
        for name in names:
            if not name.endswith("__main__"):
                with self.subTest(name):
                    importlib.import_module(name)

    def test_absent_modules_are_not_found(self) -> None:
        public = {name for name in ABSENT if name.replace(".", "").isalnum()}
        documented = set(os.environ["DOCUMENTED_AS_ABSENT"].split())
        self.assertEqual(documented, public, "docs/python.md")
        for name in public:
            with self.subTest(name), self.assertRaises(ModuleNotFoundError):
                importlib.import_module(name)

    def test_packages_have_their_submodules(self) -> None:
        import email.mime.text
        import sqlite3
        import xml.dom.minidom

        self.assertEqual(email.mime.text.MIMEText("x").get_payload(), "x")
        self.assertEqual(xml.dom.minidom.parseString("<a/>").getElementsByTagName("a").length, 1)
        with sqlite3.connect(":memory:") as database:
            self.assertEqual(database.execute("select 1 + 1").fetchone(), (2,))

    def test_there_are_no_threads(self) -> None:
        with self.assertRaises(RuntimeError):
            threading.Thread(target=print).start()

    def test_state_of_the_build_is_replaced(self) -> None:
        self.assertIn("DOCUMENTED_AS_ABSENT", os.environ)
        self.assertEqual(os.environ.get("HOME"), None)
        # The test outside the sandbox compares two runs.
        print("random", random.random(), random.SystemRandom().random())
        self.assertEqual(sys.stdout.encoding, "utf-8")


if __name__ == "__main__":
    unittest.main(verbosity=2)
