"""Speech without a download: a formant synthesiser speaks the sentences of a small grammar. It sounds synthetic."""
