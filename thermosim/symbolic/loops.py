"""Laws that are loops: many components under one short expression, and steps over whole arrays.

An energy of a lattice or of a mixture in d dimensions is a loop around a few scalar operations; written
out, it would be thousands of lines. A step over such an energy is a `Program` in which a name may stand for
an array of d components, with three more operations:

    dot(a, b)             Σ_k a_k b_k                     arrays → a number
    energy(x, λ…)         U(x; λ)                         array → a number
    force(x, λ…)          −∇U                             array → array

`stages` cuts such a program into loops over components, as few as its sums and energies allow.
"""

from dataclasses import dataclass, field

from .printers import needed


@dataclass(frozen=True)
class Bonds:
    """Σ_i u(φ_i) + Σ_bonds v(φ_i − φ_j).

    Attributes
    ----------
    site, bond : (Program, [value, derivative])
        u(phi) and v(delta); a parameter λ is the uniform p_λ, which cannot clash with a kernel's own names.
    neighbours : (d, 2·axes) int array
        Of each site: its neighbour forwards along each axis, then backwards. A bond points forwards.
    """

    site: tuple
    bond: tuple
    neighbours: object

    @property
    def tables(self):
        """Arrays that go to the kernel with it."""
        return (self.neighbours,)


@dataclass(frozen=True)
class LogSum:
    """−θ ln Σ_k w_k N(x; μ_k, V_k diag(l_k + σ²) V_kᵀ), with the uniforms p_theta and p_sigma.

    Attributes
    ----------
    log_weights : (K,) array
    means, eigvals : (K, d) arrays
    vectors, transposed : (K, d, d) arrays
        V and Vᵀ; (K, 0, 0) where V is the unit matrix.
    """

    log_weights: object
    means: object
    eigvals: object
    vectors: object
    transposed: object

    @property
    def tables(self):
        """Arrays that go to the kernel with it."""
        return self.log_weights, self.means, self.eigvals, self.vectors, self.transposed


@dataclass
class Stage:
    """One loop over components, the energies of what it made, then one pass over single numbers.

    Attributes
    ----------
    arrays, numbers : list of program lines
    sums : list of (name, a, b)
        Σ_k a_k b_k, gathered in the loop.
    laws : dict of (x, *λ) to [energy or None, force or None]
    """

    arrays: list = field(default_factory=list)
    sums: list = field(default_factory=list)
    laws: dict = field(default_factory=dict)
    numbers: list = field(default_factory=list)


def stages(program, outputs, arrays):
    """Cut a program into uniform lines and `Stage`s.

    Parameters
    ----------
    program : Program
    outputs : list of str
    arrays : iterable of str
        Inputs that are arrays.

    Returns
    -------
    uniform : list of program lines
        The same for every particle.
    cut : list of Stage
    arrays : set of str
        All names that stand for arrays.
    """
    arrays, uniform, same = set(arrays), [], {*program.uniforms, *program.constants.values()}
    loop, after, cut = {}, {}, []     # first loop an array can be read in; last stage before a number is known

    def stage(k):
        while len(cut) <= k:
            cut.append(Stage())
        return cut[k]

    for line in needed(program, outputs):
        name, operation, args = line
        ready = max([loop.get(a, 0) if a in arrays else after.get(a, -1) + 1 for a in args if a not in same], default=0)
        if operation in ("energy", "force"):
            made = loop.get(args[0], 0)
            stage(made).laws.setdefault(args, [None, None])[operation == "force"] = name
            if operation == "force":
                arrays.add(name)
                loop[name] = made + 1
            else:
                after[name] = made
        elif operation == "dot":
            stage(ready).sums.append(line[:1] + args)
            after[name] = ready
        elif any(a in arrays for a in args):
            stage(ready).arrays.append(line)
            arrays.add(name)
            loop[name] = ready
        elif all(a in same for a in args):
            uniform.append(line)
            same.add(name)
        else:
            after[name] = max([after.get(a, 0) for a in args if a not in same] + [0])
            stage(after[name]).numbers.append(line)
    return uniform, cut, arrays
