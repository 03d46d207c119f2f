"""The vocabulary of `Builder` where the coordinates are one array: lattices, and mixtures in any dimension."""

from dataclasses import dataclass

from ..errors import UserError
from .step import Builder, Step


@dataclass
class ArrayStep(Step):
    """A step whose state slots are arrays of `dimension` components, under an energy that is a loop.

    Names of noise stand for one number per component; numbers belong to a component of their own.

    Attributes
    ----------
    loop : Bonds or LogSum
        The law behind the operations "energy" and "force", which take its uniforms in the order `uniforms`.
    """

    loop: object = None
    uniforms: tuple = ()
    dimension: int = 0


class ArrayBuilder(Builder):
    """The same vocabulary where x is one array: a scheme writes its line once for all components."""

    def __init__(self, dynamics, driven, books):
        super().__init__(dynamics, driven, books)
        potential = dynamics.potential
        self.step = ArrayStep(**vars(self.step), loop=potential.loop,
                              uniforms=tuple(f"p_{name}" for name in potential.parameters),
                              dimension=self.d)
        begin, share = self.step.begin, self.step.begin.constant(1/self.d)
        for slot, weight in (("field", begin.constant(1)), ("field_square", "x0")):
            self.step.begun[slot] = begin.op("mul", begin.op("dot", "x0", weight), share)

    def _axes(self):
        return range(1)

    def dot(self, a, b, program=None):
        return (program or self.program).op("dot", a[0], b[0])

    def _law(self, program, x, parameters):
        if self.dynamics.force is not None:
            raise UserError("lattices and mixtures take no extra force yet: leave `force` out")
        values = [parameters[name] for name in self.dynamics.potential.parameters]
        return program.op("energy", x[0], *values), [program.op("force", x[0], *values)], None
