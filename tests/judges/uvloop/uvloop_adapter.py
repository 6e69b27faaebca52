"""Nothing is to be prepared: the package `uvloop` beside this file stands for uvloop's own."""
