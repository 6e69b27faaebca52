"""Status codes and exceptions."""

import copy
import errno
import unittest

import uv
from uv.error import error_of, status_of
from wit_world.imports import uv_handles_types as types


class StatusCodes(unittest.TestCase):
    def test_success_is_zero(self) -> None:
        self.assertEqual(uv.StatusCode.SUCCESS, 0)
        self.assertEqual(uv.StatusCode.SUCCESS.message, "success")

    def test_codes_have_libuvs_values_names_and_messages(self) -> None:
        for code, value, message in [
            (uv.StatusCode.EAGAIN, -11, "resource temporarily unavailable"),
            (uv.StatusCode.EBUSY, -16, "resource busy or locked"),
            (uv.StatusCode.ENOTSUP, -95, "operation not supported on socket"),
            (uv.StatusCode.EAI_NONAME, -3008, "unknown node or service"),
            (uv.StatusCode.EOF, -4095, "end of file"),
        ]:
            self.assertEqual((code.value, code.message), (value, message))
            self.assertIs(uv.StatusCode(value), code)
        self.assertEqual(len(uv.StatusCode), 86)
        self.assertTrue(all(code.message for code in uv.StatusCode))


class Errors(unittest.TestCase):
    def test_an_error_has_code_name_and_message(self) -> None:
        error = uv.UVError(uv.StatusCode.EBUSY)
        self.assertIs(error.code, uv.StatusCode.EBUSY)
        self.assertEqual((error.name, error.strerror), ("EBUSY", "resource busy or locked"))
        self.assertEqual(str(error), "EBUSY: resource busy or locked")
        self.assertEqual(str(uv.UVError(-16, "the printer")), "EBUSY: the printer")
        self.assertEqual(str(uv.UVError(-16, message="the printer")), "EBUSY: the printer")

    def test_an_error_is_an_oserror_with_pythons_own_number(self) -> None:
        self.assertIsInstance(uv.UVError(-16), OSError)
        self.assertEqual(uv.UVError(-16).errno, errno.EBUSY)
        self.assertEqual(uv.UVError(uv.StatusCode.EAI_FAIL).errno, -3004)

    def test_an_unknown_code_keeps_its_number(self) -> None:
        error = uv.UVError(-9999)
        self.assertEqual((error.code, error.name), (-9999, "UNKNOWN"))
        self.assertIn("-9999", str(error))
        with self.assertRaises(TypeError):
            uv.UVError("EBUSY")  # type: ignore[arg-type]

    def test_a_copy_is_the_same_error(self) -> None:
        error = copy.copy(uv.UVError(-16, "the printer"))
        self.assertEqual((error.code, str(error)), (-16, "EBUSY: the printer"))

    def test_closed_handles_and_loops_have_errors_of_their_own(self) -> None:
        for kind, text in [(uv.HandleClosedError, "handle"), (uv.LoopClosedError, "loop")]:
            self.assertTrue(issubclass(kind, uv.UVError))
            error = kind()
            self.assertEqual((error.code, error.name), (uv.StatusCode.EINVAL, "EINVAL"))
            self.assertIn(f"the {text} is ", str(error))

    def test_a_closed_handle_raises_it(self) -> None:
        loop = uv.Loop()
        timer = uv.Timer(loop)
        timer.close()
        self.assertRaises(uv.HandleClosedError, timer.start, 1)
        loop.run()
        self.assertRaises(uv.HandleClosedError, timer.start, 1)
        loop.close()

    def test_a_closed_loop_raises_it(self) -> None:
        loop = uv.Loop()
        loop.close()
        self.assertRaises(uv.LoopClosedError, loop.run)
        self.assertRaises(uv.LoopClosedError, uv.Timer, loop)

    def test_errors_of_the_contract(self) -> None:
        for code in types.ErrorCode:
            with self.subTest(code.name):
                error = error_of(types.Error_Code(code))
                self.assertIs(error.code, uv.StatusCode[code.name])
                self.assertIs(status_of(types.Error_Code(code)), error.code)
        self.assertIsInstance(error_of(types.Error_HandleClosed()), uv.HandleClosedError)
        self.assertIsInstance(error_of(types.Error_LoopClosed()), uv.LoopClosedError)
        self.assertIs(status_of(types.Error_HandleClosed()), uv.StatusCode.EINVAL)

    def test_codes_that_the_contract_does_not_name(self) -> None:
        named = error_of(types.Error_Other(-112))
        self.assertIs(named.code, uv.StatusCode.EHOSTDOWN)
        self.assertIsInstance(error_of(types.Error_Other(-11)), BlockingIOError)
        unnamed = error_of(types.Error_Other(-9999))
        self.assertEqual((unnamed.code, unnamed.name), (-9999, "UNKNOWN"))
        self.assertIs(status_of(types.Error_Other(-9999)), uv.StatusCode.UNKNOWN)

    def test_sockets_exceptions(self) -> None:
        with uv.open("pipe") as pipe, self.assertRaises(BlockingIOError) as caught:
            pipe.recv(1)
        self.assertIsInstance(caught.exception, uv.UVError)
        self.assertEqual(type(caught.exception).__module__, "uv")


if __name__ == "__main__":
    unittest.main(verbosity=2)
