"""Nothing is to be prepared: the package `pyuv` beside this file stands for pyuv's own."""
