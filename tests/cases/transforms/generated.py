"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 2cc564a50d043f9762c97514543c4b0296223a91446a4a728bb51ae1d3122fcf
"""

from decimal import Decimal
from fhirmap.runtime.cell_text import ODD_STARTS, is_odd, is_odd_day, mended
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.reading import Cell, as_integer, as_text
from fhirmap.runtime.transforms.coding import CodeTable, cc_text, translate
from fhirmap.runtime.transforms.dates import to_date, unix_to_date_time
from fhirmap.runtime.transforms.quantity import quantity, quantity_of
from fhirmap.runtime.transforms.references import contact_point, identifier
from fhirmap.runtime.transforms.text import append, cast, escape, truncate
from fhirmap.runtime.unread import watched

_IN_TEXT = Cell('In.text', 'text', 'string', 'case.map:22:12', 'text')
_IN_DAY = Cell('In.day', 'day', 'string', 'case.map:22:26', 'day', is_date=True)
_IN_NUMBER = Cell('In.number', 'number', 'string', 'case.map:22:39', 'number')
_IN_SIDE = Cell('In.side', 'side', 'code', 'case.map:22:55', 'side')
_IN_SECONDS = Cell('In.seconds', 'seconds', 'integer', 'case.map:22:67', 'seconds')
# Concept map side.
_SIDE = {
    'D': 'DROITE',
    'G': 'GAUCHE',
}
# Concept map side.
_CODES_SIDE = CodeTable('side', {
    'D': (('urn:side', 'urn:lateralite', 'DROITE', ''),),
    'G': (('urn:side', 'urn:lateralite', 'GAUCHE', ''),),
}, ())
# Concept map strict.
_CODES_STRICT = CodeTable('strict', {
    'D': (('urn:side', 'urn:lateralite', 'DROITE', ''),),
}, (('urn:side', 'error', '', ''),))
# Concept map loose.
_CODES_LOOSE = CodeTable('loose', {
    'D': (('urn:side', 'urn:lateralite', 'DROITE', ''),),
}, (('urn:side', 'fixed', 'urn:lateralite', 'OTHER'),))
# Element of the result -> rule that makes it, source columns.
_places = {
    'Parameters.parameter': ('case.map:25:20', ('text', 'number', 'day', 'seconds', 'side')),
    'Parameters.parameter.name': ('case.map:25:40', ()),
    'Parameters.parameter.value[x]': ('case.map:25:61', ('text', 'number', 'day', 'seconds', 'side')),
}
# Rule or check -> element, source columns, where that table does not say.
_rules = {
    'case.map:25:20': ('Parameters.parameter', ('text',)),
    'case.map:26:20': ('Parameters.parameter', ('text',)),
    'case.map:27:20': ('Parameters.parameter', ('text',)),
    'case.map:28:20': ('Parameters.parameter', ('text',)),
    'case.map:29:20': ('Parameters.parameter', ('text',)),
    'case.map:30:20': ('Parameters.parameter', ('text',)),
    'case.map:31:20': ('Parameters.parameter', ('text',)),
    'case.map:32:20': ('Parameters.parameter', ('text',)),
    'case.map:33:22': ('Parameters.parameter', ('number',)),
    'case.map:34:22': ('Parameters.parameter', ('number',)),
    'case.map:35:22': ('Parameters.parameter', ('number',)),
    'case.map:36:22': ('Parameters.parameter', ('number',)),
    'case.map:37:19': ('Parameters.parameter', ('day',)),
    'case.map:38:23': ('Parameters.parameter', ('seconds',)),
    'case.map:39:20': ('Parameters.parameter', ('side',)),
    'case.map:40:20': ('Parameters.parameter', ('side',)),
    'case.map:41:20': ('Parameters.parameter', ('side',)),
    'case.map:42:20': ('Parameters.parameter', ('side',)),
    'case.map:43:20': ('Parameters.parameter', ('text',)),
    'case.map:44:20': ('Parameters.parameter', ('text',)),
    'case.map:25:40': ('Parameters.parameter.name', ()),
    'case.map:26:40': ('Parameters.parameter.name', ()),
    'case.map:27:40': ('Parameters.parameter.name', ()),
    'case.map:28:40': ('Parameters.parameter.name', ()),
    'case.map:29:40': ('Parameters.parameter.name', ()),
    'case.map:30:40': ('Parameters.parameter.name', ()),
    'case.map:31:40': ('Parameters.parameter.name', ()),
    'case.map:32:40': ('Parameters.parameter.name', ()),
    'case.map:33:42': ('Parameters.parameter.name', ()),
    'case.map:34:42': ('Parameters.parameter.name', ()),
    'case.map:35:42': ('Parameters.parameter.name', ()),
    'case.map:36:42': ('Parameters.parameter.name', ()),
    'case.map:37:39': ('Parameters.parameter.name', ()),
    'case.map:38:43': ('Parameters.parameter.name', ()),
    'case.map:39:40': ('Parameters.parameter.name', ()),
    'case.map:40:40': ('Parameters.parameter.name', ()),
    'case.map:41:40': ('Parameters.parameter.name', ()),
    'case.map:42:40': ('Parameters.parameter.name', ()),
    'case.map:43:40': ('Parameters.parameter.name', ()),
    'case.map:44:40': ('Parameters.parameter.name', ()),
    'case.map:25:61': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:26:59': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:27:59': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:28:56': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:29:56': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:30:55': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:31:55': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:32:55': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:33:59': ('Parameters.parameter.value[x]', ('number',)),
    'case.map:34:62': ('Parameters.parameter.value[x]', ('number',)),
    'case.map:35:58': ('Parameters.parameter.value[x]', ('number',)),
    'case.map:36:59': ('Parameters.parameter.value[x]', ('number',)),
    'case.map:37:56': ('Parameters.parameter.value[x]', ('day',)),
    'case.map:38:60': ('Parameters.parameter.value[x]', ('seconds',)),
    'case.map:39:62': ('Parameters.parameter.value[x]', ('side',)),
    'case.map:40:59': ('Parameters.parameter.value[x]', ('side',)),
    'case.map:41:59': ('Parameters.parameter.value[x]', ('side',)),
    'case.map:42:58': ('Parameters.parameter.value[x]', ('side',)),
    'case.map:43:61': ('Parameters.parameter.value[x]', ('text',)),
    'case.map:44:60': ('Parameters.parameter.value[x]', ()),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def _read(row, faults):
    """In: a plain record (case.map:22)."""
    record = {}

    # text : string 0..1  (case.map:22)
    cell = row.get('text')
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _IN_TEXT, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _IN_TEXT, faults)
        if value:
            record['text'] = value

    # day : string 0..1  (case.map:22)
    cell = row.get('day')
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _IN_DAY, faults)
        if value and (value < '0' or value.strip('0123456789-/') or value.isdecimal()) and is_odd_day(value):
            value = mended(value, _IN_DAY, faults)
        if value:
            record['day'] = value

    # number : string 0..1  (case.map:22)
    cell = row.get('number')
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _IN_NUMBER, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _IN_NUMBER, faults)
        if value:
            record['number'] = value

    # side : code 0..1  (case.map:22)
    cell = row.get('side')
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _IN_SIDE, faults)
        if value:
            record['side'] = value

    # seconds : integer 0..1  (case.map:22)
    cell = row.get('seconds')
    if cell is not None:
        value = as_integer(cell, _IN_SECONDS, faults)
        if value is not None:
            record['seconds'] = value
    return record


def transforms(src, tgt, run):
    """group transforms(source src : In, target tgt : Parameters)  case.map:24"""
    tgt_parameter = tgt.get('parameter') or []

    # text  (case.map:25)
    try:
        v = src.get('text')
        if v is not None:
            p = {'name': 'truncate'}
            tgt_parameter.append(p)
            value = truncate(v, 3)
            if value is not None:
                p['valueString'] = value
    except run.caught as error:
        run.fail(error)

    # text-2  (case.map:26)
    try:
        v = src.get('text')
        if v is not None:
            p = {'name': 'append'}
            tgt_parameter.append(p)
            value = append(v, '-', 5, '-', v)
            if value is not None:
                p['valueString'] = value
    except run.caught as error:
        run.fail(error)

    # text-3  (case.map:27)
    try:
        v = src.get('text')
        if v is not None:
            p = {'name': 'escape'}
            tgt_parameter.append(p)
            value = escape(v, 'plain', 'xml')
            if value is not None:
                p['valueString'] = value
    except run.caught as error:
        run.fail(error)

    # text-4  (case.map:28)
    try:
        v = src.get('text')
        if v is not None:
            tgt_parameter.append({'name': 'cc1', 'valueCodeableConcept': cc_text(v)})
    except run.caught as error:
        run.fail(error)

    # text-5  (case.map:29)
    v = src.get('text')
    if v is not None:
        tgt_parameter.append({'name': 'cc2', 'valueCodeableConcept': {'coding': [{'system': 'urn:s', 'code': v}]}})

    # text-6  (case.map:30)
    v = src.get('text')
    if v is not None:
        tgt_parameter.append({'name': 'c3', 'valueCoding': {'system': 'urn:s', 'code': v, 'display': 'shown'}})

    # text-7  (case.map:31)
    v = src.get('text')
    if v is not None:
        tgt_parameter.append({'name': 'id', 'valueIdentifier': identifier('urn:s', v, 'MR')})

    # text-8  (case.map:32)
    try:
        v = src.get('text')
        if v is not None:
            p = {'name': 'cp'}
            tgt_parameter.append(p)
            value = contact_point(v)
            if value is not None:
                p['valueContactPoint'] = value
    except run.caught as error:
        run.fail(error)

    # number  (case.map:33)
    try:
        v = src.get('number')
        if v is not None:
            p = {'name': 'cast'}
            tgt_parameter.append(p)
            p['valueInteger'] = cast(v, 'integer')
    except run.caught as error:
        run.fail(error)

    # number-2  (case.map:34)
    try:
        v = src.get('number')
        if v is not None:
            p = {'name': 'decimal'}
            tgt_parameter.append(p)
            p['valueDecimal'] = cast(v, 'decimal')
    except run.caught as error:
        run.fail(error)

    # number-3  (case.map:35)
    try:
        v = src.get('number')
        if v is not None:
            p = {'name': 'qty'}
            tgt_parameter.append(p)
            value = quantity(v)
            if value is not None:
                p['valueQuantity'] = value
    except run.caught as error:
        run.fail(error)

    # number-4  (case.map:36)
    try:
        v = src.get('number')
        if v is not None:
            p = {'name': 'qty4'}
            tgt_parameter.append(p)
            value = quantity_of(v, 'mg', 'http://unitsofmeasure.org', 'mg')
            if value is not None:
                p['valueQuantity'] = value
    except run.caught as error:
        run.fail(error)

    # day  (case.map:37)
    try:
        v = src.get('day')
        if v is not None:
            p = {'name': 'date'}
            tgt_parameter.append(p)
            value = to_date(v, 'dd/MM/yyyy')
            if value is not None:
                p['valueDate'] = value
    except run.caught as error:
        run.fail(error)

    # seconds  (case.map:38)
    try:
        v = src.get('seconds')
        if v is not None:
            p = {'name': 'unix'}
            tgt_parameter.append(p)
            value = unix_to_date_time(v)
            if value is not None:
                p['valueDateTime'] = value
    except run.caught as error:
        run.fail(error)

    # side  (case.map:39)
    v = src.get('side')
    if v is not None:
        p = {'name': 'translate'}
        tgt_parameter.append(p)
        value = _SIDE.get(v) or run.unmapped('side', v, 1)
        if value is not None:
            p['valueCode'] = value

    # side-2  (case.map:40)
    try:
        v = src.get('side')
        if v is not None:
            p = {'name': 'coding'}
            tgt_parameter.append(p)
            value = translate(v, _CODES_SIDE, 'Coding', run)
            if value is not None:
                p['valueCoding'] = value
    except run.caught as error:
        run.fail(error)

    # side-3  (case.map:41)
    try:
        v = src.get('side')
        if v is not None:
            p = {'name': 'strict'}
            tgt_parameter.append(p)
            value = translate(v, _CODES_STRICT, 'CodeableConcept', run)
            if value is not None:
                p['valueCodeableConcept'] = value
    except run.caught as error:
        run.fail(error)

    # side-4  (case.map:42)
    try:
        v = src.get('side')
        if v is not None:
            p = {'name': 'loose'}
            tgt_parameter.append(p)
            value = translate(v, _CODES_LOOSE, 'code', run)
            if value is not None:
                p['valueCode'] = value
    except run.caught as error:
        run.fail(error)

    # text-9  (case.map:43)
    v = src.get('text')
    if v is not None:
        p = {'name': 'evaluate'}
        tgt_parameter.append(p)
        p['valueInteger'] = len(v)

    # text-10  (case.map:44)
    v = src.get('text')
    if v is not None:
        tgt_parameter.append({'name': 'literal', 'valueDecimal': Decimal('1.50')})

    if tgt_parameter:
        tgt['parameter'] = tgt_parameter


def _in_one_pass(row):
    """The same in one piece; None where `_transform` has to go step by step: something failed that no rule expected."""
    try:
        run = _Run()
        faults = run.faults
        source_text = source_day = source_number = source_side = source_seconds = None

        # text : string 0..1  (case.map:22)
        cell = row.get('text')
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _IN_TEXT, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _IN_TEXT, faults)
            if value:
                source_text = value

        # day : string 0..1  (case.map:22)
        cell = row.get('day')
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _IN_DAY, faults)
            if value and (value < '0' or value.strip('0123456789-/') or value.isdecimal()) and is_odd_day(value):
                value = mended(value, _IN_DAY, faults)
            if value:
                source_day = value

        # number : string 0..1  (case.map:22)
        cell = row.get('number')
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _IN_NUMBER, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _IN_NUMBER, faults)
            if value:
                source_number = value

        # side : code 0..1  (case.map:22)
        cell = row.get('side')
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _IN_SIDE, faults)
            if value:
                source_side = value

        # seconds : integer 0..1  (case.map:22)
        cell = row.get('seconds')
        if cell is not None:
            value = as_integer(cell, _IN_SECONDS, faults)
            if value is not None:
                source_seconds = value
        resource = {'resourceType': 'Parameters'}
        tgt_parameter = resource.get('parameter') or []

        # text  (case.map:25)
        try:
            v = source_text
            if v is not None:
                p = {'name': 'truncate'}
                tgt_parameter.append(p)
                value_2 = truncate(v, 3)
                if value_2 is not None:
                    p['valueString'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # text-2  (case.map:26)
        try:
            v = source_text
            if v is not None:
                p = {'name': 'append'}
                tgt_parameter.append(p)
                value_2 = append(v, '-', 5, '-', v)
                if value_2 is not None:
                    p['valueString'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # text-3  (case.map:27)
        try:
            v = source_text
            if v is not None:
                p = {'name': 'escape'}
                tgt_parameter.append(p)
                value_2 = escape(v, 'plain', 'xml')
                if value_2 is not None:
                    p['valueString'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # text-4  (case.map:28)
        try:
            v = source_text
            if v is not None:
                tgt_parameter.append({'name': 'cc1', 'valueCodeableConcept': cc_text(v)})
        except run.caught as error_2:
            run.fail(error_2)

        # text-5  (case.map:29)
        v = source_text
        if v is not None:
            tgt_parameter.append({'name': 'cc2', 'valueCodeableConcept': {'coding': [{'system': 'urn:s', 'code': v}]}})

        # text-6  (case.map:30)
        v = source_text
        if v is not None:
            tgt_parameter.append({'name': 'c3', 'valueCoding': {'system': 'urn:s', 'code': v, 'display': 'shown'}})

        # text-7  (case.map:31)
        v = source_text
        if v is not None:
            tgt_parameter.append({'name': 'id', 'valueIdentifier': identifier('urn:s', v, 'MR')})

        # text-8  (case.map:32)
        try:
            v = source_text
            if v is not None:
                p = {'name': 'cp'}
                tgt_parameter.append(p)
                value_2 = contact_point(v)
                if value_2 is not None:
                    p['valueContactPoint'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # number  (case.map:33)
        try:
            v = source_number
            if v is not None:
                p = {'name': 'cast'}
                tgt_parameter.append(p)
                p['valueInteger'] = cast(v, 'integer')
        except run.caught as error_2:
            run.fail(error_2)

        # number-2  (case.map:34)
        try:
            v = source_number
            if v is not None:
                p = {'name': 'decimal'}
                tgt_parameter.append(p)
                p['valueDecimal'] = cast(v, 'decimal')
        except run.caught as error_2:
            run.fail(error_2)

        # number-3  (case.map:35)
        try:
            v = source_number
            if v is not None:
                p = {'name': 'qty'}
                tgt_parameter.append(p)
                value_2 = quantity(v)
                if value_2 is not None:
                    p['valueQuantity'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # number-4  (case.map:36)
        try:
            v = source_number
            if v is not None:
                p = {'name': 'qty4'}
                tgt_parameter.append(p)
                value_2 = quantity_of(v, 'mg', 'http://unitsofmeasure.org', 'mg')
                if value_2 is not None:
                    p['valueQuantity'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # day  (case.map:37)
        try:
            v = source_day
            if v is not None:
                p = {'name': 'date'}
                tgt_parameter.append(p)
                value_2 = to_date(v, 'dd/MM/yyyy')
                if value_2 is not None:
                    p['valueDate'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # seconds  (case.map:38)
        try:
            v = source_seconds
            if v is not None:
                p = {'name': 'unix'}
                tgt_parameter.append(p)
                value_2 = unix_to_date_time(v)
                if value_2 is not None:
                    p['valueDateTime'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # side  (case.map:39)
        v = source_side
        if v is not None:
            p = {'name': 'translate'}
            tgt_parameter.append(p)
            value_2 = _SIDE.get(v) or run.unmapped('side', v, 1)
            if value_2 is not None:
                p['valueCode'] = value_2

        # side-2  (case.map:40)
        try:
            v = source_side
            if v is not None:
                p = {'name': 'coding'}
                tgt_parameter.append(p)
                value_2 = translate(v, _CODES_SIDE, 'Coding', run)
                if value_2 is not None:
                    p['valueCoding'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # side-3  (case.map:41)
        try:
            v = source_side
            if v is not None:
                p = {'name': 'strict'}
                tgt_parameter.append(p)
                value_2 = translate(v, _CODES_STRICT, 'CodeableConcept', run)
                if value_2 is not None:
                    p['valueCodeableConcept'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # side-4  (case.map:42)
        try:
            v = source_side
            if v is not None:
                p = {'name': 'loose'}
                tgt_parameter.append(p)
                value_2 = translate(v, _CODES_LOOSE, 'code', run)
                if value_2 is not None:
                    p['valueCode'] = value_2
        except run.caught as error_2:
            run.fail(error_2)

        # text-9  (case.map:43)
        v = source_text
        if v is not None:
            p = {'name': 'evaluate'}
            tgt_parameter.append(p)
            p['valueInteger'] = len(v)

        # text-10  (case.map:44)
        v = source_text
        if v is not None:
            tgt_parameter.append({'name': 'literal', 'valueDecimal': Decimal('1.50')})

        if tgt_parameter:
            resource['parameter'] = tgt_parameter
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
    resource = {'resourceType': 'Parameters'}
    try:
        transforms(source, resource, run)
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing(source)
    return run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    114: 'case.map:22:7',
    119: 'case.map:22:12',
    128: 'case.map:22:26',
    137: 'case.map:22:39',
    146: 'case.map:22:55',
    153: 'case.map:22:67',
    161: 'case.map:24:7',
    163: 'case.map:24:1',
    167: 'case.map:25:3',
    169: 'case.map:25:20',
    171: 'case.map:25:61',
    179: 'case.map:26:3',
    181: 'case.map:26:20',
    183: 'case.map:26:59',
    191: 'case.map:27:3',
    193: 'case.map:27:20',
    195: 'case.map:27:59',
    203: 'case.map:28:3',
    205: 'case.map:28:20',
    210: 'case.map:29:3',
    212: 'case.map:29:20',
    215: 'case.map:30:3',
    217: 'case.map:30:20',
    220: 'case.map:31:3',
    222: 'case.map:31:20',
    226: 'case.map:32:3',
    228: 'case.map:32:20',
    230: 'case.map:32:55',
    238: 'case.map:33:3',
    240: 'case.map:33:22',
    242: 'case.map:33:59',
    248: 'case.map:34:3',
    250: 'case.map:34:22',
    252: 'case.map:34:62',
    258: 'case.map:35:3',
    260: 'case.map:35:22',
    262: 'case.map:35:58',
    270: 'case.map:36:3',
    272: 'case.map:36:22',
    274: 'case.map:36:59',
    282: 'case.map:37:3',
    284: 'case.map:37:19',
    286: 'case.map:37:56',
    294: 'case.map:38:3',
    296: 'case.map:38:23',
    298: 'case.map:38:60',
    305: 'case.map:39:3',
    307: 'case.map:39:20',
    309: 'case.map:39:62',
    315: 'case.map:40:3',
    317: 'case.map:40:20',
    319: 'case.map:40:59',
    327: 'case.map:41:3',
    329: 'case.map:41:20',
    331: 'case.map:41:59',
    339: 'case.map:42:3',
    341: 'case.map:42:20',
    343: 'case.map:42:58',
    350: 'case.map:43:3',
    352: 'case.map:43:20',
    354: 'case.map:43:61',
    357: 'case.map:44:3',
    359: 'case.map:44:20',
    361: 'case.map:24:1',
    365: '',
    373: 'case.map:22:12',
    382: 'case.map:22:26',
    391: 'case.map:22:39',
    400: 'case.map:22:55',
    407: 'case.map:22:67',
    413: 'case.map:24:1',
    417: 'case.map:25:3',
    419: 'case.map:25:20',
    421: 'case.map:25:61',
    429: 'case.map:26:3',
    431: 'case.map:26:20',
    433: 'case.map:26:59',
    441: 'case.map:27:3',
    443: 'case.map:27:20',
    445: 'case.map:27:59',
    453: 'case.map:28:3',
    455: 'case.map:28:20',
    460: 'case.map:29:3',
    462: 'case.map:29:20',
    465: 'case.map:30:3',
    467: 'case.map:30:20',
    470: 'case.map:31:3',
    472: 'case.map:31:20',
    476: 'case.map:32:3',
    478: 'case.map:32:20',
    480: 'case.map:32:55',
    488: 'case.map:33:3',
    490: 'case.map:33:22',
    492: 'case.map:33:59',
    498: 'case.map:34:3',
    500: 'case.map:34:22',
    502: 'case.map:34:62',
    508: 'case.map:35:3',
    510: 'case.map:35:22',
    512: 'case.map:35:58',
    520: 'case.map:36:3',
    522: 'case.map:36:22',
    524: 'case.map:36:59',
    532: 'case.map:37:3',
    534: 'case.map:37:19',
    536: 'case.map:37:56',
    544: 'case.map:38:3',
    546: 'case.map:38:23',
    548: 'case.map:38:60',
    555: 'case.map:39:3',
    557: 'case.map:39:20',
    559: 'case.map:39:62',
    565: 'case.map:40:3',
    567: 'case.map:40:20',
    569: 'case.map:40:59',
    577: 'case.map:41:3',
    579: 'case.map:41:20',
    581: 'case.map:41:59',
    589: 'case.map:42:3',
    591: 'case.map:42:20',
    593: 'case.map:42:58',
    600: 'case.map:43:3',
    602: 'case.map:43:20',
    604: 'case.map:43:61',
    607: 'case.map:44:3',
    609: 'case.map:44:20',
    611: 'case.map:24:1',
    622: '',
}
