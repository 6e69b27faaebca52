//! Scripts in TypeScript: their types are erased, and all else keeps its place.

use std::fs;
use std::path::Path;
use uv_handles_tests::script::{Ended, JAVASCRIPT};

/// Runs `main.ts` of a directory with these files.
fn run(files: &[(&str, &str)]) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    Ended::of(JAVASCRIPT.uv_run_script(&[], &dir.path().join(Path::new(files[0].0))))
}

#[test]
fn types_are_erased_in_all_modules() {
    let main = "
import { type Shape, area } from './shapes.ts';
import type { Unit } from './shapes.ts';
import { name } from './other.mts';
interface Named { name: string }
const unit: Unit = 'cm';
const shapes = [{ width: 2, height: 3 }] as const satisfies readonly Shape[];
class Report<T extends Named> implements Named {
  private readonly parts: string[] = [];
  name!: string;
  constructor(named: T) { this.name = named.name }
  add(...parts: unknown[]): this { this.parts.push(parts.join(' ')); return this }
  override toString(): string { return `${this.name}: ${this.parts!.join()}` }
}
const later = async <T,>(value: T): Promise<T> => value;
console.log(String(new Report<Named>({ name }).add(area(shapes[0]), unit, await later<number>(1))));
";
    let shapes = "
export type Unit = 'cm' | 'm';
export interface Shape { width: number; height: number; depth?: number }
export function area(shape: Shape): number;
export function area({ width, height, depth = 1 }: Shape): number { return width * height * depth }
";
    run(&[("main.ts", main), ("shapes.ts", shapes), ("other.mts", "export const name: string = 'areas';")])
        .printed(&["areas: 6 cm 1"]);
}

#[test]
fn errors_show_the_places_of_the_script_with_its_types() {
    let text =
        "type A = 1;\nfunction f(a: Array<string>): never { throw new Error('bad') }\nf([] as string[]);\n";
    let ended = run(&[("main.ts", text)]);
    let stderr = ended.stderr.join("\n");
    assert_eq!(ended.code, 1, "{ended:?}");
    for words in ["main.ts:2:49", "function f(a: Array<string>): never { throw", "Error: bad"] {
        assert!(stderr.contains(words), "{words} is not in {stderr}");
    }
}

#[test]
fn syntax_that_cannot_be_erased_is_an_error_with_its_place() {
    for (text, message, place) in [
        ("let a = 1;\n  enum A { B }", "SyntaxError: TypeScript enum is not supported", "main.ts:2:3"),
        (
            "namespace N { export const a = 1 }",
            "TypeScript namespace with values is not supported",
            "main.ts:1:1",
        ),
        ("class A { constructor(private a: number) {} }", "TypeScript parameter property", "main.ts:1:23"),
        ("let a: = 1;", "SyntaxError: ", "main.ts:1:8"),
    ] {
        let ended = run(&[("main.ts", text)]);
        let stderr = ended.stderr.join("\n");
        assert_eq!((ended.code, ended.stdout.len()), (1, 0), "{ended:?}");
        assert!(stderr.contains(message) && stderr.contains(place), "{text}: {stderr}");
    }
    // Also in a module that is imported.
    let ended = run(&[("main.ts", "import './other.ts'"), ("other.ts", "\nenum A {}")]);
    assert!(ended.code == 1 && ended.stderr.join("\n").contains("other.ts:2:1"), "{ended:?}");
    // JavaScript has no types.
    let ended = run(&[("main.js", "let a: number = 1")]);
    assert!(ended.code == 1 && ended.stderr.join("\n").contains("SyntaxError"), "{ended:?}");
}
