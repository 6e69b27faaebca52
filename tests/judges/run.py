"""Runs a file of another project's tests, without the cases that do not apply.

    run.py ADAPTER MODULE EXCEPTIONS

It prints a line with the figures at the end, and exits with 1 if a case has failed.
"""

import fnmatch
import importlib
import sys
import unittest
from collections.abc import Iterator


def cases(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """The cases of a suite, without its structure."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from cases(test)
        else:
            yield test


def exceptions(file: str, prefix: str) -> list[str]:
    """The patterns of a list that are about this file of tests."""
    with open(file, encoding="utf-8") as lines:
        patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [pattern for pattern in patterns if pattern.startswith(prefix)]


def main(adapter: str, module: str, exceptions_file: str) -> int:
    importlib.import_module(adapter)
    name = module.rpartition(".")[2]
    suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module))
    every = list(cases(suite))
    ids = {case: name + case.id().removeprefix(module) for case in every}
    patterns = exceptions(exceptions_file, name + ".")
    for pattern in patterns:
        if not fnmatch.filter(ids.values(), pattern):
            print(f"no case of {name} is called {pattern}")
            return 1
    applies = [
        case
        for case in every
        if not any(fnmatch.fnmatchcase(ids[case], pattern) for pattern in patterns)
    ]
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(unittest.TestSuite(applies))
    # A case fails once, however many of its subtests do.
    failed = {
        getattr(case, "test_case", case).id()
        for case in [case for case, _ in result.failures + result.errors]
        + result.unexpectedSuccesses
    }
    # The suite itself says that these do not apply.
    skipped = {case.id(): reason for case, reason in result.skipped if case.id() not in failed}
    for case_id, reason in skipped.items():
        print(f"skipped: {case_id}: {reason}")
    excepted = len(every) - len(applies) + len(skipped)
    passed = len(every) - excepted - len(failed)
    print(f"judge: {name}: passed {passed}, excepted {excepted}, failed {len(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
