"""Runs a component in the wasmtime that PyPI has, with the WASI that it brings: python run_wasmtime.py FILE.wasm"""

import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker


def main() -> int:
    engine = Engine()
    linker = Linker(engine)
    linker.add_wasip2()
    store = Store(engine)
    wasi = WasiConfig()
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.inherit_env()
    store.set_wasi(wasi)
    instance = linker.instantiate(store, Component.from_file(engine, sys.argv[1]))
    # Rust's target exports the first version of WASI 0.2, whatever it imports.
    interface = instance.get_export_index(store, "wasi:cli/run@0.2.0")
    run = instance.get_func(store, instance.get_export_index(store, "run", interface))
    result = run(store)
    return 0 if result is None or getattr(result, "tag", "ok") == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
