"""The first timer: half a second, once.

    uv-run examples/python/first_timer.py
"""

import uv


def half_a_second_later(timer: uv.Timer) -> None:
    print("half a second later")
    timer.close()


timer = uv.Timer()
timer.start(500, half_a_second_later)
loop = uv.Loop.get_current()
loop.run()
loop.close()
