"""Expressions and variables are found in a line by its text and a column."""

import pytest

from osmia.explain.model import Place
from osmia.explain.source import accessed, assigned, expression, shown_expression


def place(code, at):
    """The line, with the column where ``at`` first stands."""
    return Place(0, code=code, line=1, column=code.index(at) + 1)


@pytest.mark.parametrize(
    ("code", "at", "wanted"),
    [
        ("\tv->a += 1;", "+=", "v->a += 1"),
        ("\treturn v->buf[idx];", "v->", "v->buf[idx]"),
        ("\tif (iph->protocol == 6)", "protocol", "iph->protocol"),
        ("\treturn skb->sk->family == 2;", "sk->", "skb->sk"),
        ("\tif (data + sizeof(*eth) > data_end)", "+", "data + sizeof(*eth)"),
        ("\tx = bpf_map_lookup_elem(&m, &k);", "bpf_map", "bpf_map_lookup_elem(&m, &k)"),
        ("\tskip = *(__u32 *)data;", "*(", "*(__u32 *)data"),
        ("}", "}", "}"),
    ],
)
def test_expressions(code, at, wanted):
    column = code.index(at) + 1
    if at == "sk->":
        column = code.index("->sk->") + 3
    begin, width = expression(code, column)
    assert code[begin : begin + width].strip() == wanted


@pytest.mark.parametrize(
    ("code", "at", "wanted"),
    [
        ("\tstruct val *v = bpf_map_lookup_elem(&m, &k);", "bpf_map", "v"),
        ("\tvoid *data = (void *)(long)ctx->data;", "data;", "data"),
        ("\ti = i * 2 + 1;", "+", "i"),
        ("\ttotal += x;", "+=", "total"),
        ("\tif (!(e = next(&it)))", "next", "e"),
        ("\tfoo(bar(1));", "bar", ""),
        ("\tif (a == b(1))", "b(1)", ""),
    ],
)
def test_variables(code, at, wanted):
    assert assigned(place(code, at)) == wanted


@pytest.mark.parametrize(
    ("code", "at", "wanted"),
    [
        ("\tv->a += 1;", "+=", "v"),
        ("\treturn *data;", "*", "data"),
        ("\treturn a->b->c;", "c", ""),
        ("\tf(x);", "f", ""),
    ],
)
def test_pointers_of_accesses(code, at, wanted):
    assert accessed(place(code, at)) == wanted


@pytest.mark.parametrize("column", [0, 1, 5, 7, 80, 1023])
@pytest.mark.parametrize("code", ["", "x", "((((", "))))", "a->", "->", "\t\t", "&&&", "f(", '"(', "a[b[c"])
def test_any_text_will_do(code, column):
    where = Place(0, code=code, line=1, column=column)
    begin, width = expression(code, column)
    assert 0 <= begin <= len(code) and width >= 0
    assert isinstance(shown_expression(where) + assigned(where) + accessed(where), str)
