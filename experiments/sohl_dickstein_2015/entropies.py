"""Entropies of the reverse steps, as a table of the file."""


def step_table(bounds, ledger, place, about):
    """Entropies of every step of a chain, nats: what fences H(X_{n−1}|X_n), and the model's −⟨ln p(x_{n−1}|x_n)⟩."""
    from thermosim.files.schema import ledger_group

    # −ln p = W_n − ln q(x_n|x_{n−1}), whose mean is ⟨W_n⟩ + H(X_n|X_{n−1})
    cross, error = ledger["noising_work"] + bounds.upper, ledger.standard_error("noising_work")
    columns = {"place": (place, about), "lower": (bounds.lower, "H(X_n|X_{n-1}) + H(X_{n-1}|X_0) − H(X_n|X_0)"),
               "upper": (bounds.upper, "H(X_n|X_{n-1})"), "cross": (cross, "−⟨ln p(x_{n-1}|x_n)⟩ of the model"),
               "cross_error": (error, "standard error of cross")}
    return ledger_group({name: (values, {"units": "1" if name == "place" else "nat", "sign": "-", "definition": words})
                         for name, (values, words) in columns.items()}, "noising_step")
