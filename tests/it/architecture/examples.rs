//! What is a circle and what is none, on small crates.

use super::crate_files::{CrateFiles, circles};

fn of(texts: &[(&str, &str)]) -> CrateFiles {
    let owned: Vec<(String, String)> =
        texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    CrateFiles::parse(&owned)
}

/// `lib.rs` with `a.rs` and `b.rs`.
fn two(a: &str, b: &str) -> Vec<String> {
    circles(&of(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)]).needs())
}

/// `b.rs` needs `a.rs`, so each of these texts of `a.rs` makes a circle.
fn assert_circle(a: &str) {
    let found = two(a, "use crate::a::A; pub struct B(A); impl B { pub fn new() {} }");
    assert_eq!(found.len(), 1, "{a}");
    assert!(found[0].starts_with("2 need each other:\n  a.rs -> b.rs: "), "{a}: {}", found[0]);
    assert!(found[0].ends_with("  b.rs -> a.rs: A\n"), "{a}: {}", found[0]);
}

fn assert_none(a: &str) {
    assert_eq!(two(a, "use crate::a::A; pub struct B(A);"), Vec::<String>::new(), "{a}");
}

#[test]
fn an_import_or_a_path_to_each_other_is_a_circle() {
    for a in [
        "use crate::b::B; pub struct A(Box<B>);",
        "use crate::{b::{B}}; pub struct A(Box<B>);",
        "use crate::b::*; pub struct A;",
        "use super::b::B; pub struct A(Box<B>);",
        "use crate::b::B as Other; pub struct A(Box<Other>);",
        "pub use crate::b; pub struct A;",
        "pub struct A(Box<crate::b::B>);",
        "pub struct A(Box<super::b::B>);",
        "use crate::b; pub struct A(Box<b::B>);",
        "use crate::b as other; pub struct A(Box<other::B>);",
        "use super::{b::{self}}; pub struct A(Box<b::B>);",
        "pub struct A; fn f() { crate::b::B::new(); }",
        "pub struct A; fn f() { use crate::b; b::B::new(); }",
        "pub struct A; impl From<super::b::B> for A { fn from(_: super::b::B) -> Self { A } }",
        "pub struct A; mod inner { fn f() { super::super::b::B::new() } }",
        "pub struct A; fn f(b: &dyn std::any::Any) { b.is::<crate::b::B>(); }",
    ] {
        assert_circle(a);
    }
}

#[test]
fn macros_and_attributes_are_looked_into() {
    for a in [
        "pub struct A; fn f() -> String { format!(\"{} {:?}\", 1, crate::b::B::new()) }",
        "use crate::b; pub struct A; fn f() { print!(\"{x:?}\", x = b::B::new()); }",
        "pub struct A; fn f() { assert!(matches!(1, _ if [super::b::B::new()].is_empty())); }",
        "pub struct A; macro_rules! m { () => { $crate::b::B::new() }; }",
        "pub struct A; fn f() { crate::b::m!(); }",
        "pub struct A { #[serde(with = \"crate::b::B\")] b: u8 }",
        "pub struct A { #[arg(value_parser = crate::b::B::new)] b: u8 }",
    ] {
        assert_circle(a);
    }
}

#[test]
fn a_re_export_is_of_the_file_that_re_exports() {
    let found = of(&[
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod child; pub use self::child::Child; pub struct Parent;"),
        ("a/child.rs", "use super::Parent; pub struct Child(Parent);"),
    ]);
    let told =
        "2 need each other:\n  a/child.rs -> a/mod.rs: Parent\n  a/mod.rs -> a/child.rs: Child\n";
    assert_eq!(circles(&found.needs()), [told]);
    let through = of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub use crate::b::B;"),
        ("b.rs", "use crate::c::C; pub struct B(C);"),
        ("c.rs", "use crate::a::B; pub struct C(Box<B>);"),
    ]);
    let told = circles(&through.needs());
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("  c.rs -> a.rs: B\n"), "{}", told[0]);
}

#[test]
fn a_declaration_a_test_or_a_namesake_is_no_need() {
    for a in [
        "pub struct A;",
        "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        "pub struct A; #[cfg(test)] mod tests; ",
        "pub struct A; #[cfg(test)] use crate::b::B;",
        "pub struct A; #[cfg(all(test, unix))] fn f() { crate::b::B::new(); }",
        "pub struct A; impl A { #[cfg(test)] fn f() { crate::b::B::new(); } }",
        "pub struct A; #[test] fn f() { crate::b::B::new(); }",
        "pub struct A; /* crate::b::B */ // crate::b::B",
        "/// See [`crate::b::B`].\npub struct A;",
        "pub struct A; fn f() { print!(\"crate::b::B\"); }",
        "pub struct A; pub(in crate::b) struct Other;",
        "pub struct A; fn f(b: u8) { b.max(1); let x: u8 = b; }",
        "use std::b::B; pub struct A; fn f() { ::b::c(); }",
    ] {
        assert_none(a);
    }
    let parent =
        [("lib.rs", "mod a;"), ("a/mod.rs", "mod child;"), ("a/child.rs", "use super::*;")];
    assert!(circles(&of(&parent).needs()).is_empty());
}

#[test]
fn not_only_tests_is_no_test() {
    assert_circle("pub struct A; #[cfg(not(test))] fn f() { crate::b::B::new(); }");
    assert_circle("pub struct A; #[cfg(any(test, unix))] fn f() { crate::b::B::new(); }");
}

#[test]
fn a_file_that_no_declaration_leads_to_is_left_out() {
    let files = of(&[
        ("lib.rs", "mod a; #[cfg(test)] mod only_tests;"),
        ("main.rs", "fn main() { crate::a::f(); }"),
        ("a.rs", "pub fn f() {}"),
        ("only_tests.rs", "this is not parsed"),
    ]);
    assert_eq!(files.lines().map(|(path, _)| path).collect::<Vec<_>>(), ["lib.rs", "a.rs"]);
}

#[test]
fn rooms_are_the_folders_and_files_of_src() {
    let files = of(&[
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod x; mod y;"),
        ("a/x.rs", "use crate::b::c::C;"),
        ("a/y.rs", "pub struct Y;"),
        ("b.rs", "pub mod c;"),
        ("b/c.rs", "use crate::a::y::Y; pub struct C(Y);"),
    ]);
    assert!(circles(&files.needs()).is_empty());
    let told = "2 need each other:\n  a -> b: C\n  b -> a: Y\n";
    assert_eq!(circles(&files.rooms()), [told]);
}

#[test]
fn a_functions_length_is_that_from_fn_to_its_brace() {
    let text = "/// Doc.\n#[inline]\nfn one() {}\nimpl A {\n    fn three(\n        a: u8,\n    ) {}\n\
                #[cfg(test)] fn test() {\n}\n}\ntrait T {\n    fn none();\n    fn two() {\n    }\n}\n";
    let files = of(&[("lib.rs", text)]);
    let found: Vec<_> = files.functions().collect();
    assert_eq!(found, [("lib.rs", "one", 1), ("lib.rs", "three", 3), ("lib.rs", "two", 2)]);
}
