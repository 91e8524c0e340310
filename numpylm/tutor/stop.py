"""How the check of one function ends before its end."""


class Stop(Exception):
    """Ends the check of one function with a status and sentences; table and diagnosis may follow."""

    def __init__(self, status, *sentences, **more):
        super().__init__(*sentences)
        self.finding = {"status": status, "sentences": list(sentences)} | more
