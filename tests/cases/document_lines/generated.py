"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 8dafae95fa392ef46cd035ee28e9f18403fa3e16c3d078d98d3d0ba16a269333
"""

from fhirmap.runtime.cell_text import ODD_STARTS, is_odd, mended
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.reading import Cell, absent, as_text, at, disagreeing, lacking, one, rows, within
from fhirmap.runtime.unread import watched

_OPERATION_NEEDS = ('op.id', 'op.site', 'op.team', 'poses')
_OPERATION_ID = Cell('Operation.id', 'op.id', 'string', 'case.map:5:28', 'op.id', minimum=1)
_OPERATION_SITE = Cell('Operation.site', 'op.site', 'string', 'case.map:6:28', 'op.site', nulls=frozenset(('-',)))
_OPERATION_TEAM = Cell('Operation.team', 'op.team', 'string', 'case.map:7:28', 'op.team', maximum=None)
_OPERATION_COLUMNS = (_OPERATION_ID, _OPERATION_SITE, _OPERATION_TEAM)
_POSE_LOT = Cell('Pose.lot', 'pose.lot', 'string', 'case.map:12:29', 'pose.lot')
_POSE_UDIS = Cell('Pose.udis', 'pose.udi[type=GS1].text', 'string', 'case.map:13:29', 'pose.udi[type=GS1].text', maximum=None)
_PART_CODE = Cell('Part.code', 'pose.parts.code', 'code', 'case.map:16:14', 'code')
_POSE_PARTS = Cell('Pose.parts', 'pose.parts', 'Part', 'case.map:14:29', 'pose.parts', maximum=None)
_OPERATION_POSES = Cell('Operation.poses', 'poses', 'Pose', 'case.map:8:3', 'poses', minimum=1, maximum=None)
# Element of the result -> rule that makes it, source columns.
_places = {
    'Parameters.parameter': ('case.map:19:18', ('op.id', 'op.site', 'op.team')),
    'Parameters.parameter.name': ('case.map:19:38', ()),
    'Parameters.parameter.value[x]': ('case.map:19:53', ('op.id', 'op.site', 'op.team')),
    'Parameters.parameter.part': ('case.map:26:18', ('pose.lot', 'pose.udi[type=GS1].text', 'pose.parts.code')),
    'Parameters.parameter.part.name': ('case.map:26:31', ()),
    'Parameters.parameter.part.value[x]': ('case.map:26:48', ('pose.lot', 'pose.udi[type=GS1].text', 'pose.parts.code')),
}
# Rule or check -> element, source columns, where that table does not say.
_rules = {
    'case.map:19:18': ('Parameters.parameter', ('op.id',)),
    'case.map:20:20': ('Parameters.parameter', ('op.site',)),
    'case.map:21:20': ('Parameters.parameter', ('op.team',)),
    'case.map:22:21': ('Parameters.parameter', ()),
    'case.map:19:38': ('Parameters.parameter.name', ()),
    'case.map:20:40': ('Parameters.parameter.name', ()),
    'case.map:21:40': ('Parameters.parameter.name', ()),
    'case.map:22:41': ('Parameters.parameter.name', ()),
    'case.map:19:53': ('Parameters.parameter.value[x]', ('op.id',)),
    'case.map:20:57': ('Parameters.parameter.value[x]', ('op.site',)),
    'case.map:21:57': ('Parameters.parameter.value[x]', ('op.team',)),
    'case.map:26:18': ('Parameters.parameter.part', ()),
    'case.map:27:17': ('Parameters.parameter.part', ('pose.lot',)),
    'case.map:28:18': ('Parameters.parameter.part', ('pose.udi[type=GS1].text',)),
    'case.map:29:38': ('Parameters.parameter.part', ('pose.parts.code',)),
    'case.map:26:31': ('Parameters.parameter.part.name', ()),
    'case.map:27:30': ('Parameters.parameter.part.name', ()),
    'case.map:28:31': ('Parameters.parameter.part.name', ()),
    'case.map:29:51': ('Parameters.parameter.part.name', ()),
    'case.map:26:48': ('Parameters.parameter.part.value[x]', ()),
    'case.map:27:46': ('Parameters.parameter.part.value[x]', ('pose.lot',)),
    'case.map:28:47': ('Parameters.parameter.part.value[x]', ('pose.udi[type=GS1].text',)),
    'case.map:29:68': ('Parameters.parameter.part.value[x]', ('pose.parts.code',)),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def read_part(row, faults):
    """Part: rows of pose.parts (case.map:16)."""
    record = {}

    # code : code 0..1  (case.map:16)
    cell = row.get('code')
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _PART_CODE, faults)
        if value:
            record['code'] = value
    return record


def read_pose(row, faults, position):
    """Pose: a plain record (case.map:10)."""
    record = {}

    # rank : integer 0..1  (case.map:11)
    record['rank'] = position

    # lot : string 0..1  (case.map:12)
    pose_2 = row.get('pose', {})
    cell = pose_2.get('lot') if type(pose_2) is dict else at(row, ('pose', 'lot'))
    if type(cell) is list:
        cell = one(cell, _POSE_LOT, faults)
    if cell is not None:
        value = cell.strip() if type(cell) is str else as_text(cell, _POSE_LOT, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _POSE_LOT, faults)
        if value:
            record['lot'] = value

    # udis : string 0..*  (case.map:13)
    udis_values = []
    held = at(row, ('pose', 'udi', (('type',), 'GS1'), 'text'))
    for cell in held if isinstance(held, list) else [held]:
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _POSE_UDIS, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _POSE_UDIS, faults)
            if value:
                udis_values.append(value)
    if udis_values:
        record['udis'] = udis_values

    # parts : Part 0..*  (case.map:14)
    parts_raw = pose_2.get('parts') if type(pose_2) is dict else at(row, ('pose', 'parts'))
    parts_rows = []
    for rank, child in enumerate(rows(parts_raw, _POSE_PARTS, faults), 1):
        before = len(faults)
        item = read_part(child, faults)
        if faults and len(faults) > before:
            item = watched(item, faults, before)
            within(faults, before, 'Pose.parts', rank - 1)
        parts_rows.append(item)
    if parts_rows:
        record['parts'] = parts_rows
    return record


def _read(row, faults):
    """Operation: JSON documents (case.map:4)."""
    try:
        id_raw = row['op.id']
        site_raw = row['op.site']
        team_raw = row['op.team']
        poses_raw = row['poses']
    except (KeyError, TypeError):
        raise lacking(row, _OPERATION_NEEDS)
    record = {}
    disagreeing(poses_raw or (), _OPERATION_COLUMNS, faults, (('op', 'id'), ('op', 'site'), ('op', 'team')))

    # id : string 1..1  (case.map:5)
    if type(id_raw) is list:
        id_raw = one(id_raw, _OPERATION_ID, faults)
    value = id_raw.strip() if type(id_raw) is str else as_text(id_raw, _OPERATION_ID, faults)
    if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
        value = mended(value, _OPERATION_ID, faults)
    if value:
        record['id'] = value
    else:
        absent(_OPERATION_ID, faults)

    # site : string 0..1  (case.map:6)
    if type(site_raw) is list:
        site_raw = one(site_raw, _OPERATION_SITE, faults)
    if site_raw is not None:
        value = site_raw.strip() if type(site_raw) is str else as_text(site_raw, _OPERATION_SITE, faults)
        if value == '-':
            value = ''
        elif value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _OPERATION_SITE, faults)
        if value:
            record['site'] = value

    # team : string 0..*  (case.map:7)
    team_values = []
    for cell in team_raw if isinstance(team_raw, list) else [team_raw]:
        if cell is not None:
            value = cell.strip() if type(cell) is str else as_text(cell, _OPERATION_TEAM, faults)
            if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _OPERATION_TEAM, faults)
            if value:
                team_values.append(value)
    if team_values:
        record['team'] = team_values

    # poses : Pose 1..*  (case.map:8)
    poses_rows = []
    for rank, child in enumerate(rows(poses_raw, _OPERATION_POSES, faults), 1):
        before = len(faults)
        item = read_pose(child, faults, rank)
        if faults and len(faults) > before:
            item = watched(item, faults, before)
            within(faults, before, 'Operation.poses', rank - 1)
        poses_rows.append(item)
    if poses_rows:
        record['poses'] = poses_rows
    if 'poses' not in record:
        absent(_OPERATION_POSES, faults)
    return record


def operation(src, tgt, run):
    """group operation(source src : Operation, target tgt : Parameters)  case.map:18"""
    tgt_parameter = tgt.get('parameter') or []

    # id  (case.map:19)
    v = src.get('id')
    if v is not None:
        tgt_parameter.append({'name': 'id', 'valueString': v})

    # site  (case.map:20)
    v = src.get('site')
    if v is not None:
        tgt_parameter.append({'name': 'site', 'valueString': v})

    # team  (case.map:21)
    for v in src.get('team', ()):
        tgt_parameter.append({'name': 'team', 'valueString': v})

    # poses  (case.map:22)
    for a in src.get('poses', ()):
        p = {'name': 'pose'}
        tgt_parameter.append(p)
        pose(a, p, run)

    if tgt_parameter:
        tgt['parameter'] = tgt_parameter


def pose(a, p, run):
    """group pose(source a : Pose, target p : Parameters.parameter)  case.map:25"""
    p_part = p.get('part') or []

    # rank  (case.map:26)
    v = a.get('rank')
    if v is not None:
        p_part.append({'name': 'rank', 'valueInteger': v})

    # lot  (case.map:27)
    v = a.get('lot')
    if v is not None:
        p_part.append({'name': 'lot', 'valueString': v})

    # udis  (case.map:28)
    for v in a.get('udis', ()):
        p_part.append({'name': 'udi', 'valueString': v})

    # parts  (case.map:29)
    for x in a.get('parts', ()):
        # code  (case.map:29)
        v = x.get('code')
        if v is not None:
            p_part.append({'name': 'part', 'valueCode': v})

    if p_part:
        p['part'] = p_part


def _in_one_pass(row):
    """The same in one piece; None where `_transform` has to go step by step: something failed that no rule expected."""
    try:
        run = _Run()
        faults = run.faults
        try:
            id_raw = row['op.id']
            site_raw = row['op.site']
            team_raw = row['op.team']
            poses_raw = row['poses']
        except (KeyError, TypeError):
            raise lacking(row, _OPERATION_NEEDS)
        source_id = source_site = source_team = source_poses = None
        disagreeing(poses_raw or (), _OPERATION_COLUMNS, faults, (('op', 'id'), ('op', 'site'), ('op', 'team')))

        # id : string 1..1  (case.map:5)
        if type(id_raw) is list:
            id_raw = one(id_raw, _OPERATION_ID, faults)
        value = id_raw.strip() if type(id_raw) is str else as_text(id_raw, _OPERATION_ID, faults)
        if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
            value = mended(value, _OPERATION_ID, faults)
        if value:
            source_id = value
        else:
            absent(_OPERATION_ID, faults)

        # site : string 0..1  (case.map:6)
        if type(site_raw) is list:
            site_raw = one(site_raw, _OPERATION_SITE, faults)
        if site_raw is not None:
            value = site_raw.strip() if type(site_raw) is str else as_text(site_raw, _OPERATION_SITE, faults)
            if value == '-':
                value = ''
            elif value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                value = mended(value, _OPERATION_SITE, faults)
            if value:
                source_site = value

        # team : string 0..*  (case.map:7)
        team_values = []
        for cell in team_raw if isinstance(team_raw, list) else [team_raw]:
            if cell is not None:
                value = cell.strip() if type(cell) is str else as_text(cell, _OPERATION_TEAM, faults)
                if value and (value[:3] in ODD_STARTS or not (value.isprintable() if value >= 'A' else value.isalnum() and 'e' not in value and 'E' not in value)) and is_odd(value):
                    value = mended(value, _OPERATION_TEAM, faults)
                if value:
                    team_values.append(value)
        if team_values:
            source_team = team_values

        # poses : Pose 1..*  (case.map:8)
        poses_rows = []
        for rank, child in enumerate(rows(poses_raw, _OPERATION_POSES, faults), 1):
            before = len(faults)
            item_rank = item_lot = item_udis = item_parts = None

            # rank : integer 0..1  (case.map:11)
            item_rank = rank

            # lot : string 0..1  (case.map:12)
            pose_2 = child.get('pose', {})
            cell_2 = pose_2.get('lot') if type(pose_2) is dict else at(child, ('pose', 'lot'))
            if type(cell_2) is list:
                cell_2 = one(cell_2, _POSE_LOT, faults)
            if cell_2 is not None:
                value_2 = cell_2.strip() if type(cell_2) is str else as_text(cell_2, _POSE_LOT, faults)
                if value_2 and (value_2[:3] in ODD_STARTS or not (value_2.isprintable() if value_2 >= 'A' else value_2.isalnum() and 'e' not in value_2 and 'E' not in value_2)) and is_odd(value_2):
                    value_2 = mended(value_2, _POSE_LOT, faults)
                if value_2:
                    item_lot = value_2

            # udis : string 0..*  (case.map:13)
            udis_values = []
            held = at(child, ('pose', 'udi', (('type',), 'GS1'), 'text'))
            for cell_2 in held if isinstance(held, list) else [held]:
                if cell_2 is not None:
                    value_2 = cell_2.strip() if type(cell_2) is str else as_text(cell_2, _POSE_UDIS, faults)
                    if value_2 and (value_2[:3] in ODD_STARTS or not (value_2.isprintable() if value_2 >= 'A' else value_2.isalnum() and 'e' not in value_2 and 'E' not in value_2)) and is_odd(value_2):
                        value_2 = mended(value_2, _POSE_UDIS, faults)
                    if value_2:
                        udis_values.append(value_2)
            if udis_values:
                item_udis = udis_values

            # parts : Part 0..*  (case.map:14)
            parts_raw = pose_2.get('parts') if type(pose_2) is dict else at(child, ('pose', 'parts'))
            parts_rows = []
            for rank_2, child_2 in enumerate(rows(parts_raw, _POSE_PARTS, faults), 1):
                before_2 = len(faults)
                item_2_code = None

                # code : code 0..1  (case.map:16)
                cell_3 = child_2.get('code')
                if cell_3 is not None:
                    value_3 = cell_3.strip() if type(cell_3) is str else as_text(cell_3, _PART_CODE, faults)
                    if value_3:
                        item_2_code = value_3
                if faults and len(faults) > before_2:
                    within(faults, before_2, 'Pose.parts', rank_2 - 1)
                parts_rows.append((item_2_code,))
            if parts_rows:
                item_parts = parts_rows
            if faults and len(faults) > before:
                within(faults, before, 'Operation.poses', rank - 1)
            poses_rows.append((item_rank, item_lot, item_udis, item_parts))
        if poses_rows:
            source_poses = poses_rows
        if source_poses is None:
            absent(_OPERATION_POSES, faults)
        resource = {'resourceType': 'Parameters'}
        tgt_parameter = resource.get('parameter') or []

        # id  (case.map:19)
        v = source_id
        if v is not None:
            tgt_parameter.append({'name': 'id', 'valueString': v})

        # site  (case.map:20)
        v = source_site
        if v is not None:
            tgt_parameter.append({'name': 'site', 'valueString': v})

        # team  (case.map:21)
        for v in source_team or ():
            tgt_parameter.append({'name': 'team', 'valueString': v})

        # poses  (case.map:22)
        for a in source_poses or ():
            a_rank, a_lot, a_udis, a_parts = a
            p = {'name': 'pose'}
            tgt_parameter.append(p)
            p_part = p.get('part') or []

            # rank  (case.map:26)
            v_2 = a_rank
            if v_2 is not None:
                p_part.append({'name': 'rank', 'valueInteger': v_2})

            # lot  (case.map:27)
            v_2 = a_lot
            if v_2 is not None:
                p_part.append({'name': 'lot', 'valueString': v_2})

            # udis  (case.map:28)
            for v_2 in a_udis or ():
                p_part.append({'name': 'udi', 'valueString': v_2})

            # parts  (case.map:29)
            for x in a_parts or ():
                x_code, = x
                # code  (case.map:29)
                v_2 = x_code
                if v_2 is not None:
                    p_part.append({'name': 'part', 'valueCode': v_2})

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
        operation(source, resource, run)
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing(source)
    return run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    61: 'case.map:16:7',
    66: 'case.map:16:14',
    74: 'case.map:10:7',
    79: 'case.map:11:3',
    82: 'case.map:12:3',
    94: 'case.map:13:3',
    107: 'case.map:14:3',
    121: 'case.map:4:7',
    124: 'case.map:5:3',
    125: 'case.map:6:3',
    126: 'case.map:7:3',
    127: 'case.map:8:3',
    129: 'case.map:4:7',
    131: 'case.map:8:3',
    134: 'case.map:5:3',
    145: 'case.map:6:3',
    157: 'case.map:7:3',
    169: 'case.map:8:3',
    184: 'case.map:18:7',
    186: 'case.map:18:1',
    189: 'case.map:19:3',
    191: 'case.map:19:18',
    194: 'case.map:20:3',
    196: 'case.map:20:20',
    199: 'case.map:21:3',
    200: 'case.map:21:20',
    203: 'case.map:22:3',
    204: 'case.map:22:21',
    206: 'case.map:22:62',
    208: 'case.map:18:1',
    212: 'case.map:25:7',
    214: 'case.map:25:1',
    217: 'case.map:26:3',
    219: 'case.map:26:18',
    222: 'case.map:27:3',
    224: 'case.map:27:17',
    227: 'case.map:28:3',
    228: 'case.map:28:18',
    231: 'case.map:29:3',
    233: 'case.map:29:23',
    235: 'case.map:29:38',
    237: 'case.map:25:1',
    241: '',
    247: 'case.map:5:3',
    248: 'case.map:6:3',
    249: 'case.map:7:3',
    250: 'case.map:8:3',
    252: 'case.map:4:7',
    254: 'case.map:8:3',
    257: 'case.map:5:3',
    268: 'case.map:6:3',
    280: 'case.map:7:3',
    292: 'case.map:8:3',
    298: 'case.map:11:3',
    301: 'case.map:12:3',
    313: 'case.map:13:3',
    326: 'case.map:14:3',
    333: 'case.map:16:14',
    338: 'case.map:14:3',
    343: 'case.map:8:3',
    351: 'case.map:18:1',
    354: 'case.map:19:3',
    356: 'case.map:19:18',
    359: 'case.map:20:3',
    361: 'case.map:20:20',
    364: 'case.map:21:3',
    365: 'case.map:21:20',
    368: 'case.map:22:3',
    370: 'case.map:22:21',
    372: 'case.map:25:1',
    375: 'case.map:26:3',
    377: 'case.map:26:18',
    380: 'case.map:27:3',
    382: 'case.map:27:17',
    385: 'case.map:28:3',
    386: 'case.map:28:18',
    389: 'case.map:29:3',
    392: 'case.map:29:23',
    394: 'case.map:29:38',
    396: 'case.map:25:1',
    399: 'case.map:18:1',
    410: '',
}
