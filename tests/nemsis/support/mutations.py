"""Small damages (and harmless changes) to a valid EMSDataSet, each of which a validator must judge as the XSD does."""

import copy
import random
from collections.abc import Callable

from lxml import etree

from app.ems.elements import Dictionary, ElementDefinition
from tests.nemsis.support.full_document import PATTERN_EXAMPLES, example

XSI = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{XSI}}}nil"
NOT_VALUES = ["7701001", "7701003", "7701005", "7701002", "", " 7701001", "8801019"]
PERTINENT_NEGATIVES = ["8801005", "8801019", "8801023", "8801029", "8801031", "8801030", "", "7701001"]
NILS = ["true", "1", "false", "0", " true ", "TRUE", "", "\tfalse"]
UUIDS = [
    "8a3f1c9e-2b4d-4e6f-9a0b-1c2d3e4f5a6b",
    "8A3F1C9E-2B4D-1E6F-BA0B-1C2D3E4F5A6B",
    "01933b2e-2b4d-7e6f-9a0b-1c2d3e4f5a6b",
    "8a3f1c9e-2b4d-4e6f-ca0b-1c2d3e4f5a6b",
    "8a3f1c9e2b4d4e6f9a0b1c2d3e4f5a6b",
    " 8a3f1c9e-2b4d-4e6f-9a0b-1c2d3e4f5a6b",
    "",
]
NUMBERS = [
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "1.",
    ".5",
    "1.0",
    "1.50",
    "2.55",
    "99.99",
    "1e3",
    "1,000",
    "٣",
    "--1",
    "9" * 30,
]
MOMENTS = [
    f"{day}T{clock}{offset}"
    for day in ("2024-02-29", "2023-02-29", "2024-04-31", "2050-01-01", "2049-12-31", "1950-01-01", "1949-12-31")
    for clock in ("00:00:00", "24:00:00", "24:00:01", "23:59:60", "00:59:59.5", "05:00:00", "19:00:00.000")
    for offset in ("", "Z", "+00:00", "-00:00", "+01:00", "-05:00", "+14:00", "-14:01", "+5:00")
]
DAYS = [
    f"{space}{day}{offset}"
    for space in ("", " ")
    for day in ("1984-06-30", "1889-12-31", "1890-01-01", "2050-01-01", "2050-01-02", "2023-02-29", "1984-6-30")
    for offset in ("", "Z", "+05:00", "-14:00", "+14:01")
]
TEXTS = [
    "",
    " ",
    "x",
    "é",
    "😀",
    "a\nb",
    "a@b",
    "QQ=",
    "QUJD QUJD",
    "QQ==",
    "High",
    "P",
    "90.0,-180",
    "91.0,0",
    "A12",
    "A12.3",
]
CORRELATION_IDS = ["ab", "a", "", "x" * 255, "x" * 256, "😀😀"]

Mutation = Callable[["Mutant"], None]


class Mutant:
    """A copy of a document under mutation, with the choices that mutations make."""

    def __init__(self, base: etree._Element, dictionary: Dictionary, rnd: random.Random) -> None:
        self.root = copy.deepcopy(base)
        self.dictionary = dictionary
        self.rnd = rnd
        self.namespace = dictionary.namespace

    def leaf(self) -> etree._Element:
        leaves = [node for node in self.root.iter("*") if self.name(node) in self.dictionary.elements]
        return self.rnd.choice(leaves)

    def group(self) -> etree._Element:
        return self.rnd.choice([node for node in self.root.iter("*") if self.name(node) in self.dictionary.groups])

    def node(self) -> etree._Element:
        return self.rnd.choice(list(self.root.iterdescendants("*")))

    def name(self, node: etree._Element) -> str:
        return str(etree.QName(node).localname)

    def tag(self, name: str) -> str:
        return f"{{{self.namespace}}}{name}"

    def any_name(self) -> str:
        return self.rnd.choice([*self.dictionary.elements, *self.dictionary.groups])

    def near_value(self, node: etree._Element) -> str:
        """Valid, nearly valid or plainly wrong for the element's type."""
        type_ = self.dictionary.elements[self.name(node)].type
        pool = {"dateTime": MOMENTS, "date": DAYS, "string": TEXTS, "base64Binary": TEXTS}.get(type_.base, NUMBERS)
        choices: list[Callable[[], str]] = [
            lambda: self.rnd.choice(pool),
            lambda: example(type_, self.rnd),
            lambda: self.rnd.choice(["", " ", "\n"]) + example(type_, self.rnd) + self.rnd.choice(["", " ", "\t"]),
            lambda: _edited(example(type_, self.rnd), self.rnd),
            lambda: self.rnd.choice(self.rnd.choice(list(PATTERN_EXAMPLES.values()))),
            lambda: "x" * ((type_.facets.max_length or type_.facets.length or 5) + self.rnd.choice([-1, 0, 1])),
        ]
        return self.rnd.choice(choices)()


def _edited(text: str, rnd: random.Random) -> str:
    at = rnd.randint(0, len(text))
    return text[:at] + rnd.choice(["", "0", "9", ".", "-", "A", "é"]) + text[at + rnd.randint(0, 1) :]


def drop(mutant: Mutant) -> None:
    node = mutant.node()
    node.getparent().remove(node)  # type: ignore[union-attr]


def duplicate(mutant: Mutant) -> None:
    node = mutant.node()
    node.addnext(copy.deepcopy(node))


def duplicate_far(mutant: Mutant) -> None:
    node = mutant.node()
    node.getparent().append(copy.deepcopy(node))  # type: ignore[union-attr]


def swap_with_next(mutant: Mutant) -> None:
    node = mutant.node()
    following = node.getnext()
    if following is not None:
        following.addnext(node)


def move_first(mutant: Mutant) -> None:
    node = mutant.node()
    node.getparent().insert(0, node)  # type: ignore[union-attr]


def move_elsewhere(mutant: Mutant) -> None:
    leaf = mutant.leaf()
    mutant.group().append(leaf)


def rename(mutant: Mutant) -> None:
    mutant.node().tag = mutant.tag(mutant.any_name())


def rename_foreign(mutant: Mutant) -> None:
    mutant.node().tag = mutant.tag(mutant.rnd.choice(["eVitals.99", "evitals.06", "Note"]))


def change_namespace(mutant: Mutant) -> None:
    node = mutant.rnd.choice([mutant.root, mutant.node()])
    name = mutant.name(node)
    node.tag = mutant.rnd.choice([name, f"{{http://www.nemsis.org/}}{name}", f"{{urn:other}}{name}"])


def rename_root(mutant: Mutant) -> None:
    mutant.root.tag = mutant.tag(mutant.rnd.choice(["DEMDataSet", "Header", "emsdataset"]))


def insert_leaf(mutant: Mutant) -> None:
    definition = mutant.rnd.choice(list(mutant.dictionary.elements.values()))
    node = etree.Element(mutant.tag(definition.id))
    node.text = example(definition.type, mutant.rnd)
    group = mutant.group()
    group.insert(mutant.rnd.randint(0, len(group)), node)


def insert_group(mutant: Mutant) -> None:
    group = mutant.group()
    group.insert(
        mutant.rnd.randint(0, len(group)), etree.Element(mutant.tag(mutant.rnd.choice(list(mutant.dictionary.groups))))
    )


def nest_in_leaf(mutant: Mutant) -> None:
    etree.SubElement(mutant.leaf(), mutant.tag(mutant.any_name()))


def change_value(mutant: Mutant) -> None:
    node = mutant.leaf()
    node.text = mutant.near_value(node)


def empty_value(mutant: Mutant) -> None:
    mutant.leaf().text = mutant.rnd.choice([None, "", " "])


def text_in_group(mutant: Mutant) -> None:
    node = mutant.group()
    noise = mutant.rnd.choice(["x", " ", "\n\t", "\u00a0", "0"])
    if len(node) and mutant.rnd.random() < 0.5:
        node[-1].tail = noise
    else:
        node.text = noise


def text_after_leaf(mutant: Mutant) -> None:
    mutant.leaf().tail = mutant.rnd.choice(["x", " \r\n", "."])


def comment_inside(mutant: Mutant) -> None:
    node = mutant.rnd.choice([mutant.leaf(), mutant.group()])
    note = mutant.rnd.choice([etree.Comment(" note "), etree.ProcessingInstruction("note", "1")])
    note.tail = mutant.rnd.choice([None, " ", "1"])
    node.insert(0, note)


def comment_splits_value(mutant: Mutant) -> None:
    node = mutant.leaf()
    text = node.text or ""
    note = etree.Comment("split")
    node.text, note.tail = text[: len(text) // 2], text[len(text) // 2 :]
    node.insert(0, note)


def set_nil(mutant: Mutant) -> None:
    node = mutant.rnd.choice([mutant.leaf(), mutant.leaf(), mutant.group()])
    node.set(NIL, mutant.rnd.choice(NILS))
    if mutant.rnd.random() < 0.6 and mutant.name(node) in mutant.dictionary.elements:
        node.text = None


def make_not_recorded(mutant: Mutant) -> None:
    node = mutant.leaf()
    node.text = None
    node.set(NIL, "true")
    node.set("NV", mutant.rnd.choice(NOT_VALUES))


def make_pertinent_negative(mutant: Mutant) -> None:
    node = mutant.leaf()
    node.set("PN", mutant.rnd.choice(PERTINENT_NEGATIVES))
    if mutant.rnd.random() < 0.5:
        node.text = None
        node.set(NIL, "true")


def set_not_value(mutant: Mutant) -> None:
    mutant.rnd.choice([mutant.leaf(), mutant.leaf(), mutant.group()]).set("NV", mutant.rnd.choice(NOT_VALUES))


def fill_nil(mutant: Mutant) -> None:
    empty = [node for node in mutant.root.iter("*") if node.get(NIL)]
    if empty:
        mutant.rnd.choice(empty).text = mutant.rnd.choice([" ", "1", "\n"])


def drop_attribute(mutant: Mutant) -> None:
    holders = [node for node in mutant.root.iter("*") if node.attrib]
    node = mutant.rnd.choice(holders)
    del node.attrib[mutant.rnd.choice(list(node.attrib))]


def change_attribute(mutant: Mutant) -> None:
    node = mutant.rnd.choice([node for node in mutant.root.iter("*") if node.attrib])
    values = [*NOT_VALUES, *PERTINENT_NEGATIVES, *UUIDS, *CORRELATION_IDS, *NILS, "9924003", "9924005", "9924001"]
    node.set(mutant.rnd.choice(list(node.attrib)), mutant.rnd.choice(values))


def add_attribute(mutant: Mutant) -> None:
    names = ["UUID", "CorrelationID", "CodeType", "ETCO2Type", "PhoneNumberType", "StreetAddress2", "VelocityUnit"]
    names += ["DeltaVelocityOrdinal", "nemsisElement", "ProcedureGroupCorrelationID", "CustomElementID", "note", "nv"]
    names += ["{http://www.w3.org/XML/1998/namespace}lang", f"{{{mutant.namespace}}}NV", f"{{{XSI}}}note"]
    node = mutant.rnd.choice([mutant.root, mutant.leaf(), mutant.group()])
    node.set(mutant.rnd.choice(names), mutant.rnd.choice([*CORRELATION_IDS, "9924003", "0", "1", "9921001", "en"]))


def schema_hint(mutant: Mutant) -> None:
    name = mutant.rnd.choice(["schemaLocation", "noNamespaceSchemaLocation"])
    mutant.node().set(f"{{{XSI}}}{name}", mutant.rnd.choice(["", "a b c", "http://www.nemsis.org x.xsd"]))


def claim_type(mutant: Mutant) -> None:
    node = mutant.rnd.choice([mutant.leaf(), mutant.group()])
    name = mutant.name(node)
    definition = mutant.dictionary.elements.get(name) or mutant.dictionary.groups[name]
    own = definition.xsi_type or (definition.type.name if isinstance(definition, ElementDefinition) else name)
    prefix = mutant.rnd.choice(["", "", "xsi:", "none:"])
    node.set(f"{{{XSI}}}type", mutant.rnd.choice(["", " "]) + prefix + mutant.rnd.choice([own, own, "YesNoValues", ""]))


MUTATIONS: tuple[Mutation, ...] = (
    drop,
    duplicate,
    duplicate_far,
    swap_with_next,
    move_first,
    move_elsewhere,
    rename,
    rename_foreign,
    change_namespace,
    rename_root,
    insert_leaf,
    insert_group,
    nest_in_leaf,
    change_value,
    change_value,
    change_value,
    change_value,
    empty_value,
    text_in_group,
    text_after_leaf,
    comment_inside,
    comment_splits_value,
    set_nil,
    make_not_recorded,
    make_pertinent_negative,
    set_not_value,
    fill_nil,
    drop_attribute,
    change_attribute,
    add_attribute,
    schema_hint,
    claim_type,
)


def mutate(base: etree._Element, dictionary: Dictionary, seed: int) -> tuple[str, etree._Element]:
    """One mutation of a copy of `base`, chosen by `seed`: its name and the changed document.

    The document is written and parsed again, so that it is what a validator would really receive.
    """
    rnd = random.Random(seed)  # noqa: S311
    mutation = MUTATIONS[seed % len(MUTATIONS)]
    mutant = Mutant(base, dictionary, rnd)
    mutation(mutant)
    return mutation.__name__, etree.fromstring(etree.tostring(mutant.root))
