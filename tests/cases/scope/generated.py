"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 3856c6f079f0baeafc2c15dafa0607d8321987179db242cc779f7dd6d18b3d21
"""

from fhirmap.runtime.cell_text import ODD_STARTS, is_odd, mended
from fhirmap.runtime.context import RecordRun, check_failed
from fhirmap.runtime.reading import Cell, absent, as_text, at, one
from fhirmap.runtime.unread import watched

_ROW_ID = Cell('Row.id', 'id', 'string', 'case.map:5:3', 'id', minimum=1)
_ROW_STATUS = Cell('Row.status', 'state.code', 'code', 'case.map:6:29', 'state.code')
_ROW_TAGS = Cell('Row.tags', 'tags.label', 'string', 'case.map:7:29', 'tags.label', maximum=None)
# Element of the result -> rule that makes it, source columns.
_places = {
    'Patient.id': ('case.map:16:18', ('id',)),
    'Patient.name': ('case.map:17:20', ('tags.label',)),
    'Patient.name.text': ('case.map:17:35', ('tags.label',)),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def _read(row, faults):
    """Row: JSON documents (case.map:4)."""
    record = {}

    # id : string 1..1  (case.map:5)
    cell = row.get('id')
    value = cell.strip() if type(cell) is str else as_text(cell, _ROW_ID, faults)
    if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
        value = mended(value, _ROW_ID, faults)
    if value:
        record['id'] = value
    else:
        absent(_ROW_ID, faults)

    # status : code 0..1  (case.map:6)
    state = row.get('state', {})
    cell = state.get('code') if type(state) is dict else at(row, ('state', 'code'))
    if type(cell) is list:
        cell = one(cell, _ROW_STATUS, faults)
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _ROW_STATUS, faults)
        if value:
            record['status'] = value

    # tags : string 0..*  (case.map:7)
    tags_values = []
    tags = row.get('tags', {})
    held = tags.get('label') if type(tags) is dict else at(row, ('tags', 'label'))
    for cell in held if isinstance(held, list) else [held]:
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _ROW_TAGS, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _ROW_TAGS, faults)
            if value:
                tags_values.append(value)
    if tags_values:
        record['tags'] = tags_values
    return record


def row_2(src, tgt, run):
    """group row(source src : Row, target tgt : Patient)  case.map:10"""
    # rule-1  (case.map:11)
    if src.get('status') == 'DONE':
        done(src, tgt, run)

    # rule-2  (case.map:12)
    if None is not src.get('status') != 'DONE':
        run.note('not done: ' + (src.get('status') or ''), 'case.map:12:37')


def done(src, tgt, run):
    """group done(source src : Row, target tgt : Patient)  case.map:15"""
    # id  (case.map:16)
    v = src.get('id')
    if v is not None:
        tgt['id'] = v

    # tags  (case.map:17)
    for t in src.get('tags', ()):
        tgt.setdefault('name', []).append({'text': t})

    # tags-2  (case.map:18)
    try:
        for t in src.get('tags', ()):
            if t == 'bad':
                if not False:
                    raise check_failed('false')
    except run.caught as error:
        run.fail(error)


def _in_one_pass(row):
    """The same in one piece; None where `_transform` has to go step by step: something failed that no rule expected."""
    try:
        run = _Run()
        faults = run.faults
        source_id = source_status = source_tags = None

        # id : string 1..1  (case.map:5)
        cell = row.get('id')
        value = cell.strip() if type(cell) is str else as_text(cell, _ROW_ID, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _ROW_ID, faults)
        if value:
            source_id = value
        else:
            absent(_ROW_ID, faults)

        # status : code 0..1  (case.map:6)
        state = row.get('state', {})
        cell = state.get('code') if type(state) is dict else at(row, ('state', 'code'))
        if type(cell) is list:
            cell = one(cell, _ROW_STATUS, faults)
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _ROW_STATUS, faults)
            if value:
                source_status = value

        # tags : string 0..*  (case.map:7)
        tags_values = []
        tags = row.get('tags', {})
        held = tags.get('label') if type(tags) is dict else at(row, ('tags', 'label'))
        for cell in held if isinstance(held, list) else [held]:
            if cell is not None:
                value = cell.strip() if type(cell) is str else as_text(cell, _ROW_TAGS, faults)
                if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                    value = mended(value, _ROW_TAGS, faults)
                if value:
                    tags_values.append(value)
        if tags_values:
            source_tags = tags_values
        resource = {'resourceType': 'Patient'}
        # rule-1  (case.map:11)
        if source_status == 'DONE':
            # id  (case.map:16)
            v = source_id
            if v is not None:
                resource['id'] = v

            # tags  (case.map:17)
            for t in source_tags or ():
                resource.setdefault('name', []).append({'text': t})

            # tags-2  (case.map:18)
            try:
                for t in source_tags or ():
                    if t == 'bad':
                        if not False:
                            raise check_failed('false')
            except run.caught as error_2:
                run.fail(error_2)

        # rule-2  (case.map:12)
        if None is not source_status != 'DONE':
            run.note('not done: ' + (source_status or ''), 'case.map:12:37')
        if len(resource) == 1 and not run.failed:
            if faults:
                return None
            return run.nothing()
        return run.result(resource, _places)
    except Exception as error:
        return run.leave(error)


def _transform(row, strict=False):
    """One record: what it becomes, with notes and faults; no resource where it is out of scope."""
    if not strict:
        result = _in_one_pass(row)
        if result is not None:
            return result
    run = _Run()
    if strict:
        run.caught = ()
    try:
        source = _read(row, run.faults)
    except run.caught as error:
        run.abandon(error)
        return run.result({}, _places)
    if run.faults:
        source = watched(source, run.faults, 0)
    resource = {'resourceType': 'Patient'}
    try:
        row_2(source, resource, run)
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing(source)
    return run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    25: 'case.map:4:7',
    30: 'case.map:5:3',
    40: 'case.map:6:3',
    50: 'case.map:7:3',
    65: 'case.map:10:7',
    68: 'case.map:11:14',
    69: 'case.map:11:36',
    72: 'case.map:12:14',
    73: 'case.map:12:37',
    76: 'case.map:15:7',
    79: 'case.map:16:3',
    81: 'case.map:16:18',
    84: 'case.map:17:3',
    85: 'case.map:17:20',
    89: 'case.map:18:3',
    90: 'case.map:18:24',
    91: 'case.map:18:46',
    97: '',
    105: 'case.map:5:3',
    115: 'case.map:6:3',
    125: 'case.map:7:3',
    139: 'case.map:11:14',
    141: 'case.map:16:3',
    143: 'case.map:16:18',
    146: 'case.map:17:3',
    147: 'case.map:17:20',
    151: 'case.map:18:3',
    152: 'case.map:18:24',
    153: 'case.map:18:46',
    159: 'case.map:12:14',
    160: 'case.map:12:37',
    170: '',
}
