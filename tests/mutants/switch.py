"""Puts every mutant into one program, each behind a switch, so that the program is built once.

A mutant is what `cargo mutants --list --json` says of it. In `a > b` the operator may become `<`:
written is `(if crate::mutant::is_alive(7) { a < b } else { a > b })`, and OTCORE_MUTANT says which
one is alive. What the compiler refuses is found by the marks around each mutant.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, field

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
MARK = re.compile(rb"/\*(m|w|/m|/w)([0-9,]*)\*/")

# The module that the program gets besides.
MODULE = """//! Which mutant is alive.
#![allow(missing_docs, clippy::all)]
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ALIVE: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("OTCORE_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX)
});
static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
static TOLD: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = std::env::var("OTCORE_MUTANTS_REACHED").ok()?;
    OpenOptions::new().create(true).append(true).open(path).ok()
});

pub(crate) fn is_alive(number: usize) -> bool {
    if let Some(mut file) = TOLD.as_ref()
        && !REACHED[number].swap(true, Ordering::Relaxed)
    {
        let _ = file.write_all(format!("{number}\\n").as_bytes());
    }
    number == *ALIVE
}
"""


@dataclass
class Mutant:
    """One change, at these bytes of a file."""

    number: int
    name: str
    genre: str
    replacement: str
    begin: int
    end: int
    returns: str


@dataclass
class Place:
    """A node of the syntax tree, and the mutants that change it."""

    node: tree_sitter.Node
    mutants: list[Mutant] = field(default_factory=list)


def switched(source: bytes, mutants: list[Mutant], fixed: set[str]) -> tuple[bytes, set[int]]:
    """The source with all of these mutants in it, and the numbers of those that fit nowhere.

    A switch is read at run time, so constant functions become ordinary ones, but for those in
    `fixed`: the compiler has to call them.
    """
    tree = PARSER.parse(source)
    places: dict[int, Place] = {}
    lost = set()
    for mutant in mutants:
        node = place_of(tree.root_node, mutant, fixed)
        if node is None:
            lost.add(mutant.number)
            continue
        places.setdefault(node.id, Place(node)).mutants.append(mutant)
    return Writer(source, places, fixed).write(tree.root_node), lost


def place_of(root: tree_sitter.Node, mutant: Mutant, fixed: set[str]) -> tree_sitter.Node | None:
    """The node that is written differently because of this mutant."""
    node = root.descendant_for_byte_range(mutant.begin, max(mutant.begin, mutant.end - 1))
    kinds = {
        "FnValue": {"block"},
        "BinaryOperator": {"binary_expression", "compound_assignment_expr"},
        "UnaryOperator": {"unary_expression"},
        "MatchArm": {"match_arm"},
        "MatchArmGuard": {"match_arm"},
        "StructField": {"field_initializer", "shorthand_field_initializer"},
    }[mutant.genre]
    while node is not None and node.type not in kinds:
        node = node.parent
    if node is not None and mutant.genre == "FnValue":
        while node.parent is not None and node.parent.type != "function_item":
            node = node.parent
        if node.type != "block" or node.parent is None:
            return None
    if node is not None and mutant.genre == "BinaryOperator":
        operator = node.child_by_field_name("operator") or node.children[1]
        if operator.start_byte != mutant.begin:
            return None
    return None if node is None or is_constant(node, fixed) else node


def plain(source: bytes, mutant: Mutant) -> bytes:
    """The source with this mutant and no other, and no switch."""
    return source[: mutant.begin] + mutant.replacement.encode() + source[mutant.end :]


def const_of(function: tree_sitter.Node) -> tree_sitter.Node | None:
    """The word `const` before a function."""
    words = [c for m in function.children if m.type == "function_modifiers" for c in m.children]
    return next((word for word in words if word.text == b"const"), None)


def name_of(function: tree_sitter.Node) -> str:
    name = function.child_by_field_name("name")
    return "" if name is None or name.text is None else name.text.decode()


def is_constant(node: tree_sitter.Node | None, fixed: set[str]) -> bool:
    """Whether it is worked out by the compiler, when no switch can be read."""
    while node is not None:
        if node.type in ("const_item", "static_item", "array_type"):
            return True
        if node.type == "function_item":
            return const_of(node) is not None and name_of(node) in fixed
        node = node.parent
    return False


class Writer:
    """Writes a tree again, with its mutants."""

    def __init__(self, source: bytes, places: dict[int, Place], fixed: set[str]) -> None:
        self.source = source
        self.places = places
        self.fixed = fixed
        self.dropped: set[int] = set()

    def write(self, node: tree_sitter.Node) -> bytes:
        if node.id in self.dropped:
            return b""
        place = self.places.get(node.id)
        if place is None:
            return self.inside(node)
        by_genre = defaultdict(list)
        for mutant in place.mutants:
            by_genre[mutant.genre].append(mutant)
        numbers = ",".join(str(mutant.number) for mutant in place.mutants).encode()
        if node.type == "match_arm":
            text = self.arm(node, by_genre)
        else:
            ((genre, mutants),) = by_genre.items()
            write = {
                "FnValue": self.body,
                "BinaryOperator": self.binary,
                "UnaryOperator": self.unary,
                "StructField": self.entry,
            }[genre]
            text = write(node, mutants)
        return b"/*w%s*/%s/*/w*/" % (numbers, text)

    def raw(self, node: tree_sitter.Node) -> bytes:
        return self.source[node.start_byte : node.end_byte]

    def inside(self, node: tree_sitter.Node) -> bytes:
        """The children, and what is between them."""
        const = const_of(node) if node.type == "function_item" else None
        if const is not None and name_of(node) not in self.fixed:
            self.dropped.add(const.id)
        out, at = [], node.start_byte
        for child in node.children:
            out += [self.source[at : child.start_byte], self.write(child)]
            at = child.end_byte
        return b"".join([*out, self.source[at : node.end_byte]])

    def choice(self, ways: list[tuple[Mutant, bytes]], otherwise: bytes) -> bytes:
        ifs = b" else ".join(
            b"if crate::mutant::is_alive(%d) { /*m%d*/%s/*/m*/ }" % (m.number, m.number, text)
            for m, text in ways
        )
        return b"(%s else { %s })" % (ifs, otherwise)

    def body(self, node: tree_sitter.Node, mutants: list[Mutant]) -> bytes:
        ifs = b" ".join(
            b"if crate::mutant::is_alive(%d) { return /*m%d*/%s/*/m*/; }"
            % (m.number, m.number, m.replacement.encode())
            for m in mutants
        )
        return b"{ %s %s" % (ifs, self.inside(node)[1:])

    def binary(self, node: tree_sitter.Node, mutants: list[Mutant]) -> bytes:
        left, right = node.children[0], node.children[-1]
        ways = [
            (m, b"%s %s %s" % (self.raw(left), m.replacement.encode(), self.raw(right)))
            for m in mutants
        ]
        return self.choice(ways, self.inside(node))

    def unary(self, node: tree_sitter.Node, mutants: list[Mutant]) -> bytes:
        ways = [(m, self.raw(node.children[-1])) for m in mutants]
        return self.choice(ways, self.inside(node))

    def entry(self, node: tree_sitter.Node, mutants: list[Mutant]) -> bytes:
        fields = node.parent
        assert fields is not None
        base = next(c for c in fields.children if c.type == "base_field_initializer")
        name = self.raw(node.children[0])
        value = node.child_by_field_name("value")
        given = name if value is None else self.write(value)
        other = b"(%s).%s" % (self.raw(base).removeprefix(b".."), name)
        return b"%s: %s" % (name, self.choice([(m, other) for m in mutants], given))

    def arm(self, node: tree_sitter.Node, by_genre: dict[str, list[Mutant]]) -> bytes:
        pattern = node.child_by_field_name("pattern")
        assert pattern is not None
        condition = pattern.child_by_field_name("condition")
        guard = b"true" if condition is None else self.write(condition)
        bare = self.source[pattern.start_byte : pattern.end_byte]
        if condition is not None:
            bare = bare[: condition.start_byte - pattern.start_byte].rstrip().removesuffix(b"if")
        changed = by_genre.get("MatchArmGuard")
        if changed:
            guard = self.choice([(m, m.replacement.encode()) for m in changed], guard)
        for mutant in by_genre.get("MatchArm", []):
            guard = b"!/*m%d*/crate::mutant::is_alive(%d)/*/m*/ && (%s)" % (
                mutant.number,
                mutant.number,
                guard,
            )
        after = [child for child in node.children if child.start_byte >= pattern.start_byte]
        rest = b"".join(
            self.source[before.end_byte : child.start_byte] + self.write(child)
            for before, child in itertools.pairwise(after)
        )
        head = self.source[node.start_byte : pattern.start_byte]
        return b"%s%s if %s%s" % (head, bare, guard, rest)


def blamed(written: bytes, at: int) -> set[int]:
    """Which mutants an error at this byte of a written file is about: the innermost marked."""
    inside: list[tuple[bytes, bytes]] = []
    for mark in MARK.finditer(written):
        if mark.start() > at:
            break
        if mark[1].startswith(b"/"):
            inside.pop()
        else:
            inside.append((mark[1], mark[2]))
    return {int(number) for number in inside[-1][1].split(b",")} if inside else set()
