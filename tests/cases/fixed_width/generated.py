"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 7bcf1b292f91302bb082e95c4d574ed6b7f6646e0761b9d54389812e20b881b3
"""

from fhirmap.runtime.cell_text import ODD_STARTS, is_odd, mended
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.reading import Cell, absent, as_decimal, as_integer, as_text, date_reader, implied, lacking, rows, within
from fhirmap.runtime.unread import watched

_STAY_NEEDS = ('1-9', '10-10', '11-18', '19-28', '29-31', 'acts', 'diagnoses', 'ward')
_STAY_ID = Cell('Stay.id', '1-9', 'string', 'case.map:5:34', '1-9', minimum=1, nulls=frozenset(('00000000',)))
_STAY_SEX = Cell('Stay.sex', '10-10', 'code', 'case.map:6:34', '10-10', nulls=frozenset(('00000000',)))
_STAY_BORN = Cell('Stay.born', '11-18', 'date', 'case.map:7:34', '11-18', format='ddMMyyyy', nulls=frozenset(('00000000',)))
_READ_STAY_BORN = date_reader(_STAY_BORN)
_STAY_AMOUNT = Cell('Stay.amount', '19-28', 'decimal', 'case.map:8:34', '19-28', decimals=3, nulls=frozenset(('00000000',)))
_STAY_DAYS = Cell('Stay.days', '29-31', 'integer', 'case.map:9:34', '29-31', nulls=frozenset(('00000000',)))
_STAY_DIAGNOSES = Cell('Stay.diagnoses', 'diagnoses', 'code', 'case.map:10:34', 'diagnoses', maximum=None, nulls=frozenset(('00000000',)))
_ACT_NEEDS = ('1-7', '8-12')
_ACT_CODE = Cell('Act.code', 'acts.1-7', 'string', 'case.map:16:30', '1-7', minimum=1, nulls=frozenset(('00000000',)))
_ACT_AMOUNT = Cell('Act.amount', 'acts.8-12', 'decimal', 'case.map:17:30', '8-12', decimals=2, nulls=frozenset(('00000000',)))
_STAY_ACTS = Cell('Stay.acts', 'acts', 'Act', 'case.map:11:34', 'acts', maximum=None, nulls=frozenset(('00000000',)))
_WARD_NEEDS = ('libellé',)
_WARD_NAME = Cell('Ward.name', 'wards.libellé', 'string', 'case.map:19:71', 'libellé', nulls=frozenset(('?',)))
_STAY_WARD = Cell('Stay.ward', 'wards', 'Ward', 'case.map:12:3', 'ward', nulls=frozenset(('00000000',)))
# Element of the result -> rule that makes it, source columns.
_places = {
    'Parameters.parameter': ('case.map:22:18', ('1-9', '10-10', '11-18', '19-28', '29-31', 'diagnoses', 'acts', 'wards.libellé')),
    'Parameters.parameter.name': ('case.map:22:38', ()),
    'Parameters.parameter.value[x]': ('case.map:22:53', ('1-9', '10-10', '11-18', '19-28', '29-31', 'diagnoses', 'wards.libellé')),
    'Parameters.parameter.part': ('case.map:33:18', ('acts', 'acts.1-7', 'acts.8-12')),
    'Parameters.parameter.part.name': ('case.map:33:31', ()),
    'Parameters.parameter.part.value[x]': ('case.map:33:48', ('acts', 'acts.1-7', 'acts.8-12')),
}
# Rule or check -> element, source columns, where that table does not say.
_rules = {
    'case.map:22:18': ('Parameters.parameter', ('1-9',)),
    'case.map:23:19': ('Parameters.parameter', ('10-10',)),
    'case.map:24:20': ('Parameters.parameter', ('11-18',)),
    'case.map:25:22': ('Parameters.parameter', ('19-28',)),
    'case.map:26:20': ('Parameters.parameter', ('29-31',)),
    'case.map:27:25': ('Parameters.parameter', ('diagnoses',)),
    'case.map:28:20': ('Parameters.parameter', ('acts',)),
    'case.map:29:39': ('Parameters.parameter', ('wards.libellé',)),
    'case.map:22:38': ('Parameters.parameter.name', ()),
    'case.map:23:39': ('Parameters.parameter.name', ()),
    'case.map:24:40': ('Parameters.parameter.name', ()),
    'case.map:25:42': ('Parameters.parameter.name', ()),
    'case.map:26:40': ('Parameters.parameter.name', ()),
    'case.map:27:45': ('Parameters.parameter.name', ()),
    'case.map:28:40': ('Parameters.parameter.name', ()),
    'case.map:29:59': ('Parameters.parameter.name', ()),
    'case.map:22:53': ('Parameters.parameter.value[x]', ('1-9',)),
    'case.map:23:55': ('Parameters.parameter.value[x]', ('10-10',)),
    'case.map:24:57': ('Parameters.parameter.value[x]', ('11-18',)),
    'case.map:25:61': ('Parameters.parameter.value[x]', ('19-28',)),
    'case.map:26:57': ('Parameters.parameter.value[x]', ('29-31',)),
    'case.map:27:67': ('Parameters.parameter.value[x]', ('diagnoses',)),
    'case.map:29:76': ('Parameters.parameter.value[x]', ('wards.libellé',)),
    'case.map:33:18': ('Parameters.parameter.part', ('acts',)),
    'case.map:34:18': ('Parameters.parameter.part', ('acts.1-7',)),
    'case.map:35:20': ('Parameters.parameter.part', ('acts.8-12',)),
    'case.map:33:31': ('Parameters.parameter.part.name', ()),
    'case.map:34:31': ('Parameters.parameter.part.name', ()),
    'case.map:35:33': ('Parameters.parameter.part.name', ()),
    'case.map:33:48': ('Parameters.parameter.part.value[x]', ('acts',)),
    'case.map:34:48': ('Parameters.parameter.part.value[x]', ('acts.1-7',)),
    'case.map:35:52': ('Parameters.parameter.part.value[x]', ('acts.8-12',)),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def read_act(row, faults, position):
    """Act: rows of acts (case.map:14)."""
    try:
        code_raw = row['1-7']
        amount_raw = row['8-12']
    except (KeyError, TypeError):
        raise lacking(row, _ACT_NEEDS)
    record = {}

    # rank : integer 0..1  (case.map:15)
    record['rank'] = position

    # code : string 1..1  (case.map:16)
    value = code_raw.strip() if type(code_raw) is str else as_text(code_raw, _ACT_CODE, faults)
    if value == '00000000':
        value = ''
    elif value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
        value = mended(value, _ACT_CODE, faults)
    if value:
        record['code'] = value
    else:
        absent(_ACT_CODE, faults)

    # amount : decimal 0..1  (case.map:17)
    if amount_raw is not None:
        value = as_decimal(implied(amount_raw, _ACT_AMOUNT, faults), _ACT_AMOUNT, faults)
        if value is not None:
            record['amount'] = value
    return record


def read_ward(row, faults):
    """Ward: CSV lines (case.map:19)."""
    try:
        name_raw = row['libellé']
    except (KeyError, TypeError):
        raise lacking(row, _WARD_NEEDS)
    record = {}

    # name : string 0..1  (case.map:19)
    if name_raw is not None:
        value = name_raw.strip() if type(name_raw) is str else as_text(name_raw, _WARD_NAME, faults)
        if value == '?':
            value = ''
        elif value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _WARD_NAME, faults)
        if value:
            record['name'] = value
    return record


def _read(row, faults):
    """Stay: lines of fixed width (case.map:4)."""
    try:
        id_raw = row['1-9']
        sex_raw = row['10-10']
        born_raw = row['11-18']
        amount_raw = row['19-28']
        days_raw = row['29-31']
        diagnoses_raw = row['diagnoses']
        acts_raw = row['acts']
        ward_raw = row['ward']
    except (KeyError, TypeError):
        raise lacking(row, _STAY_NEEDS)
    record = {}

    # id : string 1..1  (case.map:5)
    value = id_raw.strip() if type(id_raw) is str else as_text(id_raw, _STAY_ID, faults)
    if value == '00000000':
        value = ''
    elif value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
        value = mended(value, _STAY_ID, faults)
    if value:
        record['id'] = value
    else:
        absent(_STAY_ID, faults)

    # sex : code 0..1  (case.map:6)
    if sex_raw is not None:
        value = sex_raw.strip() if type(sex_raw) is str else as_text(sex_raw, _STAY_SEX, faults)
        if value and value != '00000000':
            record['sex'] = value

    # born : date 0..1  (case.map:7)
    if born_raw is not None:
        value = _READ_STAY_BORN(born_raw, faults)
        if value is not None:
            record['born'] = value

    # amount : decimal 0..1  (case.map:8)
    if amount_raw is not None:
        value = as_decimal(implied(amount_raw, _STAY_AMOUNT, faults), _STAY_AMOUNT, faults)
        if value is not None:
            record['amount'] = value

    # days : integer 0..1  (case.map:9)
    if days_raw is not None:
        value = as_integer(days_raw, _STAY_DAYS, faults)
        if value is not None:
            record['days'] = value

    # diagnoses : code 0..*  (case.map:10)
    diagnoses_values = []
    for cell in diagnoses_raw if isinstance(diagnoses_raw, list) else [diagnoses_raw]:
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _STAY_DIAGNOSES, faults)
            if value and value != '00000000':
                diagnoses_values.append(value)
    if diagnoses_values:
        record['diagnoses'] = diagnoses_values

    # acts : Act 0..*  (case.map:11)
    acts_rows = []
    for rank, child in enumerate(rows(acts_raw, _STAY_ACTS, faults), 1):
        before = len(faults)
        item = read_act(child, faults, rank)
        if faults and len(faults) > before:
            item = watched(item, faults, before)
            within(faults, before, 'Stay.acts', rank - 1)
        acts_rows.append(item)
    if acts_rows:
        record['acts'] = acts_rows

    # ward : Ward 0..1  (case.map:12)
    for child_2 in ward_raw if type(ward_raw) is list and len(ward_raw) < 2 else rows(ward_raw, _STAY_WARD, faults):
        before_2 = len(faults)
        item_2 = read_ward(child_2, faults)
        if faults and len(faults) > before_2:
            item_2 = watched(item_2, faults, before_2)
            within(faults, before_2, 'Stay.ward', 0)
        record['ward'] = item_2
    return record


def stay(src, tgt, run):
    """group stay(source src : Stay, target tgt : Parameters)  case.map:21"""
    tgt_parameter = tgt.get('parameter') or []

    # id  (case.map:22)
    v = src.get('id')
    if v is not None:
        tgt_parameter.append({'name': 'id', 'valueString': v})

    # sex  (case.map:23)
    v = src.get('sex')
    if v is not None:
        tgt_parameter.append({'name': 'sex', 'valueCode': v})

    # born  (case.map:24)
    v = src.get('born')
    if v is not None:
        tgt_parameter.append({'name': 'born', 'valueDate': v})

    # amount  (case.map:25)
    v = src.get('amount')
    if v is not None:
        tgt_parameter.append({'name': 'amount', 'valueDecimal': v})

    # days  (case.map:26)
    v = src.get('days')
    if v is not None:
        tgt_parameter.append({'name': 'days', 'valueInteger': v})

    # diagnoses  (case.map:27)
    for v in src.get('diagnoses', ()):
        tgt_parameter.append({'name': 'diagnosis', 'valueCode': v})

    # acts  (case.map:28)
    for a in src.get('acts', ()):
        p = {'name': 'act'}
        tgt_parameter.append(p)
        act(a, p, run)

    # ward  (case.map:29)
    w = src.get('ward')
    if w is not None:
        # name  (case.map:29)
        v = w.get('name')
        if v is not None:
            tgt_parameter.append({'name': 'ward', 'valueString': v})

    if tgt_parameter:
        tgt['parameter'] = tgt_parameter


def act(a, p, run):
    """group act(source a : Act, target p : Parameters.parameter)  case.map:32"""
    p_part = p.get('part') or []

    # rank  (case.map:33)
    v = a.get('rank')
    if v is not None:
        p_part.append({'name': 'rank', 'valueInteger': v})

    # code  (case.map:34)
    v = a.get('code')
    if v is not None:
        p_part.append({'name': 'code', 'valueString': v})

    # amount  (case.map:35)
    v = a.get('amount')
    if v is not None:
        p_part.append({'name': 'amount', 'valueDecimal': v})

    if p_part:
        p['part'] = p_part


def _in_one_pass(row):
    """The same in one piece; None where `_transform` has to go step by step: something failed that no rule expected."""
    try:
        run = _Run()
        faults = run.faults
        try:
            id_raw = row['1-9']
            sex_raw = row['10-10']
            born_raw = row['11-18']
            amount_raw = row['19-28']
            days_raw = row['29-31']
            diagnoses_raw = row['diagnoses']
            acts_raw = row['acts']
            ward_raw = row['ward']
        except (KeyError, TypeError):
            raise lacking(row, _STAY_NEEDS)
        source_id = source_sex = source_born = source_amount = source_days = source_diagnoses = source_acts = source_ward = None

        # id : string 1..1  (case.map:5)
        value = id_raw.strip() if type(id_raw) is str else as_text(id_raw, _STAY_ID, faults)
        if value == '00000000':
            value = ''
        elif value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _STAY_ID, faults)
        if value:
            source_id = value
        else:
            absent(_STAY_ID, faults)

        # sex : code 0..1  (case.map:6)
        if sex_raw is not None:
            value = sex_raw.strip() if type(sex_raw) is str else as_text(sex_raw, _STAY_SEX, faults)
            if value and value != '00000000':
                source_sex = value

        # born : date 0..1  (case.map:7)
        if born_raw is not None:
            value = _READ_STAY_BORN(born_raw, faults)
            if value is not None:
                source_born = value

        # amount : decimal 0..1  (case.map:8)
        if amount_raw is not None:
            value = as_decimal(implied(amount_raw, _STAY_AMOUNT, faults), _STAY_AMOUNT, faults)
            if value is not None:
                source_amount = value

        # days : integer 0..1  (case.map:9)
        if days_raw is not None:
            value = as_integer(days_raw, _STAY_DAYS, faults)
            if value is not None:
                source_days = value

        # diagnoses : code 0..*  (case.map:10)
        diagnoses_values = []
        for cell in diagnoses_raw if isinstance(diagnoses_raw, list) else [diagnoses_raw]:
            if cell is not None:
                value = cell.strip() if type(cell) is str else as_text(cell, _STAY_DIAGNOSES, faults)
                if value and value != '00000000':
                    diagnoses_values.append(value)
        if diagnoses_values:
            source_diagnoses = diagnoses_values

        # acts : Act 0..*  (case.map:11)
        acts_rows = []
        for rank, child in enumerate(rows(acts_raw, _STAY_ACTS, faults), 1):
            before = len(faults)
            try:
                code_raw = child['1-7']
                amount_raw_2 = child['8-12']
            except (KeyError, TypeError):
                raise lacking(child, _ACT_NEEDS)
            item_rank = item_code = item_amount = None

            # rank : integer 0..1  (case.map:15)
            item_rank = rank

            # code : string 1..1  (case.map:16)
            value_2 = code_raw.strip() if type(code_raw) is str else as_text(code_raw, _ACT_CODE, faults)
            if value_2 == '00000000':
                value_2 = ''
            elif value_2 and (value_2[:3] in ODD_STARTS or not (value_2.isprintable() if value_2 >= 'A' else value_2.isalnum() and 'e' not in value_2 and 'E' not in value_2)) and is_odd(value_2):
                value_2 = mended(value_2, _ACT_CODE, faults)
            if value_2:
                item_code = value_2
            else:
                absent(_ACT_CODE, faults)

            # amount : decimal 0..1  (case.map:17)
            if amount_raw_2 is not None:
                value_2 = as_decimal(implied(amount_raw_2, _ACT_AMOUNT, faults), _ACT_AMOUNT, faults)
                if value_2 is not None:
                    item_amount = value_2
            if faults and len(faults) > before:
                within(faults, before, 'Stay.acts', rank - 1)
            acts_rows.append((item_rank, item_code, item_amount))
        if acts_rows:
            source_acts = acts_rows

        # ward : Ward 0..1  (case.map:12)
        for child_2 in ward_raw if type(ward_raw) is list and len(ward_raw) < 2 else rows(ward_raw, _STAY_WARD, faults):
            before_2 = len(faults)
            try:
                name_raw = child_2['libellé']
            except (KeyError, TypeError):
                raise lacking(child_2, _WARD_NEEDS)
            item_2_name = None

            # name : string 0..1  (case.map:19)
            if name_raw is not None:
                value_3 = name_raw.strip() if type(name_raw) is str else as_text(name_raw, _WARD_NAME, faults)
                if value_3 == '?':
                    value_3 = ''
                elif value_3 and (value_3[:3] in ODD_STARTS or not (value_3.isprintable() if value_3 >= 'A' else value_3.isalnum() and 'e' not in value_3 and 'E' not in value_3)) and is_odd(value_3):
                    value_3 = mended(value_3, _WARD_NAME, faults)
                if value_3:
                    item_2_name = value_3
            if faults and len(faults) > before_2:
                within(faults, before_2, 'Stay.ward', 0)
            source_ward = (item_2_name,)
        resource = {'resourceType': 'Parameters'}
        tgt_parameter = resource.get('parameter') or []

        # id  (case.map:22)
        v = source_id
        if v is not None:
            tgt_parameter.append({'name': 'id', 'valueString': v})

        # sex  (case.map:23)
        v = source_sex
        if v is not None:
            tgt_parameter.append({'name': 'sex', 'valueCode': v})

        # born  (case.map:24)
        v = source_born
        if v is not None:
            tgt_parameter.append({'name': 'born', 'valueDate': v})

        # amount  (case.map:25)
        v = source_amount
        if v is not None:
            tgt_parameter.append({'name': 'amount', 'valueDecimal': v})

        # days  (case.map:26)
        v = source_days
        if v is not None:
            tgt_parameter.append({'name': 'days', 'valueInteger': v})

        # diagnoses  (case.map:27)
        for v in source_diagnoses or ():
            tgt_parameter.append({'name': 'diagnosis', 'valueCode': v})

        # acts  (case.map:28)
        for a in source_acts or ():
            a_rank, a_code, a_amount = a
            p = {'name': 'act'}
            tgt_parameter.append(p)
            p_part = p.get('part') or []

            # rank  (case.map:33)
            v_2 = a_rank
            if v_2 is not None:
                p_part.append({'name': 'rank', 'valueInteger': v_2})

            # code  (case.map:34)
            v_2 = a_code
            if v_2 is not None:
                p_part.append({'name': 'code', 'valueString': v_2})

            # amount  (case.map:35)
            v_2 = a_amount
            if v_2 is not None:
                p_part.append({'name': 'amount', 'valueDecimal': v_2})

            if p_part:
                p['part'] = p_part

        # ward  (case.map:29)
        w = source_ward
        if w is not None:
            w_name, = w
            # name  (case.map:29)
            v = w_name
            if v is not None:
                tgt_parameter.append({'name': 'ward', 'valueString': v})

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
    75: 'case.map:14:7',
    78: 'case.map:16:3',
    79: 'case.map:17:3',
    81: 'case.map:14:7',
    85: 'case.map:15:3',
    88: 'case.map:16:3',
    99: 'case.map:17:3',
    106: 'case.map:19:7',
    109: 'case.map:19:47',
    111: 'case.map:19:7',
    115: 'case.map:19:47',
    126: 'case.map:4:7',
    129: 'case.map:5:3',
    130: 'case.map:6:3',
    131: 'case.map:7:3',
    132: 'case.map:8:3',
    133: 'case.map:9:3',
    134: 'case.map:10:3',
    135: 'case.map:11:3',
    136: 'case.map:12:3',
    138: 'case.map:4:7',
    142: 'case.map:5:3',
    153: 'case.map:6:3',
    159: 'case.map:7:3',
    165: 'case.map:8:3',
    171: 'case.map:9:3',
    177: 'case.map:10:3',
    187: 'case.map:11:3',
    199: 'case.map:12:3',
    209: 'case.map:21:7',
    211: 'case.map:21:1',
    214: 'case.map:22:3',
    216: 'case.map:22:18',
    219: 'case.map:23:3',
    221: 'case.map:23:19',
    224: 'case.map:24:3',
    226: 'case.map:24:20',
    229: 'case.map:25:3',
    231: 'case.map:25:22',
    234: 'case.map:26:3',
    236: 'case.map:26:20',
    239: 'case.map:27:3',
    240: 'case.map:27:25',
    243: 'case.map:28:3',
    244: 'case.map:28:20',
    246: 'case.map:28:60',
    249: 'case.map:29:3',
    252: 'case.map:29:24',
    254: 'case.map:29:39',
    256: 'case.map:21:1',
    260: 'case.map:32:7',
    262: 'case.map:32:1',
    265: 'case.map:33:3',
    267: 'case.map:33:18',
    270: 'case.map:34:3',
    272: 'case.map:34:18',
    275: 'case.map:35:3',
    277: 'case.map:35:20',
    279: 'case.map:32:1',
    283: '',
    289: 'case.map:5:3',
    290: 'case.map:6:3',
    291: 'case.map:7:3',
    292: 'case.map:8:3',
    293: 'case.map:9:3',
    294: 'case.map:10:3',
    295: 'case.map:11:3',
    296: 'case.map:12:3',
    298: 'case.map:4:7',
    302: 'case.map:5:3',
    313: 'case.map:6:3',
    319: 'case.map:7:3',
    325: 'case.map:8:3',
    331: 'case.map:9:3',
    337: 'case.map:10:3',
    347: 'case.map:11:3',
    351: 'case.map:16:3',
    352: 'case.map:17:3',
    354: 'case.map:14:7',
    358: 'case.map:15:3',
    361: 'case.map:16:3',
    372: 'case.map:17:3',
    376: 'case.map:11:3',
    383: 'case.map:12:3',
    386: 'case.map:19:47',
    388: 'case.map:19:7',
    392: 'case.map:19:47',
    400: 'case.map:12:3',
    404: 'case.map:21:1',
    407: 'case.map:22:3',
    409: 'case.map:22:18',
    412: 'case.map:23:3',
    414: 'case.map:23:19',
    417: 'case.map:24:3',
    419: 'case.map:24:20',
    422: 'case.map:25:3',
    424: 'case.map:25:22',
    427: 'case.map:26:3',
    429: 'case.map:26:20',
    432: 'case.map:27:3',
    433: 'case.map:27:25',
    436: 'case.map:28:3',
    438: 'case.map:28:20',
    440: 'case.map:32:1',
    443: 'case.map:33:3',
    445: 'case.map:33:18',
    448: 'case.map:34:3',
    450: 'case.map:34:18',
    453: 'case.map:35:3',
    455: 'case.map:35:20',
    457: 'case.map:32:1',
    461: 'case.map:29:3',
    465: 'case.map:29:24',
    467: 'case.map:29:39',
    469: 'case.map:21:1',
    480: '',
}
