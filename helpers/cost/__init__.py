"""What an answer costs, and how to pay less for the same quality.

A meter books tokens and money to customers, conversations, tools and intents. Budgets stop what
would cost too much. Caches answer what was answered before; a guard keeps them from serving an
answer to a question with the same words and another meaning. Tiers try the cheapest source of an
answer first (cache, extracted sentence, model, person) and hand up what they cannot answer. The
questions on which all this is measured are in `data/`.
"""
