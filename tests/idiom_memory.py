"""Idioms of memory: aliases, copies, views, lists of arrays, buffers and first assignments."""

from __future__ import annotations

from idiom_scribe import Scribe


class MemoryIdioms(Scribe):
    """Each idiom emits lines into a function that has some numbers and vectors."""

    def idiom_helper_returns_an_argument(self) -> None:
        f, p, q, s = self.names(4)
        choice = self.pick(
            p, q, f"{p} if {s} > {self.constant()} else {q}", f"{p}[::-1]", f"{p}[:]", f"{p}.copy()"
        )
        if " if " in choice and self.chance(0.5):
            body = f"if {s} > {self.constant()}:\n        return {p}\n    return {q}"
        else:
            body = f"return {choice}"
        self.define(f"def {f}({p}, {q}, {s}):\n    {body}")
        result = self.fresh()
        self.line(f"{result} = {f}({self.vector()}, {self.vector()}, {self.number()})")
        if self.chance(0.3):
            self.line(f"{result}[{self.index()}] = {self.squash(self.number())}")
        if self.chance(0.5):
            self.scope.vectors.append(result)
        self.assign_number(f"np.sum({result} * {self.vector()})")

    def idiom_helper_writes_its_argument(self) -> None:
        f, p, q, i = self.names(4)
        write = self.pick(
            f"for {i} in range(len({p})):\n        {p}[{i}] = math.tanh({p}[{i}] + {q}[{i}])",
            f"for {i} in range(1, {p}.shape[0]):\n        {p}[{i}] = 0.5 * {p}[{i} - 1] + math.sin({q}[{i}])",
            f"{p}[:] = np.tanh({p} + {q})",
            f"{p} *= 0.5\n    {p} += 0.4 * {q}",
            f"{p}[0] = math.sin({q}[-1])\n    {p}[1:] *= 0.7",
            f"{p}[:] = {q}",
            f"{p}[1:] = 0.8 * {q}[:-1]",
        )
        end = self.pick(
            f"return {p}", f"return {p}", f"return {p}[::-1]", "return None", f"return math.sin({p}[0])"
        )
        self.define(f"def {f}({p}, {q}):\n    {write}\n    {end}")
        target = self.writable()
        other = target if self.chance(0.35) else self.vector()
        call = f"{f}({target}, {other})"
        if "None" in end:
            self.line(call)
        elif "math" in end:
            self.assign_number(call, squash=False)
        elif self.chance(0.3):
            self.line(f"{target} = {call}")
        elif self.chance(0.5):
            self.assign_number(f"np.sum({call} * {self.vector()})")
        else:
            self.assign_vector(call, known=0.0)

    def idiom_helper_copies_first(self) -> None:
        f, p, q = self.names(3)
        own = self.fresh() if self.chance(0.6) else p
        first, change = self.pick(
            f"{own} = {p}.copy()|{own} += {q}",
            f"{own} = {p} + {q}|{own} *= 0.5",
            f"{own} = {p} * 1.0|{own}[0] -= {q}[1]",
            f"{own} = np.copy({p})|{own}[1:] += 0.5 * {q}[:-1]",
            f"{own} = np.zeros_like({p})|{own}[:] = {q}",
            f"{own} = np.empty({p}.size)|{own}[:] = 0.3 * {q} - {q}[::-1]",
            f"{own} = 0.5 * {p}|{own} -= 0.3 * {q}",
        ).split("|")
        self.define(f"def {f}({p}, {q}):\n    {first}\n    {change}\n    return np.tanh({own} * {q} + {p})")
        v = self.vector()
        self.assign_vector(f"{f}({v}, {v if self.chance(0.5) else self.vector()})")

    def idiom_list_of_arrays(self) -> None:
        h, k, s = self.names(3)
        self.line(
            f"{h} = "
            f"[{self.pick(f'{self.vector()}.copy()', f'np.tanh({self.vector()})', f'{self.vector()} * 0.5')}]"
        )
        count = self.rng.randrange(2, 5)
        with self.block(f"for {k} in range({count}):"):
            self.scope.counters.append(k)
            last = self.pick(f"{h}[-1]", f"{h}[{k}]", f"{h}[len({h}) - 1]", f"{h}[{k} // 2]")
            if self.chance(0.3):
                self.line(f"{s} = {last}")
                last = s
            self.line(f"{h}.append({self.squash_vector(f'{last} + {self.number()} * {self.vector()}')})")
            if self.chance(0.4):
                self.line(f"{h}[{k}] = {self.squash_vector(f'{h}[{k}] * {h}[-1]')}")
            if self.chance(0.2):
                self.line(f"{h}[{k}][{self.index()}] = {self.squash(self.number())}")
        if self.chance(0.3):
            self.line(f"{h}[{self.rng.randrange(count)}] = np.sin({self.vector()} + {h}[1])")
        if self.chance(0.3):
            self.assign_vector(f"{h}.pop()", known=0.0)
        total, item = self.names(2)
        self.line(f"{total} = 0.0")
        header = self.pick(
            f"for {item} in {h}:", f"for {k} in range(len({h})):", f"for {k} in range(len({h}) - 1, -1, -1):"
        )
        with self.block(header):
            element = item if f"for {item} in" in header else f"{h}[{k}]"
            self.line(
                f"{total} = 0.6 * {total} + 0.2 * "
                f"{self.pick(f'np.sum({element})', f'{element}[0] * {element}[-1]')}"
            )
        self.scope.numbers.append(total)

    def idiom_layers_in_a_list(self) -> None:
        hidden, z, j, h = self.names(4)
        m = self.some_matrix()
        self.line(
            f"{hidden} = [np.tanh({m} @ {self.vector()}), "
            f"np.sin({self.vector()}), np.tanh({self.vector()} - {self.atom()})]"
        )
        self.line(f"{z} = {self.vector()} * {self.fraction()}")
        with self.block(f"for {j} in range(len({hidden})):"):
            self.scope.counters.append(j)
            self.line(f"{h} = {hidden}[{j}]")
            self.line(
                self.pick(
                    f"{z} = np.tanh({z} + {h} * {self.number()})", f"{z} = {z} * {h}", f"{z} += 0.3 * {h}"
                )
            )
        self.scope.vectors.append(z)
        if self.chance(0.5):
            self.assign_number(f"np.sum({h} * {z})")

    def idiom_list_of_numbers(self) -> None:
        w, i = self.names(2)
        self.line(
            f"{w} = [{self.pick('0.0', self.atom() + ' * 1.0')}] * {self.pick('4', f'len({self.vector()})')}"
        )
        with self.block(f"for {i} in range(4):"):
            self.scope.counters.append(i)
            with self.block(f"if {self.condition()}:"):
                self.line(f"{w}[{i}] = {self.squash(self.number())}")
            self.line(f"{w}[{self.index()}] += 0.3 * {w}[{i}] * {self.number()}")
            if self.chance(0.3):
                self.line(f"{w}[{i}], {w}[3 - {i}] = {w}[3 - {i}], {w}[{i}]")
        if self.chance(0.4):
            self.assign_vector(f"np.tanh(np.array({w}))")
        self.assign_number(self.pick(f"sum({w})", f"{w}[0] * {w}[-1] + {w}[2]", f"max({w})"))

    def idiom_views_of_views(self) -> None:
        m, one, two = self.some_matrix(), self.fresh(), self.fresh()
        first = self.pick(
            f"{m}[::2]",
            f"{m}[1:, ::-1]",
            f"{m}.T",
            f"{m}[:, 1:3]",
            f"{m}[..., 1:]",
            f"{m}[::-1].T",
            f"{m}[-3:, :-1]",
            f"{m}[:, None, 1]",
            f"{m}[1:3, 1:3].T",
            f"{m}[::-2, 0::3]",
        )
        self.line(f"{one} = {first}")
        second = self.pick(
            f"{one}[0]",
            f"{one}[:, 0]",
            f"{one}[-1, ::-1]",
            f"{one}[..., -1]",
            f"{one}.T[0]",
            f"{one}[::-1][0]",
        )
        self.line(f"{two} = {second}")
        for _ in range(self.rng.randrange(1, 4)):
            self.line(
                self.pick(
                    f"{two}[:] = {self.squash(self.number())}",
                    f"{two}[0] = {self.squash(self.number())}",
                    f"{two} *= {self.fraction()}",
                    f"{one}[0] += 0.3 * {self.squash(self.number())}",
                    f"{two}[-1] += 0.5 * {two}[0]",
                    f"{m}[{self.index()}, {self.index()}] = {self.squash(self.number())}",
                    f"{one} *= 0.9",
                    f"{two}[:] = np.tanh({two}[::-1])",
                    f"{one}[...] = np.sin({one})",
                )
            )
        self.assign_number(
            self.pick(f"np.sum({two})", f"{two}[0] - {one}[0, 0]", f"np.sum({one}) * {two}.sum()")
        )
        if self.chance(0.5):
            self.assign_number(f"np.sum({m} * {m})")

    def idiom_reshaped(self) -> None:
        flat, square, i = self.names(3)
        self.line(f"{flat} = np.concatenate(({self.vector()}, {self.vector()}))")
        self.line(f"{square} = {flat}.reshape({self.pick('2, 4', '(4, 2)', '(2, -1)', '2, 2, 2')})")
        self.line(
            f"{square}[{self.pick('0', '-1', '::2', '..., 0', '1:')}] "
            f"{self.pick('=', '+=')} {self.squash(self.number())}"
        )
        with self.block(f"for {i} in range(4):"):
            self.scope.counters.append(i)
            self.line(
                f"{flat}[2 * {i}] = math.tanh({flat}[{i}] + "
                f"{square}.{self.pick('ravel', 'flatten')}()[{self.index()}])"
            )
        self.assign_number(f"np.sum({square})")
        self.assign_vector(
            self.pick(f"{flat}[:4]", f"{flat}[::2]", f"{flat}[-1:-5:-1]", f"{flat}[4:].copy()")
        )

    def idiom_buffers_swapped(self) -> None:
        old, new, t, i = self.names(4)
        self.line(f"{old} = {self.pick(f'{self.vector()}.copy()', f'np.tanh({self.vector()})')}")
        self.line(
            f"{new} = "
            f"{self.pick('np.zeros(4)', 'np.empty(4)', f'np.zeros_like({old})', f'{self.vector()} * 0.5')}"
        )
        safe = self.chance(0.5)
        with self.block(f"for {t} in range({self.rng.randrange(2, 5)}):"):
            self.scope.counters.append(t)
            with self.block(f"for {i} in range(4):"):
                self.scope.counters.append(i)
                neighbours = f"{old}[{i} - 1] + {old}[({i} + 1) % 4]"
                self.line(
                    f"{new}[{i}] = math.tanh({neighbours} - {self.fraction()} * {old}[{i}] + {self.number()})"
                )
            if safe:
                self.line(f"{old}, {new} = {new}, {old}")
            else:
                with self.block(f"if {self.condition()}:"):
                    self.line(f"{old}, {new} = {new}, {old}")
        self.scope.vectors += [old] if self.chance(0.7) else [old, new]
        self.assign_number(f"np.sum({old})")

    def idiom_buffer_refilled(self) -> None:
        work, t, i = self.names(3)
        self.line(f"{work} = np.empty({self.pick('4', '(4,)')})")
        total = self.fresh()
        self.line(f"{total} = {self.pick('0.0', self.atom())}")
        with self.block(f"for {t} in range({self.rng.randrange(2, 5)}):"):
            self.scope.counters.append(t)
            fill = self.rng.randrange(3)
            if fill == 0:
                with self.block(f"for {i} in range(4):"):
                    self.scope.counters.append(i)
                    self.line(f"{work}[{i}] = {self.squash(f'{self.number()} + {total}')}")
            elif fill == 1:
                self.line(f"{work}[:] = {self.squash_vector(f'{self.vector()} * {total}')}")
            else:
                self.line(f"{work}.fill({self.squash(self.number())})")
                self.line(f"{work}[{self.index()}] += {self.squash(total)}")
            if self.chance(0.4):
                self.line(f"{work}[1:] += 0.5 * {work}[:-1]")
            self.line(f"{total} = {self.squash(f'{total} + np.sum({work} * {self.vector()})')}")
        self.scope.numbers.append(total)
        self.scope.vectors.append(work)

    def idiom_first_assigned_in_a_loop(self) -> None:
        z, i = self.names(2)
        array = self.chance(0.5)
        first = (
            self.pick(f"{self.vector()} * 0.9", self.vector_expression())
            if array
            else self.squash(self.number())
        )
        start = self.rng.choice((0, 0, 1))
        with self.block(f"for {i} in range({start}, 4):"):
            self.scope.counters.append(i)
            grown = (
                self.squash_vector(f"{z} + {self.vector()}")
                if array
                else self.squash(f"{z} * {self.number()}")
            )
            factor = f"{z} * {self.pick(self.vector(), self.number()) if array else self.number()}"
            later = self.pick(f"{z} = {grown}", f"{z} = {grown}", f"{z} = {factor}")
            self.put(f"if {i} == {start}:\n    {z} = {first}\nelse:\n    {later}")
        (self.scope.vectors if array else self.scope.numbers).append(z)

    def idiom_literal_in_a_loop(self) -> None:
        z, i, last = self.names(3)
        self.line(f"{last} = {self.atom()}")
        with self.block(f"for {i} in range({self.rng.randrange(1, 4)}):"):
            self.scope.counters.append(i)
            elements = ", ".join(self.squash(self.atom()) for _ in range(3))
            self.line(f"{z} = np.array([{elements}, {last}])")
            if self.chance(0.4):
                self.line(f"{z}[{i}] = {self.squash(self.number())}")
            self.line(f"{last} = {self.squash(f'np.sum({z}) + {self.number()}')}")
        self.scope.vectors.append(z)
        self.scope.numbers.append(last)

    def idiom_rebound_under_a_branch(self) -> None:
        p, t = self.names(2)
        self.line(f"{p} = {self.pick(f'{self.vector()}.copy()', 'np.zeros(4)', self.vector_expression())}")
        if self.chance(0.5):
            self.put(
                "\n".join(f"{p}[{i}] = {self.squash(self.number())}" for i in range(self.rng.randrange(1, 5)))
            )
        with self.block(f"for {t} in range({self.rng.randrange(2, 5)}):"):
            self.scope.counters.append(t)
            with self.block(f"if {self.condition()}:"):
                self.line(f"{p} = {self.squash_vector(f'{p} + {self.number()} * {self.vector()}')}")
                if self.chance(0.4):
                    self.line(f"{p}[{self.index()}] *= {self.fraction()}")
            if self.chance(0.5):
                with self.block("else:"):
                    self.line(
                        self.pick(
                            f"{p}[{self.index()}] = {self.squash(self.number())}",
                            f"{p} = {p} * 0.9",
                            f"{p} *= 0.8",
                        )
                    )
            if self.chance(0.4):
                self.assign_number(f"np.sum({p})")
        self.scope.vectors.append(p)

    def idiom_tuple_of_arrays(self) -> None:
        f, p, q, s, u, w = self.names(6)
        first = self.pick(f"np.tanh({p} + {s})", f"{p}[::-1]", p, f"{p}.copy()")
        self.define(
            f"def {f}({p}, {q}, {s}):\n    {u} = {first}\n    {w} = np.sin({q} * {s})\n"
            f"    return {self.pick(f'{u}, {w}', f'({w}, {u})', f'{u}, {u} + {w}')}"
        )
        one, two = self.names(2)
        call = f"{f}({self.vector()}, {self.vector()}, {self.number()})"
        if self.chance(0.3):
            self.line(f"{one} = {call}")
            self.assign_number(f"np.sum({one}[0]) - {one}[1][2]")
            return
        self.line(f"{one}, {two} = {call}")
        self.scope.vectors += [two, one] if self.chance(0.5) else [two]
        self.assign_number(f"np.dot({one}, {two})")

    def idiom_named_tuple(self) -> None:
        kind, f, p, s, t = self.names(5)
        self.define(f"{kind.capitalize()} = namedtuple('{kind.capitalize()}', ['level', 'values'])")
        self.define(
            f"def {f}({p}, {s}):\n    return "
            f"{kind.capitalize()}({self.pick(f'{p}.level * {s}', f'math.sin({s})')}, "
            f"np.tanh({p}.values + {p}.level))"
        )
        self.line(f"{p} = {kind.capitalize()}({self.atom()} * 1.0, {self.vector()} * {self.fraction()})")
        with self.block(f"for {t} in range({self.rng.randrange(1, 4)}):"):
            self.scope.counters.append(t)
            self.line(f"{p} = {f}({p}, {self.number()})")
        self.assign_number(f"{p}.level + np.sum({p}.values)")
        if self.chance(0.5):
            self.assign_vector(f"{p}.values", known=0.0)

    def idiom_view_kept_and_written(self) -> None:
        v, view = self.writable(), self.fresh()
        self.line(f"{view} = {v}[{self.pick('1:', '::2', '::-1', ':-1', '-3:', '2:0:-1', ':')}]")
        for _ in range(self.rng.randrange(1, 4)):
            self.line(
                self.pick(
                    f"{view}[0] = {self.squash(self.number())}",
                    f"{view} *= {self.fraction()}",
                    f"{v}[1] = {self.squash(f'{view}[-1]')}",
                    f"{view}[:] = np.sin({view})",
                    f"{v}[:] = np.tanh({v}[::-1])",
                    f"{v}[1:] = 0.5 * {v}[:-1]",
                    f"{v} += 0.1 * {v}[::-1]",
                    f"{view}[-1] += {view}[0] * 0.5",
                )
            )
        self.assign_number(self.pick(f"np.sum({view})", f"{view}[0] * {v}[1]"))

    def idiom_rows_filled(self) -> None:
        path, t = self.names(2)
        self.line(f"{path} = {self.pick('np.zeros((4, 4))', 'np.empty((4, 4))')}")
        self.line(f"{path}[0] = {self.pick(self.vector(), self.vector_expression())}")
        with self.block(f"for {t} in range(1, 4):"):
            self.scope.counters.append(t)
            before = self.pick(f"{path}[{t} - 1]", f"{path}[{t} - 1, :]", f"{path}[{t} - 1, ::-1]")
            self.line(f"{path}[{t}] = {self.squash_vector(f'{before} + {self.number()} * {self.vector()}')}")
        self.scope.matrices.append(path)
