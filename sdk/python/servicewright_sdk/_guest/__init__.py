"""The component's side of the contract: only there can these modules be imported, since what they
import is made by componentize-py. No author needs them, and nothing here is promised.
"""
