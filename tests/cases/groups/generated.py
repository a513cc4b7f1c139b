"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 036e35558a832981c7275ea4c615cd9d7a291d96a2dfcb71e7d9beb3bae59fed
"""

from fhirmap.records import Result
from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.lists import copied, drop
from fhirmap.runtime.nodes import assign
from fhirmap.runtime.transforms.text import truncate

_types_1 = fp.TypeTable({'Address': {'id': 'string', 'extension*': 'Extension'}, 'Age': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Annotation': {'id': 'string', 'extension*': 'Extension'}, 'Attachment': {'id': 'string', 'extension*': 'Extension'}, 'CodeableConcept': {'id': 'string', 'extension*': 'Extension'}, 'Coding': {'id': 'string', 'extension*': 'Extension', 'system': 'uri'}, 'ContactDetail': {'id': 'string', 'extension*': 'Extension', 'name': 'string', 'telecom*': 'ContactPoint'}, 'ContactPoint': {'id': 'string', 'extension*': 'Extension', 'system': 'code', 'value': 'string'}, 'Contributor': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'Count': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'DataRequirement': {'id': 'string', 'extension*': 'Extension'}, 'Distance': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Dosage': {'id': 'string', 'extension*': 'Extension'}, 'Duration': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Expression': {'id': 'string', 'extension*': 'Extension', 'name': 'id'}, 'Extension': {'id': 'string', 'extension*': 'Extension', 'value': ('base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid', 'Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactPoint', 'Count', 'Distance', 'Duration', 'HumanName', 'Identifier', 'Money', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'SampledData', 'Signature', 'Timing', 'ContactDetail', 'Contributor', 'DataRequirement', 'Expression', 'ParameterDefinition', 'RelatedArtifact', 'TriggerDefinition', 'UsageContext', 'Dosage', 'Meta')}, 'HumanName': {'id': 'string', 'extension*': 'Extension', 'family': 'string', 'given*': 'string'}, 'Identifier': {'id': 'string', 'extension*': 'Extension', 'system': 'uri', 'value': 'string'}, 'Meta': {'id': 'string', 'extension*': 'Extension'}, 'Money': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal'}, 'ParameterDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'code'}, 'Patient': {'id': 'id', 'extension*': 'Extension', 'identifier*': 'Identifier', 'active': 'boolean', 'name*': 'HumanName', 'telecom*': 'ContactPoint', 'gender': 'code', 'birthDate': 'date', 'address*': 'Address'}, 'Period': {'id': 'string', 'extension*': 'Extension'}, 'Quantity': {'id': 'string', 'extension*': 'Extension', 'value': 'decimal', 'system': 'uri'}, 'Range': {'id': 'string', 'extension*': 'Extension'}, 'Ratio': {'id': 'string', 'extension*': 'Extension'}, 'Reference': {'id': 'string', 'extension*': 'Extension', 'identifier': 'Identifier'}, 'RelatedArtifact': {'id': 'string', 'extension*': 'Extension'}, 'SampledData': {'id': 'string', 'extension*': 'Extension'}, 'Signature': {'id': 'string', 'extension*': 'Extension'}, 'Timing': {'id': 'string', 'extension*': 'Extension'}, 'TriggerDefinition': {'id': 'string', 'extension*': 'Extension', 'name': 'string'}, 'UsageContext': {'id': 'string', 'extension*': 'Extension', 'value': ('CodeableConcept', 'Quantity', 'Range', 'Reference')}}, {'Address': 'Element', 'Age': 'Quantity', 'Quantity': 'Element', 'Annotation': 'Element', 'Attachment': 'Element', 'CodeableConcept': 'Element', 'Coding': 'Element', 'ContactDetail': 'Element', 'ContactPoint': 'Element', 'Contributor': 'Element', 'Count': 'Quantity', 'DataRequirement': 'Element', 'Distance': 'Quantity', 'Dosage': 'BackboneElement', 'BackboneElement': 'Element', 'Duration': 'Quantity', 'Expression': 'Element', 'Extension': 'Element', 'HumanName': 'Element', 'Identifier': 'Element', 'Meta': 'Element', 'Money': 'Element', 'ParameterDefinition': 'Element', 'Patient': 'DomainResource', 'DomainResource': 'Resource', 'Period': 'Element', 'Range': 'Element', 'Ratio': 'Element', 'Reference': 'Element', 'RelatedArtifact': 'Element', 'SampledData': 'Element', 'Signature': 'Element', 'Timing': 'BackboneElement', 'TriggerDefinition': 'Element', 'UsageContext': 'Element'})
_id_2 = fp.RawElement('Patient', 'id', _types_1)
_identifier_3 = fp.RawElement('Patient', 'identifier', _types_1)
_name_4 = fp.RawElement('Patient', 'name', _types_1)
_birthDate_5 = fp.RawElement('Patient', 'birthDate', _types_1)
_telecom_6 = fp.RawElement('Patient', 'telecom', _types_1)
_address_7 = fp.RawElement('Patient', 'address', _types_1)
_active_8 = fp.RawElement('Patient', 'active', _types_1)
_gender_9 = fp.RawElement('Patient', 'gender', _types_1)
_system_10 = fp.RawElement('Identifier', 'system', _types_1)
_value_11 = fp.RawElement('Identifier', 'value', _types_1)
_family_12 = fp.RawElement('HumanName', 'family', _types_1)
_given_13 = fp.RawElement('HumanName', 'given', _types_1)
_value_14 = fp.RawElement('ContactPoint', 'value', _types_1)
# Element of the result -> rule that makes it, source columns.
_places = {
    'Person.id': ('case.map:15:18', ()),
    'Person.identifier': ('case.map:16:26', ()),
    'Person.identifier.system': ('case.map:19:51', ()),
    'Person.identifier.value': ('case.map:20:50', ()),
    'Person.identifier.use': ('case.map:16:81', ()),
    'Person.name': ('case.map:7:15', ()),
    'Person.name.family': ('types.map:3:22', ()),
    'Person.name.given': ('types.map:4:16', ()),
    'Person.birthDate': ('case.map:8:20', ()),
    'Person.telecom': ('case.map:9:18', ()),
    'Person.telecom.value': ('types.map:7:21', ()),
    'Person.address': ('case.map:10:18', ()),
    'Person.active': ('case.map:11:16', ()),
    'Person.gender': ('case.map:11:24', ()),
}
# What is made for each record.
_Run = RecordRun.of(globals())


def entry(src, tgt, run):
    """group entry(source src : Patient, target tgt : Person)  case.map:6"""
    # id  (case.map:15)
    try:
        v = src.get('id')
        if type(v) is str and v and '_id' not in src:
            tgt['id'] = v
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for v in fp.items_at(src, _id_2):
                assign(tgt, 'id', [v], (('id',), False), False)
    except run.caught as error:
        run.fail(error)

    # identifier  (case.map:16)
    try:
        for i in src.get('identifier') or fp.no_objects(src, _identifier_3):
            if type(i) is dict or fp.is_object(i, src, _identifier_3):
                j = {}
                tgt.setdefault('identifier', []).append(j)
                both(i, j, run)
                more(i, j, run)
                # rule-1  (case.map:16)
                j['use'] = 'usual'
                if not j:
                    drop(tgt, 'identifier', j)
    except run.caught as error:
        run.fail(error, (src, _identifier_3))

    # name  (case.map:7)
    try:
        for name in src.get('name') or fp.no_objects(src, _name_4):
            if type(name) is dict or fp.is_object(name, src, _name_4):
                name_2 = {}
                tgt.setdefault('name', []).append(name_2)
                Name(name, name_2, run)
                if not name_2:
                    drop(tgt, 'name', name_2)
    except run.caught as error:
        run.fail(error, (src, _name_4))

    # birthDate  (case.map:8)
    try:
        birthDate = src.get('birthDate')
        if type(birthDate) is str and birthDate and '_birthDate' not in src:
            tgt['birthDate'] = birthDate
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for birthDate in fp.items_at(src, _birthDate_5):
                assign(tgt, 'birthDate', [birthDate], (('date',), False), False)
    except run.caught as error:
        run.fail(error)

    # telecom  (case.map:9)
    try:
        for telecom in src.get('telecom') or fp.no_objects(src, _telecom_6):
            if type(telecom) is dict or fp.is_object(telecom, src, _telecom_6):
                telecom_2 = {}
                tgt.setdefault('telecom', []).append(telecom_2)
                Contact(telecom, telecom_2, run)
                if not telecom_2:
                    drop(tgt, 'telecom', telecom_2)
    except run.caught as error:
        run.fail(error, (src, _telecom_6))

    # address  (case.map:10)
    try:
        for address in src.get('address') or fp.no_objects(src, _address_7):
            if type(address) is dict or fp.is_object(address, src, _address_7):
                tgt.setdefault('address', []).append(copied(address))
    except run.caught as error:
        run.fail(error, (src, _address_7))

    # batchactive  (case.map:11)
    try:
        active = src.get('active')
        if type(active) is bool and '_active' not in src:
            tgt['active'] = active
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for active in fp.items_at(src, _active_8):
                assign(tgt, 'active', [active], (('boolean',), False), False)
    except run.caught as error:
        run.fail(error)

    # batchgender  (case.map:11)
    try:
        gender = src.get('gender')
        if type(gender) is str and gender and '_gender' not in src:
            tgt['gender'] = gender
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for gender in fp.items_at(src, _gender_9):
                assign(tgt, 'gender', [gender], (('code',), False), False)
    except run.caught as error:
        run.fail(error)


def both(i, j, run):
    """group both(source i : Identifier, target j : Identifier)  case.map:19"""
    # system  (case.map:19)
    try:
        s = i.get('system')
        if type(s) is str and s and '_system' not in i:
            j['system'] = s
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for s in fp.items_at(i, _system_10):
                assign(j, 'system', [s], (('uri',), False), False)
    except run.caught as error:
        run.fail(error)


def more(i, j, run):
    """group more(source i : Identifier, target j : Identifier)  case.map:20"""
    # value  (case.map:20)
    try:
        v = i.get('value')
        if type(v) is str and v and '_value' not in i:
            j['value'] = v
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for v in fp.items_at(i, _value_11):
                assign(j, 'value', [v], (('string',), False), False)
    except run.caught as error:
        run.fail(error)


def Name(src, tgt, run):
    """group Name(source src : HumanName, target tgt : HumanName)  types.map:2"""
    # family  (types.map:3)
    try:
        f = src.get('family')
        if type(f) is str and f and '_family' not in src:
            tgt['family'] = f
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for f in fp.items_at(src, _family_12):
                assign(tgt, 'family', [f], (('string',), False), False)
    except run.caught as error:
        run.fail(error)

    # given  (types.map:4)
    try:
        given = fp.only_texts(src, 'given')
        if given is not None and '_given' not in tgt:
            for given_2 in given:
                tgt.setdefault('given', []).append(given_2)
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for given in fp.items_at(src, _given_13):
                assign(tgt, 'given', [given], (('string',), False), True)
    except run.caught as error:
        run.fail(error)


def Contact(src, tgt, run):
    """group Contact(source src : ContactPoint, target tgt : ContactPoint)  types.map:6"""
    # value  (types.map:7)
    try:
        v = src.get('value')
        if type(v) is str and v and '_value' not in src:
            value = truncate(v, 3)
            if value is not None:
                tgt['value'] = value
        else:
            # by items: there is no value, or it has extensions, or another shape or type
            for v in fp.items_at(src, _value_14):
                value = truncate(fp.value([v]), 3)
                if value is not None:
                    tgt['value'] = value
    except run.caught as error:
        run.fail(error)


def _transform(row, strict=False):
    """One record: what it becomes, with notes and faults; no resource where it is out of scope."""
    run = _Run()
    if strict:
        run.caught = ()
    try:
        source = row if type(row) is dict and row.get('resourceType') == 'Patient' else fp.object_root(row, 'Patient', _types_1, 'Patient')
    except run.caught as error:
        run.abandon(error)
        return run.result({}, _places)
    run.resource = source
    resource = {'resourceType': 'Person'}
    try:
        entry(source, resource, run)
    except run.caught as error:
        run.abandon(error)
    if len(resource) == 1 and not run.failed:
        return run.nothing()
    return Result(resource) if run.is_silent else run.result(resource, _places)


# From this line on -> where the map says so.
_marks = {
    49: 'case.map:6:7',
    53: 'case.map:15:3',
    55: 'case.map:15:18',
    58: 'case.map:15:3',
    59: 'case.map:15:18',
    65: 'case.map:16:3',
    67: 'case.map:16:26',
    69: 'case.map:16:51',
    70: 'case.map:16:63',
    72: 'case.map:16:81',
    73: 'case.map:16:26',
    80: 'case.map:7:3',
    82: 'case.map:7:15',
    84: 'case.map:7:3',
    85: 'case.map:7:15',
    92: 'case.map:8:3',
    94: 'case.map:8:20',
    97: 'case.map:8:3',
    98: 'case.map:8:20',
    104: 'case.map:9:3',
    106: 'case.map:9:18',
    108: 'case.map:9:3',
    109: 'case.map:9:18',
    116: 'case.map:10:3',
    118: 'case.map:10:18',
    124: 'case.map:11:3',
    126: 'case.map:11:16',
    129: 'case.map:11:3',
    130: 'case.map:11:16',
    136: 'case.map:11:3',
    138: 'case.map:11:24',
    141: 'case.map:11:3',
    142: 'case.map:11:24',
    147: 'case.map:19:7',
    151: 'case.map:19:34',
    153: 'case.map:19:51',
    156: 'case.map:19:34',
    157: 'case.map:19:51',
    162: 'case.map:20:7',
    166: 'case.map:20:34',
    168: 'case.map:20:50',
    171: 'case.map:20:34',
    172: 'case.map:20:50',
    177: 'types.map:2:7',
    181: 'types.map:3:3',
    183: 'types.map:3:22',
    186: 'types.map:3:3',
    187: 'types.map:3:22',
    193: 'types.map:4:3',
    196: 'types.map:4:16',
    199: 'types.map:4:3',
    200: 'types.map:4:16',
    205: 'types.map:6:7',
    209: 'types.map:7:3',
    211: 'types.map:7:21',
    216: 'types.map:7:3',
    217: 'types.map:7:21',
    224: '',
}
