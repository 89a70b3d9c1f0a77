"""A grammar of English-German phrases; scripts/assets/build_phrases.py makes the embedded corpus with it.

Both languages are made side by side from the same choices. Words that CLDR knows (dates, prices, units, countries,
languages, lists) come from there through Babel, the rest from the lexicon here.
"""
