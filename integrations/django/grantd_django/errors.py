"""What can go wrong between Django and grantd."""


class GrantdError(Exception):
    """The server refused: a wrong key, a wrong question. Waiting does not help."""

    def __init__(self, status, detail):
        super().__init__(f"grantd answered {status}: {detail}")
        self.status, self.detail = status, detail


class GrantdUnavailable(Exception):
    """No answer in time, or none that makes sense."""
