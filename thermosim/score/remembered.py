"""A denoiser asked again of the very same array need not work twice."""


class Remembered:
    """`answer(x, sigma)` with its last two answers kept; `x` is
    known by being the same array, which nobody may have altered.

    Parameters
    ----------
    answer : callable (x, sigma) → anything
    """

    def __init__(self, answer):
        self.answer, self.kept = answer, []

    def __call__(self, x, sigma):
        """answer(x, sigma)."""
        for known_x, known_sigma, said in self.kept:
            if known_x is x and known_sigma == sigma:
                return said
        said = self.answer(x, sigma)
        self.kept = [(x, sigma, said)] + self.kept[:1]
        return said
