"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: df1f888ab7f01c984cf7f8812381601a49f4cb2338f3c4a143c449730746c433
"""

from fhirmap.runtime.cell_text import ODD_STARTS, is_odd, mended
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.reading import Cell, absent, as_boolean, as_decimal, as_integer, as_text, date_reader, lacking, rows, times, within
from fhirmap.runtime.unread import watched

_STAY_NEEDS = ('acts', 'debut', 'doctor', 'fin', 'id', 'lits', 'poids', 'saisie', 'service', 'urgent')
_STAY_ID = Cell('Stay.id', 'SEJOUR.id', 'string', 'case.map:5:36', 'id', minimum=1)
_STAY_WARD = Cell('Stay.ward', 'SEJOUR.service', 'code', 'case.map:6:36', 'service', nulls=frozenset(('-', 'X')))
_STAY_BEDS = Cell('Stay.beds', 'SEJOUR.lits', 'integer', 'case.map:7:36', 'lits')
_STAY_WEIGHT = Cell('Stay.weight', 'SEJOUR.poids', 'decimal', 'case.map:8:36', 'poids')
_STAY_URGENT = Cell('Stay.urgent', 'SEJOUR.urgent', 'boolean', 'case.map:9:36', 'urgent')
_STAY_DAY = Cell('Stay.day', 'SEJOUR.debut', 'date', 'case.map:10:36', 'debut', format='yyyyMMddHHmmss', zone='Europe/Paris')
_READ_STAY_DAY = date_reader(_STAY_DAY)
_STAY_START = Cell('Stay.start', 'SEJOUR.debut', 'dateTime', 'case.map:11:36', 'debut', format='yyyyMMddHHmmss', zone='Europe/Paris')
_READ_STAY_START = date_reader(_STAY_START)
_STAY_UTC_DAY = Cell('Stay.utcDay', 'SEJOUR.fin', 'date', 'case.map:12:36', 'fin', zone='Europe/Paris')
_READ_STAY_UTC_DAY = date_reader(_STAY_UTC_DAY)
_STAY_FRENCH = Cell('Stay.french', 'SEJOUR.saisie', 'date', 'case.map:13:36', 'saisie', format='dd/MM/yyyy', nulls=frozenset(('00/00/0000',)))
_READ_STAY_FRENCH = date_reader(_STAY_FRENCH)
_DOCTOR_NEEDS = ('rpps',)
_DOCTOR_RPPS = Cell('Doctor.rpps', 'MEDECIN.rpps', 'string', 'case.map:17:40', 'rpps', minimum=1)
_STAY_DOCTOR = Cell('Stay.doctor', 'MEDECIN', 'Doctor', 'case.map:14:3', 'doctor')
_ACT_NEEDS = ('code',)
_ACT_CODE = Cell('Act.code', 'ACTE.code', 'string', 'case.map:20:27', 'code', minimum=1)
_STAY_ACTS = Cell('Stay.acts', 'ACTE', 'Act', 'case.map:15:3', 'acts', maximum=None)
_STAY_ACTS_NEEDS = ('qte',)
_STAY_ACTS_REPEAT = Cell('Act.qte', 'ACTE.qte', 'integer', 'case.map:15:88', 'qte')
# Element of the result -> rule that makes it, source columns.
_places = {
    'Parameters.parameter': ('case.map:24:18', ('SEJOUR.id', 'SEJOUR.service', 'SEJOUR.lits', 'SEJOUR.poids', 'SEJOUR.urgent', 'SEJOUR.debut', 'SEJOUR.fin', 'SEJOUR.saisie')),
    'Parameters.parameter.name': ('case.map:24:38', ()),
    'Parameters.parameter.value[x]': ('case.map:24:53', ('SEJOUR.id', 'SEJOUR.service', 'SEJOUR.lits', 'SEJOUR.poids', 'SEJOUR.urgent', 'SEJOUR.debut', 'SEJOUR.fin', 'SEJOUR.saisie', 'MEDECIN.rpps')),
    'Parameters.parameter.part': ('case.map:38:18', ('ACTE.code',)),
    'Parameters.parameter.part.name': ('case.map:38:31', ()),
    'Parameters.parameter.part.value[x]': ('case.map:38:48', ('ACTE.code',)),
}
# Rule or check -> element, source columns, where that table does not say.
_rules = {
    'case.map:24:18': ('Parameters.parameter', ('SEJOUR.id',)),
    'case.map:25:20': ('Parameters.parameter', ('SEJOUR.service',)),
    'case.map:26:20': ('Parameters.parameter', ('SEJOUR.lits',)),
    'case.map:27:22': ('Parameters.parameter', ('SEJOUR.poids',)),
    'case.map:28:22': ('Parameters.parameter', ('SEJOUR.urgent',)),
    'case.map:29:19': ('Parameters.parameter', ('SEJOUR.debut',)),
    'case.map:30:21': ('Parameters.parameter', ('SEJOUR.debut',)),
    'case.map:31:22': ('Parameters.parameter', ('SEJOUR.fin',)),
    'case.map:32:22': ('Parameters.parameter', ('SEJOUR.saisie',)),
    'case.map:33:22': ('Parameters.parameter', ()),
    'case.map:34:20': ('Parameters.parameter', ()),
    'case.map:24:38': ('Parameters.parameter.name', ()),
    'case.map:25:40': ('Parameters.parameter.name', ()),
    'case.map:26:40': ('Parameters.parameter.name', ()),
    'case.map:27:42': ('Parameters.parameter.name', ()),
    'case.map:28:42': ('Parameters.parameter.name', ()),
    'case.map:29:39': ('Parameters.parameter.name', ()),
    'case.map:30:41': ('Parameters.parameter.name', ()),
    'case.map:31:42': ('Parameters.parameter.name', ()),
    'case.map:32:42': ('Parameters.parameter.name', ()),
    'case.map:33:42': ('Parameters.parameter.name', ()),
    'case.map:34:40': ('Parameters.parameter.name', ()),
    'case.map:24:53': ('Parameters.parameter.value[x]', ('SEJOUR.id',)),
    'case.map:25:57': ('Parameters.parameter.value[x]', ('SEJOUR.service',)),
    'case.map:26:57': ('Parameters.parameter.value[x]', ('SEJOUR.lits',)),
    'case.map:27:61': ('Parameters.parameter.value[x]', ('SEJOUR.poids',)),
    'case.map:28:61': ('Parameters.parameter.value[x]', ('SEJOUR.urgent',)),
    'case.map:29:55': ('Parameters.parameter.value[x]', ('SEJOUR.debut',)),
    'case.map:30:59': ('Parameters.parameter.value[x]', ('SEJOUR.debut',)),
    'case.map:31:61': ('Parameters.parameter.value[x]', ('SEJOUR.fin',)),
    'case.map:32:61': ('Parameters.parameter.value[x]', ('SEJOUR.saisie',)),
    'case.map:33:82': ('Parameters.parameter.value[x]', ('MEDECIN.rpps',)),
    'case.map:38:18': ('Parameters.parameter.part', ()),
    'case.map:39:18': ('Parameters.parameter.part', ('ACTE.code',)),
    'case.map:38:31': ('Parameters.parameter.part.name', ()),
    'case.map:39:31': ('Parameters.parameter.part.name', ()),
    'case.map:38:48': ('Parameters.parameter.part.value[x]', ()),
    'case.map:39:48': ('Parameters.parameter.part.value[x]', ('ACTE.code',)),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def read_doctor(row, faults):
    """Doctor: rows of MEDECIN (case.map:17)."""
    try:
        rpps_raw = row['rpps']
    except (KeyError, TypeError):
        raise lacking(row, _DOCTOR_NEEDS)
    record = {}

    # rpps : string 1..1  (case.map:17)
    value = rpps_raw.strip() if type(rpps_raw) is str else as_text(rpps_raw, _DOCTOR_RPPS, faults)
    if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
        value = mended(value, _DOCTOR_RPPS, faults)
    if value:
        record['rpps'] = value
    else:
        absent(_DOCTOR_RPPS, faults)
    return record


def read_act(row, faults, position):
    """Act: rows of ACTE (case.map:18)."""
    try:
        code_raw = row['code']
    except (KeyError, TypeError):
        raise lacking(row, _ACT_NEEDS)
    record = {}

    # rank : integer 0..1  (case.map:19)
    record['rank'] = position

    # code : string 1..1  (case.map:20)
    value = code_raw.strip() if type(code_raw) is str else as_text(code_raw, _ACT_CODE, faults)
    if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
        value = mended(value, _ACT_CODE, faults)
    if value:
        record['code'] = value
    else:
        absent(_ACT_CODE, faults)
    return record


def _read(row, faults):
    """Stay: table SEJOUR (case.map:4)."""
    try:
        id_raw = row['id']
        ward_raw = row['service']
        beds_raw = row['lits']
        weight_raw = row['poids']
        urgent_raw = row['urgent']
        day_raw = row['debut']
        start_raw = row['debut']
        utcDay_raw = row['fin']
        french_raw = row['saisie']
        doctor_raw = row['doctor']
        acts_raw = row['acts']
    except (KeyError, TypeError):
        raise lacking(row, _STAY_NEEDS)
    record = {}

    # id : string 1..1  (case.map:5)
    value = id_raw.strip() if type(id_raw) is str else as_text(id_raw, _STAY_ID, faults)
    if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
        value = mended(value, _STAY_ID, faults)
    if value:
        record['id'] = value
    else:
        absent(_STAY_ID, faults)

    # ward : code 0..1  (case.map:6)
    if ward_raw is not None:
        value = ward_raw.strip() if type(ward_raw) is str else as_text(ward_raw, _STAY_WARD, faults)
        if value and value not in {'X', '-'}:
            record['ward'] = value

    # beds : integer 0..1  (case.map:7)
    if beds_raw is not None:
        value = as_integer(beds_raw, _STAY_BEDS, faults)
        if value is not None:
            record['beds'] = value

    # weight : decimal 0..1  (case.map:8)
    if weight_raw is not None:
        value = as_decimal(weight_raw, _STAY_WEIGHT, faults)
        if value is not None:
            record['weight'] = value

    # urgent : boolean 0..1  (case.map:9)
    if urgent_raw is not None:
        value = as_boolean(urgent_raw, _STAY_URGENT, faults)
        if value is not None:
            record['urgent'] = value

    # day : date 0..1  (case.map:10)
    if day_raw is not None:
        value = _READ_STAY_DAY(day_raw, faults)
        if value is not None:
            record['day'] = value

    # start : dateTime 0..1  (case.map:11)
    if start_raw is not None:
        value = _READ_STAY_START(start_raw, faults)
        if value is not None:
            record['start'] = value

    # utcDay : date 0..1  (case.map:12)
    if utcDay_raw is not None:
        value = _READ_STAY_UTC_DAY(utcDay_raw, faults)
        if value is not None:
            record['utcDay'] = value

    # french : date 0..1  (case.map:13)
    if french_raw is not None:
        value = _READ_STAY_FRENCH(french_raw, faults)
        if value is not None:
            record['french'] = value

    # doctor : Doctor 0..1  (case.map:14)
    for child in doctor_raw if type(doctor_raw) is list and len(doctor_raw) < 2 else rows(doctor_raw, _STAY_DOCTOR, faults):
        before = len(faults)
        item = read_doctor(child, faults)
        if faults and len(faults) > before:
            item = watched(item, faults, before)
            within(faults, before, 'Stay.doctor', 0)
        record['doctor'] = item

    # acts : Act 0..*  (case.map:15)
    acts_rows = []
    for rank, child_2 in enumerate(acts_raw if type(acts_raw) is list else rows(acts_raw, _STAY_ACTS, faults), 1):
        before_2 = len(faults)
        item_2 = read_act(child_2, faults, rank)
        try:
            acts_repeat = child_2['qte']
        except (KeyError, TypeError):
            raise lacking(child_2, _STAY_ACTS_NEEDS)
        count = acts_repeat if type(acts_repeat) is int and 0 <= acts_repeat <= 1000 else times(acts_repeat, _STAY_ACTS_REPEAT, faults)
        if faults and len(faults) > before_2:
            item_2 = watched(item_2, faults, before_2)
            within(faults, before_2, 'Stay.acts', rank - 1)
        acts_rows.extend([item_2] * count)
    if acts_rows:
        record['acts'] = acts_rows
    return record


def stay(src, tgt, run):
    """group stay(source src : Stay, target tgt : Parameters)  case.map:23"""
    tgt_parameter = tgt.get('parameter') or []

    # id  (case.map:24)
    v = src.get('id')
    if v is not None:
        tgt_parameter.append({'name': 'id', 'valueString': v})

    # ward  (case.map:25)
    v = src.get('ward')
    if v is not None:
        tgt_parameter.append({'name': 'ward', 'valueCode': v})

    # beds  (case.map:26)
    v = src.get('beds')
    if v is not None:
        tgt_parameter.append({'name': 'beds', 'valueInteger': v})

    # weight  (case.map:27)
    v = src.get('weight')
    if v is not None:
        tgt_parameter.append({'name': 'weight', 'valueDecimal': v})

    # urgent  (case.map:28)
    v = src.get('urgent')
    if v is not None:
        tgt_parameter.append({'name': 'urgent', 'valueBoolean': v})

    # day  (case.map:29)
    v = src.get('day')
    if v is not None:
        tgt_parameter.append({'name': 'day', 'valueDate': v})

    # start  (case.map:30)
    v = src.get('start')
    if v is not None:
        tgt_parameter.append({'name': 'start', 'valueDateTime': v})

    # utcDay  (case.map:31)
    v = src.get('utcDay')
    if v is not None:
        tgt_parameter.append({'name': 'utcDay', 'valueDate': v})

    # french  (case.map:32)
    v = src.get('french')
    if v is not None:
        tgt_parameter.append({'name': 'french', 'valueDate': v})

    # doctor  (case.map:33)
    d = src.get('doctor')
    if d is not None:
        p = {'name': 'doctor'}
        tgt_parameter.append(p)
        # rpps  (case.map:33)
        v = d.get('rpps')
        if v is not None:
            p['valueString'] = v

    # acts  (case.map:34)
    for a in src.get('acts', ()):
        p = {'name': 'act'}
        tgt_parameter.append(p)
        act(a, p, run)

    if tgt_parameter:
        tgt['parameter'] = tgt_parameter


def act(a, p, run):
    """group act(source a : Act, target p : Parameters.parameter)  case.map:37"""
    p_part = p.get('part') or []

    # rank  (case.map:38)
    v = a.get('rank')
    if v is not None:
        p_part.append({'name': 'rank', 'valueInteger': v})

    # code  (case.map:39)
    v = a.get('code')
    if v is not None:
        p_part.append({'name': 'code', 'valueString': v})

    if p_part:
        p['part'] = p_part


def _in_one_pass(row):
    """The same in one piece; None where `_transform` has to go step by step: something failed that no rule expected."""
    try:
        run = _Run()
        faults = run.faults
        try:
            id_raw = row['id']
            ward_raw = row['service']
            beds_raw = row['lits']
            weight_raw = row['poids']
            urgent_raw = row['urgent']
            day_raw = row['debut']
            start_raw = row['debut']
            utcDay_raw = row['fin']
            french_raw = row['saisie']
            doctor_raw = row['doctor']
            acts_raw = row['acts']
        except (KeyError, TypeError):
            raise lacking(row, _STAY_NEEDS)
        source_id = source_ward = source_beds = source_weight = source_urgent = source_day = source_start = source_utcDay = source_french = source_doctor = source_acts = None

        # id : string 1..1  (case.map:5)
        value = id_raw.strip() if type(id_raw) is str else as_text(id_raw, _STAY_ID, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _STAY_ID, faults)
        if value:
            source_id = value
        else:
            absent(_STAY_ID, faults)

        # ward : code 0..1  (case.map:6)
        if ward_raw is not None:
            value = ward_raw.strip() if type(ward_raw) is str else as_text(ward_raw, _STAY_WARD, faults)
            if value and value not in {'X', '-'}:
                source_ward = value

        # beds : integer 0..1  (case.map:7)
        if beds_raw is not None:
            value = as_integer(beds_raw, _STAY_BEDS, faults)
            if value is not None:
                source_beds = value

        # weight : decimal 0..1  (case.map:8)
        if weight_raw is not None:
            value = as_decimal(weight_raw, _STAY_WEIGHT, faults)
            if value is not None:
                source_weight = value

        # urgent : boolean 0..1  (case.map:9)
        if urgent_raw is not None:
            value = as_boolean(urgent_raw, _STAY_URGENT, faults)
            if value is not None:
                source_urgent = value

        # day : date 0..1  (case.map:10)
        if day_raw is not None:
            value = _READ_STAY_DAY(day_raw, faults)
            if value is not None:
                source_day = value

        # start : dateTime 0..1  (case.map:11)
        if start_raw is not None:
            value = _READ_STAY_START(start_raw, faults)
            if value is not None:
                source_start = value

        # utcDay : date 0..1  (case.map:12)
        if utcDay_raw is not None:
            value = _READ_STAY_UTC_DAY(utcDay_raw, faults)
            if value is not None:
                source_utcDay = value

        # french : date 0..1  (case.map:13)
        if french_raw is not None:
            value = _READ_STAY_FRENCH(french_raw, faults)
            if value is not None:
                source_french = value

        # doctor : Doctor 0..1  (case.map:14)
        for child in doctor_raw if type(doctor_raw) is list and len(doctor_raw) < 2 else rows(doctor_raw, _STAY_DOCTOR, faults):
            before = len(faults)
            try:
                rpps_raw = child['rpps']
            except (KeyError, TypeError):
                raise lacking(child, _DOCTOR_NEEDS)
            item_rpps = None

            # rpps : string 1..1  (case.map:17)
            value_2 = rpps_raw.strip() if type(rpps_raw) is str else as_text(rpps_raw, _DOCTOR_RPPS, faults)
            if value_2 and (value_2[:3] in ODD_STARTS or not (value_2.isprintable() if value_2 >= 'A' else value_2.isalnum() and 'e' not in value_2 and 'E' not in value_2)) and is_odd(value_2):
                value_2 = mended(value_2, _DOCTOR_RPPS, faults)
            if value_2:
                item_rpps = value_2
            else:
                absent(_DOCTOR_RPPS, faults)
            if faults and len(faults) > before:
                within(faults, before, 'Stay.doctor', 0)
            source_doctor = (item_rpps,)

        # acts : Act 0..*  (case.map:15)
        acts_rows = []
        for rank, child_2 in enumerate(acts_raw if type(acts_raw) is list else rows(acts_raw, _STAY_ACTS, faults), 1):
            before_2 = len(faults)
            try:
                code_raw = child_2['code']
            except (KeyError, TypeError):
                raise lacking(child_2, _ACT_NEEDS)
            item_2_rank = item_2_code = None

            # rank : integer 0..1  (case.map:19)
            item_2_rank = rank

            # code : string 1..1  (case.map:20)
            value_3 = code_raw.strip() if type(code_raw) is str else as_text(code_raw, _ACT_CODE, faults)
            if value_3 and (value_3[:3] in ODD_STARTS or not (value_3.isprintable() if value_3 >= 'A' else value_3.isalnum() and 'e' not in value_3 and 'E' not in value_3)) and is_odd(value_3):
                value_3 = mended(value_3, _ACT_CODE, faults)
            if value_3:
                item_2_code = value_3
            else:
                absent(_ACT_CODE, faults)
            try:
                acts_repeat = child_2['qte']
            except (KeyError, TypeError):
                raise lacking(child_2, _STAY_ACTS_NEEDS)
            count = acts_repeat if type(acts_repeat) is int and 0 <= acts_repeat <= 1000 else times(acts_repeat, _STAY_ACTS_REPEAT, faults)
            if faults and len(faults) > before_2:
                within(faults, before_2, 'Stay.acts', rank - 1)
            acts_rows.extend([(item_2_rank, item_2_code)] * count)
        if acts_rows:
            source_acts = acts_rows
        resource = {'resourceType': 'Parameters'}
        tgt_parameter = resource.get('parameter') or []

        # id  (case.map:24)
        v = source_id
        if v is not None:
            tgt_parameter.append({'name': 'id', 'valueString': v})

        # ward  (case.map:25)
        v = source_ward
        if v is not None:
            tgt_parameter.append({'name': 'ward', 'valueCode': v})

        # beds  (case.map:26)
        v = source_beds
        if v is not None:
            tgt_parameter.append({'name': 'beds', 'valueInteger': v})

        # weight  (case.map:27)
        v = source_weight
        if v is not None:
            tgt_parameter.append({'name': 'weight', 'valueDecimal': v})

        # urgent  (case.map:28)
        v = source_urgent
        if v is not None:
            tgt_parameter.append({'name': 'urgent', 'valueBoolean': v})

        # day  (case.map:29)
        v = source_day
        if v is not None:
            tgt_parameter.append({'name': 'day', 'valueDate': v})

        # start  (case.map:30)
        v = source_start
        if v is not None:
            tgt_parameter.append({'name': 'start', 'valueDateTime': v})

        # utcDay  (case.map:31)
        v = source_utcDay
        if v is not None:
            tgt_parameter.append({'name': 'utcDay', 'valueDate': v})

        # french  (case.map:32)
        v = source_french
        if v is not None:
            tgt_parameter.append({'name': 'french', 'valueDate': v})

        # doctor  (case.map:33)
        d = source_doctor
        if d is not None:
            d_rpps, = d
            p = {'name': 'doctor'}
            tgt_parameter.append(p)
            # rpps  (case.map:33)
            v = d_rpps
            if v is not None:
                p['valueString'] = v

        # acts  (case.map:34)
        for a in source_acts or ():
            a_rank, a_code = a
            p = {'name': 'act'}
            tgt_parameter.append(p)
            p_part = p.get('part') or []

            # rank  (case.map:38)
            v_2 = a_rank
            if v_2 is not None:
                p_part.append({'name': 'rank', 'valueInteger': v_2})

            # code  (case.map:39)
            v_2 = a_code
            if v_2 is not None:
                p_part.append({'name': 'code', 'valueString': v_2})

            if p_part:
                p['part'] = p_part

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
        stay(source, resource, run)
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing(source)
    return run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    88: 'case.map:17:7',
    91: 'case.map:17:16',
    93: 'case.map:17:7',
    97: 'case.map:17:16',
    107: 'case.map:18:7',
    110: 'case.map:20:3',
    112: 'case.map:18:7',
    116: 'case.map:19:3',
    119: 'case.map:20:3',
    129: 'case.map:4:7',
    132: 'case.map:5:3',
    133: 'case.map:6:3',
    134: 'case.map:7:3',
    135: 'case.map:8:3',
    136: 'case.map:9:3',
    137: 'case.map:10:3',
    138: 'case.map:11:3',
    139: 'case.map:12:3',
    140: 'case.map:13:3',
    141: 'case.map:14:3',
    142: 'case.map:15:3',
    144: 'case.map:4:7',
    148: 'case.map:5:3',
    157: 'case.map:6:3',
    163: 'case.map:7:3',
    169: 'case.map:8:3',
    175: 'case.map:9:3',
    181: 'case.map:10:3',
    187: 'case.map:11:3',
    193: 'case.map:12:3',
    199: 'case.map:13:3',
    205: 'case.map:14:3',
    214: 'case.map:15:3',
    232: 'case.map:23:7',
    234: 'case.map:23:1',
    237: 'case.map:24:3',
    239: 'case.map:24:18',
    242: 'case.map:25:3',
    244: 'case.map:25:20',
    247: 'case.map:26:3',
    249: 'case.map:26:20',
    252: 'case.map:27:3',
    254: 'case.map:27:22',
    257: 'case.map:28:3',
    259: 'case.map:28:22',
    262: 'case.map:29:3',
    264: 'case.map:29:19',
    267: 'case.map:30:3',
    269: 'case.map:30:21',
    272: 'case.map:31:3',
    274: 'case.map:31:22',
    277: 'case.map:32:3',
    279: 'case.map:32:22',
    282: 'case.map:33:3',
    284: 'case.map:33:22',
    287: 'case.map:33:67',
    289: 'case.map:33:82',
    292: 'case.map:34:3',
    293: 'case.map:34:20',
    295: 'case.map:34:60',
    297: 'case.map:23:1',
    301: 'case.map:37:7',
    303: 'case.map:37:1',
    306: 'case.map:38:3',
    308: 'case.map:38:18',
    311: 'case.map:39:3',
    313: 'case.map:39:18',
    315: 'case.map:37:1',
    319: '',
    325: 'case.map:5:3',
    326: 'case.map:6:3',
    327: 'case.map:7:3',
    328: 'case.map:8:3',
    329: 'case.map:9:3',
    330: 'case.map:10:3',
    331: 'case.map:11:3',
    332: 'case.map:12:3',
    333: 'case.map:13:3',
    334: 'case.map:14:3',
    335: 'case.map:15:3',
    337: 'case.map:4:7',
    341: 'case.map:5:3',
    350: 'case.map:6:3',
    356: 'case.map:7:3',
    362: 'case.map:8:3',
    368: 'case.map:9:3',
    374: 'case.map:10:3',
    380: 'case.map:11:3',
    386: 'case.map:12:3',
    392: 'case.map:13:3',
    398: 'case.map:14:3',
    401: 'case.map:17:16',
    403: 'case.map:17:7',
    407: 'case.map:17:16',
    414: 'case.map:14:3',
    419: 'case.map:15:3',
    423: 'case.map:20:3',
    425: 'case.map:18:7',
    429: 'case.map:19:3',
    432: 'case.map:20:3',
    440: 'case.map:15:3',
    450: 'case.map:23:1',
    453: 'case.map:24:3',
    455: 'case.map:24:18',
    458: 'case.map:25:3',
    460: 'case.map:25:20',
    463: 'case.map:26:3',
    465: 'case.map:26:20',
    468: 'case.map:27:3',
    470: 'case.map:27:22',
    473: 'case.map:28:3',
    475: 'case.map:28:22',
    478: 'case.map:29:3',
    480: 'case.map:29:19',
    483: 'case.map:30:3',
    485: 'case.map:30:21',
    488: 'case.map:31:3',
    490: 'case.map:31:22',
    493: 'case.map:32:3',
    495: 'case.map:32:22',
    498: 'case.map:33:3',
    501: 'case.map:33:22',
    504: 'case.map:33:67',
    506: 'case.map:33:82',
    509: 'case.map:34:3',
    511: 'case.map:34:20',
    513: 'case.map:37:1',
    516: 'case.map:38:3',
    518: 'case.map:38:18',
    521: 'case.map:39:3',
    523: 'case.map:39:18',
    525: 'case.map:37:1',
    528: 'case.map:23:1',
    539: '',
}
