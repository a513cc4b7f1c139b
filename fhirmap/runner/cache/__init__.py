"""What can be made again, kept for the next command in a folder of the user's own.

`private_folder` is the folder: files that only this user can have written, and that are whole. `map_cache` keeps there
what was found of a project's maps, as long as their inputs are the same (`map_inputs`); `template_cache` the templates
of reports. Invariants: no command needs what is kept, and one that finds it missing, damaged or another user's goes on
without a word; no record and no secret is kept. Absent on purpose: any knowledge of what the parts mean.
"""
