"""Calls of every function on arrays that is known, by canonical name: what the proofs go through."""

# expressions of the arguments below; (expression, n) where the result is a tuple of n
CASES: dict[str, list[str | tuple[str, int]]] = {
    "T": [
        "m.T",
        "c.T",
        "m.transpose()",
    ],
    "astype": [
        "m.astype(np.float64)",
    ],
    "cmath.acos": [
        "abs(cmath.acos(1j * s + t))",
    ],
    "cmath.acosh": [
        "abs(cmath.acosh(1j * s + t))",
    ],
    "cmath.asin": [
        "abs(cmath.asin(1j * s + t))",
    ],
    "cmath.asinh": [
        "abs(cmath.asinh(1j * s + t))",
    ],
    "cmath.atan": [
        "abs(cmath.atan(1j * s + t))",
    ],
    "cmath.atanh": [
        "abs(cmath.atanh(1j * s + t))",
    ],
    "cmath.cos": [
        "abs(cmath.cos(1j * s + t))",
    ],
    "cmath.cosh": [
        "abs(cmath.cosh(1j * s + t))",
    ],
    "cmath.exp": [
        "abs(cmath.exp(1j * s + t))",
    ],
    "cmath.log": [
        "abs(cmath.log(1j * s + t, 2.5))",
    ],
    "cmath.log10": [
        "abs(cmath.log10(1j * s + t))",
    ],
    "cmath.phase": [
        "cmath.phase(1j * s + t)",
    ],
    "cmath.polar": [
        ("cmath.polar(1j * s + t)", 2),
    ],
    "cmath.rect": [
        "abs(cmath.rect(s, t) + t)",
    ],
    "cmath.sin": [
        "abs(cmath.sin(1j * s + t))",
    ],
    "cmath.sinh": [
        "abs(cmath.sinh(1j * s + t))",
    ],
    "cmath.sqrt": [
        "abs(cmath.sqrt(1j * s + t))",
    ],
    "cmath.tan": [
        "abs(cmath.tan(1j * s + t))",
    ],
    "cmath.tanh": [
        "abs(cmath.tanh(1j * s + t))",
    ],
    "copy": [
        "m.copy()",
        "np.copy(v)",
    ],
    "flatten": [
        "m.flatten()",
    ],
    "getitem": [
        "v[1:4]",
        "m[:, 1]",
        "m[1]",
        "c[1, :, 2]",
        "v[::-1]",
        "m[::2, 1:]",
        "v[k]",
        "m[k]",
        "v[b]",
        "m[1, 2]",
        "v[np.argsort(w)]",
        "c[..., 1]",
        "v[:, None] * w[None, :]",
    ],
    "matmul": [
        "c @ e",
        "c @ n",
        "m @ e",
    ],
    "ravel": [
        "m.ravel()",
        "np.ravel(c)",
    ],
    "reshape": [
        "m.reshape(2, 6)",
        "np.reshape(m, (4, 3))",
        "c.reshape(-1)",
        "m.reshape((2, 2, 3))",
    ],
    "linalg.expm": [
        "scipy.linalg.expm(q)",
    ],
    "linalg.logm": [
        "scipy.linalg.logm(q @ q.T + np.eye(3))",
    ],
    "linalg.sqrtm": [
        "scipy.linalg.sqrtm(q @ q.T + np.eye(3))",
    ],
    "np.all": [
        "v * np.all(m > -9, axis=1)[0]",
    ],
    "np.any": [
        "v * np.any(m > 0, axis=0)[0]",
    ],
    "math.hypot": [
        "math.hypot(s, t, s * t)",
    ],
    "np.angle": [
        "np.angle(s + 2j * t, True)",
    ],
    "np.append": [
        "np.append(v, w)",
        "np.append(v, s)",
        "np.append(s, v)",
        "np.append(s, t)",
        "np.append(m, m * 2.0, axis=0)",
    ],
    "np.argsort": [
        "np.sort(m)[np.argsort(m, axis=0)[0, 0]]",
    ],
    "np.array": [
        "np.array([s, t, s * t])",
        "np.array([v[0], w[1]])",
    ],
    "np.array_split": [
        ("np.array_split(v, 2)", 2),
    ],
    "np.asarray": [
        "np.asarray(m)",
        "np.asanyarray(m)",
    ],
    "np.ascontiguousarray": [
        "np.ascontiguousarray(m.T)",
    ],
    "np.asfortranarray": [
        "np.asfortranarray(m)",
    ],
    "np.atleast_1d": [
        "np.atleast_1d(s)",
    ],
    "np.atleast_2d": [
        "np.atleast_2d(v)",
        "np.atleast_2d(m)",
    ],
    "np.atleast_3d": [
        "np.atleast_3d(m)",
    ],
    "np.average": [
        "np.average(v)",
        "np.average(v, weights=w*w+1)",
        "np.average(m, axis=0)",
        "np.average(m, axis=1, weights=v[:4]**2+1)",
        "np.average(m, weights=m*m+1)",
    ],
    "np.bincount": [
        "np.bincount(i, weights=v)",
        "np.bincount(i, v, minlength=6)",
    ],
    "np.histogram": [
        "np.histogram(v, 3, weights=v)[0]",
        "np.histogram(v, bins=2, range=(-1.0, 1.0), weights=v * v)[0]",
        "np.histogram(v, np.array([-2.0, 0.0, 0.5, 2.0]), density=True, weights=v + 3.0)[0]",
        "np.histogram(v, 3)[1]",
    ],
    "np.broadcast_to": [
        "np.broadcast_to(u, (2, 3))",
        "np.broadcast_to(s, (2, 3))",
    ],
    "np.clip": [
        "np.clip(v, -0.5, 0.5)",
        "np.clip(v, s - 1.0, None)",
    ],
    "np.column_stack": [
        "np.column_stack((v, w))",
    ],
    "np.compress": [
        "np.compress(b, v)",
    ],
    "np.concatenate": [
        "np.concatenate((v, w))",
        "np.concatenate((m, m), axis=1)",
    ],
    "np.convolve": [
        "np.convolve(v, u)",
        'np.convolve(v, u, mode="same")',
        'np.convolve(v, u, "valid")',
        'np.convolve(u, v, "same")',
        'np.convolve(v, w[:4], "same")',
    ],
    "np.corrcoef": [
        "np.corrcoef(m)",
        "np.corrcoef(v, w)",
    ],
    "np.correlate": [
        "np.correlate(v, u)",
        'np.correlate(v, u, mode="full")',
        'np.correlate(v, u, "same")',
        'np.correlate(u, v, "same")',
        'np.correlate(v, v[:4], "same")',
        'np.correlate(v[:4], v, "same")',
    ],
    "np.cov": [
        "np.cov(m)",
        "np.cov(v)",
        "np.cov(v, w)",
        "np.cov(m, rowvar=False)",
        "np.cov(m, bias=True)",
        "np.cov(m, ddof=0)",
    ],
    "np.cross": [
        "np.cross(u, q[0])",
        "np.cross(q, r)",
        "np.cross(q, u)",
        "np.cross([0, 0, 1], u)",
    ],
    "np.cumprod": [
        "np.cumprod(v)",
        "np.cumprod(m)",
        "np.cumprod(m, axis=1)",
        "np.cumprod(c, axis=-2)",
    ],
    "np.cumsum": [
        "np.cumsum(v)",
        "np.cumsum(m)",
        "np.cumsum(m, axis=0)",
        "np.cumsum(c, axis=1)",
        "np.cumsum(v, axis=0)",
        "v.cumsum()",
    ],
    "np.delete": [
        "np.delete(v, 2)",
        "np.delete(v, -1)",
    ],
    "np.asarray_chkfinite": ["np.asarray_chkfinite(m)"],
    "np.diag": [
        "np.diag(u)",
        "np.diag(m)",
        "np.diag(n)",
        "np.diag(u, 1)",
        "np.diag(m, 1)",
        "np.diag(m, -1)",
    ],
    "np.diagflat": [
        "np.diagflat(u)",
    ],
    "np.diagonal": [
        "np.diagonal(m, 1)",
    ],
    "np.diff": [
        "np.diff(v)",
        "np.diff(v, 2)",
        "np.diff(v, n=3)",
        "np.diff(m)",
        "np.diff(m, axis=0)",
        "np.diff(c, axis=1)",
        "np.diff(c, 2)",
    ],
    "np.divmod": [
        ("divmod(t, s)", 2),
        ("np.divmod(v, 0.3)", 2),
    ],
    "np.dot": [
        "np.dot(s, v)",
        "np.dot(u, [1, 2, s])",
        "np.dot(c, n)",
        "np.dot(m, n)",
        "np.dot(v, w)",
    ],
    "np.dsplit": [
        ("np.dsplit(c, 2)", 2),
    ],
    "np.dstack": [
        "np.dstack((m, m * m))",
        "np.dstack((v, w))",
    ],
    "np.ediff1d": [
        "np.ediff1d(v)",
        "np.ediff1d(m, to_end=s)",
        "np.ediff1d(v, to_begin=w)",
    ],
    "np.einsum": [
        'np.einsum("ij,jk->ik", m, n)',
        'np.einsum("ij,jk", m, n)',
        'np.einsum("ij,kj->ki", m, m)',
        'np.einsum("ii", q)',
        'np.einsum("ii->i", q)',
        'np.einsum("ij->ji", m)',
        'np.einsum("ij->j", m)',
        'np.einsum("ij->", m)',
        'np.einsum("ij,ij->i", m, m * 2.0)',
        'np.einsum("i,j->ij", u, v)',
        'np.einsum("i,i", v, w)',
        'np.einsum("bij,bjk->bik", c, e)',
        'np.einsum("i,ij,j->", u, q, u)',
        'np.einsum("bij,bij->b", c, f)',
    ],
    "np.expand_dims": [
        "np.expand_dims(m, 1)",
        "np.expand_dims(s, 0)",
    ],
    "np.extract": [
        "np.extract(m > 0, m)",
    ],
    "np.flatnonzero": [
        "v[np.flatnonzero(w)]",
    ],
    "np.flip": [
        "np.flip(v)",
        "np.flip(m)",
        "np.flip(m, 0)",
        "np.flip(c, axis=1)",
        "np.flip(c, -1)",
        "np.flip(m, axis=1)",
    ],
    "np.fliplr": [
        "np.fliplr(m)",
    ],
    "np.flipud": [
        "np.flipud(m)",
    ],
    "np.full": [
        "np.full(3, s)",
        "np.full((2, 3), s)",
    ],
    "np.full_like": [
        "np.full_like(v, s)",
    ],
    "np.geomspace": [
        "np.geomspace(s, t, 4)",
    ],
    "np.hsplit": [
        ("np.hsplit(m, 2)", 2),
    ],
    "np.hstack": [
        "np.hstack((v, w))",
        "np.hstack((m, m * m))",
    ],
    "np.inner": [
        "np.inner(v, w)",
        "np.inner(m, m * 2.0)",
    ],
    "np.interp": [
        "np.interp(s, xp, fp)",
        "np.interp(x, xp, fp)",
        "np.interp(x, xp, fp, left=s, right=t)",
        "np.interp(m, xp, fp)",
    ],
    "np.kron": [
        "np.kron(m, q)",
        "np.kron(u, v)",
    ],
    "np.linspace": [
        "np.linspace(s, t, 5)",
        "np.linspace(s, t, 5, endpoint=False)",
        "np.linspace(s, t, num=7)",
        "np.linspace(s, t, 4, dtype=np.float64)",
        "np.linspace(s, t, 4, retstep=True)[1]",
    ],
    "np.logspace": [
        "np.logspace(s, t, 4)",
    ],
    "np.matmul": [
        "np.matmul(c, e)",
    ],
    "np.max": [
        "np.max(m)",
        "v.max()",
        "np.max(c, axis=1)",
        "np.max(c, axis=-1, keepdims=True)",
        "np.max(m, axis=0)",
        "np.max(m, 1)",
        "np.max(v, axis=0)",
        "np.max(m, keepdims=True)",
        "m.max(axis=1)",
        "np.max(c, axis=(0, 2))",
        "np.max(c, axis=(0, -1), keepdims=True)",
    ],
    "np.mean": [
        "np.mean(v)",
        "np.mean(c)",
        "m.mean()",
        "np.mean(c, axis=1)",
        "np.mean(c, axis=-1, keepdims=True)",
        "np.mean(m, axis=0)",
        "np.mean(m, 1)",
        "np.mean(v, axis=0)",
        "np.mean(m, keepdims=True)",
        "m.mean(axis=1)",
        "np.mean(c, axis=(0, 2))",
        "np.mean(c, axis=(0, -1), keepdims=True)",
    ],
    "np.median": [
        "np.median(v)",
        "np.median(v[:4])",
        "np.median(m)",
        "np.median(m, axis=0)",
    ],
    "np.meshgrid": [
        ("np.meshgrid(u, v)", 2),
        ('np.meshgrid(u, v, indexing="ij")', 2),
    ],
    "np.min": [
        "np.min(m)",
        "v.min()",
        "np.min(c, axis=1)",
        "np.min(c, axis=-1, keepdims=True)",
        "np.min(m, axis=0)",
        "np.min(m, 1)",
        "np.min(v, axis=0)",
        "np.min(m, keepdims=True)",
        "m.min(axis=1)",
        "np.min(c, axis=(0, 2))",
        "np.min(c, axis=(0, -1), keepdims=True)",
    ],
    "np.modf": [
        ("np.modf(v)", 1),
        ("np.modf(s)", 1),
    ],
    "np.moveaxis": [
        "np.moveaxis(c, 0, 2)",
        "np.moveaxis(c, -1, 0)",
    ],
    "np.nancumprod": [
        "np.nancumprod(h+s)",
    ],
    "np.nancumsum": [
        "np.nancumsum(h+s)",
    ],
    "np.nanmax": [
        "np.nanmax(m, axis=0)",
        "np.nanmax(h+s)",
    ],
    "np.nanmean": [
        "np.nanmean(h+s)",
        "np.nanmean(m, axis=0)",
    ],
    "np.nanmedian": [
        "np.nanmedian(h+s)",
    ],
    "np.nanmin": [
        "np.nanmin(m, axis=1)",
        "np.nanmin(h+s)",
    ],
    "np.nanpercentile": [
        "np.nanpercentile(h+s, 30.0)",
    ],
    "np.nanprod": [
        "np.nanprod(m, axis=0)",
        "np.nanprod(h+s)",
    ],
    "np.nanquantile": [
        "np.nanquantile(h+s, 0.2)",
    ],
    "np.nanstd": [
        "np.nanstd(m, axis=0)",
        "np.nanstd(h+s)",
    ],
    "np.nansum": [
        "np.nansum(v)",
        "np.nansum(h+s)",
        "np.nansum(m, axis=1)",
    ],
    "np.nanvar": [
        "np.nanvar(h+s)",
        "np.nanvar(m, axis=1, ddof=1)",
    ],
    "np.outer": [
        "np.outer(u, v)",
        "np.outer(m, v)",
        "np.outer(s, v)",
    ],
    "np.pad": [
        "np.pad(v, 2)",
        'np.pad(v, (1, 2), mode="edge")',
        'np.pad(v, (1, 2), "reflect")',
        "np.pad(m, 1)",
        'np.pad(m, ((1, 0), (2, 1)), mode="wrap")',
        'np.pad(v, 2, mode="constant", constant_values=s)',
        'np.pad(v, (3, 2), mode="symmetric")',
    ],
    "np.partition": [
        "np.sum(np.partition(v, 2)) * v",
    ],
    "np.percentile": [
        "np.percentile(v, 30.0)",
        "np.percentile(v, 100.0)",
        "np.percentile(v, 10*t)",
    ],
    "np.prod": [
        "np.prod(m)",
        "np.prod(c, axis=1)",
        "np.prod(c, axis=-1, keepdims=True)",
        "np.prod(m, axis=0)",
        "np.prod(m, 1)",
        "np.prod(v, axis=0)",
        "np.prod(m, keepdims=True)",
        "m.prod(axis=1)",
        "np.prod(c, axis=(0, 2))",
        "np.prod(c, axis=(0, -1), keepdims=True)",
        "np.prod(v)",
    ],
    "np.ptp": [
        "np.ptp(c, axis=1)",
        "np.ptp(c, axis=-1, keepdims=True)",
        "np.ptp(m, axis=0)",
        "np.ptp(m, 1)",
        "np.ptp(v, axis=0)",
        "np.ptp(m, keepdims=True)",
        "np.ptp(v)",
    ],
    "np.quantile": [
        "np.quantile(m, 0.3)",
        "np.quantile(v, np.array([0.1, 0.5]))",
        "np.quantile(m, 0.3, axis=1)",
    ],
    "np.repeat": [
        "np.repeat(v, 2)",
        "np.repeat(m, 2)",
        "np.repeat(m, 2, axis=0)",
        "np.repeat(m, 3, axis=1)",
        "np.repeat(u, k)",
    ],
    "np.roll": [
        "np.roll(v, 2)",
        "np.roll(m, 1)",
        "np.roll(c, 1, axis=1)",
        "np.roll(m, -1, axis=0)",
    ],
    "np.rollaxis": [
        "np.rollaxis(c, 2)",
        "np.rollaxis(c, -1, 1)",
        "np.rollaxis(c, 0, 3)",
    ],
    "np.rot90": [
        "np.rot90(m)",
        "np.rot90(m, 2)",
        "np.rot90(m, k=3)",
        "np.rot90(m, 0)",
        "np.rot90(c)",
        "np.rot90(c, 3)",
    ],
    "np.select": [
        "np.select([v > 0.5, v > 0], [v * 2.0, v * v], 1.0)",
        "np.select([v > 0.5, v > 0], [v * 2.0, v * v])",
    ],
    "np.sort": [
        "np.sort(m)",
        "np.sort(m, axis=0)",
        "np.sort(v)",
        'np.sort(v, kind="stable")',
    ],
    "np.split": [
        ("np.split(m, 2, axis=1)", 2),
        ("np.split(m, [1, 3], axis=1)", 3),
    ],
    "np.squeeze": [
        "np.squeeze(m[:, :1], axis=1)",
    ],
    "np.stack": [
        "np.stack((m, m * 2.0))",
        "np.stack((v, w), axis=-1)",
        "np.stack((v, w), axis=1)",
    ],
    "np.std": [
        "np.std(m)",
        "np.std(c, axis=1)",
        "np.std(c, axis=-1, keepdims=True)",
        "np.std(m, axis=0)",
        "np.std(m, 1)",
        "np.std(v, axis=0)",
        "np.std(m, keepdims=True)",
        "m.std(axis=1)",
        "np.std(c, axis=(0, 2))",
        "np.std(c, axis=(0, -1), keepdims=True)",
        "np.std(m, axis=0, ddof=1)",
        "np.std(v)",
    ],
    "np.sum": [
        "np.sum(v)",
        "np.sum(m)",
        "np.sum(c)",
        "np.sum(c, axis=2)",
        "np.sum(c, 0)",
        "m.sum()",
        "np.sum(f4, axis=3)",
        "np.sum(f4, axis=(1, 2))",
        "np.sum(c, axis=1)",
        "np.sum(c, axis=-1, keepdims=True)",
        "np.sum(m, axis=0)",
        "np.sum(m, 1)",
        "np.sum(v, axis=0)",
        "np.sum(m, keepdims=True)",
        "m.sum(axis=1)",
        "np.sum(c, axis=(0, 2))",
        "np.sum(c, axis=(0, -1), keepdims=True)",
    ],
    "np.swapaxes": [
        "np.swapaxes(c, 0, 1)",
        "np.swapaxes(m, 0, 1)",
    ],
    "np.take": [
        "np.take(v, k)",
        "np.take(m, k, axis=0)",
        "np.take(m, k, axis=1)",
        "np.take(m, 1, axis=1)",
        "np.take(v, 2)",
        "m.take(k)",
    ],
    "np.take_along_axis": [
        "np.take_along_axis(m, np.argsort(m), axis=1)",
    ],
    "np.tensordot": [
        "np.tensordot(m, n, axes=1)",
        "np.tensordot(c, e, axes=([1], [2]))",
        "np.tensordot(c, c, axes=([0, 1], [0, 1]))",
        "np.tensordot(c, f, 3)",
        "np.tensordot(m, m, axes=((0, 1), (0, 1)))",
        "np.tensordot(u, v, axes=0)",
    ],
    "np.tile": [
        "np.tile(v, 3)",
        "np.tile(m, (2, 3))",
        "np.tile(v, (2, 1))",
        "np.tile(m, 2)",
    ],
    "np.trace": [
        "np.trace(m, 1)",
        "np.trace(q, offset=-1)",
        "np.trace(q)",
    ],
    "np.transpose": [
        "np.transpose(m)",
        "np.transpose(c, (1, 0, 2))",
        "c.transpose(2, 0, 1)",
        "c.transpose((0, 2, 1))",
        "np.transpose(c)",
        "np.transpose(c, axes=(0, 2, 1))",
    ],
    "np.trapezoid": [
        "np.trapezoid(v)",
        "np.trapezoid(v, w)",
        "np.trapezoid(v, dx=s)",
        "np.trapezoid(m)",
        "np.trapezoid(m, axis=0)",
        "np.trapezoid(m, u, axis=0)",
        "np.trapezoid(m, v[:4])",
        "np.trapezoid(m, m*m)",
    ],
    "np.tril": [
        "np.tril(m)",
        "np.tril(m, 1)",
        "np.tril(m, -1)",
    ],
    "np.triu": [
        "np.triu(m)",
        "np.triu(m, 1)",
        "np.triu(q, k=-1)",
    ],
    "np.unwrap": [
        "np.unwrap(z)",
    ],
    "np.vander": [
        "np.vander(u)",
        "np.vander(u, 4)",
        "np.vander(v, 3, increasing=True)",
    ],
    "np.var": [
        "np.var(v)",
        "m.var()",
        "np.var(c, axis=1)",
        "np.var(c, axis=-1, keepdims=True)",
        "np.var(m, axis=0)",
        "np.var(m, 1)",
        "np.var(v, axis=0)",
        "np.var(m, keepdims=True)",
        "m.var(axis=1)",
        "np.var(c, axis=(0, 2))",
        "np.var(c, axis=(0, -1), keepdims=True)",
        "np.var(m, ddof=1)",
        "np.var(c, axis=(0,1), ddof=1)",
    ],
    "np.vdot": [
        "np.vdot(v, w)",
        "np.vdot(m, m * m)",
    ],
    "np.vsplit": [
        ("np.vsplit(m, 3)", 3),
    ],
    "np.vstack": [
        "np.vstack((v, w))",
        "np.vstack((m, m))",
    ],
    "np.where": [
        "np.where(m > 0, m, m * m)",
        "np.where(v > 0, s, w)",
    ],
    "special.log_softmax": [
        "special.log_softmax(m, axis=0)",
        "special.log_softmax(v)",
    ],
    "special.logsumexp": [
        "special.logsumexp(v)",
        "special.logsumexp(m, axis=0)",
        "special.logsumexp(m, axis=1, keepdims=True)",
        "special.logsumexp(m, b=m*m)",
    ],
    "special.polygamma": [
        "special.polygamma(0, s)",
        "special.polygamma(1, s)",
        "special.polygamma(2, v*v+1)",
    ],
    "special.softmax": [
        "special.softmax(v)",
        "special.softmax(m, axis=1)",
    ],
    "np.linalg.cholesky": [
        "np.linalg.cholesky(p)",
    ],
    "np.linalg.cond": [
        "np.linalg.cond(q)",
        "np.linalg.cond(q, 1)",
    ],
    "np.linalg.det": [
        "np.linalg.det(q)",
    ],
    "np.linalg.eigh": [
        ("np.linalg.eigh(p)", 1),
        "np.linalg.eigh(p)[1]",
        "np.linalg.eigh(p + q @ q.T)[1]",
    ],
    "np.linalg.eigvalsh": [
        "np.linalg.eigvalsh(p)",
    ],
    "np.linalg.inv": [
        "np.linalg.inv(q)",
        "np.linalg.inv(p)",
    ],
    "np.linalg.lstsq": [
        ("np.linalg.lstsq(n, l)", 2),
        ("np.linalg.lstsq(n, y)", 2),
    ],
    "np.linalg.matrix_power": [
        "np.linalg.matrix_power(q, 3)",
        "np.linalg.matrix_power(q, -2)",
        "np.linalg.matrix_power(q, 0) * q",
    ],
    "np.linalg.multi_dot": [
        "np.linalg.multi_dot((m, n, m))",
    ],
    "np.linalg.norm": [
        "np.linalg.norm(v)",
        "np.linalg.norm(v, 1)",
        "np.linalg.norm(v, np.inf)",
        "np.linalg.norm(v, 3)",
        "np.linalg.norm(m)",
        "np.linalg.norm(m, axis=0)",
        "np.linalg.norm(m, axis=1, keepdims=True)",
        'np.linalg.norm(m, ord="fro")',
        "np.linalg.norm(m, 1)",
        "np.linalg.norm(m, np.inf)",
        "np.linalg.norm(c, axis=2)",
        "np.linalg.norm(c, axis=(1, 2))",
        "np.linalg.norm(v, ord=-np.inf)",
        "np.linalg.norm(q, 2)",
        "np.linalg.norm(m, -2)",
        'np.linalg.norm(m, "nuc")',
        "np.linalg.norm(u)",
    ],
    "np.linalg.pinv": [
        "np.linalg.pinv(m)",
        "np.linalg.pinv(n)",
        "np.linalg.pinv(q)",
    ],
    "np.linalg.qr": [
        ("np.linalg.qr(q)", 2),
        ("np.linalg.qr(n)", 2),
    ],
    "np.linalg.slogdet": [
        "np.linalg.slogdet(q)[1]",
    ],
    "np.linalg.solve": [
        "np.linalg.solve(q, u)",
        "np.linalg.solve(q, r)",
        "np.linalg.solve(np.linalg.cholesky(p), u)",
        "np.linalg.solve(np.linalg.cholesky(p).T, p)",
        "np.linalg.solve(np.tril(p), p[:, :2])",
        "np.linalg.solve(np.triu(p).T, p)",
        "np.linalg.solve(np.triu(p).copy(), p[::-1])",
    ],
    "np.linalg.svd": [
        "np.linalg.svd(q)[1]",
        "np.linalg.svd(m)[1]",
        "np.linalg.svd(n)[1]",
        ("np.linalg.svd(q)", 3),
        ("np.linalg.svd(m, full_matrices=False)", 3),
        ("np.linalg.svd(n, full_matrices=False)", 3),
    ],
    "np.random.normal": ["np.random.normal(s, t)", "np.random.normal(s, t, 4)", "u * np.random.normal(s, t)"],
    "np.random.uniform": ["np.random.uniform(s, t)", "np.random.uniform(s, t, size=4)"],
    "np.random.exponential": ["np.random.exponential(s)", "np.random.exponential(s, 4)"],
    "np.random.lognormal": ["np.random.lognormal(s, t)", "np.random.lognormal(s, t, 4)"],
    "np.nan_to_num": [
        "np.nan_to_num(h + s)",
        "np.nan_to_num(h * s, nan=t)",
        "np.nan_to_num(h / (v[0] * 0.0) * s, nan=t, posinf=s, neginf=-t)",
    ],
    "np.gradient": [
        "np.gradient(v)",
        "np.gradient(v, s)",
        "np.gradient(xp * t, xp)",
        ("np.gradient(m, s, t)", 2),
        "np.gradient(m, s, axis=1)",
        "np.gradient(m, axis=0)",
    ],
    "np.polyval": [
        "np.polyval(u, s)",
        "np.polyval(u, v)",
    ],
    "np.polyder": [
        "np.polyder(v)",
    ],
    "np.fix": [
        "np.fix(v * 3.0) * v",
    ],
    "np.heaviside": [
        "np.heaviside(v, s) * v",
        "np.heaviside(b * 1.0, s)",
    ],
    "np.add.outer": [
        "np.add.outer(u, v)",
    ],
    "np.subtract.outer": [
        "np.subtract.outer(u, v)",
        "np.subtract.outer(m, u)",
        "np.subtract.outer(u, m)",
    ],
    "np.multiply.outer": [
        "np.multiply.outer(u, v)",
        "np.multiply.outer(m, s)",
    ],
    "np.divide.outer": [
        "np.divide.outer(u, l)",
    ],
    "np.power.outer": [
        "np.power.outer(u * u, v)",
    ],
    "np.maximum.outer": [
        "np.maximum.outer(u, v)",
    ],
    "np.minimum.outer": [
        "np.minimum.outer(u, v)",
    ],
    "np.hypot.outer": [
        "np.hypot.outer(u, v)",
    ],
    "np.arctan2.outer": [
        "np.arctan2.outer(u, v)",
    ],
    "np.add.reduce": [
        "np.add.reduce(m)",
        "np.add.reduce(m, axis=1)",
    ],
    "np.multiply.reduce": [
        "np.multiply.reduce(m)",
    ],
    "np.maximum.reduce": [
        "np.maximum.reduce(m)",
        "np.maximum.reduce(v)",
    ],
    "np.minimum.reduce": [
        "np.minimum.reduce(m, axis=1)",
    ],
    "np.add.reduceat": [
        "np.add.reduceat(v, np.array([0, 2, 2, 4]))",
    ],
    "np.add.accumulate": [
        "np.add.accumulate(m)",
    ],
    "np.multiply.accumulate": [
        "np.multiply.accumulate(m, axis=1)",
    ],
    "np.maximum.accumulate": [
        "np.maximum.accumulate(v)",
        "np.maximum.accumulate(m, axis=1)",
    ],
    "np.minimum.accumulate": [
        "np.minimum.accumulate(m)",
    ],
}
