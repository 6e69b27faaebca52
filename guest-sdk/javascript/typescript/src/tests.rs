//! Tests of the text that is erased, and of the text in its place.

use super::{Refused, erase};

/// Erases, and checks that each line keeps its length. Spaces at the ends of lines are not compared.
#[track_caller]
fn erases(source: &str, expected: &str) {
    let erased = erase(source).unwrap_or_else(|refused| panic!("{source}: {refused:?}"));
    let lengths = |text: &str| text.split('\n').map(|line| line.encode_utf16().count()).collect::<Vec<_>>();
    assert_eq!(lengths(&erased), lengths(source), "{source}\n{erased}");
    let shown = |text: &str| {
        let words = text.split('\n').map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        words.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(shown(&erased), shown(expected), "{source}\n{erased}");
}

#[test]
fn annotations() {
    erases("let a: number = 1, b!: string, c;", "let a = 1, b , c;");
    erases(
        "function f(a?: number, b: string = 'x', ...c: any[]): void {}",
        "function f(a , b = 'x', ...c ) {}",
    );
    erases("const f = (a: number): a is 1 => true;", "const f = (a ) => true;");
    erases("const f = async <T,>(a?: T) => a;", "const f = async (a ) => a;");
    erases("try {} catch (e: unknown) {}", "try {} catch (e ) {}");
    erases("for (const a: any of []) {}", "for (const a of []) {}");
    erases("function f(this: Window, a: 1) {}", "function f( a ) {}");
    erases("function f(this: Window) {}", "function f( ) {}");
    erases("const { a, b }: { a: 1; b: 2 } = c;", "const { a, b } = c;");
    erases("function f({ a }: A = {}, [b]?: B) {}", "function f({ a } = {}, [b] ) {}");
    erases("let ü: 'ä' | '😀' = 'ä';", "let ü = 'ä';");
}

#[test]
fn expressions() {
    erases("a = b as any as string;", "a = b ;");
    erases("a = { b: 1 } as const satisfies C;", "a = { b: 1 } ;");
    erases("a!.b![0]!();", "a .b [0] ();");
    erases("f<string>(a); new Map<string, Map<1, 2>>(); const g = f<1>;", "f (a); new Map (); const g = f ;");
    erases("(a as any) = (b as C).d;", "(a ) = (b ).d;");
    erases("tag<string>`a${b as c}`;", "tag `a${b }`;");
    erases("a < b; a > c; a ? (b) : c;", "a < b; a > c; a ? (b) : c;");
}

#[test]
fn statements() {
    erases("type A = 1;\ninterface B { a: 1 }\nfoo();", ";\n;\nfoo();");
    erases("declare const a: 1;\ndeclare function f(): void;\ndeclare class C {}", ";\n;\n;");
    erases("declare module 'a' { const b: 1 }\ndeclare global { var c: 1 }", ";\n;");
    erases("declare enum E { A }\nnamespace N { export type A = 1 }", ";\n;");
    erases("function f(): void;\nfunction f(a?: 1) {}", ";\nfunction f(a ) {}");
    erases("export type A = 1;\nexport interface B {}\nexport declare const c: 1;", ";\n;\n;");
    erases(
        "export default interface A {}\nexport function f(): void;\nexport function f() {}",
        ";\n;\nexport function f() {}",
    );
    erases("import type { A } from 'a';\nimport type B from 'b';\nexport type * from 'c';", ";\n;\n;");
    erases("import { type A, b, type C } from 'a';", "import { b, } from 'a';");
    erases("export { type A, b };\nexport { type C } from 'c';", "export { b };\nexport { } from 'c';");
}

#[test]
fn classes() {
    erases("class A<T> extends B<T> implements C, D<E> { }", "class A extends B { }");
    erases("abstract class A { abstract a: 1; abstract b(): void; c() {} }", "class A { ; ; c() {} }");
    erases("export default abstract class { }", "export default class { }");
    erases("class A { declare a: 1; [k: string]: any; b() {} }", "class A { ; ; b() {} }");
    erases(
        "class A { private readonly a?: number = 1; public b!: 1; protected async c?<T>(): Promise<T> {} }",
        "class A { ; a = 1; ; b ; ; async c () {} }",
    );
    erases(
        "class A { static readonly a = 1; override get b(): 1 { return 1 } }",
        "class A { static a = 1; ; get b() { return 1 } }",
    );
    erases("class A { constructor(a: 1);\n constructor(a: any) {} }", "class A { ;\n constructor(a ) {} }");
    erases(
        "class A { private; readonly = 1; public() {} static }",
        "class A { private; readonly = 1; public() {} static }",
    );
    erases("const a = class implements B { private ['c'] = 1 };", "const a = class { ; ['c'] = 1 };");
    erases(
        "class A { /* private */ private /* x */ a /* ? */ ?: /* y */ 1 }",
        "class A { /* private */ ; /* x */ a /* ? */ ; }",
    );
}

#[test]
fn line_ends_that_separate_statements() {
    erases("let a = b as c\n(d)", "let a = b;\n(d)");
    erases("a = b satisfies c\n[d].e()", "a = b;\n[d].e()");
    erases("foo\ntype A = 1\n(bar)", "foo\n;\n(bar)");
    erases("class A { a = 1\n private [b] = 2 }", "class A { a = 1\n ; [b] = 2 }");
    erases("class A { get: string\n foo() {} }", "class A { get;\n foo() {} }");
    erases("function f() { return <T,>(\na: T) => a }", "function f() { return (\na ) => a }");
    erases("function f() { return <\nT,>(a: T) => a }", "function f() { return (\n a ) => a }");
    erases("const f = (a: 1):\n  number => a;", "const f = (a\n ) => a;");
}

#[test]
fn what_cannot_be_erased_is_refused_with_its_place() {
    for (source, words, line, column) in [
        ("let a;\n  enum A { B }", "enum", 2, 3),
        ("const enum A { B }", "enum", 1, 1),
        ("export enum A { B }", "enum", 1, 8),
        ("namespace A { export const b = 1 }", "namespace", 1, 1),
        ("module A { let b; }", "namespace", 1, 1),
        ("class A { constructor(private a: 1) {} }", "parameter property", 1, 23),
        ("class A { constructor(readonly a: 1) {} }", "parameter property", 1, 23),
        ("import a = require('a');", "`import =`", 1, 1),
        ("export = a;", "`export =`", 1, 1),
        ("let a = <any>b;", "`as`", 1, 9),
    ] {
        let Refused { message, line: at, column: from } = erase(source).unwrap_err();
        assert!(message.contains(words) && message.contains("not supported"), "{source}: {message}");
        assert_eq!((at, from), (line, column), "{source}");
    }
}

#[test]
fn bad_syntax_is_refused_with_its_place() {
    for source in ["let a: = 1;", "function (", "type A = ;", "a b", "class {", "`", "'", "/*", "\u{0}", "<T"]
    {
        let Refused { message, line, .. } = erase(source).unwrap_err();
        assert!(!message.is_empty() && line == 1, "{source}: {message}");
    }
    assert_eq!(erase("\n\nlet ü: = 1").unwrap_err().line, 3);
    assert_eq!(erase("").unwrap(), "");
}
