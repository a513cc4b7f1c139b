"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 237dc841f0ffd5288463d113e2c1ab61a725d3e9d947e15c15906bf88a1084e6
"""

from fhirmap.runtime.cell_text import ODD_STARTS, is_odd, mended
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.lists import discard, drop, place_first, place_last, pruned, settle_endings, shared, take_away
from fhirmap.runtime.reading import Cell, as_text
from fhirmap.runtime.single import SingleWrite, put_once
from fhirmap.runtime.transforms.references import reference
from fhirmap.runtime.transforms.text import append
from fhirmap.runtime.unread import watched

_PERSON_NAME = Cell('Person.name', 'name', 'string', 'case.map:4:16', 'name', maximum=None)
_PERSON_NICK = Cell('Person.nick', 'nick', 'string', 'case.map:4:35', 'nick', maximum=None)
_PERSON_CITY = Cell('Person.city', 'city', 'string', 'case.map:4:54', 'city')
_PERSON_PHONE = Cell('Person.phone', 'phone', 'string', 'case.map:4:73', 'phone')
_write_1 = SingleWrite('city-3', 'case.map:11:44')
_write_2 = SingleWrite('city-4', 'case.map:12:44', 'last')
# Element of the result -> rule that makes it, source columns.
_places = {
    'Patient.name': ('case.map:7:20', ('name', 'nick')),
    'Patient.name.family': ('case.map:7:35', ('name',)),
    'Patient.name.text': ('case.map:8:41', ('nick',)),
    'Patient.address': ('case.map:9:20', ('city',)),
    'Patient.address.city': ('case.map:9:38', ('city',)),
    'Patient.address.use': ('case.map:9:50', ()),
    'Patient.contact.address.city': ('case.map:10:20', ('city',)),
    'Patient.maritalStatus': ('case.map:11:20', ('city',)),
    'Patient.maritalStatus.text': ('case.map:11:44', ('city',)),
    'Patient.telecom': ('case.map:13:21', ('phone',)),
    'Patient.telecom.value': ('case.map:13:54', ('phone',)),
    'Patient.telecom.system': ('case.map:14:54', ()),
    'Patient.communication': ('case.map:16:21', ('phone',)),
    'Patient.communication.preferred': ('case.map:16:80', ()),
    '.id': ('case.map:17:50', ()),
    '.name': ('case.map:17:64', ('phone',)),
    'Patient.contained': ('case.map:17:76', ('phone',)),
    'Patient.managingOrganization': ('case.map:17:95', ('phone',)),
    'Patient.generalPractitioner': ('case.map:18:16', ('phone',)),
    'Patient.generalPractitioner.display': ('case.map:18:51', ()),
}
# Rule or check -> element, source columns, where that table does not say.
_rules = {
    'case.map:7:20': ('Patient.name', ('name',)),
    'case.map:8:20': ('Patient.name', ('nick',)),
    'case.map:11:20': ('Patient.maritalStatus', ('city',)),
    'case.map:12:20': ('Patient.maritalStatus', ('city',)),
    'case.map:11:44': ('Patient.maritalStatus.text', ('city',)),
    'case.map:12:44': ('Patient.maritalStatus.text', ('city',)),
    'case.map:13:21': ('Patient.telecom', ('phone',)),
    'case.map:14:21': ('Patient.telecom', ('phone',)),
    'case.map:15:42': ('Patient.telecom', ('phone',)),
    'case.map:13:54': ('Patient.telecom.value', ('phone',)),
    'case.map:15:60': ('Patient.telecom.value', ('phone',)),
    'case.map:18:16': ('Patient.generalPractitioner', ('phone',)),
    'case.map:19:16': ('Patient.generalPractitioner', ('phone',)),
    'case.map:18:51': ('Patient.generalPractitioner.display', ()),
    'case.map:19:46': ('Patient.generalPractitioner.display', ()),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def _read(row, faults):
    """Person: a plain record (case.map:4)."""
    record = {}

    # name : string 0..*  (case.map:4)
    name_values = []
    held = row.get('name')
    for cell in held if isinstance(held, list) else [held]:
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_NAME, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _PERSON_NAME, faults)
            if value:
                name_values.append(value)
    if name_values:
        record['name'] = name_values

    # nick : string 0..*  (case.map:4)
    nick_values = []
    held_2 = row.get('nick')
    for cell in held_2 if isinstance(held_2, list) else [held_2]:
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_NICK, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _PERSON_NICK, faults)
            if value:
                nick_values.append(value)
    if nick_values:
        record['nick'] = nick_values

    # city : string 0..1  (case.map:4)
    cell = row.get('city')
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_CITY, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _PERSON_CITY, faults)
        if value:
            record['city'] = value

    # phone : string 0..1  (case.map:4)
    cell = row.get('phone')
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_PHONE, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _PERSON_PHONE, faults)
        if value:
            record['phone'] = value
    return record


def targets(src, tgt, run):
    """group targets(source src : Person, target tgt : Patient)  case.map:6"""
    tgt_name = tgt.get('name') or []
    tgt_telecom = tgt.get('telecom') or []
    tgt_generalPractitioner = tgt.get('generalPractitioner') or []
    shares = {}

    # name  (case.map:7)
    for n in src.get('name', ()):
        tgt_name.append({'family': n})

    # nick  (case.map:8)
    try:
        for n in src.get('nick', ()):
            h = {'text': n}
            place_first(run, tgt, 'name', tgt_name, h, 'case.map:8:20')
    except run.caught as error:
        run.fail(error)

    # city  (case.map:9)
    c_2 = src.get('city')
    if c_2 is not None:
        tgt.setdefault('address', []).append({'city': c_2, 'use': 'home'})

    # city-2  (case.map:10)
    c_2 = src.get('city')
    if c_2 is not None:
        contact = {}
        tgt.setdefault('contact', []).append(contact)
        address = contact.setdefault('address', {})
        address['city'] = c_2

    # city-3  (case.map:11)
    try:
        c_2 = src.get('city')
        if c_2 is not None:
            m = tgt.setdefault('maritalStatus', {})
            put_once(run, m, 'text', c_2, _write_1)
    except run.caught as error:
        run.fail(error)

    # city-4  (case.map:12)
    try:
        c_2 = src.get('city')
        if c_2 is not None:
            made_m = 'maritalStatus' not in tgt
            m = tgt.setdefault('maritalStatus', {})
            text = append(c_2, '!')
            if text is not None:
                put_once(run, m, 'text', text, _write_2)
            if made_m and not m:
                take_away(tgt, 'maritalStatus', m)
    except run.caught as error:
        run.fail(error)

    # phone  (case.map:13)
    try:
        p = src.get('phone')
        if p is not None:
            t = shared(shares, tgt_telecom, 'contacts', {})
            t['value'] = p
            if not t:
                discard(tgt_telecom, t)
    except run.caught as error:
        run.fail(error)

    # phone-2  (case.map:14)
    try:
        p = src.get('phone')
        if p is not None:
            t = shared(shares, tgt_telecom, 'contacts', {})
            t['system'] = 'phone'
            if not t:
                discard(tgt_telecom, t)
    except run.caught as error:
        run.fail(error)

    # phone-3  (case.map:15)
    p = src.get('phone')
    if p is not None:
        made = p + '-x'
        tgt_telecom.append({'value': made})

    # phone-4  (case.map:16)
    p = src.get('phone')
    if p is not None:
        c_2 = {}
        tgt.setdefault('communication', []).append(c_2)
        # rule-1  (case.map:16)
        if p == 'never':
            c_2['preferred'] = True
        if not c_2:
            drop(tgt, 'communication', c_2)

    # phone-5  (case.map:17)
    try:
        p = src.get('phone')
        if p is not None:
            o = {'resourceType': 'Organization'}
            o['id'] = 'org'
            o['name'] = p
            tgt.setdefault('contained', []).append(o)
            value = reference(o, run, 'case.map:17:122')
            managingOrganization = None if value is None else {'reference': value}
            if managingOrganization is not None:
                tgt['managingOrganization'] = managingOrganization
    except run.caught as error:
        run.fail(error)

    # phone-6  (case.map:18)
    try:
        phone = src.get('phone')
        if phone is not None:
            g = {'display': 'end'}
            place_last(run, tgt, 'generalPractitioner', tgt_generalPractitioner, g, 'case.map:18:16')
    except run.caught as error:
        run.fail(error)

    # phone-7  (case.map:19)
    phone = src.get('phone')
    if phone is not None:
        tgt_generalPractitioner.append({'display': 'middle'})

    if tgt_name:
        tgt['name'] = tgt_name
    if tgt_telecom:
        tgt['telecom'] = tgt_telecom
    if tgt_generalPractitioner:
        tgt['generalPractitioner'] = tgt_generalPractitioner


def _in_one_pass(row):
    """The same in one piece; None where `_transform` has to go step by step: something failed that no rule expected."""
    try:
        run = _Run()
        faults = run.faults
        run.given = row
        source_name = source_nick = source_city = source_phone = None

        # name : string 0..*  (case.map:4)
        name_values = []
        held = row.get('name')
        for cell in held if isinstance(held, list) else [held]:
            if cell is not None:
                value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_NAME, faults)
                if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                    value = mended(value, _PERSON_NAME, faults)
                if value:
                    name_values.append(value)
        if name_values:
            source_name = name_values

        # nick : string 0..*  (case.map:4)
        nick_values = []
        held_2 = row.get('nick')
        for cell in held_2 if isinstance(held_2, list) else [held_2]:
            if cell is not None:
                value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_NICK, faults)
                if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                    value = mended(value, _PERSON_NICK, faults)
                if value:
                    nick_values.append(value)
        if nick_values:
            source_nick = nick_values

        # city : string 0..1  (case.map:4)
        cell = row.get('city')
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_CITY, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _PERSON_CITY, faults)
            if value:
                source_city = value

        # phone : string 0..1  (case.map:4)
        cell = row.get('phone')
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _PERSON_PHONE, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _PERSON_PHONE, faults)
            if value:
                source_phone = value
        resource = {'resourceType': 'Patient'}
        tgt_name = resource.get('name') or []
        tgt_telecom = resource.get('telecom') or []
        tgt_generalPractitioner = resource.get('generalPractitioner') or []
        shares = {}

        # name  (case.map:7)
        for n in source_name or ():
            tgt_name.append({'family': n})

        # nick  (case.map:8)
        try:
            for n in source_nick or ():
                h = {'text': n}
                place_first(run, resource, 'name', tgt_name, h, 'case.map:8:20')
        except run.caught as error_2:
            run.fail(error_2)

        # city  (case.map:9)
        c_2 = source_city
        if c_2 is not None:
            resource.setdefault('address', []).append({'city': c_2, 'use': 'home'})

        # city-2  (case.map:10)
        c_2 = source_city
        if c_2 is not None:
            contact = {}
            resource.setdefault('contact', []).append(contact)
            address = contact.setdefault('address', {})
            address['city'] = c_2

        # city-3  (case.map:11)
        try:
            c_2 = source_city
            if c_2 is not None:
                m = resource.setdefault('maritalStatus', {})
                put_once(run, m, 'text', c_2, _write_1)
        except run.caught as error_2:
            run.fail(error_2)

        # city-4  (case.map:12)
        try:
            c_2 = source_city
            if c_2 is not None:
                made_m = 'maritalStatus' not in resource
                m = resource.setdefault('maritalStatus', {})
                text = append(c_2, '!')
                if text is not None:
                    put_once(run, m, 'text', text, _write_2)
                if made_m and not m:
                    take_away(resource, 'maritalStatus', m)
        except run.caught as error_2:
            run.fail(error_2)

        # phone  (case.map:13)
        try:
            p = source_phone
            if p is not None:
                t = shared(shares, tgt_telecom, 'contacts', {})
                t['value'] = p
                if not t:
                    discard(tgt_telecom, t)
        except run.caught as error_2:
            run.fail(error_2)

        # phone-2  (case.map:14)
        try:
            p = source_phone
            if p is not None:
                t = shared(shares, tgt_telecom, 'contacts', {})
                t['system'] = 'phone'
                if not t:
                    discard(tgt_telecom, t)
        except run.caught as error_2:
            run.fail(error_2)

        # phone-3  (case.map:15)
        p = source_phone
        if p is not None:
            made = p + '-x'
            tgt_telecom.append({'value': made})

        # phone-4  (case.map:16)
        p = source_phone
        if p is not None:
            c_2 = {}
            resource.setdefault('communication', []).append(c_2)
            # rule-1  (case.map:16)
            if p == 'never':
                c_2['preferred'] = True
            if not c_2:
                drop(resource, 'communication', c_2)

        # phone-5  (case.map:17)
        try:
            p = source_phone
            if p is not None:
                o = {'resourceType': 'Organization'}
                o['id'] = 'org'
                o['name'] = p
                resource.setdefault('contained', []).append(o)
                value_2 = reference(o, run, 'case.map:17:122')
                managingOrganization = None if value_2 is None else {'reference': value_2}
                if managingOrganization is not None:
                    resource['managingOrganization'] = managingOrganization
        except run.caught as error_2:
            run.fail(error_2)

        # phone-6  (case.map:18)
        try:
            phone = source_phone
            if phone is not None:
                g = {'display': 'end'}
                place_last(run, resource, 'generalPractitioner', tgt_generalPractitioner, g, 'case.map:18:16')
        except run.caught as error_2:
            run.fail(error_2)

        # phone-7  (case.map:19)
        phone = source_phone
        if phone is not None:
            tgt_generalPractitioner.append({'display': 'middle'})

        if tgt_name:
            resource['name'] = tgt_name
        if tgt_telecom:
            resource['telecom'] = tgt_telecom
        if tgt_generalPractitioner:
            resource['generalPractitioner'] = tgt_generalPractitioner
        settle_endings(run)
        resource = pruned(resource) or {}
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
    run.given = row
    try:
        source = _read(row, run.faults)
    except run.caught as error:
        run.abandon(error)
        return run.result({}, _places)
    if run.faults:
        source = watched(source, run.faults, 0)
    resource = {'resourceType': 'Patient'}
    try:
        targets(source, resource, run)
        settle_endings(run)
        resource = pruned(resource) or {}
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing(source)
    return run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    67: 'case.map:4:7',
    72: 'case.map:4:16',
    85: 'case.map:4:35',
    98: 'case.map:4:54',
    107: 'case.map:4:73',
    117: 'case.map:6:7',
    119: 'case.map:6:1',
    122: 'case.map:7:3',
    126: 'case.map:7:20',
    130: 'case.map:8:3',
    131: 'case.map:8:20',
    137: 'case.map:9:3',
    139: 'case.map:9:20',
    142: 'case.map:10:3',
    144: 'case.map:10:20',
    151: 'case.map:11:3',
    153: 'case.map:11:20',
    154: 'case.map:11:44',
    160: 'case.map:12:3',
    162: 'case.map:12:20',
    164: 'case.map:12:44',
    167: 'case.map:12:20',
    174: 'case.map:13:3',
    176: 'case.map:13:21',
    177: 'case.map:13:54',
    178: 'case.map:13:21',
    185: 'case.map:14:3',
    187: 'case.map:14:21',
    188: 'case.map:14:54',
    189: 'case.map:14:21',
    195: 'case.map:15:3',
    197: 'case.map:15:21',
    198: 'case.map:15:42',
    201: 'case.map:16:3',
    203: 'case.map:16:21',
    206: 'case.map:16:60',
    207: 'case.map:16:80',
    208: 'case.map:16:21',
    213: 'case.map:17:3',
    215: 'case.map:17:21',
    216: 'case.map:17:50',
    217: 'case.map:17:64',
    218: 'case.map:17:76',
    219: 'case.map:17:95',
    228: 'case.map:18:3',
    230: 'case.map:18:16',
    236: 'case.map:19:3',
    238: 'case.map:19:16',
    240: 'case.map:6:1',
    248: '',
    257: 'case.map:4:16',
    270: 'case.map:4:35',
    283: 'case.map:4:54',
    292: 'case.map:4:73',
    300: 'case.map:6:1',
    303: 'case.map:7:3',
    307: 'case.map:7:20',
    311: 'case.map:8:3',
    312: 'case.map:8:20',
    318: 'case.map:9:3',
    320: 'case.map:9:20',
    323: 'case.map:10:3',
    325: 'case.map:10:20',
    332: 'case.map:11:3',
    334: 'case.map:11:20',
    335: 'case.map:11:44',
    341: 'case.map:12:3',
    343: 'case.map:12:20',
    345: 'case.map:12:44',
    348: 'case.map:12:20',
    355: 'case.map:13:3',
    357: 'case.map:13:21',
    358: 'case.map:13:54',
    359: 'case.map:13:21',
    366: 'case.map:14:3',
    368: 'case.map:14:21',
    369: 'case.map:14:54',
    370: 'case.map:14:21',
    376: 'case.map:15:3',
    378: 'case.map:15:21',
    379: 'case.map:15:42',
    382: 'case.map:16:3',
    384: 'case.map:16:21',
    387: 'case.map:16:60',
    388: 'case.map:16:80',
    389: 'case.map:16:21',
    394: 'case.map:17:3',
    396: 'case.map:17:21',
    397: 'case.map:17:50',
    398: 'case.map:17:64',
    399: 'case.map:17:76',
    400: 'case.map:17:95',
    409: 'case.map:18:3',
    411: 'case.map:18:16',
    417: 'case.map:19:3',
    419: 'case.map:19:16',
    421: 'case.map:6:1',
    438: '',
}
