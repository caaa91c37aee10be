"""Idioms of numerical methods: solvers, steps, tables, gathers and scatters."""

from __future__ import annotations

import re

from idiom_scribe import Scribe


class NumericIdioms(Scribe):
    """Each idiom emits lines into a function that has some numbers and vectors."""

    def idiom_accepted_steps(self) -> None:
        state, trial, err, h, k = self.names(5)
        array = self.chance(0.5)
        s = self.vector() if array else self.number()
        self.line(f"{state} = {s}{self.pick('.copy()', ' * 0.5') if array else ' * 1.0'}")
        self.line(f"{h} = {self.fraction()}")
        with self.block(f"for {k} in range({self.rng.randrange(2, 6)}):"):
            self.scope.counters.append(k)
            change = (
                self.squash_vector(f"{state} + {self.vector()}")
                if array
                else self.squash(f"{state} + {self.number()}")
            )
            self.line(f"{trial} = {state} {self.pick('+', '-')} {h} * {change}")
            size = self.pick(
                f"np.sum(({trial} - {state}) ** 2)", f"np.max(np.abs({trial} - {state}))", f"abs({trial}[0])"
            )
            self.line(f"{err} = {size if array else f'abs({trial} - {state})'}")
            with self.block(f"if {err} < {self.fraction()}:"):
                self.line(f"{state} = {trial}")
                self.line(f"{h} *= 1.2")
                if array and self.chance(0.3):
                    self.line(f"{state}[{self.index()}] *= 0.9")
            with self.block("else:"):
                self.line(self.pick(f"{h} *= 0.5", f"{h} = {h} * {self.fraction()} / (0.2 + {err})"))
        final = self.squash_vector(state) if array else self.squash(state)
        self.line(f"{state} = {final}")
        (self.scope.vectors if array else self.scope.numbers).append(state)

    def idiom_adaptive_while(self) -> None:
        t, u, dt, k1, k2, n = self.names(6)
        self.put(f"{t} = 0.0\n{u} = {self.number()} * 1.0\n{dt} = 0.3\n{n} = 0")
        with self.block(f"while {t} < 1.0 and {n} < 12:"):
            self.line(f"{n} += 1")
            slope = self.squash(f"{u} * {self.number()}")
            self.put(f"if {t} + {dt} > 1.0:\n    {dt} = 1.0 - {t}")
            later = re.sub(rf"(?<!\.)\b{u}\b", f"({u} + {dt} * {k1})", slope)
            self.put(f"{k1} = {slope}\n{k2} = {later}")
            self.put(
                f"if abs({k1} - {k2}) * {dt} > "
                f"{self.pick('0.05', '0.01', '0.2')}:\n    {dt} *= 0.5\n    continue"
            )
            self.put(f"{u} += 0.5 * {dt} * ({k1} + {k2})\n{t} += {dt}\n{dt} *= {self.pick('1.5', '1.1')}")
            if self.chance(0.3):
                self.put(f"if abs({u}) > 3.0:\n    break")
        self.scope.numbers.append(u)

    def idiom_runge_kutta(self) -> None:
        f, p, s, u, h, k = self.names(6)
        k1, k2, k3, k4 = self.names(4)
        tupled = self.chance(0.4)
        if tupled:
            q, w = self.names(2)
            self.define(f"def {f}({p}, {q}, {s}):\n    return math.sin({q}), -{s} * {p} + 0.1 * {q} * {q}")
            self.put(f"{u} = {self.number()} * 1.0\n{w} = {self.atom()} * 1.0")
            with self.block(f"for {k} in range({self.rng.randrange(1, 4)}):"):
                self.line(f"{k1} = {f}({u}, {w}, {self.atom()})")
                self.line(f"{k2}, {k3} = {f}({u} + 0.1 * {k1}[0], {w} + 0.1 * {k1}[1], {self.atom()})")
                self.line(f"{u}, {w} = {u} + 0.2 * {k2}, math.tanh({w} + 0.2 * {k3})")
            self.scope.numbers += [u, w]
            return
        body = self.pick(
            f"return np.sin({p}[::-1]) * {s}",
            f"{h} = np.empty_like({p})\n    for {k} in range({p}.size):\n       "
            f" {h}[{k}] = math.tanh({p}[{k} - 1] - {s} * {p}[{k}])\n    return {h}",
            f"return np.array([{p}[1], -{s} * math.sin({p}[0]), {p}[3], {p}[2] * {p}[0]])",
            f"{h} = np.zeros(4)\n    {h}[0], {h}[1] = {p}[1], "
            f"-{p}[0]\n    {h}[2:] = {s} * {p}[:2]\n    return {h}",
        )
        self.define(f"def {f}({p}, {s}):\n    {body}")
        self.line(f"{u} = np.tanh({self.vector()})")
        with self.block(f"for {self.fresh()} in range({self.rng.randrange(1, 4)}):"):
            s = self.number()
            self.line(f"{k1} = {f}({u}, {s})")
            self.line(f"{k2} = {f}({u} + 0.1 * {k1}, {s})")
            self.line(f"{k3} = {f}({u} + 0.1 * {k2}, {s})")
            self.line(f"{k4} = {f}({u} + 0.2 * {k3}, {s})")
            total = f"0.2 / 6.0 * ({k1} + 2.0 * {k2} + 2.0 * {k3} + {k4})"
            self.line(
                self.pick(f"{u} = {u} + {total}", f"{u} += {total}", f"{u}[:] = np.tanh({u} + {total})")
            )
        self.assign_vector(f"np.tanh({u})")

    def idiom_newton(self) -> None:
        z, g, slope, k = self.names(4)
        target = self.number()
        c = self.fresh()
        self.put(f"{c} = {target}\n{z} = {self.fraction()}")
        step = (
            f"{g} = {z} + 0.3 * math.sin({z}) - {c}\n{slope} "
            f"= 1.0 + 0.3 * math.cos({z})\n{z} -= {g} / {slope}"
        )
        if self.chance(0.5):
            self.line(f"{k} = 0")
            with self.block("while True:"):
                self.put(
                    f"{k} += 1\n{step}\nif abs({g}) < 1e-13 or {k} >= {self.rng.randrange(3, 12)}:\n    break"
                )
        else:
            with self.block(f"for {k} in range({self.rng.randrange(3, 9)}):"):
                self.put(f"{step}\nif abs({g}) < {self.pick('1e-3', '1e-10')}:\n    break")
        self.assign_number(z)

    def idiom_bisection(self) -> None:
        low, high, mid, k = self.names(4)
        self.put(f"{low} = -1.5 + 0.1 * {self.atom()}\n{high} = 1.5 * {self.positive()}")
        with self.block(f"for {k} in range({self.rng.randrange(2, 6)}):"):
            self.line(f"{mid} = 0.5 * ({low} + {high})")
            self.put(
                f"if {mid} + 0.3 * math.sin({mid}) > {self.number()}:\n"
                f"    {high} = {mid}\nelse:\n    {low} = {mid}"
            )
        self.assign_number(mid)

    def idiom_gather(self) -> None:
        idx, v = self.fresh(), self.vector()
        self.line(
            self.pick(
                f"{idx} = np.array([2, 0, 3, 0])",
                f"{idx} = np.argsort({v})",
                f"{idx} = np.array([1, -1, 2])",
                f"{idx} = np.arange(4)[::-1]",
                f"{idx} = np.nonzero({v} > -9.0)[0]",
                f"{idx} = np.where({v} < {self.vector()})[0]",
            )
        )
        i = self.fresh()
        with self.block(f"for {i} in range({self.rng.randrange(1, 4)}):"):
            self.scope.counters.append(i)
            s = self.squash(self.number())
            target = self.writable()
            self.line(
                self.pick(
                    f"{target}[{idx}] = {s} * {self.vector()}[{idx}]",
                    f"{target}[{idx}] *= {s}",
                    f"{target}[{idx}] = {s}",
                    f"{target}[{i}] = math.tanh(np.sum({self.vector()}[{idx}]))",
                    f"{target} *= 0.9",
                )
            )
            if self.chance(0.5):
                self.assign_number(f"np.sum({v}[{idx}] * {self.vector()}[{idx}])")
        self.assign_number(f"np.sum({v}[{idx}])")

    def idiom_mask(self) -> None:
        mask, v = self.fresh(), self.writable()
        self.line(
            f"{mask} = {v} {self.pick('>', '<')} {self.pick(self.number(), self.constant(), self.vector())}"
        )
        self.line(
            self.pick(
                f"{v}[{mask}] = {self.squash(self.number())}",
                f"{v}[{mask}] *= {self.fraction()}",
                f"{v}[{mask}] = np.sin({self.vector()}[{mask}])",
                f"{v}[~{mask}] = 0.1",
                f"{v}[{mask}] -= 0.2 * {v}[{mask}]",
            )
        )
        self.assign_number(
            self.pick(
                f"np.sum({v}[{mask}])",
                f"np.sum({self.vector()}[{v} > 0.0])",
                f"np.sum(np.where({mask}, {v}, 0.0))",
            )
        )

    def idiom_sparse_rows(self) -> None:
        ptr, col, out, r, k, acc = self.names(6)
        self.put(f"{ptr} = np.array([0, 2, 3, 3, 6])\n{col} = np.array([0, 3, 1, 0, 2, 3])")
        data, vec = self.fresh(), self.vector()
        self.line(f"{data} = np.concatenate(({self.vector()}, {self.vector()}[:2]))")
        self.line(f"{out} = np.zeros(4)")
        with self.block(f"for {r} in range(4):"):
            if self.chance(0.5):
                self.put(
                    f"{acc} = 0.0\nfor {k} in range({ptr}[{r}], {ptr}[{r} "
                    f"+ 1]):\n    {acc} += {data}[{k}] * {vec}[{col}[{k}]]\n"
                    f"{out}[{r}] = {self.squash(acc)}"
                )
            elif self.chance(0.5):
                self.put(
                    f"for {k} in range({ptr}[{r}], {ptr}[{r} + 1]):\n   "
                    f" {out}[{col}[{k}]] += 0.3 * {data}[{k}] * {vec}[{r}]"
                )
            else:
                self.line(
                    f"{out}[{r}] = np.sum({data}[{ptr}[{r}]:{ptr}[{r} "
                    f"+ 1]] * {vec}[{col}[{ptr}[{r}]:{ptr}[{r} + 1]]])"
                )
        self.line(f"{out} = np.tanh({out})")
        self.scope.vectors.append(out)

    def idiom_neighbours(self) -> None:
        count, nbr, force, i, j, d = self.names(6)
        v, cut = self.vector(), self.fraction()
        self.put(f"{nbr} = np.zeros((4, 4), dtype=np.int64)\n{count} = np.zeros(4, dtype=np.int64)")
        self.put(
            f"for {i} in range(4):\n    for {j} in range(4):\n     "
            f"   if {i} != {j} and abs({v}[{i}] - {v}[{j}]) < {cut}:\n"
            f"            {nbr}[{i}, {count}[{i}]] = {j}\n   "
            f"         {count}[{i}] += 1\n{force} = np.zeros(4)"
        )
        half = self.chance(0.5)
        with self.block(f"for {i} in range(4):"):
            with self.block(
                f"for {j} in {nbr}[{i}, :{count}[{i}]]:"
                if self.chance(0.4)
                else f"for {j} in range({count}[{i}]):"
            ):
                other = j if f"in {nbr}" in self.lines[-1] else f"{nbr}[{i}, {j}]"
                self.line(f"{d} = {v}[{i}] - {v}[{other}]")
                self.line(f"{force}[{i}] += {d} * math.exp(-{d} * {d}) * {self.positive()}")
                if half:
                    self.line(f"{force}[{other}] -= 0.5 * {d}")
        self.assign_vector(f"np.tanh({force})")

    def idiom_edges_of_a_mesh(self) -> None:
        edges, e, i, j, f, load = self.names(6)
        v = self.vector()
        self.line(f"{edges} = np.array([[0, 1], [1, 2], [2, 3], [{self.pick('3, 0', '0, 2')}]])")
        self.line(f"{load} = {self.pick('np.zeros(4)', 'np.zeros_like(' + v + ')')}")
        with self.block(
            f"for {e} in range({edges}.shape[0]):" if self.chance(0.5) else f"for {e} in {edges}:"
        ):
            row = e if "range" not in self.lines[-1] else f"{edges}[{e}]"
            self.put(f"{i} = {row}[0]\n{j} = {row}[1]")
            self.line(f"{f} = {self.squash(f'{v}[{j}] - {v}[{i}] * {self.number()}')}")
            self.put(f"{load}[{i}] += {f}\n{load}[{j}] -= {self.fraction()} * {f}")
        self.assign_vector(f"np.tanh({load})")

    def idiom_dynamic_programming(self) -> None:
        table, i, j, cost = self.names(4)
        v, w = self.vector(), self.vector()
        big = self.pick("1e3", "5.0", "np.inf")
        self.put(f"{table} = np.full((5, 5), {big})\n{table}[0, 0] = {self.pick('0.0', self.atom())}")
        ups = (f"{table}[{i} - 1, {j}]", f"{table}[{i}, {j} - 1]", f"{table}[{i} - 1, {j} - 1]")
        best = self.pick(
            f"min({ups[0]}, {ups[1]}, {ups[2]})",
            f"min(min({ups[0]}, {ups[1]}), {ups[2]})",
            f"-0.5 * math.log(math.exp(-2.0 * {ups[0]}) + "
            f"math.exp(-2.0 * {ups[1]}) + math.exp(-2.0 * {ups[2]}))",
            f"np.min(np.array([{ups[0]}, {ups[1]}, {ups[2]}]))",
            f"np.minimum({ups[2]}, np.minimum({ups[0]}, {ups[1]}))",
        )
        with (
            self.block(f"for {i} in range(1, 5):"),
            self.block(f"for {j} in {self.pick('range(1, 5)', f'range(max(1, {i} - 2), min(5, {i} + 3))')}:"),
        ):
            self.line(
                f"{cost} = "
                f"{self.pick(f'({v}[{i} - 1] - {w}[{j} - 1]) ** 2', f'abs({v}[{i} - 1] - {w}[{j} - 1])')}"
            )
            self.line(f"{table}[{i}, {j}] = {cost} + {best}")
        self.assign_number(f"{table}[{self.pick('4, 4', '-1, -1')}]")

    def idiom_triangular_solve(self) -> None:
        lower, z, i, j = self.names(4)
        self.line(f"{lower} = {self.matrix_expression()} * 0.2 + np.eye(4)")
        self.line(f"{z} = {self.pick(f'{self.vector()}.copy()', 'np.zeros(4)')}")
        rhs = z if ".copy" in self.lines[-1] else self.vector()
        acc = self.fresh()
        backwards = self.chance(0.4)
        with self.block(f"for {i} in {'range(3, -1, -1)' if backwards else 'range(4)'}:"):
            known = f"{i} + 1, 4" if backwards else i
            cut = f"{i} + 1:" if backwards else f":{i}"
            if self.chance(0.6):
                self.put(
                    f"{acc} = {rhs}[{i}]\nfor {j} in range({known}):\n"
                    f"    {acc} -= {lower}[{i}, {j}] * {z}[{j}]"
                )
                self.line(f"{z}[{i}] = {acc} / {lower}[{i}, {i}]")
            else:
                self.line(
                    f"{z}[{i}] = ({rhs}[{i}] - np.dot({lower}[{i}, {cut}], {z}[{cut}])) / {lower}[{i}, {i}]"
                )
        self.assign_vector(f"np.tanh({z})")

    def idiom_cholesky(self) -> None:
        spd, low, i, j, k, s = self.names(6)
        m = self.some_matrix()
        self.line(f"{spd} = {m} @ {m}.T + {self.positive()} * np.eye(4)")
        self.line(f"{low} = {self.pick('np.zeros((4, 4))', f'np.zeros_like({spd})')}")
        self.put(
            f"for {i} in range(4):\n    for {j} in range({i} + 1):\n        {s} = {spd}[{i}, {j}]\n"
            f"        for {k} in range({j}):\n            {s} -= {low}[{i}, {k}] * {low}[{j}, {k}]\n"
            f"        if {i} == {j}:\n            {low}[{i}, {j}] = math.sqrt({s})\n        else:\n"
            f"            {low}[{i}, {j}] = {s} / {low}[{j}, {j}]"
        )
        self.assign_number(f"math.log({low}[0, 0] * {low}[3, 3]) + {low}[2, 1]")
        self.assign_matrix(f"np.tanh({low})")

    def idiom_elimination(self) -> None:
        work, rhs, p, i, j, f = self.names(6)
        self.line(f"{work} = {self.matrix_expression()} * 0.3 + 2.0 * np.eye(4)")
        self.line(f"{rhs} = {self.vector()}.copy()")
        with self.block(f"for {p} in range(4):"):
            if self.chance(0.4):
                k = self.fresh()
                self.put(f"{k} = {p} + np.argmax(np.abs({work}[{p}:, {p}]))\nif {k} != {p}:")
                self.put(
                    f"    for {j} in range(4):\n        {work}[{p}, {j}], "
                    f"{work}[{k}, {j}] = {work}[{k}, {j}], {work}[{p}, {j}]"
                )
                self.put(f"    {rhs}[{p}], {rhs}[{k}] = {rhs}[{k}], {rhs}[{p}]")
            with self.block(f"for {i} in range({p} + 1, 4):"):
                self.line(f"{f} = {work}[{i}, {p}] / {work}[{p}, {p}]")
                self.line(
                    self.pick(
                        f"{work}[{i}] -= {f} * {work}[{p}]",
                        f"{work}[{i}, {p}:] = {work}[{i}, {p}:] - {f} * {work}[{p}, {p}:]",
                    )
                )
                self.line(f"{rhs}[{i}] -= {f} * {rhs}[{p}]")
        with self.block(f"for {i} in range(3, -1, -1):"):
            self.line(
                f"{rhs}[{i}] = ({rhs}[{i}] - np.sum({work}[{i}, "
                f"{i} + 1:] * {rhs}[{i} + 1:])) / {work}[{i}, {i}]"
            )
        self.assign_vector(f"np.tanh({rhs})")

    def idiom_thomas(self) -> None:
        f, lo, di, up, r, c, d, i, n = self.names(9)
        self.define(
            f"def {f}({lo}, {di}, {up}, {r}):\n    {n} = {r}.shape[0]\n    {c} = "
            f"np.empty({n})\n    {d} = {self.pick(f'np.empty({n})', f'{r}.copy()')}\n"
            f"    {c}[0] = {up} / {di}\n    {d}[0] = {r}[0] / {di}\n    for {i} in range(1, {n}):\n"
            f"        w = {di} - {lo} * {c}[{i} - 1]\n        {c}[{i}] = {up} "
            f"/ w\n        {d}[{i}] = ({r}[{i}] - {lo} * {d}[{i} - 1]) / w\n"
            f"    for {i} in range({n} - 2, -1, -1):\n        "
            f"{d}[{i}] -= {c}[{i}] * {d}[{i} + 1]\n    return {d}"
        )
        v = self.vector()
        call = (
            f"{f}({self.constant()} * 0.4, {self.positive()} + 1.0, 0.3 * {self.squash(self.number())}, {{}})"
        )
        if self.chance(0.6):
            t, u = self.names(2)
            self.line(f"{u} = {v}")
            with self.block(f"for {t} in range({self.rng.randrange(1, 4)}):"):
                self.line(f"{u} = {call.format(u)}")
            v = u
        else:
            v = call.format(v)
        self.assign_vector(f"np.tanh({v})")

    def idiom_linear_solve(self) -> None:
        m = f"(2.0 * np.eye(4) + 0.3 * {self.some_matrix()})"
        self.assign_vector(
            self.pick(
                f"np.tanh(np.linalg.solve({m}, {self.vector()}))",
                f"np.tanh(np.linalg.inv({m}) @ {self.vector()})",
            )
        )
        if self.chance(0.3):
            self.assign_number(f"np.linalg.det({m})")

    def idiom_heat_equation(self) -> None:
        u, new, t, i = self.names(4)
        self.line(
            f"{u} = "
            f"{self.pick(f'{self.vector()}.copy()', f'np.concatenate(({self.vector()}, {self.vector()}))')}"
        )
        r = self.fresh()
        self.line(f"{r} = 0.2 * {self.positive()}")
        with self.block(f"for {t} in range({self.rng.randrange(1, 4)}):"):
            kind = self.rng.randrange(3)
            if kind == 0:
                self.line(f"{u}[1:-1] += {r} * ({u}[2:] - 2.0 * {u}[1:-1] + {u}[:-2])")
            elif kind == 1:
                self.put(f"{new} = {u}.copy()\nfor {i} in range(1, len({u}) - 1):")
                self.put(
                    f"    {new}[{i}] = {u}[{i}] + {r} * ({u}[{i} + "
                    f"1] - 2.0 * {u}[{i}] + {u}[{i} - 1])\n{u} = {new}"
                )
            else:
                self.put(
                    f"for {i} in range(1, len({u}) - 1):\n    {u}[{i}] = (1.0 - "
                    f"{r}) * {u}[{i}] + 0.5 * {r} * ({u}[{i} - 1] + {u}[{i} + 1])"
                )
            self.line(
                self.pick(f"{u}[0] = {self.squash(self.number())}", f"{u}[-1] = {u}[-2]", f"{u}[0] = {u}[-1]")
            )
        self.assign_vector(self.pick(f"{u}[:4]", f"{u}[-4:]", f"np.tanh({u}[:4])"))
