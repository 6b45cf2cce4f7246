"""What can go wrong between Django and grantd."""


class GrantdError(Exception):
    """The server refused: a wrong key, a wrong question. Waiting does not help."""

    def __init__(self, status, code, detail):
        super().__init__(f"grantd answered {status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail

    @property
    def is_of_user(self) -> bool:
        """Whether it says that there is no such user, and not that the address or the realm is wrong."""
        return self.code == "not_found" and self.detail.startswith("there is no user ")


class GrantdUnavailable(Exception):
    """No answer in time, or none that makes sense."""
