"""Made data whose law is known, one a file: what a model learns from them has a truth to stand beside."""
