"""A drill: throw-away instances under blows on the operator's own MongoDB, and what it did to the promises.

`course` deals the blows, `promises` reads what they left behind, `findings` says which promise held.
"""
