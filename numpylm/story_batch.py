"""What a model that answers questions reads: stories and questions as arrays of words, of unequal lengths.

    story (I, N, J) and question (N, J) integers, -1 is padding: I sentences, N stories, J words

Each story's own sentences come first, and so do a sentence's own words.
"""

from numpylm import require


def check_story(story, question, vocab_size):
    """story and question as arrays, or an error that says what does not fit."""
    story, question = (require.integer_array(name, q) for name, q in (("story", story), ("question", question)))
    if story.ndim != 3 or question.ndim != 2 or story.shape[1] != question.shape[0] or not story.size:
        raise ValueError(
            "story must be of shape (I, N, J) and question (N, J): sentences, stories, words; "
            f"got {story.shape} and {question.shape}"
        )
    for name, words in (("story", story), ("question", question)):
        real = require.in_range(name, words, -1, vocab_size) >= 0
        if (real[..., 1:] > real[..., :-1]).any():
            raise ValueError(f"{name} must have its padding, -1, after each sentence's words")
    exists = story[..., 0] >= 0  # (I, N)
    if not exists[0].all() or (exists[1:] > exists[:-1]).any() or (question[:, 0] < 0).any():
        raise ValueError("each story needs one sentence or more, its padding after them, and a question with a word")
    return story, question
