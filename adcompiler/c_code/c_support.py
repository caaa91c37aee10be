"""The C functions that generated code calls, each written out where it is used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adcompiler.c_code.c_states import STATES

_NUMBERS = {"f64": "double", "f32": "float", "i64": "int64_t", "c128": "double complex"}

CODES = """\
#ifndef ADCOMPILER_STATUS
#define ADCOMPILER_STATUS
/* What functions return. */
enum {
    AD_OK = 0,
    AD_MEMORY = 1,        /* malloc failed */
    AD_SIZE = 2,          /* sizes of arrays do not fit */
    AD_INDEX = 3,         /* an array is too short for what is read of it */
    AD_ZERO_DIVISION = 4, /* a division by zero, where the function raises ZeroDivisionError */
    AD_ASSERTION = 5,     /* an assertion of the function does not hold */
    AD_RAISED = 6,        /* the function raises another exception */
    AD_LAYOUT = 7         /* an argument does not stand in memory without gaps, or has no data */
};
#endif
"""

_ARRAY = """\
#ifndef ADCOMPILER_{guard}
#define ADCOMPILER_{guard}
typedef struct {{
    {item} *data;
    int64_t shape[{rank}];
    int64_t strides[{rank}]; /* elements from one to the next along each axis */
    void *owner; /* NULL for memory of your own */
}} {name};
#endif
"""

_STOP = """\
#define AD_STOP_IF(test, code) \\
    do {                       \\
        if (test) {            \\
            status = (code);   \\
            goto done;         \\
        }                      \\
    } while (0)
"""

_MEMORY = """\
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#pragma GCC diagnostic ignored "-Wuse-after-free" /* several arrays may hold the same memory */
#endif

/* Memory counts who holds it, in front of its numbers. */
static void *ad_allocate(int64_t count, size_t size, int zero)
{
    int64_t *block;
    if (count < 0 || (uint64_t)count > (SIZE_MAX - 64) / size) {
        return NULL;
    }
    block = zero ? calloc(1, 64 + (size_t)count * size) : malloc(64 + (size_t)count * size);
    if (block != NULL) {
        *block = 1;
    }
    return block;
}

static inline void ad_hold(void *owner)
{
    if (owner != NULL) {
        ++*(int64_t *)owner;
    }
}

static inline void ad_drop(void *owner)
{
    if (owner != NULL && --*(int64_t *)owner == 0) {
        free(owner);
    }
}
"""

_SLICE = """\
typedef struct {
    int64_t first, count, step;
} ad_range;

#define AD_NONE INT64_MIN

/* What a slice picks of an axis, as Python has it. */
static inline ad_range ad_slice(int64_t size, int64_t start, int64_t stop, int64_t step)
{
    ad_range found = {0, 0, step};
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    start = start == AD_NONE ? (step > 0 ? low : high) : start < 0 ? start + size : start;
    stop = stop == AD_NONE ? (step > 0 ? high : low) : stop < 0 ? stop + size : stop;
    start = start < low ? low : start > high ? high : start;
    stop = stop < low ? low : stop > high ? high : stop;
    found.first = start;
    if (step > 0 && stop > start) {
        found.count = (stop - start + step - 1) / step;
    } else if (step < 0 && stop < start) {
        found.count = (start - stop - step - 1) / -step;
    }
    return found;
}
"""

_MATMUL = """\
/* out += a @ b, where out stands without gaps; with AD_CBLAS, by the BLAS that the program is linked with. */
static void ad_matmul_{S}({S}_array2 out, {S}_array2 a, {S}_array2 b)
{{
    int64_t n = a.shape[0], m = b.shape[1], inner = a.shape[1], k, j;
#ifdef AD_CBLAS
    int a_is_plain = a.strides[1] == 1, b_is_plain = b.strides[1] == 1;
    int64_t a_step = a.strides[!a_is_plain], b_step = b.strides[!b_is_plain];
    if (n > 0 && m > 0 && inner > 0 && (a_is_plain || a.strides[0] == 1) && (b_is_plain || b.strides[0] == 1)
        && a_step >= (a_is_plain ? inner : n)
        && b_step >= (b_is_plain ? m : inner)) {{
        cblas_{gemm}(CblasRowMajor, a_is_plain ? CblasNoTrans : CblasTrans,
            b_is_plain ? CblasNoTrans : CblasTrans, (int)n, (int)m, (int)inner, 1, a.data, (int)a_step,
            b.data, (int)b_step, 1, out.data, (int)m);
        return;
    }}
#endif
    for (int64_t i = 0; i < n; i++) {{
        {T} *restrict row = out.data + i * m;
        const {T} *x = a.data + i * a.strides[0];
        int64_t s = a.strides[1];
        if (b.strides[1] == 1 || b.strides[0] != 1) {{ /* rows of b, four at a time */
            for (k = 0; k + 4 <= inner; k += 4) {{
                {T} x0 = x[k * s], x1 = x[(k + 1) * s], x2 = x[(k + 2) * s], x3 = x[(k + 3) * s];
                const {T} *b0 = b.data + k * b.strides[0], *b1 = b0 + b.strides[0];
                const {T} *b2 = b1 + b.strides[0], *b3 = b2 + b.strides[0];
                if (b.strides[1] == 1) {{
                    for (j = 0; j < m; j++) {{
                        row[j] += x0 * b0[j] + x1 * b1[j] + x2 * b2[j] + x3 * b3[j];
                    }}
                }} else {{
                    for (j = 0; j < m; j++) {{
                        int64_t p = j * b.strides[1];
                        row[j] += x0 * b0[p] + x1 * b1[p] + x2 * b2[p] + x3 * b3[p];
                    }}
                }}
            }}
            for (; k < inner; k++) {{
                for (j = 0; j < m; j++) {{
                    row[j] += x[k * s] * b.data[k * b.strides[0] + j * b.strides[1]];
                }}
            }}
            continue;
        }}
        for (j = 0; j < m; j++) {{ /* columns of b stand without gaps */
            const {T} *y = b.data + j * b.strides[1];
            {T} total = 0;
            if (s == 1) {{
                for (k = 0; k < inner; k++) {{
                    total += x[k] * y[k];
                }}
            }} else {{
                for (k = 0; k < inner; k++) {{
                    total += x[k * s] * y[k];
                }}
            }}
            row[j] += total;
        }}
    }}
}}
"""

_OPENMP = """\
/* Loops run on all cores with -fopenmp, and on one without. */
#ifdef _OPENMP
#include <omp.h>
#define AD_PRAGMA(text) _Pragma(#text)
#define AD_OMP(directive) AD_PRAGMA(omp directive)
#else
#define AD_OMP(directive)
#endif
"""

_FUNCTIONS = STATES | {
    "ad_number_of_parts": """\
/* Into how many parts to cut iterations: one for each thread, none shorter than least. */
static inline int64_t ad_number_of_parts(int64_t count, int64_t least)
{
    int64_t most = count / least, threads = 1;
#ifdef _OPENMP
    threads = omp_get_max_threads();
#endif
    most = most < threads ? most : threads;
    return most > 1 ? most : 1;
}
""",
    "ad_wrap": """\
static inline int64_t ad_wrap(int64_t i, int64_t size)
{
    return i < 0 ? i + size : i;
}
""",
    "ad_logaddexp_f64": """\
static inline double ad_logaddexp_f64(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;
    return a == b ? a + 0.6931471805599453 : high + log1p(exp(low - high));
}
""",
    "ad_power_i64": """\
static inline int64_t ad_power_i64(int64_t base, int64_t exponent)
{
    int64_t found = 1;
    for (; exponent > 0; exponent >>= 1, base *= base) {
        found *= exponent & 1 ? base : 1;
    }
    return found;
}
""",
    "ad_floordiv_i64": """\
static inline int64_t ad_floordiv_i64(int64_t a, int64_t b)
{
    int64_t whole = b == 0 ? 0 : a / b;
    return b != 0 && a % b != 0 && (a < 0) != (b < 0) ? whole - 1 : whole;
}
""",
    "ad_mod_i64": """\
static inline int64_t ad_mod_i64(int64_t a, int64_t b)
{
    int64_t rest = b == 0 ? 0 : a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
""",
}

_GENERIC = {
    "ad_max": "static inline {T} ad_max_{S}({T} a, {T} b)\n{{\n    return b > a ? b : a;\n}}\n",
    "ad_min": "static inline {T} ad_min_{S}({T} a, {T} b)\n{{\n    return b < a ? b : a;\n}}\n",
    "ad_maximum": """\
static inline {T} ad_maximum_{S}({T} a, {T} b)
{{
    return a > b || a != a ? a : b;
}}
""",
    "ad_minimum": """\
static inline {T} ad_minimum_{S}({T} a, {T} b)
{{
    return a < b || a != a ? a : b;
}}
""",
    "ad_fmax": "static inline {T} ad_fmax_{S}({T} a, {T} b)\n{{\n    return a > b || b != b ? a : b;\n}}\n",
    "ad_fmin": "static inline {T} ad_fmin_{S}({T} a, {T} b)\n{{\n    return a < b || b != b ? a : b;\n}}\n",
    "ad_add_parts": """\
/* Adds what parts have added up, in their order: each element by itself. */
static void ad_add_parts_{S}({T} *array, const {T} *parts, int64_t size, int64_t count)
{{
    int64_t shares = ad_number_of_parts(size * count, 16384);
    AD_OMP(parallel for schedule(static))
    for (int64_t share = 0; share < shares; share++) {{
        int64_t first = share * size / shares, end = (share + 1) * size / shares;
        for (int64_t part = 0; part < count; part++) {{
            for (int64_t k = first; k < end; k++) {{
                array[k] += parts[part * size + k];
            }}
        }}
    }}
}}
""",
    "ad_sign": "static inline {T} ad_sign_{S}({T} x)\n{{\n    return x > 0 ? 1 : x < 0 ? -1 : x;\n}}\n",
    "ad_times": """\
/* Zero where one of the factors is: the other may be infinite or not a number. */
static inline {T} ad_times_{S}({T} d, {T} slope)
{{
    return d != 0 && slope != 0 ? d * slope : 0;
}}
""",
    "ad_power": """\
static inline {T} ad_power_{S}({T} base, int64_t exponent)
{{
    {T} found = 1;
    uint64_t left = exponent < 0 ? -(uint64_t)exponent : (uint64_t)exponent;
    for (; left > 0; left >>= 1, base *= base) {{
        found *= left & 1 ? base : 1;
    }}
    return exponent < 0 ? 1 / found : found;
}}
""",
    "ad_floordiv": """\
static inline {T} ad_floordiv_{S}({T} a, {T} b)
{{
    return b == 0 ? a / b : floor((a - ad_mod_{S}(a, b)) / b + 0.5);
}}
""",
    "ad_mod": """\
static inline {T} ad_mod_{S}({T} a, {T} b)
{{
    {T} rest = fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}}
""",
}


def array_struct(name: str, item: str, rank: int) -> str:
    """Return the definition of the struct of an array."""
    return _ARRAY.format(guard=name.upper(), name=name, item=item, rank=rank)


def support_for(text: str, arrays: dict[str, tuple[str, int]]) -> list[str]:
    """Return the functions that a text calls, with those that these call in turn.

    Args:
        text: the functions of a module.
        arrays: type of the elements and number of axes, by the name of an array's struct.
    """
    stop = [_OPENMP] * ("AD_OMP(" in text or "ad_number_of_parts(" in text) + [_STOP] * ("AD_STOP_IF" in text)
    found = (
        stop
        if "ad_hold" not in text and "ad_drop" not in text and not _uses(text, "new")
        else [*stop, _MEMORY]
    )
    found += [_SLICE] if "ad_slice" in text else []
    found += [body for name, body in _FUNCTIONS.items() if re.search(rf"\b{name}\(", text)]
    for base, body in _GENERIC.items():
        for suffix, kind in _NUMBERS.items():
            if f"{base}_{suffix}(" in text and f"{base}_{suffix}" not in _FUNCTIONS:
                found.append(body.format(T=kind, S=suffix))
    if "ad_floordiv_f64(" in text and "ad_mod_f64(" not in text:
        found.append(_GENERIC["ad_mod"].format(T="double", S="f64"))
    found.sort(key=lambda body: "floordiv_f" in body)
    for name, (item, rank) in arrays.items():
        found += _of_array(name, item, rank, text)
    for suffix, gemm in (("f64", "dgemm"), ("f32", "sgemm")):
        if f"ad_matmul_{suffix}(" in text:
            found.append(_MATMUL.format(S=suffix, T=_NUMBERS[suffix], gemm=gemm))
    return found


def _uses(text: str, verb: str) -> bool:
    return re.search(rf"\b{verb}_\w+_array\d\(", text) is not None


def _of_array(name: str, item: str, rank: int, text: str) -> Iterator[str]:
    gives = f"give_{name}(" in text
    if f"new_{name}(" in text or gives:
        yield _new(name, item, rank)
    if f"is_plain_{name}(" in text or gives:
        yield _is_plain(name, rank)
    if gives:
        yield _give(name, item, rank)


def _new(name: str, item: str, rank: int) -> str:
    sizes = ", ".join(f"int64_t n{k}" for k in range(rank))
    lines = [f"static inline {name} new_{name}(int zero, {sizes})", "{", f"    {name} made;"]
    count = " * ".join(f"n{k}" for k in range(rank))
    lines.append(f"    made.owner = ad_allocate({count}, sizeof({item}), zero);")
    lines.append(f"    made.data = made.owner == NULL ? NULL : ({item} *)((char *)made.owner + 64);")
    for k in range(rank):
        lines.append(f"    made.shape[{k}] = n{k};")
    for k in range(rank):
        stride = " * ".join(f"n{j}" for j in range(k + 1, rank)) or "1"
        lines.append(f"    made.strides[{k}] = {stride};")
    return "\n".join([*lines, "    return made;", "}", ""])


def _is_plain(name: str, rank: int) -> str:
    lines = [f"/* Tells whether elements stand in memory without gaps, as new_{name} has them. */"]
    lines += [f"static inline int is_plain_{name}({name} x)", "{"]
    count = " * ".join(f"x.shape[{k}]" for k in range(rank))
    tests = [f"({count} == 0)", f"({' && '.join(_plain_axis(k, rank) for k in range(rank))})"]
    return "\n".join([*lines, f"    return {' || '.join(tests)};", "}", ""])


def _plain_axis(k: int, rank: int) -> str:
    stride = " * ".join(f"x.shape[{j}]" for j in range(k + 1, rank)) or "1"
    return f"(x.shape[{k}] == 1 || x.strides[{k}] == {stride})"


def _give(name: str, item: str, rank: int) -> str:
    sizes = ", ".join(f"value.shape[{k}]" for k in range(rank))
    differs = " || ".join(f"out->shape[{k}] != value.shape[{k}]" for k in range(rank))
    loops = [f"for (int64_t i{k} = 0; i{k} < value.shape[{k}]; i{k}++) {{" for k in range(rank)]
    target = " + ".join(f"i{k} * out->strides[{k}]" for k in range(rank))
    source = " + ".join(f"i{k} * value.strides[{k}]" for k in range(rank))
    nest = [f"{'    ' * (k + 1)}{loop}" for k, loop in enumerate(loops)]
    nest.append(f"{'    ' * (rank + 1)}out->data[{target}] = value.data[{source}];")
    nest += [f"{'    ' * (k + 1)}}}" for k in reversed(range(rank))]
    return "\n".join([
        "/* Hands a result on: in the caller's memory, if there is any, else in memory of its own. */",
        f"static int give_{name}({name} value, {name} *out)",
        "{",
        "    int own = value.owner != NULL && *(int64_t *)value.owner == 1",
        f"        && (char *)value.data == (char *)value.owner + 64 && is_plain_{name}(value);",
        "    if (out->data == NULL && own) {",
        "        ad_hold(value.owner);",
        "        *out = value;",
        "        return AD_OK;",
        "    }",
        "    if (out->data == NULL) {",
        f"        *out = new_{name}(0, {sizes});",
        "        if (out->data == NULL) {",
        "            return AD_MEMORY;",
        "        }",
        "    }",
        f"    if ({differs}) {{",
        "        return AD_SIZE;",
        "    }",
        *nest,
        "    return AD_OK;",
        "}",
        "",
    ])  # fmt: skip
