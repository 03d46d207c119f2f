"""The one exception a user is meant to read: a sentence with the cause and the cure."""


class UserError(Exception):
    """Bad input or a missing companion.

    The message is one line that says what is wrong and how to mend it. Command lines print it
    as it stands and leave with exit code 2; no traceback, nothing half written.
    """
