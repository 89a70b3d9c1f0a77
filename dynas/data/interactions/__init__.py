"""Who chose what: tables of it, pairs, and items that nobody chose."""
