"""The rules of the front end, one small class each, by what they are about."""
