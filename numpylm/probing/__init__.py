"""What a trained language model has learned, tested where the grammar knows the answer.

sentences.py draws sentences of the built-in grammar and labels each word; reading.py reads them step by step, and may
change a unit between two steps; measures.py has the area under the ROC curve and the linear probe. With these, units.py
measures how well units tell a property, ablation.py what becomes of the verb when units are changed, and attribution.py
which words a verb's logits depend on. pictures.py draws the results.
"""
