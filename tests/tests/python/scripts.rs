//! Python scripts under uv-run: where they come from, their arguments, files and modules, and their ends.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::fs;
use std::process::Stdio;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{Ended, PYTHON};

#[test]
fn arguments_are_the_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.py");
    fs::write(&script, "import sys\nprint(sys.argv)\nprint(__name__, __file__)\n").unwrap();
    let mut command = PYTHON.uv_run_script(&[], &script);
    command.args(["--stdin", "a b", "ü"]);
    let shown = script.display();
    let ended = Ended::of(command);
    ended.printed(&[&format!("['{shown}', '--stdin', 'a b', 'ü']"), &format!("__main__ {shown}")]);
    // An option at this place is more likely a mistake.
    let hint = format!("uv-run: \"--stdin\" stands behind \"{}", &shown.to_string()[..10]);
    assert!(ended.stderr.len() == 1 && ended.stderr[0].starts_with(&hint), "{ended:?}");
    let mut command = PYTHON.uv_run_script(&["--"], &script);
    command.args(["--stdin", "a b", "ü"]);
    let meant = Ended::of(command);
    assert_eq!((meant.stdout, meant.stderr), (ended.stdout, Vec::new()));
}

/// As `python -c`, `python -m`, `python -` and `python DIRECTORY`.
#[test]
fn scripts_that_are_no_file_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().canonicalize().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).unwrap();
    fs::create_dir(dir.join("package")).unwrap();
    let main = "import sys, beside\nprint(__name__, sys.argv[1:], beside.NAME)\n";
    write("beside.py", "NAME = 'beside'\n");
    write("package/__init__.py", "");
    write("package/__main__.py", main);
    write("package/beside.py", "NAME = 'inner'\n");
    write("single.py", main);
    write("script", &format!("#!/usr/bin/env python3\n{main}"));

    let code = "import sys, beside; print(sys.argv, beside.NAME, '__file__' in globals())";
    Ended::of(PYTHON.in_dir(dir, &["-c", code, "-x", "--", "-c"]))
        .printed(&["['-c', '-x', '--', '-c'] beside False"]);
    Ended::of(PYTHON.in_dir(dir, &["-m", "single", "-m", "x"])).printed(&["__main__ ['-m', 'x'] beside"]);
    Ended::of(PYTHON.in_dir(dir, &["-m", "package", "a"])).printed(&["__main__ ['a'] beside"]);
    Ended::of(PYTHON.in_dir(dir, &["package", "a"])).printed(&["__main__ ['a'] inner"]);
    Ended::of(PYTHON.in_dir(dir, &["script", "a"])).printed(&["__main__ ['a'] beside"]);
    Ended::of(PYTHON.in_dir(dir, &["--language=python", "script"])).printed(&["__main__ [] beside"]);

    let mut command = PYTHON.in_dir(dir, &["-m", "json.tool", "--no-indent"]);
    command.arg("/data.json");
    let ended = Ended::of(command);
    assert!(ended.code != 0 && ended.stderr.join("").contains("data.json"), "{ended:?}");
    let failed = Ended::of(PYTHON.in_dir(dir, &["-m", "nosuch"]));
    assert!(
        failed.code == 1 && failed.stderr.last().unwrap().ends_with("No module named nosuch"),
        "{failed:?}"
    );
    let failed = Ended::of(PYTHON.in_dir(dir, &["-c", "1 / 0"]));
    assert_eq!(failed.code, 1);
    assert!(failed.stderr[1].contains("File \"<string>\", line 1"), "{failed:?}");
    let failed = Ended::of(PYTHON.in_dir(dir, &["--isolated", "-c", "import beside"]));
    assert!(failed.stderr.last().unwrap().starts_with("ModuleNotFoundError"), "{failed:?}");

    // The text of a script that comes from somewhere does not get the directory.
    for (options, text) in [(&["--language=python", "-", "a"][..], ""), (&["-", "a"], "#!/usr/bin/python3\n")]
    {
        let mut command = PYTHON.in_dir(dir, options);
        command.stdin(Stdio::piped());
        let mut process = Process::spawn(command);
        let text = format!("{text}import sys, os\nprint(sys.argv, sys.path)\n");
        std::io::Write::write_all(&mut process.stdin(), text.as_bytes()).unwrap();
        assert_eq!(process.exit_code(), 0);
        assert_eq!(process.stdout.all(), ["['-', 'a'] []"]);
    }
    let failed = Ended::of(PYTHON.in_dir(dir, &["-"]));
    failed.refused(&["the language of the script on standard input is not known", "--language"]);
}

#[test]
fn relative_paths_begin_in_the_first_granted_directory() {
    let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = "import os\nprint(os.getcwd(), __file__)\nopen('out.txt', 'w').write('written')\n";
    fs::write(dir.path().join("script.py"), text).unwrap();
    let root = dir.path().canonicalize().unwrap();
    let shown = root.display();
    let inner = data.path().display().to_string();
    fs::create_dir(dir.path().join("out")).unwrap();
    let file = format!("{shown}/script.py");
    for (option, cwd, written) in [
        (format!("--dir={inner}"), inner.clone(), data.path().join("out.txt")),
        (format!("--dir={inner}::/data"), "/data".into(), data.path().join("out.txt")),
        ("--dir=out".into(), "/out".into(), root.join("out/out.txt")),
        ("--dir=.".into(), "/".into(), root.join("out.txt")),
    ] {
        Ended::of(PYTHON.in_dir(&root, &[&option, "script.py"])).printed(&[&format!("{cwd} {file}")]);
        assert_eq!(fs::read_to_string(&written).unwrap(), "written", "{option}");
        fs::remove_file(written).unwrap();
    }
    // Without an option it is uv-run's own directory, if that is granted for modules.
    fs::write(dir.path().join("data.txt"), "beside").unwrap();
    fs::write(dir.path().join("script.py"), "import os\nprint(os.getcwd(), open('data.txt').read())\n")
        .unwrap();
    Ended::of(PYTHON.in_dir(&root, &["script.py"])).printed(&[&format!("{shown} beside")]);
    let ended = Ended::of(PYTHON.in_dir(data.path(), &[&file]));
    assert!(ended.code == 1 && ended.stderr.last().unwrap().starts_with("FileNotFoundError"), "{ended:?}");
}

#[test]
fn standard_input_is_read_the_usual_ways() {
    let text = "
import sys, uv
print(input('name? '))
print(sys.stdin.readline())
with uv.open('stdin') as stdin:
    stdin.setblocking(True)
    print(stdin.recv(0))
for line in sys.stdin:
    print(line.strip())
try:
    input()
except EOFError as error:
    print(error)
";
    let (_dir, script) = PYTHON.script(text);
    let mut command = PYTHON.uv_run_script(&["--stdin"], &script);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let mut stdin = process.stdin();
    for (lines, expected) in [("one\n", &["name? one"][..]), ("two\n", &["two", "", "b''"])] {
        std::io::Write::write_all(&mut stdin, lines.as_bytes()).unwrap();
        for line in expected {
            assert_eq!(process.stdout.next_line().as_deref(), Some(*line));
        }
    }
    std::io::Write::write_all(&mut stdin, b"three\nfour").unwrap();
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all()[4..], ["three", "four", "EOF when reading a line"]);

    // Without the grant it is empty, and uv-run tells which option grants it.
    let ended = Ended::of(PYTHON.uv_run_script(&[], &script));
    assert_eq!((ended.code, ended.stderr.last().unwrap().as_str()), (1, "EOFError: EOF when reading a line"));
    assert!(ended.stderr[0].contains("--stdin would grant"), "{ended:?}");
}

#[test]
fn modules_are_found_beside_the_script_and_in_the_pythonpath() {
    let (dir, more) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let script = dir.path().join("script.py");
    fs::write(&script, "import beside, package.inner, farther\nprint(farther.NAME)\nbeside.fail()\n")
        .unwrap();
    fs::write(dir.path().join("beside.py"), "def fail():\n    raise ValueError('beside')\n").unwrap();
    fs::create_dir(dir.path().join("package")).unwrap();
    fs::write(dir.path().join("package/__init__.py"), "").unwrap();
    fs::write(dir.path().join("package/inner.py"), "").unwrap();
    fs::write(more.path().join("farther.py"), "NAME = 'farther'\n").unwrap();
    let more = more.path().to_str().unwrap();

    let ended = Ended::of(PYTHON.uv_run_script(&["--pythonpath", more], &script));
    assert_eq!((ended.code, &ended.stdout[..]), (1, &["farther".to_owned()][..]), "{ended:?}");
    let stderr = ended.stderr.join("\n");
    let beside = dir.path().canonicalize().unwrap().join("beside.py");
    let expected = format!(
        "Traceback (most recent call last):\n  File \"{}\", line 3, in <module>\n    beside.fail()\n",
        script.display()
    );
    assert!(stderr.starts_with(&expected), "{stderr}");
    assert!(
        stderr.contains(&format!("File \"{}\", line 2, in fail\n    raise ValueError", beside.display())),
        "{stderr}"
    );
    assert!(stderr.ends_with("ValueError: beside"), "{stderr}");

    let ended = Ended::of(PYTHON.uv_run_script(&["--pythonpath", more, "--isolated"], &script));
    assert_eq!(ended.stderr.last().unwrap(), "ModuleNotFoundError: No module named 'beside'");
    let ended = Ended::of(PYTHON.uv_run_script(&[], &script));
    assert_eq!(ended.stderr.last().unwrap(), "ModuleNotFoundError: No module named 'farther'");
}

#[test]
fn a_link_to_a_script_finds_the_modules_beside_the_script() {
    let (dir, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(dir.path().join("script.py"), "import beside\nprint(beside.NAME, __file__)\n").unwrap();
    fs::write(dir.path().join("beside.py"), "NAME = 'beside'\n").unwrap();
    let link = bin.path().join("command.py");
    std::os::unix::fs::symlink(dir.path().join("script.py"), &link).unwrap();
    Ended::of(PYTHON.uv_run_script(&[], &link)).printed(&[&format!("beside {}", link.display())]);
}

/// No more of the script runs: no `finally`, no `except`, no exit function, in callbacks and
/// coroutines too.
#[test]
fn os_exit_is_immediate() {
    let text = "
import asyncio, atexit, contextlib, os, sys, uv
atexit.register(print, 'at exit')

def leave():
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(print, 'stack')
            try:
                os._exit(7)
            except BaseException:
                print('except')
            finally:
                print('finally')
    except BaseException as error:
        print('outer', error)
    print('after')
    while True:
        pass

async def coroutine():
    try:
        await asyncio.sleep(0)
        leave()
    finally:
        print('finally of the coroutine')

print('before')
sys.stdout.write('in a buffer')
";
    for last in [
        "leave()",
        "asyncio.run(coroutine())",
        "uv.Timer().start(1, lambda _: leave())\nuv.Loop.get_current().run()",
        "sorted([1, 2], key=lambda _: leave())",
    ] {
        let ended = PYTHON.run(&["--timeout=20"], format!("{text}{last}\nprint('end')\n"));
        assert_eq!((ended.code, ended.stdout[0].as_str()), (7, "before"), "{last}: {ended:?}");
        assert!(ended.stdout.len() <= 2 && ended.stderr.is_empty(), "{last}: {ended:?}");
    }
}

#[test]
fn a_script_sees_no_files_but_those_that_are_granted() {
    let text = "
import os
print(os.listdir('/'))
try:
    open('/etc/passwd')
except OSError as error:
    print(type(error).__name__)
open('/data/new', 'w').write('new')
";
    let data = tempfile::tempdir().unwrap();
    let ended = PYTHON.run(&["--isolated", &format!("--dir={}::/data", data.path().display())], text);
    // The root itself is not granted, so it cannot be listed; a file elsewhere is not there.
    assert_eq!(ended.code, 1, "{ended:?}");
    let text = text.replace("print(os.listdir('/'))", "");
    PYTHON
        .run(&["--isolated", &format!("--dir={}::/data", data.path().display())], text)
        .printed(&["FileNotFoundError"]);
    assert_eq!(fs::read_to_string(data.path().join("new")).unwrap(), "new");
}

#[test]
fn exit_codes_are_the_scripts() {
    for (text, code, stderr) in [
        ("", 0, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit(256 + 3)", 3, ""),
        ("import sys; sys.exit(True)", 1, ""),
        ("import sys; sys.exit('no more')", 1, "no more"),
        ("raise SystemExit(9)", 9, ""),
        ("import uv\nuv.Timer().start(1, lambda _: exit(8))\nuv.Loop.get_current().run()", 8, ""),
        ("import asyncio\nasync def main(): raise SystemExit(6)\nasyncio.run(main())", 6, ""),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
        ("import atexit\natexit.register(print, 'at exit')\nraise SystemExit(5)", 5, ""),
        ("import os; os._exit(0)", 0, ""),
        ("import os; os._exit(7)", 7, ""),
        ("import os; os._exit(256 + 9)", 9, ""),
        ("import os\nos._exit('seven')", 1, "TypeError"),
        (
            "import uv\nuv.Timer().start(1, lambda _: 1 / 0)\nuv.Loop.get_current().run()\nprint('end')",
            1,
            "ZeroDiv",
        ),
        (
            "import uv\nuv.Timer().start(1, lambda _: 1 / 0)\nuv.Loop.get_current().run()\nexit(4)",
            4,
            "ZeroDiv",
        ),
    ] {
        let ended = PYTHON.run(&[], text);
        assert_eq!(ended.code, code, "{text}: {ended:?}");
        assert_eq!(ended.stderr.is_empty(), stderr.is_empty(), "{text}: {ended:?}");
        assert!(ended.stderr.join("\n").contains(stderr), "{text}: {ended:?}");
        assert_eq!(ended.stdout.contains(&"at exit".to_owned()), text.contains("atexit"), "{ended:?}");
    }
}

#[test]
fn a_script_that_does_not_end_is_ended_by_the_timeout() {
    for text in [
        "while True: pass",
        "import uv\nuv.Async()\nuv.Loop.get_current().run()",
        "import uv\nuv.Idle().start(lambda _: None)\nuv.Loop.get_current().run()",
    ] {
        let ended = PYTHON.run(&["--timeout=0.3"], format!("print('begins')\n{text}\n"));
        assert_eq!((ended.code, &ended.stdout[..]), (124, &["begins".to_owned()][..]), "{text}: {ended:?}");
        assert_eq!(ended.stderr, ["uv-run: the guest was ended after 0.3 s (--timeout)"], "{text}");
    }
}

#[test]
fn a_script_whose_output_is_not_read_ends_silently() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.py");
    fs::write(&script, "while True: print('y')\n").unwrap();
    let (read, write) = std::io::pipe().unwrap();
    let mut command = PYTHON.uv_run_script(&[], &script);
    command.stdout(write);
    drop(read);
    let ended = Ended::of(command);
    assert_eq!((ended.code, &ended.stderr[..]), (141, &[][..]), "{ended:?}");
}

#[test]
fn the_runtime_is_a_program_too() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("script.py"), "import sys, beside\nprint(sys.argv)\nsys.exit(beside.CODE)\n")
        .unwrap();
    fs::write(dir.path().join("beside.py"), "CODE = 7\n").unwrap();
    let mut command =
        PYTHON.uv_run_script(&[&format!("--dir-ro={}::scripts", dir.path().display())], &PYTHON.runtime());
    command.args(["scripts/script.py", "x"]);
    let ended = Ended::of(command);
    // WASI 0.2 has no other code.
    assert_eq!(
        (ended.code, &ended.stdout[..]),
        (1, &["['scripts/script.py', 'x']".to_owned()][..]),
        "{ended:?}"
    );
    let ended = Ended::of(PYTHON.uv_run_script(&[], &PYTHON.runtime()));
    assert_eq!((ended.code, &ended.stderr[..]), (1, &["usage: SCRIPT.py [ARGS]...".to_owned()][..]));
}
