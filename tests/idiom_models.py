"""Idioms of statistical and time-series models, of selections and of small functions."""

from __future__ import annotations

from idiom_scribe import Scribe


class ModelIdioms(Scribe):
    """Each idiom emits lines into a function that has some numbers and vectors."""

    def idiom_kalman_with_missing_data(self) -> None:
        mean, var, t, gain, inno, v = *self.names(5), self.vector()
        total = self.fresh()
        self.put(f"{mean} = {self.pick('0.0', self.atom())}\n{var} = {self.positive()}\n{total} = 0.0")
        kept = self.fresh() if self.chance(0.5) else ""
        if kept:
            self.line(f"{kept} = np.zeros(4)")
        with self.block(f"for {t} in range({self.pick('4', f'len({v})')}):"):
            self.scope.counters.append(t)
            self.put(f"{mean} = {self.fraction()} * {mean}\n{var} = 0.8 * {var} + {self.positive()}")
            test = self.pick(f"{v}[{t}] > -0.5", f"{t} != {self.rng.randrange(4)}", f"not np.isnan({v}[{t}])")
            with self.block(f"if {test}:"):
                self.put(f"{inno} = {v}[{t}] - {mean}\n{gain} = {var} / ({var} + 0.5)")
                self.put(f"{mean} = {mean} + {gain} * {inno}\n{var} = (1.0 - {gain}) * {var}")
                self.line(f"{total} -= 0.5 * (math.log({var} + 0.5) + {inno} ** 2 / ({var} + 0.5))")
            if kept:
                self.line(f"{kept}[{t}] = {mean}")
        self.assign_number(f"{total} + {mean}")
        self.scope.vectors += [kept] if kept else []

    def idiom_kalman_of_matrices(self) -> None:
        m, p, t, k, f, s = self.names(6)
        self.line(f"{m} = {self.pick(f'{self.vector()}.copy()', 'np.zeros(4)')}")
        if "zeros" in self.lines[-1]:
            self.put("\n".join(f"{m}[{i}] = {self.squash(self.atom())}" for i in range(4)))
        self.put(f"{p} = np.eye(4) * {self.positive()}\n{f} = 0.3 * {self.some_matrix()} + 0.5 * np.eye(4)")
        with self.block(f"for {t} in range({self.rng.randrange(2, 5)}):"):
            self.scope.counters.append(t)
            self.put(f"{m} = {f} @ {m}\n{p} = {f} @ {p} @ {f}.T + 0.1 * np.eye(4)")
            with self.block(f"if {self.condition()}:"):
                h = self.rng.randrange(4)
                self.put(f"{s} = {p}[{h}, {h}] + 0.3\n{k} = {p}[:, {h}] / {s}")
                self.line(f"{m} = {m} + {k} * ({self.number()} - {m}[{h}])")
                self.line(
                    self.pick(f"{p} = {p} - np.outer({k}, {k}) * {s}", f"{p} -= np.outer({k}, {p}[{h}])")
                )
        self.assign_vector(f"np.tanh({m})")
        self.assign_matrix(f"np.tanh({p})")

    def idiom_smoother(self) -> None:
        ms, s, t, g = self.names(4)
        as_list, numbers = self.chance(0.4), self.chance(0.5)
        v = self.vector()
        start = self.pick("0.0", self.atom()) if numbers else self.pick(f"{v}.copy()", "np.zeros(4)")
        self.line(f"{s} = {start}")
        if as_list:
            self.line(f"{ms} = [{s} * 1.0]")
        else:
            self.line(f"{ms} = np.zeros({'4' if numbers else '(4, 4)'})")
            self.line(f"{ms}[0] = {s}")
        with self.block(f"for {t} in range(1, 4):"):
            self.scope.counters.append(t)
            grown = f"{s} + {self.number()} * {f'{v}[{t}]' if numbers else v}"
            self.line(f"{s} = {self.squash(grown) if numbers else self.squash_vector(grown)}")
            self.line(f"{ms}.append({s})" if as_list else f"{ms}[{t}] = {s}")
        self.line(f"{s} = {ms}[{self.pick('3', '-1', '2')}]")
        self.line(f"{g} = {self.fraction()} * {self.squash(self.number())}")
        with self.block(f"for {t} in range(2, -1, -1):"):
            self.scope.counters.append(t)
            self.line(f"{s} = {ms}[{t}] + {g} * ({s} - {self.pick(f'{ms}[{t}]', f'{ms}[{t} + 1]')})")
            if self.chance(0.4):
                self.line(f"{ms}[{t}] = {s}")
        (self.scope.numbers if numbers else self.scope.vectors).append(s)
        if not numbers and not as_list:
            self.scope.matrices.append(ms)

    def idiom_hidden_markov(self) -> None:
        trans, alpha, t, total, logl, new, i, j = self.names(8)
        self.put(f"{trans} = np.exp({self.some_matrix()})\n{alpha} = np.full(4, 0.25)\n{logl} = 0.0")
        if self.chance(0.5):
            self.line(
                f"for {i} in range(4):\n        "
                f"{'    ' * (self.depth - 1)}{trans}[{i}] /= np.sum({trans}[{i}])"
            )
        else:
            self.line(f"{trans} = {trans} / np.sum({trans})")
        history = self.fresh()
        self.line(f"{history} = np.empty((4, 4))")
        obs = self.vector()
        with self.block(f"for {t} in range(4):"):
            self.scope.counters.append(t)
            if self.chance(0.5):
                self.line(f"{alpha} = np.exp(-({obs}[{t}] - {self.vector()}) ** 2) * ({alpha} @ {trans})")
            else:
                self.put(
                    f"{new} = np.zeros(4)\nfor {j} in range(4):\n    for {i} in "
                    f"range(4):\n        {new}[{j}] += {alpha}[{i}] * {trans}[{i}, {j}]\n"
                    f"    {new}[{j}] *= math.exp(-({obs}[{t}] - {j}) ** 2)\n{alpha} = {new}"
                )
            self.line(f"{total} = np.sum({alpha})")
            self.line(
                self.pick(
                    f"{alpha} /= {total}", f"{alpha} = {alpha} / {total}", f"{alpha}[:] = {alpha} / {total}"
                )
            )
            self.put(f"{logl} += math.log({total})\n{history}[{t}] = {alpha}")
        self.assign_number(f"0.2 * {logl}")
        if self.chance(0.6):
            beta = self.fresh()
            self.line(f"{beta} = np.ones(4)")
            with self.block(f"for {t} in range(2, -1, -1):"):
                self.put(
                    f"{beta} = {trans} @ (np.exp(-({obs}[{t} + 1] - "
                    f"{obs}) ** 2) * {beta})\n{beta} /= np.sum({beta})"
                )
                self.line(
                    self.pick(
                        f"{history}[{t}] *= {beta}",
                        f"{history}[{t}] = {history}[{t}] * {beta} / np.dot({history}[{t}], {beta})",
                    )
                )
            self.scope.vectors.append(beta)
        self.scope.matrices.append(history)

    def idiom_viterbi(self) -> None:
        score, back, t, j, best, path = self.names(6)
        m, v = self.some_matrix(), self.vector()
        self.put(f"{score} = {v}.copy()\n{back} = np.zeros((4, 4), dtype=np.int64)")
        with self.block(f"for {t} in range(1, 4):"):
            self.line(f"{best} = np.empty(4)")
            with self.block(f"for {j} in range(4):"):
                self.put(f"{back}[{t}, {j}] = np.argmax({score} + {m}[:, {j}])")
                self.line(
                    f"{best}[{j}] = 0.5 * ({score}[{back}[{t}, {j}]] + "
                    f"{m}[{back}[{t}, {j}], {j}]) + {self.vector()}[{t}] * {j}"
                )
            self.line(self.pick(f"{score} = {best}", f"{score}[:] = {best}"))
        self.line(f"{path} = np.argmax({score})")
        total = self.fresh()
        self.line(f"{total} = {score}[{path}]")
        with self.block(f"for {t} in range(3, 0, -1):"):
            self.put(f"{path} = {back}[{t}, {path}]\n{total} += 0.3 * {v}[{path}]")
        self.assign_number(total)

    def idiom_recursive_filter(self) -> None:
        out, t, h = self.names(3)
        v = self.vector()
        self.line(f"{out} = {self.pick('np.empty(4)', f'np.zeros_like({v})', f'np.empty({v}.shape[0])')}")
        self.line(f"{out}[0] = {self.pick(f'{v}[0]', self.squash(self.number()))}")
        with self.block(f"for {t} in range(1, {self.pick('4', f'len({v})', f'{v}.size')}):"):
            self.scope.counters.append(t)
            self.line(f"{h} = {self.fraction()} * {out}[{t} - 1] + {self.fraction()} * {v}[{t} - 1] ** 2")
            if self.chance(0.5):
                self.put(
                    f"if {t} > 1:\n    {h} += 0.2 * {out}[{t} - 2]\nelse:\n    {h} += 0.1 * {self.atom()}"
                )
            if self.chance(0.4):
                self.put(
                    f"if {h} < -0.8:\n    {h} = -0.8\nelif {h} > 0.9:\n    {h} = 0.9 + math.log({h} / 0.9)"
                )
            self.line(f"{out}[{t}] = {h}")
        self.assign_number(f"np.sum({out} * {v})")
        self.assign_vector(f"np.tanh({out})")

    def idiom_welford(self) -> None:
        mean, m2, n, e, d = self.names(5)
        v = self.vector()
        self.put(f"{mean} = 0.0\n{m2} = 0.0\n{n} = 0")
        with self.block(f"for {e} in {v}:"):
            if self.chance(0.4):
                self.put(f"if {e} < -0.9:\n    continue")
            self.put(f"{n} += 1\n{d} = {e} - {mean}\n{mean} += {d} / {n}\n{m2} += {d} * ({e} - {mean})")
        self.assign_number(f"{mean} + math.sqrt(0.1 + {m2} / max({n}, 1))")

    def idiom_running_maximum(self) -> None:
        best, i, where, drop = self.names(4)
        v = self.vector()
        self.put(f"{best} = {self.pick('-1e9', '-np.inf', f'{v}[0]')}\n{drop} = 0.0\n{where} = 0")
        self.put(
            f"for {i} in range(4):\n    if {v}[{i}] > {best}:\n"
            f"        {best} = {v}[{i}]\n        {where} = {i}"
        )
        self.put(f"    {drop} = max({drop}, {best} - {v}[{i}])")
        self.assign_number(f"{best} + {drop} * {self.vector()}[{where}]")

    def idiom_selection(self) -> None:
        k, v = self.fresh(), self.vector()
        chosen = self.pick(
            f"np.argmin({v})", f"np.argmax(np.abs({v}))", f"int(np.argmax({v}))", f"np.argsort({v})[1]"
        )
        self.line(f"{k} = {chosen}")
        if self.chance(0.5):
            self.line(f"{self.writable()}[{k}] {self.pick('=', '+=')} {self.squash(self.number())}")
        self.assign_number(f"{self.vector()}[{k}] * {v}[{self.pick(k, f'{k} - 1', f'({k} + 1) % 4')}]")

    def idiom_insertion_sort(self) -> None:
        srt, i, j, key = self.names(4)
        self.line(f"{srt} = {self.vector()}.copy()")
        if self.chance(0.5):
            self.put(
                f"for {i} in range(1, 4):\n    {key} = {srt}[{i}]\n    "
                f"{j} = {i} - 1\n    while {j} >= 0 and {srt}[{j}] > {key}:\n"
                f"        {srt}[{j} + 1] = {srt}[{j}]\n        {j} -= 1\n    {srt}[{j} + 1] = {key}"
            )
        else:
            self.put(
                f"for {i} in range(3):\n    for {j} in range(3 - "
                f"{i}):\n        if {srt}[{j}] > {srt}[{j} + 1]:\n"
                f"            {srt}[{j}], {srt}[{j} + 1] = {srt}[{j} + 1], {srt}[{j}]"
            )
        self.scope.vectors.append(srt)

    def idiom_closure(self) -> None:
        f, c, z = self.names(3)
        self.line(f"{c} = {self.number()} * 1.0")
        v = self.fresh()
        self.line(f"{v} = {self.vector()} * {self.fraction()}")
        body = self.pick(
            f"math.sin({c} * {z})",
            f"{z} * {v}[1] + {c}",
            f"np.sum({v}) * {z}",
            f"{z} if {z} > {c} else {c} * {z}",
        )
        if self.chance(0.5):
            self.line(f"{f} = lambda {z}: {body}")
        else:
            self.put(f"def {f}({z}):\n    return {body}")
        i, acc = self.names(2)
        self.line(f"{acc} = {self.atom()} * 1.0")
        with self.block(f"for {i} in range({self.rng.randrange(1, 4)}):"):
            self.scope.counters.append(i)
            self.line(f"{acc} = {self.squash(f'{f}({acc}) + {self.number()}')}")
        self.assign_number(f"{acc} * {f}({self.atom()})")

    def idiom_function_passed_on(self) -> None:
        f, g, z, s, i, fn = self.names(6)
        self.define(
            f"def {f}({z}, {s}):\n    return "
            f"{self.pick(f'math.sin({z}) * {s}', f'{z} / (1.0 + {s} * {s})', f'{z} - 0.2 * {s} * {z} ** 3')}"
        )
        self.define(
            f"def {g}({fn}, {z}, {s}):\n    for {i} in range({self.rng.randrange(1, 4)}):\n"
            f"        {z} = {fn}({z}, {s})\n    return {z}"
        )
        self.assign_number(f"{g}({f}, {self.number()}, {self.number()})")

    def idiom_rows_of_a_matrix(self) -> None:
        row, m, total, k = self.fresh(), self.some_matrix(), self.fresh(), self.fresh()
        self.line(f"{total} = 0.0")
        with self.block(
            self.pick(f"for {row} in {m}:", f"for {k}, {row} in enumerate({m}):", f"for {row} in {m}.T:")
        ):
            if self.chance(0.3):
                self.line(
                    f"{row}[{self.rng.randrange(4)}] {self.pick('=', '+=')} {self.squash(self.number())}"
                )
            part = self.pick(
                f"0.2 * np.dot({row}, {self.vector()})", f"np.max({row})", f"{row}[0] * {row}[-1]"
            )
            self.line(f"{total} += {part}")
            if self.chance(0.3):
                self.put(f"if {total} > 1.5:\n    break")
        self.assign_number(total)

    def idiom_attention(self) -> None:
        q, w, _ = self.names(3)
        m = self.some_matrix()
        self.line(f"{q} = {m} @ {self.vector()}")
        self.line(f"{w} = np.exp({q} - {self.pick(f'np.max({q})', f'{q}.max()')})")
        self.line(self.pick(f"{w} /= np.sum({w})", f"{w} = {w} / {w}.sum()"))
        self.assign_vector(self.pick(f"{w} @ {m}", f"np.dot({m}.T, {w})", w))

    def idiom_pair_loop(self) -> None:
        i, j, energy, d = self.names(4)
        v, w = self.vector(), self.vector()
        self.line(f"{energy} = 0.0")
        with self.block(f"for {i} in range(4):"), self.block(f"for {j} in range({i} + 1, 4):"):
            self.line(f"{d} = math.sqrt(({v}[{i}] - {v}[{j}]) ** 2 + ({w}[{i}] - {w}[{j}]) ** 2 + 0.3)")
            if self.chance(0.5):
                self.put(f"if {d} > 1.5:\n    continue")
            self.line(f"{energy} += {self.pick(f'1.0 / {d}', f'{d} ** -3 - {d} ** -1.5', f'math.exp(-{d})')}")
            if self.chance(0.3):
                self.line(f"{self.writable()}[{i}] -= 0.05 * {d}")
        self.assign_number(energy)

    def idiom_comprehension(self) -> None:
        e, c = self.names(2)
        self.line(f"{c} = [{self.squash(f'{e} * {self.atom()}')} for {e} in {self.vector()}]")
        self.assign_number(self.pick(f"sum({c})", f"{c}[0] - {c}[-1]", f"np.sum(np.array({c}))"))

    def idiom_interpolation(self) -> None:
        k, at, v = self.fresh(), self.fresh(), self.vector()
        self.line(f"{at} = 3.0 * {self.positive()} / 2.6")
        whole = self.pick(
            f"min(int({at}), 2)", f"min(2, int(math.floor({at})))", f"min(int(np.floor({at})), 2)"
        )
        self.line(f"{k} = {whole}")
        self.assign_number(f"{v}[{k}] + ({at} - {k}) * ({v}[{k} + 1] - {v}[{k}])")

    def idiom_queue_in_a_list(self) -> None:
        q, i, top = self.names(3)
        self.line(f"{q} = [{self.atom()} * 1.0, {self.squash(self.number())}]")
        with self.block(f"for {i} in range({self.rng.randrange(2, 5)}):"):
            self.scope.counters.append(i)
            self.line(f"{top} = {q}.pop()")
            self.put(f"if {self.condition()}:\n    {q}.append({self.squash(f'{top} + {self.number()}')})")
            self.line(f"{q}.append({top} * {self.fraction()})")
        self.assign_number(self.pick(f"{q}[-1] + {q}[0]", f"sum({q})"))
